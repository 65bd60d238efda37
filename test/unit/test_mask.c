/* test_mask.c: small counts are gone, sums close, subtraction finds none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage/mask.h"

enum { BELOW = 10, ROUNDS = 3000, ROWS_MAX = 9 };

static void
fill(struct mask_table *t, const uint64_t *v, size_t rows, unsigned columns)
{
	mask_new(t, rows, columns);
	for (size_t r = 0; r < rows; r++)
		for (unsigned c = 0; c < columns; c++) {
			*mask_cell(t, r, c) = v[r * columns + c];
			t->total[c] += v[r * columns + c];
		}
}

/* What is shown, and the rest, add up to the total. */
static void
closes(struct mask_table *t)
{
	for (unsigned c = 0; c < t->columns; c++) {
		uint64_t sum = t->rest[c];

		for (size_t r = 0; r < t->rows; r++)
			if (!mask_is_hidden(t, r, c))
				sum += *mask_cell(t, r, c);
		assert_int_equal(sum, t->total[c]);
	}
}

/* How many cells of a column are in its rest. */
static unsigned
hidden_in(const struct mask_table *t, unsigned c)
{
	unsigned n = 0;

	for (size_t r = 0; r < t->rows; r++)
		n += mask_is_hidden(t, r, c);
	return n;
}

static void
test_small_counts_go(void **state)
{
	static const uint64_t v[] = { 500, 40, 3, 7, 80, 9 };
	struct mask_table t;

	(void)state;
	fill(&t, v, 3, 2); /* columns 500, 3, 80 and 40, 7, 9 */
	mask_apply(&t, BELOW);
	/* 3 alone would be 583 - 500 - 80: the smallest other goes too. */
	assert_true(mask_is_hidden(&t, 1, 0));
	assert_true(mask_is_hidden(&t, 2, 0));
	assert_false(mask_is_hidden(&t, 0, 0));
	assert_int_equal(t.rest[0], 83);
	assert_true(mask_is_hidden(&t, 1, 1));
	assert_true(mask_is_hidden(&t, 2, 1));
	assert_false(mask_is_hidden(&t, 0, 1));
	assert_int_equal(t.rest[1], 16);
	assert_true(mask_row_is_hidden(&t, 1));
	assert_false(mask_row_is_hidden(&t, 0));
	closes(&t);
	mask_free(&t);
}

static void
test_without_a_limit_all_is_shown(void **state)
{
	static const uint64_t v[] = { 1, 0, 2 };
	struct mask_table t;

	(void)state;
	for (uint64_t below = 0; below < 2; below++) {
		fill(&t, v, 3, 1);
		mask_apply(&t, below);
		assert_int_equal(hidden_in(&t, 0), 0);
		assert_int_equal(t.rest[0], 0);
		mask_free(&t);
	}
}

static void
test_a_small_total_is_hidden(void **state)
{
	static const uint64_t v[] = { 4, 3 };
	struct mask_table t;

	(void)state;
	fill(&t, v, 2, 1);
	mask_apply(&t, BELOW);
	assert_int_equal(hidden_in(&t, 0), 2);
	assert_true(t.total_hidden[0]);
	mask_free(&t);
}

static void
test_zero_says_nothing_of_anybody(void **state)
{
	static const uint64_t v[] = { 0, 50, 0 };
	struct mask_table t;

	(void)state;
	fill(&t, v, 3, 1);
	mask_apply(&t, BELOW);
	assert_int_equal(hidden_in(&t, 0), 0);
	assert_false(t.total_hidden[0]);
	assert_false(mask_row_is_hidden(&t, 0));
	mask_free(&t);
}

/* A rest of rows that were left out is not small either. */
static void
test_a_small_rest_takes_a_row(void **state)
{
	static const uint64_t v[] = { 100, 30 };
	struct mask_table t;

	(void)state;
	fill(&t, v, 2, 1);
	t.rest[0] = 2;
	t.total[0] += 2;
	mask_apply(&t, BELOW);
	assert_true(mask_is_hidden(&t, 1, 0));
	assert_int_equal(t.rest[0], 32);
	closes(&t);
	mask_free(&t);
}

/* 100 = 60 + 38 + 2: the 2 would be the sum without the others. */
static void
test_parts_of_a_row(void **state)
{
	static const uint64_t v[] = { 60, 38, 2, 100, 70, 20, 10, 100 };
	struct mask_table t;

	(void)state;
	fill(&t, v, 2, 4);
	t.parts = true;
	t.parts_to = 2;
	t.sum = 3;
	mask_apply(&t, BELOW);
	assert_true(mask_is_hidden(&t, 0, 2));
	assert_true(mask_is_hidden(&t, 0, 1));
	assert_true(mask_is_hidden(&t, 1, 2));
	assert_false(mask_is_hidden(&t, 0, 3));
	closes(&t);
	mask_free(&t);
}

