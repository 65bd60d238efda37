/* test_parent.c: the hour of the next sweep, and what status says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/conf.h"
#include "engine/parent.h"
#include "engine/status.h"

enum { MIDNIGHT = 1795219200, DAY = 86400 }; /* 2026-11-21 */

static void
knows_the_next_hour(void **state)
{
	(void)state;
	assert_int_equal(parent_next("02:00", MIDNIGHT), MIDNIGHT + 7200);
	assert_int_equal(
	    parent_next("02:00", MIDNIGHT + 7199), MIDNIGHT + 7200);
	/* Not twice in the second in which it begins. */
	assert_int_equal(
	    parent_next("02:00", MIDNIGHT + 7200), MIDNIGHT + DAY + 7200);
	assert_int_equal(parent_next("00:00", MIDNIGHT), MIDNIGHT + DAY);
	assert_int_equal(parent_next("23:59", MIDNIGHT), MIDNIGHT + DAY - 60);
}

/* A clock that was a year ahead when it was asked, and is right now. */
static void
waits_no_more_than_a_day(void **state)
{
	int64_t next = parent_next("02:00", MIDNIGHT + (int64_t)365 * DAY);

	(void)state;
	assert_int_equal(
	    parent_still("02:00", next, MIDNIGHT), MIDNIGHT + 7200);
	assert_int_equal(
	    parent_still("02:00", MIDNIGHT + 7200, MIDNIGHT - DAY + 7200),
	    MIDNIGHT + 7200);
	assert_int_equal(
	    parent_still("02:00", MIDNIGHT + 7200, MIDNIGHT + 7100),
	    MIDNIGHT + 7200);
}

static void
says_when_it_is_idle(void **state)
{
	struct conf conf = { .rate = 10 };
	char *line = status_line(&conf, NULL, MIDNIGHT, 5000);

	(void)state;
	assert_non_null(line);
	assert_non_null(strstr(line, "\"state\":\"idle\""));
	assert_non_null(strstr(line, "\"uptime_s\":5"));
	assert_non_null(strstr(line, "\"next_sweep\":1795219200"));
	/* One line: that is how the reader knows its end. */
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_next_hour),
		cmocka_unit_test(waits_no_more_than_a_day),
		cmocka_unit_test(says_when_it_is_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
