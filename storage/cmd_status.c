/* cmd_status.c: `mailsweep status`: how far the daemon is. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "storage/ask.h"
#include "storage/geo_age.h"
#include "storage/json_out.h"
#include "storage/progress.h"
#include "storage/text.h"
#include "storage/tool.h"

enum {
	STATUS_WATCH = OPTION_OWN,
	STATUS_ONCE,
	DRAW_MS = 500,
	PRINT_MS = 1000,
	WAIT_MS = 15000, /* watching, for a daemon that is just starting */
	SECOND_US = 1000000
};

struct status {
	char path[ASK_PATH_CAP];
	bool terminal, watch, json;
	bool patient; /* a daemon may be about to start */
	unsigned drawn; /* columns of the line on the terminal */
};

static unsigned
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return 79;
	return size.ws_col - 1u;
}

/* Takes the answer. */
static void
print_status(struct status *s, struct json_object *answer)
{
	struct buf line = { 0 };

	if (s->json) {
		json_print(answer, false);
		fflush(stdout);
		return;
	}
	progress_line(answer, s->terminal ? terminal_width() : 0, &line);
	json_object_put(answer);
	if (!s->terminal || !s->watch) {
		puts(line.s);
	} else {
		/* What a longer line left behind is blanked. */
		printf("\r%s%*s", line.s,
		    s->drawn > line.len ? (int)(s->drawn - line.len) : 0, "");
		s->drawn = (unsigned)line.len;
	}
	fflush(stdout);
	buf_free(&line);
}

static int
no_daemon(const struct status *s)
{
	return tool_error(
	    "%s: no daemon answers: %s", s->path, strerror(errno));
}

/* Until the sweep ends, or the daemon with it. */
static int
watch_daemon(struct status *s)
{
	int interval = s->terminal ? DRAW_MS : PRINT_MS, waited = 0;
	bool seen = false, runs = true;

	while (runs && !ferror(stdout)) {
		struct json_object *answer = ask_daemon(s->path, "status");

		if (!answer && (seen || !s->patient || waited >= WAIT_MS))
			break;
		if (answer) {
			seen = true;
			runs = progress_runs(answer);
			print_status(s, answer);
		}
		if (runs)
			poll(NULL, 0, interval);
		waited += interval;
	}
	if (s->drawn > 0)
		putchar('\n');
	return seen ? TOOL_OK : no_daemon(s);
}

static int
show_status(struct status *s)
{
	struct json_object *answer;

	if (s->watch)
		return watch_daemon(s);
	answer = ask_daemon(s->path, "status");
	if (!answer)
		return no_daemon(s);
	print_status(s, answer);
	return TOOL_OK;
}

static bool
note_last(const struct sweep_info *i, void *arg)
{
	uint64_t *build_us = arg;

	if (i->end_us != 0)
		*build_us = i->geo_build_us;
	return true;
}

/* The places of the last sweep were by data that only somebody can renew. */
static void
warn_of_old_geo(const struct tool *t)
{
	char error[STORE_ERROR_MAX], text[TIME_TEXT_MAX];
	uint64_t build_us = 0, days;

	if (store_sweeps(t->datadir, note_last, &build_us, error) < 0)
		return; /* status is about the daemon */
	days = geo_age_days(build_us, (uint64_t)time(NULL) * SECOND_US);
	if (days > GEO_OLD_DAYS)
		tool_error("warning: the geo data is of %s, %" PRIu64
			   " days old",
		    text_day(build_us, text), days);
}

static int
status_run(struct tool *t, int argc, char **argv)
{
	static const struct option own[] = { { "watch", no_argument, NULL,
						 STATUS_WATCH },
		{ "follow", no_argument, NULL, STATUS_WATCH },
		{ "once", no_argument, NULL, STATUS_ONCE }, { 0 } };
	struct status s = { 0 };
	bool once = false;
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c != STATUS_WATCH && c != STATUS_ONCE)
			return tool_usage(t, "-%c: not an option of status", c);
		s.watch = c == STATUS_WATCH;
		once = c == STATUS_ONCE;
	}
	status = tool_no_sweep(t, tool_options_over(t, status, argc, argv));
	if (status != TOOL_GO_ON)
		return status;
	if ((status = tool_setup(t)) != TOOL_GO_ON)
		return status;
	warn_of_old_geo(t);
	ask_path(t, s.path);
	s.json = t->json;
	s.terminal = isatty(STDOUT_FILENO) && !t->json;
	s.patient = s.watch;
	s.watch = !once && (s.watch || s.terminal);
	return show_status(&s);
}

const struct command command_status = { "status", "[option ...]",
	"Show how far the running sweep is",
	"      --watch, --follow  go on until the sweep ends [on a terminal]\n"
	"      --once             once, also on a terminal\n",
	status_run };