static void
test_rows_that_overlap_have_no_rest(void **state)
{
	static const uint64_t v[] = { 500, 3 };
	struct mask_table t;

	(void)state;
	fill(&t, v, 2, 1);
	t.not_additive = true;
	mask_apply(&t, BELOW);
	assert_true(mask_is_hidden(&t, 1, 0));
	assert_false(mask_is_hidden(&t, 0, 0));
	assert_int_equal(t.rest[0], 0);
	mask_free(&t);
}

/* Ten hidden cells that are ten together are 1 each. */
static void
test_a_rest_of_ones(void **state)
{
	static const uint64_t v[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 40, 50 };
	struct mask_table t;

	(void)state;
	fill(&t, v, sizeof v / sizeof v[0], 1);
	mask_apply(&t, BELOW);
	assert_true(mask_is_hidden(&t, 10, 0));
	assert_false(mask_is_hidden(&t, 11, 0));
	assert_int_equal(t.rest[0], 50);
	mask_free(&t);
}

/* Hosts, those of A, of B, of both: none of A is more than the hosts. */
static void
test_parts_that_share(void **state)
{
	static const uint64_t v[] = {
		30, 30, 0, /* all by A: 30, hidden, were known by the sum */
		90, 5, 86, /* 90 - 86 is at least 4 of the 5 */
		90, 5, 90, /* says nothing */
		12, 12, 3, /* a hidden sum hides its parts */
		9, 9, 2, /* small */
	};
	struct mask_table t;

	(void)state;
	fill(&t, v, 5, 3);
	t.not_additive = true;
	t.parts = t.shared = true;
	t.parts_from = 1;
	t.parts_to = 2;
	*mask_hidden(&t, 0, 1) = true;
	*mask_hidden(&t, 3, 0) = true;
	mask_apply(&t, BELOW);
	assert_true(mask_is_hidden(&t, 0, 0));
	assert_true(mask_is_hidden(&t, 1, 2));
	assert_false(mask_is_hidden(&t, 1, 0));
	assert_false(mask_is_hidden(&t, 2, 2));
	assert_true(mask_is_hidden(&t, 3, 1));
	assert_true(mask_row_is_hidden(&t, 4));
	mask_free(&t);
}

/* Of what is shown nothing is small, and no unknown is alone in its sum. */
static void
holds(struct mask_table *t, uint64_t left_out[MASK_COLUMNS])
{
	for (unsigned c = 0; c < t->columns; c++) {
		unsigned n = hidden_in(t, c);

		for (size_t r = 0; r < t->rows; r++)
			if (!mask_is_hidden(t, r, c))
				assert_false(*mask_cell(t, r, c) > 0 &&
				    *mask_cell(t, r, c) < BELOW);
		if (t->total_hidden[c])
			continue;
		assert_false(t->rest[c] > 0 && t->rest[c] < BELOW);
		assert_false(n == 1 && left_out[c] == 0);
	}
	for (size_t r = 0; t->parts && r < t->rows; r++) {
		unsigned n = mask_is_hidden(t, r, t->sum);

		for (unsigned c = t->parts_from; c <= t->parts_to; c++)
			n += mask_is_hidden(t, r, c);
		assert_int_not_equal(n, 1);
	}
}

static uint64_t
draw(unsigned *seed)
{
	static const uint64_t most[] = { 1, 5, 12, 40, 4000 };

	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 8) % most[(*seed >> 28) % 5];
}

static void
test_whatever_the_table(void **state)
{
	unsigned seed = 20261127;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct mask_table t;
		uint64_t left_out[MASK_COLUMNS] = { 0 };

		mask_new(&t, 1 + i % ROWS_MAX, 4);
		t.parts = i & 1;
		t.parts_to = 2;
		t.sum = 3;
		for (size_t r = 0; r < t.rows; r++)
			for (unsigned c = 0; c < 3; c++) {
				*mask_cell(&t, r, c) = draw(&seed);
				*mask_cell(&t, r, 3) += *mask_cell(&t, r, c);
			}
		for (unsigned c = 0; c < 4; c++) {
			t.rest[c] = left_out[c] = draw(&seed);
			t.total[c] = t.rest[c];
			for (size_t r = 0; r < t.rows; r++)
				t.total[c] += *mask_cell(&t, r, c);
		}
		mask_apply(&t, BELOW);
		closes(&t);
		holds(&t, left_out);
		mask_free(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_counts_go),
		cmocka_unit_test(test_without_a_limit_all_is_shown),
		cmocka_unit_test(test_a_small_total_is_hidden),
		cmocka_unit_test(test_zero_says_nothing_of_anybody),
		cmocka_unit_test(test_a_small_rest_takes_a_row),
		cmocka_unit_test(test_parts_of_a_row),
		cmocka_unit_test(test_rows_that_overlap_have_no_rest),
		cmocka_unit_test(test_a_rest_of_ones),
		cmocka_unit_test(test_parts_that_share),
		cmocka_unit_test(test_whatever_the_table),
	};

	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
