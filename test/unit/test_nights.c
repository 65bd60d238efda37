/* test_nights.c: what becomes of targets over several nights, as diff has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ranges.h"
#include "test/unit/feed_help.h"
#include "test/unit/nights_help.h"
#include "test/unit/run_help.h"
#include "test/unit/store_help.h"

enum { NIGHTS = 6, NO_TLS = 1 << FINDING_NO_TLS };

static char ids[NIGHTS][SWEEP_ID_MAX];

/*
 * .1 is there always; .2 leaves after the first night, and is back in the last
 * one; .3 leaves after the second; .4 comes in the third and mends in the
 * fourth; .5 is silent from the second on.
 */
static const char *const seen[NIGHTS] = { "1235", "13", "14", "1f", "1f",
	"12f" };

static void
live_through(void)
{
	for (unsigned i = 0; i < NIGHTS; i++) {
		night_begins();
		for (const char *at = seen[i]; *at; at++) {
			bool fixed = *at == 'f';
			char addr[] = "192.0.2.0";

			addr[sizeof addr - 2] = fixed ? '4' : *at;
			night_saw(addr, OUTCOME_COMPLETED, fixed ? 0 : NO_TLS);
		}
		if (i > 0)
			night_silent("192.0.2.5");
		night_ends(1);
		memcpy(ids[i], night.info.sweep.id, SWEEP_ID_MAX);
	}
}

static void
between(
    unsigned before, unsigned after, const char *options, const char *expected)
{
	char arguments[256], *text;

	snprintf(arguments, sizeof arguments, "--by none --csv %s %s %s",
	    options, ids[before], ids[after]);
	text = run_command(&command_diff, night.dir, arguments, TOOL_OK);
	has(text, expected);
	free(text);
}

static void
rows_between(unsigned before, unsigned after, const char *expected)
{
	char arguments[256], *text;

	snprintf(arguments, sizeof arguments, "--rows %s %s", ids[before],
	    ids[after]);
	text = run_command(&command_diff, night.dir, arguments, TOOL_OK);
	has(text, expected);
	free(text);
}

static void
test_diff(void **state)
{
	(void)state;
	live_through();
	/* new, back, fixed, worse, not_seen, gone, same */
	between(0, 1, "", "\"all\",0,0,0,0,2,0,2\n");
	between(1, 2, "", "\"all\",1,0,0,0,1,0,1\n");
	/* .2 has been missed for the third time; .5 has answered each time. */
	between(2, 3, "", "\"all\",0,0,1,0,0,1,1\n");
	between(3, 4, "", "\"all\",0,0,0,0,0,1,2\n");
	between(4, 5, "", "\"all\",0,1,0,0,0,0,2\n");
	between(0, 5, "", "\"all\",1,0,0,0,1,1,2\n");
	between(0, 2, "", "\"all\",1,0,0,0,3,0,1\n");
	between(0, 2, "--gone-after 2", "\"all\",1,0,0,0,2,1,1\n");
	between(1, 2, "--gone-after 2", "\"all\",1,0,0,0,1,1,1\n");
	rows_between(2, 3, "gone     192.0.2.2:110 ");
	rows_between(1, 2, "not_seen 192.0.2.3:110 ");
	rows_between(4, 5, "back     192.0.2.2:110 ");
}

/* How many sweeps running have heard nothing of what is gone. */
static unsigned
missed(const char *addr)
{
	struct target t, wanted = help_target(addr, 110);
	struct store *s = store_open(night.dir, NULL, night.error);
	struct store_scan *scan;
	struct head h;
	bool found = false;

	assert_non_null(s);
	scan = store_scan_gone(s);
	while (!found && store_scan_next(scan, &t, &h))
		found = target_cmp(&t, &wanted) == 0;
	assert_true(found);
	store_scan_free(scan);
	store_close(s);
	return h.missed;
}

/* Gone is told once; who answers is not gone, though it says nothing. */
static void
test_silent_after_it_was_gone(void **state)
{
	static const unsigned expected[] = { 1, 2, 3, 0, 0, 1 };

	(void)state;
	for (unsigned i = 0; i <= sizeof expected / sizeof expected[0]; i++) {
		night_begins();
		night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS);
		if (i == 0)
			night_saw("192.0.2.2", OUTCOME_COMPLETED, NO_TLS);
		if (i == 4 || i == 5)
			night_silent("192.0.2.2");
		night_ends(1);
		if (i > 0)
			assert_int_equal(missed("192.0.2.2"), expected[i - 1]);
	}
}

static unsigned
files_of_gone(void)
{
	struct recipient v[] = { { .name = "all", .everything = true } };
	struct recipients all = { v, 1 };
	char dir[64];
	unsigned n;

	help_feeds(night.dir, dir, &all, FEED_GONE_ROWS, false);
	n = help_files(dir);
	help_remove(dir);
	return n;
}

/* In the sweep that missed it for the third time, and in no other. */
static void
test_gone_is_told_once(void **state)
{
	static const char expected[] = "0001000";
	struct ranges *excluded = ranges_new();
	const struct ranges *usual = night.args.excluded;
	const char *what;

	(void)state;
	assert_int_equal(ranges_add_text(excluded, "192.0.2.2", &what), 0);
	assert_int_equal(ranges_seal(excluded), 0);
	for (unsigned i = 0; expected[i] != '\0'; i++) {
		night.args.excluded = i == 4 || i == 5 ? excluded : usual;
		night_begins();
		night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS);
		if (i == 0)
			night_saw("192.0.2.2", OUTCOME_COMPLETED, NO_TLS);
		night_ends(1);
		assert_int_equal(files_of_gone() > 0, expected[i] == '1');
	}
	assert_int_equal(missed("192.0.2.2"), 4);
	night.args.excluded = usual;
	ranges_free(excluded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_diff, night_set_up, night_tear_down),
		cmocka_unit_test_setup_teardown(test_silent_after_it_was_gone,
		    night_set_up, night_tear_down),
		cmocka_unit_test_setup_teardown(
		    test_gone_is_told_once, night_set_up, night_tear_down),
	};

	return cmocka_run_group_tests_name("nights", tests, NULL, NULL);
}
