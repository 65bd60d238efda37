/* test_limits.c: no more at once than allowed, by network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "engine/limits.h"

static const uint8_t key[SWEEP_KEY_LEN] = "sixteen bytes..";

static struct addr
text(const char *s)
{
	struct addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static bool
take(struct limits *l, const char *host)
{
	struct addr a = text(host);

	return limits_take(l, limits_network(l, &a));
}

static void
give(struct limits *l, const char *host)
{
	struct addr a = text(host);

	limits_give(l, limits_network(l, &a));
}

static void
five_a_network(void **state)
{
	static const char *const four[] = { "198.18.3.1", "198.18.3.2",
		"198.18.3.128", "198.18.3.254", "198.18.3.255" };
	static const char *const six[] = { "2001:db8:1::1", "2001:db8:1:2::1",
		"2001:db8:1:ffff::1", "2001:db8:1::2", "2001:db8:1::3" };
	struct limits *l = limits_new(100, 5, key);

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_true(take(l, four[i]));
		assert_true(take(l, six[i]));
	}
	assert_false(take(l, "198.18.3.77"));
	assert_true(take(l, "198.18.4.77"));
	assert_false(take(l, "2001:db8:1:9::9"));
	assert_true(take(l, "2001:db8:2:9::9"));
	give(l, four[0]);
	assert_true(take(l, "198.18.3.77"));
	assert_false(take(l, "198.18.3.78"));
	limits_free(l);
}

static void
no_more_than_its_size(void **state)
{
	struct limits *l = limits_new(2, 9, key);

	(void)state;
	assert_true(take(l, "192.0.2.1"));
	assert_true(take(l, "192.0.2.1"));
	assert_false(take(l, "192.0.2.1"));
	give(l, "192.0.2.1");
	assert_true(take(l, "192.0.2.1"));
	/* nothing was taken there */
	give(l, "198.51.100.1");
	assert_false(take(l, "192.0.2.1"));
	limits_free(l);
	assert_null(limits_new(2, 0, key));
	assert_null(limits_new(0, 2, key));
}

static void
a_limit_has_a_limit(void **state)
{
	struct limits *l = limits_new(10000, 65535, key);

	(void)state;
	for (int i = 0; i < NETWORK_LIMIT_MAX; i++)
		assert_true(take(l, "192.0.2.1"));
	assert_false(take(l, "192.0.2.1"));
	limits_free(l);
}

enum { NETS = 600, ROOM = 500, STEPS = 200000, LIMIT = 3 };

/*
 * As many networks as there is room for: lines overflow into the next, and
 * gaps open and close all the time. Those put off for a full line are few.
 */
static void
agrees_with_a_model(void **state)
{
	struct limits *l = limits_new(ROOM, LIMIT, key);
	unsigned counts[NETS] = { 0 }, all = 0, seed = 7, put_off = 0;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		unsigned r = (unsigned)rand_r(&seed), i = r % NETS;
		struct addr a = addr_from4(0xc6120000 + i * 256);
		uint64_t network = limits_network(l, &a);
		bool may = counts[i] < LIMIT && all < ROOM;

		if (r / NETS % 3 != 0) {
			bool did = limits_take(l, network);

			assert_true(may || !did);
			put_off += may && !did;
			counts[i] += did;
			all += did;
		} else if (counts[i] > 0) {
			limits_give(l, network);
			counts[i]--;
			all--;
		}
	}
	assert_true(put_off < STEPS / 1000);
	/* Nothing is left behind, spilt or not. */
	for (unsigned i = 0; i < NETS; i++) {
		struct addr a = addr_from4(0xc6120000 + i * 256);

		for (; counts[i] > 0; counts[i]--)
			limits_give(l, limits_network(l, &a));
	}
	for (unsigned i = 0; i < ROOM; i++) {
		struct addr a = addr_from4(0xc6120000 + i % 200 * 256);

		assert_true(limits_take(l, limits_network(l, &a)));
	}
	limits_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_a_network),
		cmocka_unit_test(no_more_than_its_size),
		cmocka_unit_test(a_limit_has_a_limit),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
