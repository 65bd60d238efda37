/* test_history.c: `mailsweep show --history`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/tool.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

enum { ARGS_MAX = 12 };

static char datadir[64];

struct call {
	char *argv[ARGS_MAX];
	int argc;
};

static int
run_call(void *arg)
{
	struct call *c = arg;
	struct tool tool = { .command = &command_show };
	int status;

	optind = 0; /* glibc: start anew */
	status = command_show.run(&tool, c->argc, c->argv);
	tool_clear(&tool);
	return status;
}

/* `mailsweep show -d DATADIR --history ...`, its output, to free. */
static char *
history(int expected, char *words)
{
	char name[] = "mailsweep", option[] = "-d", own[] = "--history";
	struct call c = { { name, option, datadir, own }, 4 };
	char *text;
	int status;

	for (char *rest, *w = strtok_r(words, " ", &rest); w != NULL;
	     w = strtok_r(NULL, " ", &rest))
		c.argv[c.argc++] = w;
	text = output_of(run_call, &c, &status);
	assert_int_equal(status, expected);
	return text;
}

static int
make(void **state)
{
	(void)state;
	sample_make(datadir);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	help_remove(datadir);
	return 0;
}

static void
has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void
test_a_line_each(void **state)
{
	char words[] = "192.0.2.6", json[] = "--json 192.0.2.6";
	char *text = history(TOOL_OK, words);

	(void)state;
	has(text, "2026-11-21 02:00  192.0.2.6:");
	has(text, " preauth");
	assert_null(strstr(strchr(text, '\n') + 1, "\n"));
	free(text);
	text = history(TOOL_OK, json);
	has(text, "{\"sweep\":\"" SAMPLE_ID "\",\"began\":\"2026-11-21T02:00");
	has(text, "\"preauth\"");
	free(text);
}

static void
test_nothing(void **state)
{
	char nobody[] = "198.51.100.9", port[] = "192.0.2.6:1";
	char one[] = "--sweep " SAMPLE_ID " 192.0.2.6";

	(void)state;
	free(history(TOOL_NOTHING, nobody));
	free(history(TOOL_NOTHING, port));
	free(history(TOOL_USAGE, one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_each),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("history", tests, make, clean);
}
