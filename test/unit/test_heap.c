/* test_heap.c: what is allocated is apart, whole, and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/heap.h"

enum { THINGS = 4096, ROUNDS = 200000, ALIGNED = 16 };

static struct thing {
	uint8_t *at;
	size_t len;
	uint8_t mark;
} things[THINGS];

static uint32_t
next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void
put(struct thing *t, size_t len, uint8_t mark)
{
	t->at = heap_alloc(len);
	assert_non_null(t->at);
	assert_int_equal((uintptr_t)t->at % ALIGNED, 0);
	memset(t->at, mark, len);
	t->len = len;
	t->mark = mark;
}

static void
check(const struct thing *t, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(t->at[i], t->mark);
}

static void
drop(struct thing *t)
{
	check(t, t->len);
	heap_free(t->at);
	t->at = NULL;
}

/* Most are small, some of each size, a few over what it has. */
static size_t
some_length(uint32_t *state)
{
	static const size_t most[] = { 64, 512, 2048, 18000, 40000 };

	return next(state) % most[next(state) % 5];
}

static void
test_apart(void **state)
{
	uint32_t r = 1;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct thing *t = &things[next(&r) % THINGS];
		size_t len = some_length(&r);

		if (!t->at) {
			put(t, len, (uint8_t)i);
		} else if (next(&r) % 2) {
			drop(t);
		} else {
			uint8_t *to = heap_resize(t->at, len + 1);

			assert_non_null(to);
			t->at = to;
			check(t, len < t->len ? len : t->len);
			put(t, len, (uint8_t)i);
			heap_free(to);
		}
	}
	for (int i = 0; i < THINGS; i++)
		if (things[i].at)
			drop(&things[i]);
	assert_int_equal(heap_spans(), 0);
}

/* Every length: its piece has room for it, and the next one is not in it. */
static void
test_lengths(void **state)
{
	(void)state;
	for (size_t len = 0; len <= HEAP_LARGEST + 1; len++) {
		struct thing a, b;

		put(&a, len, 0xaa);
		put(&b, len, 0xbb);
		drop(&a);
		drop(&b);
	}
	assert_int_equal(heap_spans(), 0);
}

/*
 * Handshakes: much is taken for a short time and little stays. In the end no
 * more is held than what stays, rounded up.
 */
static void
test_no_holes(void **state)
{
	enum { SHAKES = 2000, SHORT = 8 };
	static void *stays[SHAKES][3];
	size_t held = (size_t)SHAKES * (6144 + 4096 + 320);

	(void)state;
	for (int i = 0; i < SHAKES; i++) {
		void *brief[SHORT];

		for (int k = 0; k < SHORT; k++) {
			brief[k] = heap_alloc((size_t)700 << k % 5);
			if (k < 3)
				stays[i][k] = heap_alloc(k == 0 ? 6144
					: k == 1                ? 4096
								: 320);
		}
		for (int k = 0; k < SHORT; k++)
			heap_free(brief[k]);
	}
	assert_in_range(
	    heap_spans(), held / HEAP_SPAN, held / HEAP_SPAN * 9 / 8);
	for (int i = 0; i < SHAKES; i++)
		for (int k = 0; k < 3; k++)
			heap_free(stays[i][k]);
	assert_int_equal(heap_spans(), 0);
}

static void
test_nothing(void **state)
{
	void *p;

	(void)state;
	heap_free(NULL);
	p = heap_resize(NULL, 100);
	assert_non_null(p);
	assert_ptr_equal(heap_resize(p, 101), p);
	heap_free(p);
	assert_int_equal(heap_spans(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_no_holes),
	};

	if (!heap_open())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
