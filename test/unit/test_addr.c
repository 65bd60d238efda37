/* test_addr.c: addresses and targets as text, key and network. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/addr.h"

static void
text_and_back(void **state)
{
	static const struct {
		const char *text, *canonical;
		bool is4;
	} good[] = {
		{ "0.0.0.0", "0.0.0.0", true },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "::ffff:192.0.2.1", "192.0.2.1", true },
		{ "2001:DB8:0:0:0::1", "2001:db8::1", false },
		{ "::", "::", false },
		{ "::fffe:1:2", "::fffe:1:2", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char text[ADDR_TEXT_MAX];
		struct addr a;

		assert_int_equal(addr_parse(good[i].text, &a), 0);
		assert_string_equal(addr_text(&a, text), good[i].canonical);
		assert_int_equal(addr_is4(&a), good[i].is4);
	}
}

static void
names_and_rubbish_are_refused(void **state)
{
	static const char *const bad[] = { "", "localhost", "192.0.2",
		"192.0.2.256", " 192.0.2.1", "192.0.2.1:25", "[::1]",
		"fe80::1%lo", "1::2::3" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct addr a;

		errno = 0;
		assert_int_equal(addr_parse(bad[i], &a), -1);
		assert_int_equal(errno, EINVAL);
	}
}

static void
four_in_and_out(void **state)
{
	struct addr a = addr_from4(0xc6120001), b;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_true(addr_is4(&a));
	assert_int_equal(addr_to4(&a), 0xc6120001);
	assert_string_equal(addr_text(&a, text), "198.18.0.1");
	b = addr_from4(0xc6120002);
	assert_true(addr_cmp(&a, &b) < 0);
	assert_true(addr_cmp(&b, &a) > 0);
	assert_int_equal(addr_cmp(&a, &a), 0);
}

static void
targets_as_text_and_key(void **state)
{
	static const uint8_t want[TARGET_KEY_LEN] = {
		[10] = 0xff, 0xff, 198, 18, 0, 1, 0x03, 0xe1
	};
	struct target t = { addr_from4(0xc6120001), 993 }, back;
	char text[TARGET_TEXT_MAX];
	uint8_t key[TARGET_KEY_LEN];

	(void)state;
	assert_string_equal(target_text(&t, text), "198.18.0.1:993");
	target_pack(&t, key);
	assert_memory_equal(key, want, sizeof want);
	back = target_unpack(key);
	assert_int_equal(addr_cmp(&back.addr, &t.addr), 0);
	assert_int_equal(back.port, 993);
	assert_int_equal(addr_parse("2001:db8::1", &t.addr), 0);
	t.port = 65535;
	assert_string_equal(target_text(&t, text), "[2001:db8::1]:65535");
}

static void
network_cuts_at_the_bit(void **state)
{
	static const struct {
		const char *addr;
		unsigned bits;
		const char *network;
	} cases[] = {
		{ "198.18.77.200", 24, "198.18.77.0" },
		{ "198.18.77.200", 32, "198.18.77.200" },
		{ "198.18.77.200", 29, "198.18.77.200" },
		{ "198.18.77.200", 28, "198.18.77.192" },
		{ "198.19.77.200", 15, "198.18.0.0" },
		{ "198.18.77.200", 0, "0.0.0.0" },
		{ "2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::" },
		{ "2001:db8:1:ffff::", 52, "2001:db8:1:f000::" },
		{ "2001:db8::1", 128, "2001:db8::1" },
		{ "2001:db8::1", 0, "::" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[ADDR_TEXT_MAX];
		struct addr a;

		assert_int_equal(addr_parse(cases[i].addr, &a), 0);
		a = addr_network(&a, cases[i].bits);
		assert_string_equal(addr_text(&a, text), cases[i].network);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(names_and_rubbish_are_refused),
		cmocka_unit_test(four_in_and_out),
		cmocka_unit_test(targets_as_text_and_key),
		cmocka_unit_test(network_cuts_at_the_bit),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
