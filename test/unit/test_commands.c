/* test_commands.c: `mailsweep sweeps`, and the manual of all commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/tool_help.h"

static void
test_sweeps(void **state)
{
	char *text = run_sample(&command_sweeps, "-v", TOOL_OK);

	(void)state;
	has(text, SAMPLE_ID);
	has(text, "balanced");
	has(text, "send: index passed");
	has(text, "agree");
	has_not(text, "OFF");
	free(text);
	text = run_sample(&command_sweeps, "--json", TOOL_OK);
	has(text, "\"balanced\":true");
	has(text, "\"syn_packets\":0");
	free(text);
	free(run_sample(&command_sweeps, "--sweep other", TOOL_NOTHING));
}

/* What is of no single sweep does not pass over that one was named. */
static void
test_no_sweep(void **state)
{
	static const struct {
		const struct command *command;
		const char *arguments;
	} all[] = { { &command_status, "--once --sweep " SAMPLE_ID },
		{ &command_merge, "-o /nonexistent --sweep " SAMPLE_ID " x" },
		{ &command_diff, "--sweep " SAMPLE_ID },
		{ &command_optout, "list --sweep " SAMPLE_ID },
		{ &command_fixes, "--sweep " SAMPLE_ID },
		{ &command_announced, "--sweep " SAMPLE_ID } };

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		free(run_sample(all[i].command, all[i].arguments, TOOL_USAGE));
}

/* Each long option that --help prints is explained in the manual. */
static void
test_manual(void **state)
{
	static const struct command *const all[] = { &command_status,
		&command_sweeps, &command_show, &command_dump, &command_stats,
		&command_feed, &command_check, &command_merge, &command_diff,
		&command_optout, &command_report, &command_fixes,
		&command_announced };
	char *manual = file_text("storage/mailsweep.1", NULL);
	unsigned options = 0;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		char *help = run_sample(all[i], "--help", TOOL_OK), wanted[64];

		has(manual, all[i]->name);
		for (char *at = help; (at = strstr(at, "--")); options++) {
			int n =
			    (int)strspn(at += 2, "abcdefghijklmnopqrstuvwxyz-");

			snprintf(wanted, sizeof wanted, "Fl Fl %.*s", n, at);
			has(manual, wanted);
		}
		free(help);
	}
	assert_true(options > 40);
	free(manual);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweeps),
		cmocka_unit_test(test_no_sweep),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests_name(
	    "commands", tests, sample_setup, sample_teardown);
}
