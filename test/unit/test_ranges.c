/* test_ranges.c: sets of addresses, by index, by member, as text and bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ranges.h"

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A sealed set of up to eight texts. */
static struct ranges *
set_of(const char *const *texts)
{
	struct ranges *r = ranges_new();
	const char *expected;

	assert_non_null(r);
	for (; *texts != NULL; texts++)
		assert_int_equal(ranges_add_text(r, *texts, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

#define SET(...) set_of((const char *const[]){ __VA_ARGS__, NULL })

static void
assert_at(const struct ranges *r, uint64_t index, const char *want)
{
	char text[ADDR_TEXT_MAX];
	struct addr a = ranges_at(r, index);

	assert_string_equal(addr_text(&a, text), want);
	assert_true(ranges_has(r, &a));
}

static bool
has(const struct ranges *r, const char *text)
{
	struct addr a = address(text);

	return ranges_has(r, &a);
}

static void
at_walks_the_pieces(void **state)
{
	struct ranges *r = SET("198.18.1.0/30", "10.0.0.7", "fd00::1-fd00::2",
	    "192.0.2.9-192.0.2.10");

	(void)state;
	assert_int_equal(ranges_count(r), 9);
	assert_int_equal(ranges_pieces(r), 4);
	assert_at(r, 0, "10.0.0.7");
	assert_at(r, 1, "192.0.2.9");
	assert_at(r, 2, "192.0.2.10");
	assert_at(r, 3, "198.18.1.0");
	assert_at(r, 6, "198.18.1.3");
	assert_at(r, 7, "fd00::1");
	assert_at(r, 8, "fd00::2");
	assert_false(has(r, "10.0.0.6"));
	assert_false(has(r, "10.0.0.8"));
	assert_false(has(r, "198.18.1.4"));
	assert_false(has(r, "fd00::3"));
	assert_false(has(r, "::"));
	ranges_free(r);
}

static void
overlaps_and_neighbours_merge(void **state)
{
	struct ranges *r = SET("192.0.2.0/25", "192.0.2.64-192.0.2.200",
	    "192.0.2.201", "192.0.2.10", "192.0.2.203", "192.0.2.203");

	(void)state;
	assert_int_equal(ranges_pieces(r), 2);
	assert_int_equal(ranges_count(r), 203);
	assert_at(r, 201, "192.0.2.201");
	assert_at(r, 202, "192.0.2.203");
	ranges_free(r);
}

static void
pieces_by_number(void **state)
{
	struct ranges *r = SET("fd00::/112", "192.0.2.0/25", "192.0.2.128/25");
	struct addr first, last, want;

	(void)state;
	assert_int_equal(ranges_pieces(r), 2);
	ranges_piece(r, 0, &first, &last);
	want = address("192.0.2.0");
	assert_int_equal(addr_cmp(&first, &want), 0);
	want = address("192.0.2.255");
	assert_int_equal(addr_cmp(&last, &want), 0);
	ranges_piece(r, 1, &first, &last);
	want = address("fd00::");
	assert_int_equal(addr_cmp(&first, &want), 0);
	want = address("fd00::ffff");
	assert_int_equal(addr_cmp(&last, &want), 0);
	ranges_free(r);
}

static void
assert_first(const struct ranges *r, bool four, const char *want)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	assert_int_equal(ranges_first(r, four, &a), want != NULL);
	if (want != NULL)
		assert_string_equal(addr_text(&a, text), want);
}

/* IPv4 lies among the low IPv6 addresses, and may touch them. */
static void
first_of_a_family(void **state)
{
	struct ranges *both = SET("fd00::7/128", "192.0.2.0/25");
	struct ranges *low = SET("::5", "198.18.0.1");
	struct ranges *all = SET("::/0", "0.0.0.0/0");
	struct ranges *above = SET("255.255.255.255", "::1:0:0:0/127");
	struct ranges *none = set_of((const char *const[]){ NULL });

	(void)state;
	assert_first(both, true, "192.0.2.0");
	assert_first(both, false, "fd00::7");
	assert_first(low, true, "198.18.0.1");
	assert_first(low, false, "::5");
	assert_first(all, true, "0.0.0.0");
	assert_first(all, false, "::");
	assert_int_equal(ranges_pieces(above), 1);
	assert_first(above, true, "255.255.255.255");
	assert_first(above, false, "::1:0:0:0");
	assert_first(none, true, NULL);
	assert_first(none, false, NULL);
	ranges_free(both);
	ranges_free(low);
	ranges_free(all);
	ranges_free(above);
	ranges_free(none);
}

static void
the_whole_of_ip4(void **state)
{
	struct ranges *r = SET("0.0.0.0/0");

	(void)state;
	assert_int_equal(ranges_count(r), (uint64_t)1 << 32);
	assert_int_equal(ranges_pieces(r), 1);
	assert_at(r, 0, "0.0.0.0");
	assert_at(r, 0x01020304, "1.2.3.4");
	assert_at(r, 0xffffffff, "255.255.255.255");
	assert_false(has(r, "::1"));
	assert_false(has(r, "::fffe:255.255.255.255"));
	ranges_free(r);
}

static void
an_empty_set_has_nothing(void **state)
{
	struct ranges *r = set_of((const char *const[]){ NULL });

	(void)state;
	assert_int_equal(ranges_count(r), 0);
	assert_false(has(r, "0.0.0.0"));
	assert_false(has(r, "255.255.255.255"));
	assert_false(has(r, "::"));
	assert_false(has(r, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	ranges_free(r);
}

static void
text_of_ip6_never_means_ip4(void **state)
{
	struct ranges *all = SET("::/0");
	struct ranges *mapped = SET("::ffff:0:0/96");
	struct ranges *r = ranges_new();
	const char *expected;

	(void)state;
	assert_int_equal(ranges_pieces(all), 2);
	assert_int_equal(ranges_count(all), RANGES_MANY);
	assert_true(has(all, "::"));
	assert_true(has(all, "::fffe:ffff:ffff"));
	assert_true(has(all, "::1:0:0:0"));
	assert_true(has(all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(has(all, "0.0.0.0"));
	assert_false(has(all, "192.0.2.1"));
	assert_false(has(all, "255.255.255.255"));
	assert_int_equal(ranges_count(mapped), 0);
	assert_int_equal(ranges_add_text(r, "::ffff:192.0.2.1", &expected), -1);
	assert_string_equal(expected, "an IPv4 address in dotted form");
	ranges_free(all);
	ranges_free(mapped);
	ranges_free(r);
}

static void
exclusions_may_be_huge(void **state)
{
	struct ranges *excluded = SET("fe80::/10", "2001:db8::/32", "fc00::/7");
	struct ranges *targets = SET("fd00::/112", "2001:db9::/112");

	(void)state;
	assert_int_equal(ranges_count(excluded), RANGES_MANY);
	assert_true(has(excluded, "fe80::1"));
	assert_false(has(excluded, "2001:db9::"));
	assert_int_equal(ranges_common(targets, excluded), 65536);
	assert_int_equal(ranges_common(excluded, targets), 65536);
	assert_int_equal(ranges_common(excluded, excluded), RANGES_MANY);
	ranges_free(excluded);
	ranges_free(targets);
}

static void
index_limit(void **state)
{
	struct ranges *just = SET("fd00::/80");
	struct ranges *over = SET("fd00::/80", "fd01::");

	(void)state;
	assert_int_equal(ranges_count(just), RANGES_INDEX_MAX);
	assert_at(just, RANGES_INDEX_MAX - 1, "fd00::ffff:ffff:ffff");
	assert_int_equal(ranges_count(over), RANGES_MANY);
	ranges_free(just);
	ranges_free(over);
}

static void
common_counts_both(void **state)
{
	struct ranges *a = SET("192.0.2.0/24", "198.18.0.0/15");
	struct ranges *b =
	    SET("192.0.2.250-192.0.3.5", "198.19.255.0/24", "::/8");
	struct ranges *c = SET("203.0.113.0/24");

	(void)state;
	assert_int_equal(ranges_common(a, b), 6 + 256);
	assert_int_equal(ranges_common(b, a), 6 + 256);
	assert_int_equal(ranges_common(a, c), 0);
	assert_int_equal(ranges_common(a, a), ranges_count(a));
	ranges_free(a);
	ranges_free(b);
	ranges_free(c);
}

/* Against a plain table of members over a /16, with many pieces. */
static void
same_as_a_table(void **state)
{
	static bool member[65536];
	struct ranges *r = ranges_new();
	uint64_t count = 0, x = 1;

	(void)state;
	memset(member, 0, sizeof member);
	for (int i = 0; i < 3000; i++) {
		uint32_t first, last;
		struct addr a, b;

		x = x * 6364136223846793005u + 1442695040888963407u;
		first = (uint32_t)(x >> 48);
		last = first + (uint32_t)(x >> 40 & 7);
		if (last > 65535)
			last = 65535;
		a = addr_from4(0x0afe8000 + first);
		b = addr_from4(0x0afe8000 + last);
		assert_int_equal(ranges_add(r, &a, &b), 0);
		for (; first <= last; first++)
			member[first] = true;
	}
	assert_int_equal(ranges_seal(r), 0);
	for (uint32_t i = 0; i < 65536; i++) {
		struct addr a = addr_from4(0x0afe8000 + i);

		assert_int_equal(ranges_has(r, &a), member[i]);
		if (member[i]) {
			struct addr at = ranges_at(r, count++);

			assert_int_equal(addr_cmp(&at, &a), 0);
		}
	}
	assert_int_equal(ranges_count(r), count);
	assert_true(ranges_pieces(r) > 1000);
	ranges_free(r);
}

static void
bytes_and_back(void **state)
{
	struct ranges *r = SET("0.0.0.0/0", "fe80::/10", "2001:db8::7");
	size_t len, len2;
	uint8_t *bytes = ranges_save(r, &len);
	struct ranges *back = ranges_load(bytes, len);
	uint8_t *again;

	(void)state;
	assert_non_null(back);
	again = ranges_save(back, &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(bytes, again, len);
	assert_int_equal(ranges_pieces(back), 3);
	assert_true(has(back, "8.8.8.8"));
	assert_true(has(back, "febf::1"));
	assert_false(has(back, "2001:db8::8"));
	free(again);
	free(bytes);
	ranges_free(back);
	ranges_free(r);
}

static void
assert_refuses_bytes(const uint8_t *bytes, size_t len)
{
	errno = 0;
	assert_null(ranges_load(bytes, len));
	assert_int_equal(errno, EINVAL);
}

static void
bad_bytes_are_refused(void **state)
{
	struct ranges *r = SET("192.0.2.0/24", "198.18.0.0/15");
	size_t len;
	uint8_t *bytes = ranges_save(r, &len);

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_refuses_bytes(bytes, n);
	bytes[7] = 1; /* one piece, bytes for two */
	assert_refuses_bytes(bytes, len);
	bytes[7] = 2;
	bytes[0] = 0x80; /* n * 32 would wrap */
	assert_refuses_bytes(bytes, len);
	bytes[0] = 0;
	bytes[8 + 12] = 193; /* first > last */
	assert_refuses_bytes(bytes, len);
	bytes[8 + 12] = 192;
	memcpy(bytes + 8 + 32, bytes + 8, 32); /* twice the same */
	assert_refuses_bytes(bytes, len);
	memcpy(bytes + 8 + 32, bytes + 8, 32);
	bytes[8 + 32 + 14] = 3; /* touching: not merged */
	bytes[8 + 48 + 14] = 3;
	assert_refuses_bytes(bytes, len);
	free(bytes);
	ranges_free(r);
}

static void
bad_text_says_what_was_expected(void **state)
{
	static const struct {
		const char *text, *expected;
	} bad[] = {
		{ "", "an address, ADDRESS/BITS or ADDRESS-ADDRESS" },
		{ "mail.example.org",
		    "an address, ADDRESS/BITS or ADDRESS-ADDRESS" },
		{ "192.0.2", "an address, ADDRESS/BITS or ADDRESS-ADDRESS" },
		{ "192.0.2.1 ", "an address, ADDRESS/BITS or ADDRESS-ADDRESS" },
		{ "192.0.2.1-", "an address, ADDRESS/BITS or ADDRESS-ADDRESS" },
		{ "192.0.2.1-2.3",
		    "an address, ADDRESS/BITS or ADDRESS-ADDRESS" },
		{ "192.0.2.0/", "a prefix length from 0 to 32" },
		{ "192.0.2.0/33", "a prefix length from 0 to 32" },
		{ "192.0.2.0/-1", "a prefix length from 0 to 32" },
		{ "192.0.2.0/24x", "a prefix length from 0 to 32" },
		{ "192.0.2.0/4294967320", "a prefix length from 0 to 32" },
		{ "fd00::/129", "a prefix length from 0 to 128" },
		{ "192.0.2.1/24",
		    "a network address: no bit set behind the prefix" },
		{ "fd00::1/64",
		    "a network address: no bit set behind the prefix" },
		{ "192.0.2.1-fd00::",
		    "both ends of the range in the same family" },
		{ "192.0.2.9-192.0.2.1", "the lower end of the range first" },
		{ "fd00::2-fd00::1", "the lower end of the range first" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ranges *r = ranges_new();
		const char *expected = NULL;

		errno = 0;
		assert_int_equal(
		    ranges_add_text(r, bad[i].text, &expected), -1);
		assert_int_equal(errno, EINVAL);
		assert_string_equal(expected, bad[i].expected);
		assert_int_equal(ranges_seal(r), 0);
		assert_int_equal(ranges_count(r), 0);
		ranges_free(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_walks_the_pieces),
		cmocka_unit_test(overlaps_and_neighbours_merge),
		cmocka_unit_test(pieces_by_number),
		cmocka_unit_test(first_of_a_family),
		cmocka_unit_test(the_whole_of_ip4),
		cmocka_unit_test(an_empty_set_has_nothing),
		cmocka_unit_test(text_of_ip6_never_means_ip4),
		cmocka_unit_test(exclusions_may_be_huge),
		cmocka_unit_test(index_limit),
		cmocka_unit_test(common_counts_both),
		cmocka_unit_test(same_as_a_table),
		cmocka_unit_test(bytes_and_back),
		cmocka_unit_test(bad_bytes_are_refused),
		cmocka_unit_test(bad_text_says_what_was_expected),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
