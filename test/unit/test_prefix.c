/* test_prefix.c: prefixes as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "storage/prefix.h"

static void
good_ones(void **state)
{
	static const struct {
		const char *text, *same;
		unsigned bits;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1/32", 128 },
		{ "192.0.2.0/24", "192.0.2.0/24", 120 },
		{ "0.0.0.0/0", "0.0.0.0/0", 96 },
		{ "128.0.0.0/1", "128.0.0.0/1", 97 },
		{ "255.255.255.255/32", "255.255.255.255/32", 128 },
		{ "2001:db8::/32", "2001:db8::/32", 32 },
		{ "2001:DB8:0::1", "2001:db8::1/128", 128 },
		{ "::/0", "::/0", 0 },
		{ "8000::/1", "8000::/1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[PREFIX_EXPECTED_MAX], text[PREFIX_TEXT_MAX];
		struct optout o = { .bits = 999 }, again;

		assert_int_equal(prefix_parse(cases[i].text, &o, expected), 0);
		assert_int_equal(o.bits, cases[i].bits);
		assert_string_equal(prefix_text(&o, text), cases[i].same);
		assert_int_equal(prefix_parse(text, &again, expected), 0);
		assert_memory_equal(&again.addr, &o.addr, sizeof o.addr);
		assert_int_equal(again.bits, o.bits);
	}
}

static void
bad_ones(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "an address" },
		{ "/24", "an address" },
		{ "mail.example.org", "an address" },
		{ "192.0.2", "an address" },
		{ "192.0.2.0-192.0.2.9", "an address" },
		{ "192.0.2.0/", "0 to 32" },
		{ "192.0.2.0/33", "0 to 32" },
		{ "192.0.2.0/+24", "0 to 32" },
		{ "192.0.2.0/024", "0 to 32" },
		{ "192.0.2.0/24 ", "0 to 32" },
		{ "192.0.2.0/4294967320", "0 to 32" },
		{ "2001:db8::/129", "0 to 128" },
		{ "192.0.2.1/24", "192.0.2.0/24" },
		{ "2001:db8::1/32", "2001:db8::/32" },
		{ "::ffff:192.0.2.1", "without ::ffff:" },
		{ "::ffff:0:0/96", "without ::ffff:" },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
		    "an address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[PREFIX_EXPECTED_MAX] = "";
		struct optout o = { .bits = 0 };

		assert_int_equal(prefix_parse(cases[i].text, &o, expected), -1);
		if (strstr(expected, cases[i].expected) == NULL)
			fail_msg("%s: %s", cases[i].text, expected);
	}
}

/* fuzz_prefix found that ::/80 ends where IPv4 does, and nothing is behind. */
static void
around_ip4(void **state)
{
	static const char *const texts[] = { "::/0", "::/79", "::/80",
		"::8000:0:0/81", "::fffe:0:0/95" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char expected[PREFIX_EXPECTED_MAX] = "";
		struct addr four = addr_from4(0xc0000201);
		struct ranges *set = ranges_new();
		struct optout o = { .bits = 0 };

		assert_non_null(set);
		assert_int_equal(prefix_parse(texts[i], &o, expected), 0);
		assert_true(optout_add(set, &o));
		assert_int_equal(ranges_seal(set), 0);
		assert_true(ranges_has(set, &o.addr));
		assert_false(ranges_has(set, &four));
		ranges_free(set);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(around_ip4),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
