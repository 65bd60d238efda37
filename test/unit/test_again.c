/* test_again.c: which stretch is sent again after answers were lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/again.h"

enum { WINDOW_MS = 10000, TICK_MS = 50, STEPS = 5 }; /* a tick */

static struct again a;
static uint64_t now, position[SWEEP_THREADS_MAX], troubles;
static unsigned handed;
static bool sent;

static void
begin(uint64_t at)
{
	now = 777;
	troubles = 0;
	handed = 0;
	sent = true;
	position[0] = at;
	position[1] = 2 * at;
	again_init(&a, 2, WINDOW_MS);
}

/* Thread 0 goes on at 100 steps a second, thread 1 twice as fast. */
static void
pass(uint64_t ms)
{
	for (uint64_t end = now + ms; now < end; now += TICK_MS) {
		position[0] += STEPS;
		position[1] += (uint64_t)2 * STEPS;
		if (again_turn(&a, now, position, troubles, sent)) {
			handed++;
			sent = false;
		}
	}
}

static void
nothing_is_sent_twice_without_trouble(void **state)
{
	(void)state;
	begin(0);
	pass(60000);
	assert_int_equal(handed, 0);
	assert_false(again_open(&a));
}

static void
a_window_before_the_trouble(void **state)
{
	uint64_t at;

	(void)state;
	begin(0);
	pass(60000);
	at = position[0];
	troubles += 3;
	pass(TICK_MS);
	assert_true(again_open(&a));
	pass(AGAIN_CALM_MS - TICK_MS);
	assert_int_equal(handed, 0);
	pass((uint64_t)2 * TICK_MS);
	assert_int_equal(handed, 1);
	/* from what was sent ten seconds before, or a little earlier */
	assert_in_range(a.open[0].from, at - 1030, at - 995);
	assert_int_equal(a.open[0].to, at + STEPS);
	assert_in_range(a.open[1].from, 2 * at - 2060, 2 * at - 1990);
	assert_int_equal(a.open[1].to, 2 * (at + STEPS));
	/* It is open until its own answers must have come. */
	pass(20000);
	assert_true(again_open(&a));
	sent = true;
	pass(WINDOW_MS);
	assert_true(again_open(&a));
	pass((uint64_t)2 * TICK_MS);
	assert_false(again_open(&a));
	assert_int_equal(handed, 1);
}

static void
near_the_start_it_is_from_the_start(void **state)
{
	(void)state;
	begin(40);
	pass(500);
	troubles++;
	pass(2000);
	assert_int_equal(handed, 1);
	assert_int_equal(a.open[0].from, 40 + STEPS);
	assert_int_equal(a.open[0].to, 40 + 11 * STEPS);
}

/* Answers lost while it was being sent again: all of it once more, and more. */
static void
trouble_upon_trouble(void **state)
{
	uint64_t from, to;

	(void)state;
	begin(0);
	pass(30000);
	troubles++;
	pass(500);
	troubles++; /* not calm yet */
	pass(900);
	assert_int_equal(handed, 0);
	pass(200);
	assert_int_equal(handed, 1);
	from = a.open[0].from;
	to = a.open[0].to;
	pass(3000);
	troubles++;
	pass(2000);
	assert_int_equal(handed, 2);
	assert_int_equal(a.open[0].from, from);
	assert_true(a.open[0].to > to);
	assert_int_equal(a.rounds, 2);
	/* Its answers have not all come when the next one is lost. */
	sent = true;
	pass(WINDOW_MS / 2);
	troubles++;
	pass(2000);
	assert_int_equal(handed, 3);
	assert_int_equal(a.open[0].from, from);
	sent = true;
	pass(WINDOW_MS + 2 * TICK_MS);
	assert_false(again_open(&a));
	assert_int_equal(a.rounds, 0);
}

static void
there_is_an_end_to_it(void **state)
{
	(void)state;
	begin(0);
	for (unsigned i = 0; i < 3 * AGAIN_ROUNDS; i++) {
		troubles++;
		pass(2000);
	}
	assert_in_range(handed, AGAIN_ROUNDS, 3 * AGAIN_ROUNDS - 1);
	sent = true;
	pass((uint64_t)2 * WINDOW_MS);
	assert_false(again_open(&a));
}

/* Of one kind of trouble less was on its way than of another. */
static void
a_window_of_its_own(void **state)
{
	uint64_t at;

	(void)state;
	begin(0);
	pass(60000);
	at = position[0];
	again_window(&a, 2000);
	troubles++;
	pass(TICK_MS);
	assert_in_range(a.open[0].from, at - 230, at - 195);
	/* and none is forgotten of it */
	again_window(&a, 10000);
	pass(500);
	at = position[0];
	troubles++;
	pass(TICK_MS);
	assert_in_range(a.open[0].from, at - 1030, at - 995);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_sent_twice_without_trouble),
		cmocka_unit_test(a_window_before_the_trouble),
		cmocka_unit_test(a_window_of_its_own),
		cmocka_unit_test(near_the_start_it_is_from_the_start),
		cmocka_unit_test(trouble_upon_trouble),
		cmocka_unit_test(there_is_an_end_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
