/* tool.c: what the commands of mailsweep(1) share. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/buf.h"
#include "storage/tool.h"

enum { OPTION_HELP = 1, OPTION_SWEEP, OPTION_JSON };

#define DEFAULT_CONF SYSCONFDIR "/mailsweep.conf"

static const struct option shared[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "datadir", required_argument, NULL, 'd' },
	{ "sweep", required_argument, NULL, OPTION_SWEEP },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
};
enum { SHARED = sizeof shared / sizeof shared[0] };

static void
complain(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("mailsweep: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int
tool_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return TOOL_ERROR;
}

int
tool_usage(const struct tool *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try: mailsweep %s --help\n", t->command->name);
	return TOOL_USAGE;
}

static void
print_help(const struct command *c)
{
	printf("usage: mailsweep %s%s%s\n\n%s.\n\n%s", c->name,
	    c->arguments[0] ? " " : "", c->arguments, c->summary, c->help);
	puts("  -f, --file FILE        configuration [" DEFAULT_CONF "]\n"
	     "  -d, --datadir DIR      data directory, in place of a "
	     "configuration's\n"
	     "      --sweep ID         a sealed sweep, or live [the newest "
	     "sealed]\n"
	     "      --json             print JSON\n"
	     "      --help             print this\n\n"
	     "Exit status: 0 done, 1 error, 2 usage, 3 an account does not "
	     "balance,\n4 nothing found.");
}

static void
merge_options(const struct option *own, struct option all[OPTIONS_MAX])
{
	size_t n = 0;

	for (; own && own->name && n < OPTIONS_MAX - SHARED - 1; own++)
		all[n++] = *own;
	memcpy(all + n, shared, sizeof shared);
	memset(all + n + SHARED, 0, sizeof all[0]);
}

int
tool_option(struct tool *t, int argc, char **argv, const struct option *own,
    int *status)
{
	struct option all[OPTIONS_MAX];
	int c;

	merge_options(own, all);
	*status = TOOL_GO_ON;
	while ((c = getopt_long(argc, argv, "f:d:vo:", all, NULL)) != -1) {
		switch (c) {
		case 'f':
			t->conf_file = optarg;
			break;
		case 'd':
			t->datadir = optarg;
			break;
		case OPTION_SWEEP:
			t->sweep = optarg;
			break;
		case OPTION_JSON:
			t->json = true;
			break;
		case OPTION_HELP:
			print_help(t->command);
			*status = TOOL_OK;
			return -1;
		case '?':
			*status = tool_usage(
			    t, "%s: wrong options", t->command->name);
			return -1;
		default:
			return c;
		}
	}
	return -1;
}

int
tool_setup(struct tool *t)
{
	const char *file = t->conf_file;

	if (!file && t->datadir)
		return TOOL_GO_ON;
	if (!file)
		file = DEFAULT_CONF;
	if (!t->conf_file && access(file, R_OK) < 0)
		return tool_error(
		    "%s: %s (give -f FILE, or -d DIR)", file, strerror(errno));
	if (conf_read(file, &t->conf, NULL, NULL, &t->recipients) < 0)
		return TOOL_ERROR;
	t->configured = true;
	if (!t->datadir)
		t->datadir = t->conf.store;
	return TOOL_GO_ON;
}

void
tool_clear(struct tool *t)
{
	recipients_free(&t->recipients);
}

struct store *
tool_store(const struct tool *t)
{
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(t->datadir, t->sweep, error);

	if (!s)
		tool_error("%s", error);
	return s;
}

int
tool_damaged(const char *sweep, uint64_t rows, int status)
{
	if (rows == 0)
		return status;
	return tool_error("%s: %" PRIu64 " damaged rows are left out, "
			  "`mailsweep check` names them",
	    sweep, rows);
}

int
tool_store_close(struct store *s, int status)
{
	status =
	    tool_damaged(store_info(s)->sweep.id, store_damaged(s), status);
	store_close(s);
	return status;
}

/* Built in a tree, in build/VARIANT/: that tree's files, installed or not. */
char *
tool_data_file(const char *name)
{
	char exe[PATH_MAX];
	struct buf path = { 0 };
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	char *build;

	exe[n > 0 ? n : 0] = '\0';
	build = strstr(exe, "/build/");
	if (build) {
		buf_printf(
		    &path, "%.*s/conf/%s", (int)(build - exe), exe, name);
		if (access(path.s, R_OK) == 0)
			return path.s;
		buf_clear(&path);
	}
	buf_printf(&path, "%s/%s", DATADIR, name);
	return path.s;
}

int
tool_no_sweep(const struct tool *t, int status)
{
	if (status == TOOL_GO_ON && t->sweep)
		return tool_usage(
		    t, "--sweep: not an option of %s", t->command->name);
	return status;
}

int
tool_options_over(const struct tool *t, int status, int argc, char **argv)
{
	if (status == TOOL_GO_ON && optind < argc)
		return tool_usage(t, "%s: not expected", argv[optind]);
	return status;
}

struct advices *
tool_advices(void)
{
	char error[ADVICE_ERROR_MAX];
	char *path = tool_data_file("advice");
	struct advices *advices = advice_read(path, error);

	if (!advices)
		tool_error("%s", error);
	free(path);
	return advices;
}

struct holes *
tool_holes(const char *file)
{
	char error[HOLES_ERROR_MAX];
	char *path = file ? NULL : tool_data_file("smtp-vulnerable");
	struct holes *holes = holes_read(file ? file : path, error);

	if (!holes)
		tool_error("%s", error);
	free(path);
	return holes;
}

bool
tool_number(const struct tool *t, const char *option, const char *text,
    uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
	    *number <= max)
		return true;
	tool_usage(t, "--%s %s: expected a number of at most %llu", option,
	    text, (unsigned long long)max);
	return false;
}

int
tool_finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return tool_error("standard output: %s", strerror(errno));
}
