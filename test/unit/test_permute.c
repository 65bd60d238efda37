/* test_permute.c: a bijection, and one that scatters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/permute.h"

static void
assert_bijection(uint64_t n, uint64_t seed)
{
	struct permute p;
	bool *seen = calloc(n, sizeof *seen);

	assert_non_null(seen);
	permute_init(&p, n, seed);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = permute_at(&p, i);

		assert_true(at < n);
		assert_false(seen[at]);
		seen[at] = true;
	}
	free(seen);
}

static void
bijection_of_every_small_n(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 2000; n++)
		assert_bijection(n, n * 77);
}

static void
bijection_of_a_million(void **state)
{
	(void)state;
	assert_bijection(917504, 1); /* 131,072 addresses x 7 ports */
	assert_bijection((uint64_t)1 << 20, 0);
	assert_bijection(((uint64_t)1 << 20) + 1, UINT64_MAX);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

/* Large n cannot be walked; no two of a million images may be the same. */
static void
no_collision_in_large_n(void **state)
{
	static const uint64_t ns[] = { ((uint64_t)1 << 32) * 7,
		((uint64_t)1 << 32) + 1, (uint64_t)1 << 53, (uint64_t)1 << 56,
		((uint64_t)1 << 56) - 12345 };
	enum { SAMPLES = 1 << 20 };
	uint64_t *v = calloc(SAMPLES, sizeof *v);

	(void)state;
	assert_non_null(v);
	for (size_t k = 0; k < sizeof ns / sizeof ns[0]; k++) {
		struct permute p;

		permute_init(&p, ns[k], 42 + k);
		for (uint64_t i = 0; i < SAMPLES; i++) {
			/* half in a row, half a stride apart */
			uint64_t step = i % 2 == 0 ? 1 : ns[k] / SAMPLES;

			v[i] = permute_at(&p, i % 2 + i / 2 * 2 * step);
			assert_true(v[i] < ns[k]);
		}
		qsort(v, SAMPLES, sizeof *v, by_value);
		for (size_t i = 1; i < SAMPLES; i++)
			assert_true(v[i] != v[i - 1]);
	}
	free(v);
}

/*
 * What falls into each /16 of IPv4 x 7 ports in a window of steps: chi-square
 * over 65536 cells has mean 65535 and deviation 362; six of them is 2172.
 */
static void
assert_spread(uint64_t seed, uint64_t from, uint64_t step)
{
	enum { CELLS = 65536, EACH = 32 };
	uint64_t n = ((uint64_t)1 << 32) * 7;
	uint32_t *cell = calloc(CELLS, sizeof *cell);
	struct permute p;
	double chi = 0;

	assert_non_null(cell);
	assert_true(from + step * CELLS * EACH <= n);
	permute_init(&p, n, seed);
	for (uint64_t i = 0; i < (uint64_t)CELLS * EACH; i++)
		cell[permute_at(&p, from + i * step) / 7 >> 16]++;
	for (int i = 0; i < CELLS; i++) {
		double off = (double)cell[i] - EACH;

		chi += off * off / EACH;
	}
	assert_in_range((uint64_t)chi, 65535 - 2172, 65535 + 2172);
	free(cell);
}

static void
spread_over_networks(void **state)
{
	(void)state;
	assert_spread(1, 0, 1);
	assert_spread(2, 12345678901, 1);
	assert_spread(0, 0, 8); /* one thread of eight */
	assert_spread(3, 5, 8192);
	assert_spread(UINT64_MAX, 1000, 7);
}

/* A batch is what one by one would give, whatever its stride and length. */
static void
many_are_as_one_by_one(void **state)
{
	static const uint64_t ns[] = { 1, 2, 3, 5, 1000, 917504,
		(uint64_t)1 << 32, ((uint64_t)1 << 56) - 1 };
	uint64_t out[64];

	(void)state;
	for (size_t k = 0; k < sizeof ns / sizeof ns[0]; k++) {
		uint64_t stride = 1 + ns[k] / 100;
		unsigned count = ns[k] < 64 ? (unsigned)ns[k] : 64;
		struct permute p;

		if (ns[k] < 100)
			stride = 1;
		permute_init(&p, ns[k], 3 + k);
		permute_many(&p, 0, stride, count, out);
		for (unsigned i = 0; i < count; i++)
			assert_int_equal(out[i], permute_at(&p, stride * i));
	}
}

/* Neighbours in time are no neighbours in space. */
static void
steps_leave_the_network(void **state)
{
	uint64_t n = (uint64_t)1 << 32;
	struct permute p;
	unsigned same = 0;

	(void)state;
	permute_init(&p, n, 99);
	for (uint64_t i = 0; i < 1000000; i++)
		same += permute_at(&p, i) >> 16 == permute_at(&p, i + 1) >> 16;
	assert_in_range(same, 1, 45); /* 15 are expected */
}

static void
seed_and_n_decide_alone(void **state)
{
	struct permute p, q, r;
	unsigned same = 0;

	(void)state;
	permute_init(&p, 1000003, 5);
	permute_init(&q, 1000003, 5);
	permute_init(&r, 1000003, 6);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(permute_at(&p, i), permute_at(&q, i));
		same += permute_at(&p, i) == permute_at(&r, i);
	}
	assert_true(same < 5);
	/* Stored sweeps depend on it: this order may never change. */
	assert_int_equal(permute_at(&p, 0), 704897);
	assert_int_equal(permute_at(&p, 1), 971638);
	assert_int_equal(permute_at(&p, 1000002), 439360);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bijection_of_every_small_n),
		cmocka_unit_test(bijection_of_a_million),
		cmocka_unit_test(no_collision_in_large_n),
		cmocka_unit_test(spread_over_networks),
		cmocka_unit_test(many_are_as_one_by_one),
		cmocka_unit_test(steps_leave_the_network),
		cmocka_unit_test(seed_and_n_decide_alone),
	};

	return cmocka_run_group_tests_name("permute", tests, NULL, NULL);
}
