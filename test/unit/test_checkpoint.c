/* test_checkpoint.c: what is settled, with ticks and positions as they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/checkpoint.h"

enum { SECOND = 1000000, WINDOW = 10 };

static struct checkpoint c;

static void
begin(uint32_t threads)
{
	struct sweep s = { .threads = threads };

	s.position[0] = 5;
	s.counted[0][SEND_SENT] = 4;
	checkpoint_init(&c, &s, (uint64_t)WINDOW * SECOND);
}

static int
position(uint64_t at_s, uint32_t thread, uint64_t steps, uint32_t finished)
{
	struct note_position n = {
		.thread = thread, .position = steps, .finished = finished
	};

	n.counted[SEND_SENT] = steps - 1;
	return checkpoint_position(&c, at_s * SECOND, &n);
}

static void
tick(uint64_t at_s, uint64_t dropped, uint32_t link_up)
{
	struct note_tick t = { .dropped = dropped, .link_up = link_up };

	checkpoint_tick(&c, at_s * SECOND, &t);
}

/* What is sent again holds everything up, and a window after it. */
static void
test_again(void **state)
{
	struct note_position n = { .position = 900, .again = 1 };

	(void)state;
	begin(1);
	assert_int_equal(position(100, 0, 500, 0), 0);
	n.counted[SEND_SENT] = 899;
	assert_int_equal(
	    checkpoint_position(&c, (uint64_t)109 * SECOND, &n), 0);
	tick(115, 0, 1);
	assert_int_equal(checkpoint_steps(&c), 5);
	tick(119, 0, 1);
	assert_int_equal(checkpoint_steps(&c), 900);
}

static void
test_window(void **state)
{
	struct sweep s = { 0 };

	(void)state;
	begin(1);
	assert_int_equal(checkpoint_steps(&c), 5);
	for (uint64_t t = 100; t < 110; t++) {
		assert_int_equal(position(t, 0, t * 10, 0), 0);
		tick(t, 0, 1);
		assert_int_equal(checkpoint_steps(&c), 5);
	}
	tick(110, 0, 1);
	assert_int_equal(checkpoint_steps(&c), 1000);
	tick(113, 0, 1);
	assert_int_equal(checkpoint_steps(&c), 1030);
	checkpoint_apply(&c, &s);
	assert_int_equal(s.position[0], 1030);
	assert_int_equal(s.counted[0][SEND_SENT], 1029);
}

/* A drop, or a link that was down: nothing settles for a whole window. */
static void
freeze(uint64_t dropped, uint32_t link_up)
{
	begin(1);
	for (uint64_t t = 100; t < 140; t++) {
		position(t, 0, t * 10, 0);
		tick(t, t >= 115 ? dropped : 0, t == 115 ? link_up : 1);
		if (t < 110)
			assert_int_equal(checkpoint_steps(&c), 5);
		else if (t < 115)
			assert_int_equal(checkpoint_steps(&c), (t - 10) * 10);
		else if (t < 125)
			assert_int_equal(checkpoint_steps(&c), 1040);
		else
			assert_int_equal(checkpoint_steps(&c), (t - 10) * 10);
	}
}

static void
test_drop(void **state)
{
	(void)state;
	freeze(1, 1);
}

static void
test_link_down(void **state)
{
	(void)state;
	freeze(0, 0);
}

static void
test_slept(void **state)
{
	(void)state;
	begin(1);
	position(100, 0, 1000, 0);
	checkpoint_trouble(&c, (uint64_t)105 * SECOND);
	tick(112, 0, 1);
	assert_int_equal(checkpoint_steps(&c), 5);
	tick(115, 0, 1);
	assert_int_equal(checkpoint_steps(&c), 1000);
}

static void
test_impossible(void **state)
{
	(void)state;
	begin(2);
	assert_int_equal(position(100, 2, 10, 0), -1);
	assert_int_equal(position(100, 0, 4, 0), -1);
	assert_int_equal(position(100, 0, 10, 0), 0);
	assert_int_equal(position(101, 0, 9, 0), -1);
	assert_int_equal(position(99, 0, 11, 0), -1);
	assert_int_equal(position(101, 0, 10, 0), 0);
}

/* A trouble longer than the ring: what settles in the end is never too far. */
static void
test_ring(void **state)
{
	uint64_t t = 100;

	(void)state;
	begin(1);
	for (; t < 100 + 3 * CHECKPOINT_KEEP; t++) {
		assert_int_equal(position(t, 0, t * 10, 0), 0);
		tick(t, t, 1);
	}
	assert_int_equal(checkpoint_steps(&c), 5);
	/* Only what was kept before the ring was full is old enough. */
	tick(t + WINDOW - 2, t - 1, 1);
	assert_int_equal(checkpoint_steps(&c), 5);
	tick(t - 1 + WINDOW, t - 1, 1);
	assert_true(checkpoint_steps(&c) <= (t - 1) * 10);
	assert_true(checkpoint_steps(&c) > 5);
	tick(t + WINDOW, t - 1, 1);
	assert_int_equal(checkpoint_steps(&c), (t - 1) * 10);
}

static void
test_swept(void **state)
{
	struct note_tick busy = { .link_up = 1, .waiting = 1 };

	(void)state;
	begin(2);
	tick(99, 0, 1);
	assert_false(checkpoint_swept(&c));
	position(100, 0, 50, 1);
	position(104, 1, 50, 1);
	tick(110, 0, 1);
	assert_false(checkpoint_swept(&c));
	tick(114, 0, 1);
	assert_true(checkpoint_swept(&c));
	checkpoint_tick(&c, (uint64_t)115 * SECOND, &busy);
	assert_false(checkpoint_swept(&c));
	tick(116, 0, 1);
	assert_true(checkpoint_swept(&c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_link_down),
		cmocka_unit_test(test_slept),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
