/* test_history.c: `mailsweep show --history`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/tool_help.h"

/* What `mailsweep show --history ARGUMENTS` prints, to free. */
static char *
history(enum tool_exit expected, const char *arguments)
{
	char all[128];

	snprintf(all, sizeof all, "--history %s", arguments);
	return run_sample(&command_show, all, expected);
}

static void
test_a_line_each(void **state)
{
	char *text = history(TOOL_OK, "192.0.2.6");

	(void)state;
	has(text, "2026-11-21 02:00  192.0.2.6:");
	has(text, " preauth");
	assert_null(strstr(strchr(text, '\n') + 1, "\n"));
	free(text);
	text = history(TOOL_OK, "--json 192.0.2.6");
	has(text, "{\"sweep\":\"" SAMPLE_ID "\",\"began\":\"2026-11-21T02:00");
	has(text, "\"preauth\"");
	free(text);
}

static void
test_nothing(void **state)
{
	(void)state;
	free(history(TOOL_NOTHING, "198.51.100.9"));
	free(history(TOOL_NOTHING, "192.0.2.6:1"));
	free(history(TOOL_USAGE, "--sweep " SAMPLE_ID " 192.0.2.6"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_each),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name(
	    "history", tests, sample_setup, sample_teardown);
}
