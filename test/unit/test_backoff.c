/* test_backoff.c: slow start, halving, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/backoff.h"

enum { RATE = 100000, TICK_MS = 50 };

static struct backoff b;
static struct backoff_seen seen;
static uint64_t now, wire; /* packets/s that it takes */
static unsigned slower, recovered;

static void
begin(void)
{
	now = 1000;
	wire = UINT64_MAX;
	slower = recovered = 0;
	seen = (struct backoff_seen){ .sent = 0 };
	backoff_init(&b, now, &seen);
}

/* Turns for so many milliseconds. */
static void
pass(uint64_t ms, uint64_t rate)
{
	for (uint64_t end = now + ms; now < end; now += TICK_MS) {
		uint64_t speed = b.allowed < wire ? b.allowed : wire;

		seen.sent += speed * TICK_MS / 1000;
		switch (backoff_turn(&b, now, rate, &seen)) {
		case BACKOFF_SLOWER:
			slower++;
			break;
		case BACKOFF_RECOVERED:
			recovered++;
			break;
		case BACKOFF_QUIET:
			break;
		}
	}
}

static void
it_starts_at_a_tenth_and_doubles(void **state)
{
	(void)state;
	begin();
	pass(TICK_MS, RATE);
	assert_int_equal(b.allowed, RATE / 10);
	pass(BACKOFF_STEP_MS, RATE);
	assert_int_equal(b.allowed, RATE / 5);
	pass((uint64_t)3 * BACKOFF_STEP_MS, RATE);
	assert_int_equal(b.allowed, RATE);
	pass(10000, RATE);
	assert_int_equal(b.allowed, RATE);
	assert_int_equal(slower + recovered, 0);
}

static void
drops_halve_it_and_it_comes_back(void **state)
{
	(void)state;
	begin();
	pass(5000, RATE);
	seen.n[BACKOFF_DROPS] += 17;
	pass(TICK_MS, RATE);
	assert_int_equal(b.allowed, RATE / 2);
	assert_int_equal(b.why, BACKOFF_DROPS);
	assert_int_equal(slower, 1);
	/* a second of waiting, then a twentieth a second: ten and a little */
	pass(9750, RATE);
	assert_in_range(b.allowed, RATE / 100 * 94, RATE / 100 * 96);
	assert_int_equal(recovered, 0);
	pass(1500, RATE);
	assert_int_equal(b.allowed, RATE);
	assert_int_equal(b.why, BACKOFF_NONE);
	assert_int_equal(recovered, 1);
	assert_int_equal(b.cuts, 1);
}

/* Where the rate is out of reach, what was reached is what is halved. */
static void
what_was_sent_is_halved(void **state)
{
	(void)state;
	begin();
	wire = RATE / 10;
	pass(5000, RATE);
	assert_int_equal(b.allowed, RATE);
	seen.n[BACKOFF_DROPS]++;
	pass(TICK_MS, RATE);
	assert_in_range(b.allowed, RATE / 20 - 50, RATE / 20);
	pass(6000, RATE);
	assert_in_range(b.allowed, RATE / 1000 * 70, RATE / 1000 * 80);
}

/* What has been sent before the cut still drops after it. */
static void
one_burst_is_one_cut(void **state)
{
	(void)state;
	begin();
	pass(5000, RATE);
	for (unsigned i = 0; i < 8; i++) {
		seen.n[BACKOFF_ERRORS]++;
		pass(TICK_MS, RATE);
	}
	assert_int_equal(b.allowed, RATE / 2);
	assert_int_equal(b.why, BACKOFF_ERRORS);
	assert_int_equal(slower, 1);
}

static void
trouble_without_end_leaves_a_trickle(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 200; i++) {
		seen.n[BACKOFF_ERRORS]++;
		pass(BACKOFF_CUT_MS, RATE);
	}
	assert_int_equal(b.allowed, RATE / 1000);
	assert_int_equal(b.why, BACKOFF_ERRORS);
	/* 100 s: a line in ten */
	assert_in_range(slower, 9, 12);
}

/* packet has stopped send then, and lets it go on: that is enough. */
static void
a_full_wire_is_said(void **state)
{
	(void)state;
	begin();
	pass(5000, RATE);
	for (unsigned i = 0; i < 10; i++) {
		seen.n[BACKOFF_WIRE]++;
		pass(BACKOFF_CUT_MS, RATE);
	}
	assert_int_equal(b.allowed, RATE);
	assert_int_equal(b.why, BACKOFF_WIRE);
	assert_int_equal(slower, 1);
	pass(2000, RATE);
	assert_int_equal(b.why, BACKOFF_NONE);
	assert_int_equal(recovered, 1);
}

static void
trouble_ends_the_slow_start(void **state)
{
	(void)state;
	begin();
	pass(TICK_MS + BACKOFF_STEP_MS, RATE);
	assert_int_equal(b.allowed, RATE / 5);
	seen.n[BACKOFF_DROPS]++;
	pass(TICK_MS, RATE);
	assert_int_equal(b.allowed, RATE / 10);
	/* two seconds of a twentieth of what was reached: a fifth */
	pass(2750, RATE);
	assert_in_range(b.allowed, RATE / 100 * 11, RATE / 100 * 13);
}

static void
a_pause_and_small_rates(void **state)
{
	(void)state;
	begin();
	pass(5000, RATE);
	pass(1000, 0);
	assert_int_equal(b.allowed, 0);
	pass(TICK_MS, RATE);
	assert_int_equal(b.allowed, RATE / 10);
	pass(5000, RATE / 4);
	assert_int_equal(b.allowed, RATE / 4);
	begin();
	pass(TICK_MS, 1);
	assert_int_equal(b.allowed, 1);
	seen.n[BACKOFF_DROPS]++;
	pass(TICK_MS, 1);
	assert_int_equal(b.allowed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_at_a_tenth_and_doubles),
		cmocka_unit_test(drops_halve_it_and_it_comes_back),
		cmocka_unit_test(what_was_sent_is_halved),
		cmocka_unit_test(one_burst_is_one_cut),
		cmocka_unit_test(trouble_without_end_leaves_a_trickle),
		cmocka_unit_test(a_full_wire_is_said),
		cmocka_unit_test(trouble_ends_the_slow_start),
		cmocka_unit_test(a_pause_and_small_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
