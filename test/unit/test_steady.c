/* test_steady.c: the clock on the wall is set, and nothing waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/steady.h"

#define SECOND ((uint64_t)1000000)
#define HOUR   (3600 * SECOND)
#define UTC    (1795226400 * SECOND)

static void
goes_on_when_the_clock_is_set(void **state)
{
	struct steady s;

	(void)state;
	steady_init(&s, UTC, 5 * SECOND);
	assert_int_equal(steady_look(&s, UTC + SECOND, 6 * SECOND), 0);
	/* Back by an hour, half a second after that. */
	assert_int_equal(
	    steady_look(&s, UTC + SECOND + SECOND / 2 - HOUR, 6500000),
	    -(int64_t)HOUR);
	assert_int_equal(steady_now(&s, 6500000), UTC + SECOND + SECOND / 2);
	/* Who took a time from the wall meant this one. */
	assert_int_equal(
	    steady_from_wall(&s, UTC - HOUR + 7 * SECOND), UTC + 7 * SECOND);
	assert_int_equal(
	    steady_look(&s, UTC + 2 * SECOND - HOUR, 7 * SECOND), 0);
	/* And forward, a day past where it was. */
	assert_int_equal(
	    steady_look(&s, UTC + 3 * SECOND + 24 * HOUR, 8 * SECOND),
	    (int64_t)(25 * HOUR));
	assert_int_equal(steady_now(&s, 8 * SECOND), UTC + 3 * SECOND);
}

static void
follows_a_clock_that_is_disciplined(void **state)
{
	struct steady s;
	uint64_t wall = UTC;

	(void)state;
	steady_init(&s, UTC, 0);
	/* 500 ppm, the most that ntpd slews, for two hours. */
	for (uint64_t i = 1; i <= 7200; i++) {
		wall += SECOND + 500;
		assert_int_equal(steady_look(&s, wall, i * SECOND), 0);
	}
	assert_int_equal(
	    steady_from_wall(&s, wall), steady_now(&s, 7200 * SECOND));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_when_the_clock_is_set),
		cmocka_unit_test(follows_a_clock_that_is_disciplined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
