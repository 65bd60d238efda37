/* test_wheel.c: timers come in time, once, and only when set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/wheel.h"

enum { TIMERS = 2000, START = 1000000 };

static struct wheel wheel;
static struct timer timers[TIMERS];
static uint64_t due[TIMERS];

static int
up(void **state)
{
	(void)state;
	wheel_init(&wheel, START);
	memset(timers, 0, sizeof timers);
	return 0;
}

/* Not before its time, and less than a tick and a step later. */
static void
in_time(void **state)
{
	uint64_t seed = 1;
	unsigned came = 0;

	(void)state;
	for (int i = 0; i < TIMERS; i++) {
		seed = seed * 1103515245 + 12345;
		due[i] = START + 1 + seed / 65536 % 250000;
		wheel_set(&wheel, &timers[i], due[i]);
	}
	for (uint64_t now = START; now < START + 260000; now += 10) {
		struct timer *t;

		while ((t = wheel_due(&wheel, now)) != NULL) {
			uint64_t at = due[t - timers];

			assert_in_range(now, at, at + WHEEL_TICK_MS + 10);
			came++;
		}
	}
	assert_int_equal(came, TIMERS);
	assert_int_equal(wheel_wait(&wheel, START + 260000), -1);
}

static void
cleared_ones_stay_away(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		wheel_set(&wheel, &timers[i], START + 500);
	wheel_clear(&wheel, &timers[0]);
	wheel_clear(&wheel, &timers[5]);
	wheel_clear(&wheel, &timers[9]);
	wheel_clear(&wheel, &timers[9]);
	for (int i = 0; i < 7; i++) {
		struct timer *t = wheel_due(&wheel, START + 1000);

		assert_non_null(t);
		assert_true(
		    t != &timers[0] && t != &timers[5] && t != &timers[9]);
	}
	assert_null(wheel_due(&wheel, START + 1000));
}

static void
set_anew(void **state)
{
	(void)state;
	wheel_set(&wheel, &timers[0], START + 100);
	wheel_set(&wheel, &timers[0], START + 5000);
	assert_null(wheel_due(&wheel, START + 4000));
	assert_ptr_equal(wheel_due(&wheel, START + 5100), &timers[0]);
}

/* A handler that sets its timer in the past does not hold up the others. */
static void
past_waits_for_the_next_tick(void **state)
{
	(void)state;
	wheel_set(&wheel, &timers[0], START - 50);
	assert_null(wheel_due(&wheel, START));
	assert_ptr_equal(wheel_due(&wheel, START + WHEEL_TICK_MS), &timers[0]);
	wheel_set(&wheel, &timers[0], START);
	assert_null(wheel_due(&wheel, START + WHEEL_TICK_MS));
}

/* A process that slept through a whole turn finds them all. */
static void
long_sleep(void **state)
{
	unsigned n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		wheel_set(&wheel, &timers[i], START + 2000u * (unsigned)i);
	while (wheel_due(&wheel, START + 10000000))
		n++;
	assert_int_equal(n, 100);
}

static void
waits(void **state)
{
	int wait;

	(void)state;
	assert_int_equal(wheel_wait(&wheel, START), -1);
	wheel_set(&wheel, &timers[0], START + 1000);
	wait = wheel_wait(&wheel, START);
	assert_in_range(wait, 1000, 1000 + WHEEL_TICK_MS);
	assert_non_null(wheel_due(&wheel, START + (uint64_t)wait));
	/* Far away: cut to a turn of the wheel, never lost. */
	wheel_set(&wheel, &timers[0], START + 100000000);
	wait = wheel_wait(&wheel, START + 1000);
	assert_in_range(wait, 200000, WHEEL_SLOTS * WHEEL_TICK_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_time, up),
		cmocka_unit_test_setup(cleared_ones_stay_away, up),
		cmocka_unit_test_setup(set_anew, up),
		cmocka_unit_test_setup(past_waits_for_the_next_tick, up),
		cmocka_unit_test_setup(long_sleep, up),
		cmocka_unit_test_setup(waits, up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
