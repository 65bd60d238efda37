/* test_limits.c: no more at once than allowed, by host and by network. */
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

static void
two_a_host(void **state)
{
	struct limits *l = limits_new(100, 2, 16, key);
	struct addr a = text("198.18.3.4"), b = text("198.18.3.5");

	(void)state;
	assert_true(limits_take(l, &a));
	assert_true(limits_take(l, &a));
	assert_false(limits_take(l, &a));
	assert_true(limits_take(l, &b));
	limits_give(l, &a);
	assert_true(limits_take(l, &a));
	assert_false(limits_take(l, &a));
	limits_free(l);
}

static void
five_a_network(void **state)
{
	static const char *const four[] = { "198.18.3.1", "198.18.3.2",
		"198.18.3.128", "198.18.3.254", "198.18.3.255" };
	static const char *const six[] = { "2001:db8:1::1", "2001:db8:1:2::1",
		"2001:db8:1:ffff::1", "2001:db8:1::2", "2001:db8:1::3" };
	struct limits *l = limits_new(100, 2, 5, key);
	struct addr a;

	(void)state;
	for (int i = 0; i < 5; i++) {
		a = text(four[i]);
		assert_true(limits_take(l, &a));
		a = text(six[i]);
		assert_true(limits_take(l, &a));
	}
	a = text("198.18.3.77");
	assert_false(limits_take(l, &a));
	a = text("198.18.4.77");
	assert_true(limits_take(l, &a));
	a = text("2001:db8:1:9::9");
	assert_false(limits_take(l, &a));
	a = text("2001:db8:2:9::9");
	assert_true(limits_take(l, &a));
	/* what was refused for the network has not counted for the host */
	a = text(four[0]);
	limits_give(l, &a);
	a = text("198.18.3.77");
	assert_true(limits_take(l, &a));
	limits_free(l);
}

static void
no_more_than_its_size(void **state)
{
	struct limits *l = limits_new(2, 9, 9, key);
	struct addr a = text("192.0.2.1");

	(void)state;
	assert_true(limits_take(l, &a));
	assert_true(limits_take(l, &a));
	assert_false(limits_take(l, &a));
	limits_give(l, &a);
	assert_true(limits_take(l, &a));
	limits_free(l);
	assert_null(limits_new(2, 0, 9, key));
}

enum { HOSTS = 600, ROOM = 500, STEPS = 100000, LIMIT = 3, NET_LIMIT = 40 };

/* Hosts fill four networks and more; gaps open and close all the time. */
static void
agrees_with_a_model(void **state)
{
	struct limits *l = limits_new(ROOM, LIMIT, NET_LIMIT, key);
	unsigned counts[HOSTS] = { 0 }, nets[HOSTS] = { 0 }, all = 0, seed = 7;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		unsigned r = (unsigned)rand_r(&seed), i = r % HOSTS;
		unsigned net = i % 30;
		struct addr a = addr_from4(0xc6120000 + net * 256 + i / 30);
		bool may =
		    counts[i] < LIMIT && nets[net] < NET_LIMIT && all < ROOM;

		if (r / HOSTS % 2) {
			assert_int_equal(limits_take(l, &a), may);
			counts[i] += may;
			nets[net] += may;
			all += may;
		} else if (counts[i] > 0) {
			limits_give(l, &a);
			counts[i]--;
			nets[net]--;
			all--;
		}
	}
	limits_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_a_host),
		cmocka_unit_test(five_a_network),
		cmocka_unit_test(no_more_than_its_size),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
