/* test_aim.c: an index's target, against ranges asked one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/aim.h"

static const uint16_t ports[] = { 25, 110, 143, 465, 587, 993, 995 };

static struct ranges *
set_of(const char *const *texts)
{
	struct ranges *r = ranges_new();
	const char *expected;

	for (; *texts != NULL; texts++)
		assert_int_equal(ranges_add_text(r, *texts, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

/* Of one index: what ranges.h says of it. */
static void
assert_aim(const struct ranges *targets, const struct ranges *excluded,
    const struct ranges *optouts, unsigned nports, uint64_t index,
    const struct aim *a)
{
	struct addr wanted = ranges_at(targets, index / nports);
	struct addr got = aim_addr(a);
	struct target t = { got, a->port };
	struct aim again = aim_of(&t);

	assert_memory_equal(got.b, wanted.b, sizeof got.b);
	assert_int_equal(a->port, ports[index % nports]);
	assert_int_equal(a->excluded, ranges_has(excluded, &wanted));
	assert_int_equal(
	    a->opted_out, optouts != NULL && ranges_has(optouts, &wanted));
	assert_int_equal(a->four, addr_is4(&wanted));
	assert_int_equal(again.hi, a->hi);
	assert_int_equal(again.lo, a->lo);
	assert_int_equal(again.four, a->four);
}

/* step apart, in batches of every length. */
static void
assert_opted(const struct ranges *targets, const struct ranges *excluded,
    const struct ranges *optouts, unsigned nports, uint64_t step)
{
	struct aims *aims = aims_new(targets, excluded, optouts, ports, nports);
	uint64_t n = ranges_count(targets) * nports, index = 0;
	uint64_t indices[AIMS_MAX];
	struct aim found[AIMS_MAX];
	unsigned len = 1;

	assert_non_null(aims);
	while (index < n) {
		unsigned k = 0;

		for (; k < len && index < n; k++, index += step)
			indices[k] = index;
		aims_find(aims, indices, k, found);
		for (unsigned i = 0; i < k; i++)
			assert_aim(targets, excluded, optouts, nports,
			    indices[i], &found[i]);
		len = len % AIMS_MAX + 1;
	}
	aims_free(aims);
}

static void
assert_all(const struct ranges *targets, const struct ranges *excluded,
    unsigned nports, uint64_t step)
{
	assert_opted(targets, excluded, NULL, nports, step);
}

static void
both_families_and_exclusions(void **state)
{
	struct ranges *targets = set_of((const char *const[]){ "10.0.0.0/24",
	    "10.0.1.7", "10.0.3.0-10.0.3.99", "::1-::9", "fd00::/120",
	    "fd00::2:0/121", NULL });
	struct ranges *excluded = set_of((const char *const[]){ "10.0.0.0/30",
	    "10.0.0.128/25", "10.0.3.50", "10.0.9.0/24", "::4-::5",
	    "fd00::80/121", "fd00::2:7", "ff00::/8", NULL });
	struct ranges *none = set_of((const char *const[]){ NULL });

	(void)state;
	for (unsigned nports = 1; nports <= 7; nports++) {
		assert_all(targets, excluded, nports, 1);
		assert_all(targets, none, nports, 1);
	}
	ranges_free(targets);
	ranges_free(excluded);
	ranges_free(none);
}

/* Each beside, in, around and across an exclusion and a piece's end. */
static void
opted_out(void **state)
{
	struct ranges *targets =
	    set_of((const char *const[]){ "10.0.0.0/24", "10.0.1.7",
		"10.0.3.0-10.0.3.99", "fd00::/120", "fd00::2:0/121", NULL });
	struct ranges *excluded = set_of((const char *const[]){ "10.0.0.16/28",
	    "10.0.0.128/26", "10.0.3.50", "fd00::80/121", NULL });
	struct ranges *optouts = set_of((const char *const[]){ "10.0.0.0/28",
	    "10.0.0.24/29", "10.0.0.64-10.0.0.140", "10.0.0.255-10.0.3.50",
	    "10.0.3.98-10.9.0.0", "fd00::f0-fd00::2:3", "fd00::2:7", NULL });
	struct ranges *all =
	    set_of((const char *const[]){ "0.0.0.0/0", "::/0", NULL });

	(void)state;
	for (unsigned nports = 1; nports <= 7; nports++) {
		assert_opted(targets, excluded, optouts, nports, 1);
		assert_opted(targets, excluded, all, nports, 1);
		assert_opted(targets, all, optouts, nports, 1);
	}
	ranges_free(targets);
	ranges_free(excluded);
	ranges_free(optouts);
	ranges_free(all);
}

/* IPv6 that touches the mapped block does not become one piece with it. */
static void
families_that_touch(void **state)
{
	struct ranges *targets = set_of((const char *const[]){ "0.0.0.0/24",
	    "255.255.255.0/24", "::fffe:ffff:ff00-::fffe:ffff:ffff",
	    "::1:0:0:0-::1:0:0:ff", NULL });
	struct ranges *excluded = set_of((const char *const[]){
	    "0.0.0.0/25", "::fffe:ffff:fff0-::fffe:ffff:ffff", NULL });

	(void)state;
	assert_all(targets, excluded, 3, 1);
	ranges_free(targets);
	ranges_free(excluded);
}

static void
ends_of_the_address_space(void **state)
{
	struct ranges *targets = set_of((const char *const[]){
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120", "::/120",
	    "fd00::ffff:ffff:ffff:ff00-fd00:0:0:1::ff", NULL });
	struct ranges *excluded = set_of((const char *const[]){
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", NULL });

	(void)state;
	assert_all(targets, excluded, 2, 1);
	ranges_free(targets);
	ranges_free(excluded);
}

/* Pieces of very different size, and more than the cache holds. */
static void
many_pieces(void **state)
{
	struct ranges *targets = ranges_new(), *excluded = ranges_new();

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		struct addr a = addr_from4(0x01000000 + i * 0x2000);
		struct addr b = addr_from4(
		    0x01000000 + i * 0x2000 + (i % 7 == 0 ? 0x1800 : i % 3));
		struct addr c = addr_from4(0x01000001 + i * 0x2000);
		struct addr d = addr_from4(0x01000001 + i * 0x2000 + i % 97);

		assert_int_equal(ranges_add(targets, &a, &b), 0);
		assert_int_equal(ranges_add(excluded, &c, &d), 0);
	}
	assert_int_equal(ranges_seal(targets), 0);
	assert_int_equal(ranges_seal(excluded), 0);
	assert_all(targets, excluded, 7, 613);
	ranges_free(targets);
	ranges_free(excluded);
}

/* The multiplication that stands for the division, at the largest index. */
static void
large_indices(void **state)
{
	struct ranges *targets = set_of((const char *const[]){
	    "fd00::-fd00::0:fffe:ffff:ffff", "1.0.0.0/8", NULL });
	struct ranges *none = set_of((const char *const[]){ NULL });

	(void)state;
	for (unsigned nports = 1; nports <= 7; nports++)
		assert_all(targets, none, nports,
		    ranges_count(targets) * nports / 5000 - 1);
	ranges_free(targets);
	ranges_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_and_exclusions),
		cmocka_unit_test(opted_out),
		cmocka_unit_test(families_that_touch),
		cmocka_unit_test(ends_of_the_address_space),
		cmocka_unit_test(many_pieces),
		cmocka_unit_test(large_indices),
	};

	return cmocka_run_group_tests_name("aim", tests, NULL, NULL);
}
