/* test_order.c: what came in, put into the order of its addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/order.h"

enum { MANY = 1000 };

static struct place places[MANY], spare[MANY];

/* Each before the next by address, and of one address by arrival. */
static void
check(const struct place *p, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		const struct place *a = &p[i - 1], *b = &p[i];

		assert_true(a->high <= b->high);
		if (a->high == b->high)
			assert_true(a->low <= b->low);
		if (a->high == b->high && a->low == b->low)
			assert_true(a->at < b->at);
	}
}

static void
every_length_sorts(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < MANY; n += n < 70 ? 1 : 31) {
		uint64_t x = n + 1, sum = 0;
		const struct place *sorted;

		for (uint32_t i = 0; i < n; i++) {
			struct addr a = addr_from4(0);

			x = x * 6364136223846793005u + 1442695040888963407u;
			a.b[15] = (uint8_t)(x >> 60);
			a.b[8] = (uint8_t)(x >> 58 & 3);
			a.b[0] = (uint8_t)(x >> 57 & 1);
			places[i] = order_place(&a, i);
			sum += i;
		}
		sorted = order_sort(places, spare, n);
		check(sorted, n);
		for (uint32_t i = 0; i < n; i++)
			sum -= sorted[i].at;
		assert_int_equal(sum, 0);
	}
}

/* The order of keys in the databases: bytes from the left. */
static void
order_is_that_of_keys(void **state)
{
	struct addr low = addr_from4(0x0a0000ff), high = addr_from4(0x0a000100);
	struct place *sorted;

	(void)state;
	places[0] = order_place(&high, 7);
	places[1] = order_place(&low, 8);
	sorted = order_sort(places, spare, 2);
	assert_int_equal(sorted[0].at, 8);
	assert_int_equal(sorted[1].at, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_sorts),
		cmocka_unit_test(order_is_that_of_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
