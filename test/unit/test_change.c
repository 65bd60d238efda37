/* test_change.c: two sweeps compared, target by target and as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/change.h"
#include "test/unit/run_help.h"
#include "test/unit/store_help.h"

#define BEFORE "20261120T020000Z-test"
#define NOW    "20261121T020000Z-test"

enum { NO_TLS = 1 << FINDING_NO_TLS, EXPIRED = 1 << FINDING_EXPIRED };

static char directory[64];

/* What it had before and has now; 0x80000000: no row. */
#define NONE 0x80000000u
static const struct expected {
	const char *addr, *country;
	uint32_t before, now;
	enum outcome outcome; /* now */
	enum difference difference;
} all[] = {
	{ "192.0.2.1", "DE", NONE, NO_TLS, OUTCOME_COMPLETED, DIFFERENCE_NEW },
	{ "192.0.2.2", "DE", NO_TLS, NONE, OUTCOME_NONE, DIFFERENCE_NOT_SEEN },
	{ "192.0.2.3", "DE", NO_TLS, 0, OUTCOME_COMPLETED, DIFFERENCE_FIXED },
	/* One that broke off shows nothing. */
	{ "192.0.2.4", "PL", NO_TLS, 0, OUTCOME_BROKEN, DIFFERENCE_SAME },
	{ "192.0.2.5", "PL", EXPIRED, EXPIRED | NO_TLS, OUTCOME_COMPLETED,
	    DIFFERENCE_WORSE },
	{ "192.0.2.6", "PL", EXPIRED, NO_TLS, OUTCOME_COMPLETED,
	    DIFFERENCE_WORSE },
	{ "192.0.2.7", "PL", EXPIRED, EXPIRED, OUTCOME_COMPLETED,
	    DIFFERENCE_SAME },
	{ "2001:db8::1", "JP", NO_TLS, NONE, OUTCOME_NONE,
	    DIFFERENCE_NOT_SEEN },
};
enum { ALL = sizeof all / sizeof all[0] };

static void
seal_one(const char *id, bool now)
{
	struct help_row rows[ALL];
	unsigned n = 0;

	for (unsigned i = 0; i < ALL; i++) {
		uint32_t findings = now ? all[i].now : all[i].before;

		if (findings == NONE)
			continue;
		rows[n].target = help_target(all[i].addr, 110);
		rows[n].head = help_head(&rows[n].target,
		    now ? all[i].outcome : OUTCOME_COMPLETED, findings, 1000);
		memcpy(rows[n].head.country, all[i].country, 2);
		rows[n++].body = NULL;
	}
	help_seal(directory, id, 1000, rows, n, 0);
}

static int
make(void **state)
{
	(void)state;
	help_directory(directory);
	seal_one(BEFORE, false);
	seal_one(NOW, true);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	help_remove(directory);
	return 0;
}

static void
test_each(void **state)
{
	char error[STORE_ERROR_MAX], text[ADDR_TEXT_MAX];
	struct store *before = store_open(directory, BEFORE, error);
	struct store *now = store_open(directory, NOW, error);
	struct comparison *walk;
	struct compared c;
	unsigned i = 0;

	(void)state;
	assert_non_null(before);
	assert_non_null(now);
	walk = comparison_new(before, now, GONE_AFTER);
	for (; comparison_next(walk, &c); i++) {
		assert_true(i < ALL);
		assert_string_equal(
		    addr_text(&c.target.addr, text), all[i].addr);
		assert_int_equal(c.difference, all[i].difference);
		assert_int_equal(c.before == NULL, all[i].before == NONE);
		assert_int_equal(c.now == NULL, all[i].now == NONE);
	}
	assert_int_equal(i, ALL);
	comparison_free(walk);
	store_close(before);
	store_close(now);
}

static void
says(const char *arguments, const char *wanted, enum tool_exit expected)
{
	char *text = run_command(&command_diff, directory, arguments, expected);

	has(text, wanted);
	free(text);
}

static void
test_tables(void **state)
{
	(void)state;
	says("--by country --csv",
	    "\"country\",\"new\",\"back\",\"fixed\",\"worse\",\"not_seen\","
	    "\"gone\","
	    "\"same\"\n"
	    "\"DE\",1,0,1,0,1,0,0\n\"PL\",0,0,0,2,0,0,2\n"
	    "\"JP\",0,0,0,0,1,0,0\n\"all\",1,0,1,2,2,0,2\n",
	    TOOL_OK);
	says("--by family --csv", "\"6\",0,0,0,0,1,0,0\n", TOOL_OK);
	says("--rows", "worse    192.0.2.6:110 ", TOOL_OK);
	says("--rows", "expired -> no_tls\n", TOOL_OK);
	says("", "from " BEFORE "\nto   " NOW "\n", TOOL_OK);
	says("--rows --json", "{\"ip\":\"192.0.2.6\",\"port\":110,", TOOL_OK);
	says("--rows --csv", "", TOOL_USAGE);
	says("--sweep " NOW, "", TOOL_USAGE);
	says("--by nothing", "", TOOL_USAGE);
	says(NOW, "", TOOL_USAGE);
	says("20200101T000000Z-test", "", TOOL_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
