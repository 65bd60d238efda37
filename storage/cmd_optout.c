/* cmd_optout.c: `mailsweep optout`: who wants to be left out. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "storage/ask.h"
#include "storage/datadir.h"
#include "storage/json_out.h"
#include "storage/prefix.h"
#include "storage/purge.h"
#include "storage/store_catalog.h"
#include "storage/tool.h"

enum {
	OPTOUT_REASON = OPTION_OWN,
	FORCE_MS = 10000, /* for the daemon to put it in force */
	ASK_MS = 5,
	US_PER_S = 1000000
};

struct optouts_given {
	struct optout *v;
	size_t n, cap;
	uint64_t when_us;
	const char *reason;
};

/* ---- what is given ------------------------------------------------------- */

/* Nothing is done unless all of it can be read. */
static int
give(const struct tool *t, struct optouts_given *g, const char *place,
    const char *text)
{
	char expected[PREFIX_EXPECTED_MAX];
	struct optout o = { .when_us = g->when_us };

	if (prefix_parse(text, &o, expected) < 0)
		return tool_usage(
		    t, "%s%s: expected %s", place, text, expected);
	snprintf(o.reason, sizeof o.reason, "%s", g->reason);
	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 64;
		struct optout *v = reallocarray(g->v, cap, sizeof *v);

		if (!v)
			return tool_error("no memory");
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n++] = o;
	return TOOL_GO_ON;
}

/* A prefix a line; blanks around it, and what follows a #, do not count. */
static int
give_lines(const struct tool *t, struct optouts_given *g)
{
	char place[64], *line = NULL, *word;
	size_t cap = 0;
	int status = TOOL_GO_ON;

	for (unsigned n = 1; status == TOOL_GO_ON; n++) {
		if (getline(&line, &cap, stdin) < 0)
			break;
		line[strcspn(line, "#\r\n")] = '\0';
		word = line + strspn(line, " \t");
		for (size_t len = strlen(word);
		     len > 0 && strchr(" \t", word[len - 1]) != NULL; len--)
			word[len - 1] = '\0';
		snprintf(place, sizeof place, "standard input, line %u: ", n);
		if (word[0] != '\0')
			status = give(t, g, place, word);
	}
	if (status == TOOL_GO_ON && ferror(stdin))
		status = tool_error("standard input: %s", strerror(errno));
	free(line);
	return status;
}

static int
give_all(const struct tool *t, struct optouts_given *g, int argc, char **argv)
{
	int status = TOOL_GO_ON;

	if (argc == 0)
		return tool_usage(t,
		    "expected prefixes, or - for a list of "
		    "them on standard input");
	for (int i = 0; i < argc && status == TOOL_GO_ON; i++)
		status = strcmp(argv[i], "-") == 0 ? give_lines(t, g)
						   : give(t, g, "", argv[i]);
	return status;
}

/* ---- where it is kept ---------------------------------------------------- */

/*
 * Files that root has made here become those of whom the directory belongs to,
 * as the daemon would have it: its store is not root.
 */
static int
hand_over(const char *datadir)
{
	char error[STORE_ERROR_MAX] = "";
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;
	struct stat st;

	if (here >= 0 && stat(datadir, &st) == 0 && chdir(datadir) == 0) {
		rc = geteuid() != 0 ? 0
				    : datadir_give(st.st_uid, st.st_gid, error);
		if (fchdir(here) != 0)
			rc = -1;
	}
	if (rc != 0)
		tool_error("%s: %s", datadir,
		    error[0] != '\0' ? error : strerror(errno));
	if (here >= 0)
		close(here);
	return rc == 0 ? TOOL_GO_ON : TOOL_ERROR;
}

/* ---- the daemon ---------------------------------------------------------- */

enum daemon_state { NO_DAEMON, IN_FORCE, NOT_IN_FORCE };

/* One question; the ticket is empty at first. */
static enum daemon_state
ask_once(const char *path, char ticket[64])
{
	char request[96];
	struct json_object *answer, *o;
	enum daemon_state state = NOT_IN_FORCE;

	snprintf(request, sizeof request, "optouts%s%s", ticket[0] ? " " : "",
	    ticket);
	answer = ask_daemon(path, request);
	if (!answer)
		return errno == ENOENT || errno == ECONNREFUSED ? NO_DAEMON
								: NOT_IN_FORCE;
	if (json_object_object_get_ex(answer, "ticket", &o))
		snprintf(ticket, 64, "%.48s", json_object_get_string(o));
	if (json_object_object_get_ex(answer, "in_force", &o) &&
	    json_object_get_boolean(o))
		state = IN_FORCE;
	json_object_put(answer);
	return state;
}

/* It is on disk already: the daemon, if one runs, reads it and says when. */
static enum daemon_state
put_in_force(const struct tool *t)
{
	char path[ASK_PATH_CAP], ticket[64] = "";
	enum daemon_state state;
	int waited = 0;

	ask_path(t, path);
	while ((state = ask_once(path, ticket)) == NOT_IN_FORCE &&
	    ticket[0] != '\0' && waited < FORCE_MS) {
		poll(NULL, 0, ASK_MS);
		waited += ASK_MS;
	}
	return state;
}

/* It ended between two questions: then nothing is sent either. */
static int
conclude(const struct tool *t, const char *done, size_t n, const char *other,
    size_t nother)
{
	enum daemon_state state = put_in_force(t);
	struct json_object *o;

	if (state == NOT_IN_FORCE)
		return tool_error("%zu prefixes %s on disk, but mailsweepd "
				  "does not say that this is in force",
		    n, done);
	if (!t->json) {
		printf("%zu %s", n, done);
		if (nother > 0)
			printf(", %zu %s", nother, other);
		puts(state == IN_FORCE ? "; in force" : "; no daemon runs");
		return TOOL_OK;
	}
	o = json_object_new_object();
	json_put_number(o, done, n);
	json_put_number(o, other, nother);
	json_put_bool(o, "daemon", state == IN_FORCE);
	json_print(o, false);
	return TOOL_OK;
}

