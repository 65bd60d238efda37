/* test_mask_sums.c: what one table hides, another one does not give away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/mask_sums.h"

enum { COUNTS = 6 };

/* 3 + 20 = 23 in one table; the 20 and a 40 are 60 in another. */
static void
test_another_table(void **state)
{
	static const uint64_t n[COUNTS] = { 23, 3, 20, 60, 20, 40 };
	bool hidden[COUNTS] = { false, true, true };
	struct mask_sums *s = mask_sums_new();

	(void)state;
	mask_sums_begin(s, n[0], &hidden[0]);
	mask_sums_part(s, n[1], &hidden[1]);
	mask_sums_part(s, n[2], &hidden[2]);
	assert_false(mask_sums_hide(s));
	mask_sums_begin(s, n[3], &hidden[3]);
	mask_sums_part(s, n[4], &hidden[4]);
	mask_sums_part(s, n[5], &hidden[5]);
	assert_false(mask_sums_hide(s));
	mask_sums_begin(s, n[2], &hidden[2]); /* it is the same 20 */
	mask_sums_part(s, n[4], &hidden[4]);
	assert_true(mask_sums_hide(s));
	assert_true(hidden[4]); /* or the 20 were known */
	assert_true(hidden[3] || hidden[5]); /* or 60 - 40 */
	assert_false(mask_sums_hide(s));
	mask_sums_free(s);
}

/* By a chain of two sums, none of which has one unknown. */
static void
test_two_sums_together(void **state)
{
	static const uint64_t n[COUNTS] = { 30, 12, 18, 37, 7, 30 };
	bool hidden[COUNTS] = { false, true, true, false, true, false };
	struct mask_sums *s = mask_sums_new();

	(void)state;
	mask_sums_begin(s, n[0], &hidden[0]); /* 30 = 12 + 18 */
	mask_sums_part(s, n[1], &hidden[1]);
	mask_sums_part(s, n[2], &hidden[2]);
	mask_sums_begin(s, n[3], &hidden[3]); /* 37 = 12 + 18 + 7 */
	mask_sums_part(s, n[1], &hidden[1]);
	mask_sums_part(s, n[2], &hidden[2]);
	mask_sums_part(s, n[4], &hidden[4]);
	assert_true(mask_sums_hide(s));
	assert_true(hidden[3] || hidden[0]);
	assert_false(mask_sums_hide(s));
	mask_sums_free(s);
}

/* What is not the sum of its parts says nothing about them. */
static void
test_no_sum(void **state)
{
	static const uint64_t n[] = { 24, 3, 20 };
	bool hidden[] = { false, true, false };
	struct mask_sums *s = mask_sums_new();

	(void)state;
	mask_sums_begin(s, n[0], &hidden[0]);
	mask_sums_part(s, n[1], &hidden[1]);
	mask_sums_part(s, n[2], &hidden[2]);
	assert_false(mask_sums_hide(s));
	assert_false(hidden[0] || hidden[2]);
	mask_sums_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_table),
		cmocka_unit_test(test_two_sums_together),
		cmocka_unit_test(test_no_sum),
	};

	return cmocka_run_group_tests_name("mask_sums", tests, NULL, NULL);
}
