/* test_sports.c: sets of ports in the kernel's form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/sports.h"

enum { TEXT = 256 };

static void
goes_there_and_back(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "\n", "" },
		{ "", "" },
		{ "80\n", "80" },
		{ "1,2,3\n", "1-3" },
		{ "8080,40000-56383,65535\n", "8080,40000-56383,65535" },
		{ "7-9,5-8", "5-9" },
		{ "0-65535", "0-65535" },
	};
	static const char *const bad[] = { "x", "1-", "-1", "1;2", "65536",
		"1-65536", "1 2" };
	struct sports s;
	char text[TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(sports_parse(good[i].in, &s));
		sports_print(&s, text, sizeof text);
		assert_string_equal(text, good[i].out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sports_parse(bad[i], &s));
}

static void
never_writes_past_its_room(void **state)
{
	struct sports s;
	char text[TEXT];

	(void)state;
	memset(&s, 0x55, sizeof s); /* every second port */
	memset(text, 'x', sizeof text);
	sports_print(&s, text, 20);
	assert_int_equal(text[19], '\0');
	assert_int_equal(text[20], 'x');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(never_writes_past_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