/* ---- the verbs ----------------------------------------------------------- */

static int
add(struct tool *t, struct optouts_given *g)
{
	char error[STORE_ERROR_MAX];
	size_t added;
	int status;

	if (mkdir(t->datadir, 0755) < 0 && errno != EEXIST)
		return tool_error("%s: %s", t->datadir, strerror(errno));
	if (catalog_optouts_add(t->datadir, g->v, g->n, &added, error) < 0)
		return tool_error("%s", error);
	status = hand_over(t->datadir);
	if (status != TOOL_GO_ON)
		return status;
	return conclude(t, "added", added, "present", g->n - added);
}

static int
take_back(struct tool *t, struct optouts_given *g)
{
	char error[STORE_ERROR_MAX], text[PREFIX_TEXT_MAX];
	size_t missing;

	if (catalog_optouts_remove(t->datadir, g->v, g->n, &missing, error) <
	    0) {
		if (missing == g->n)
			return tool_error("%s", error);
		tool_error("%s: expected a prefix of the list, as `mailsweep "
			   "optout list` has it",
		    prefix_text(&g->v[missing], text));
		return TOOL_NOTHING;
	}
	return conclude(t, "removed", g->n, "present", 0);
}

static bool
print_one(const struct optout *o, void *arg)
{
	const struct tool *t = arg;
	time_t seconds = (time_t)(o->when_us / US_PER_S);
	char text[PREFIX_TEXT_MAX], when[32] = "";
	struct json_object *json;
	struct tm tm;

	prefix_text(o, text);
	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!t->json) {
		printf("%-22s %s%s%s\n", text, when, o->reason[0] ? "  " : "",
		    o->reason);
		return true;
	}
	json = json_object_new_object();
	json_put_string(json, "prefix", text);
	json_put_string(json, "time", when);
	json_put_string(json, "reason", o->reason);
	json_print(json, false);
	return true;
}

static int
list(struct tool *t)
{
	if (store_each_optout(t->datadir, print_one, t) == 0)
		return TOOL_OK;
	return tool_error("%s: the opt-outs cannot be read", t->datadir);
}

static void
say_purge(const char *why)
{
	(void)tool_error("not purged: %s", why);
}

static void
print_purged(const struct tool *t, const struct purged *p)
{
	struct json_object *o;

	if (!t->json) {
		printf("%u sealed sweeps written anew, %" PRIu64 " rows purged",
		    p->files, p->rows);
		if (p->unfinished > 0)
			printf("; %u unfinished sweeps removed", p->unfinished);
		puts("");
		return;
	}
	o = json_object_new_object();
	json_put_number(o, "files", p->files);
	json_put_number(o, "rows", p->rows);
	json_put_number(o, "unfinished", p->unfinished);
	json_put_number(o, "failed", p->failed);
	json_print(o, false);
}

static int
purge(struct tool *t)
{
	struct purged p;
	int rc = purge_sealed(t->datadir, &p, say_purge);
	int status = hand_over(t->datadir);

	if (status != TOOL_GO_ON)
		return status;
	print_purged(t, &p);
	return rc == 0 ? TOOL_OK : TOOL_ERROR;
}

/* ---- the command --------------------------------------------------------- */

static bool
is_one_line(const char *reason)
{
	for (const char *c = reason; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return strlen(reason) < OPTOUT_REASON_MAX;
}

static int
run_verb(struct tool *t, const char *verb, struct optouts_given *g, int argc,
    char **argv)
{
	bool adds = strcmp(verb, "add") == 0;
	int status;

	if (strcmp(verb, "list") == 0 || strcmp(verb, "purge") == 0) {
		if (argc > 0)
			return tool_usage(t, "%s: not expected", argv[0]);
		return verb[0] == 'l' ? list(t) : purge(t);
	}
	if (!adds && strcmp(verb, "remove") != 0)
		return tool_usage(
		    t, "%s: expected add, list, remove or purge", verb);
	status = give_all(t, g, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	return adds ? add(t, g) : take_back(t, g);
}

static int
optout_run(struct tool *t, int argc, char **argv)
{
	static const struct option own[] = {
		{ "reason", required_argument, NULL, OPTOUT_REASON }, { 0 }
	};
	struct optouts_given g = { .reason = "" };
	struct timespec now;
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c != OPTOUT_REASON)
			return tool_usage(t, "-%c: not an option of optout", c);
		g.reason = optarg;
	}
	if ((status = tool_no_sweep(t, status)) != TOOL_GO_ON)
		return status;
	if (!is_one_line(g.reason))
		return tool_usage(t,
		    "--reason: expected one line of at most "
		    "%d bytes",
		    OPTOUT_REASON_MAX - 1);
	if (optind == argc)
		return tool_usage(t, "expected add, list, remove or purge");
	if ((status = tool_setup(t)) != TOOL_GO_ON)
		return status;
	clock_gettime(CLOCK_REALTIME, &now);
	g.when_us =
	    (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
	status =
	    run_verb(t, argv[optind], &g, argc - optind - 1, argv + optind + 1);
	free(g.v);
	return status;
}

const struct command command_optout = { "optout",
	"add PREFIX ... | remove PREFIX ... | list | purge",
	"Leave out who asks for it, at once",
	"      --reason TEXT      of an add: kept with it\n", optout_run };
