/* test_hostname.c: what may be called a host name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/hostname.h"

static void
is(const char *from, const char *want)
{
	char to[HOSTNAME_CAP] = "as it was";

	assert_true(hostname_clean(from, to));
	assert_string_equal(to, want);
}

static void
is_not(const char *from)
{
	char to[HOSTNAME_CAP] = "as it was";

	if (hostname_clean(from, to))
		fail_msg("\"%s\" became \"%s\"", from, to);
	assert_string_equal(to, "as it was");
}

static void
cleans(void **state)
{
	char own[HOSTNAME_CAP] = "Mail.Example.NET.";

	(void)state;
	is("mail.example.net", "mail.example.net");
	is("MAIL.Example.net.", "mail.example.net");
	is("mx_1.example-2.net", "mx_1.example-2.net");
	is("1-2-0-192.dsl.example", "1-2-0-192.dsl.example");
	assert_true(hostname_clean(own, own));
	assert_string_equal(own, "mail.example.net");
}

static void
refuses(void **state)
{
	(void)state;
	is_not("");
	is_not(".");
	is_not("localhost");
	is_not("192.0.2.1");
	is_not("a..b");
	is_not(".a.b");
	is_not("a.b..");
	is_not("a b.net");
	is_not("a\\032b.net");
	is_not("<script>.net");
	is_not("=cmd|calc.net");
	is_not("a.net\n");
	is_not("\xc3\xa9.net");
	is_not("a,b.net");
	is_not("*.example.net");
}

static void
knows_its_limits(void **state)
{
	char name[400], label[65];

	(void)state;
	memset(label, 'a', sizeof label);
	memcpy(name, label, 63);
	memcpy(name + 63, ".net", 5);
	is(name, name);
	memcpy(name, label, 64);
	memcpy(name + 64, ".net", 5);
	is_not(name);
	/* 253 characters, with the final dot and without; and one more. */
	for (unsigned i = 0; i < 253; i++)
		name[i] = i % 2 ? '.' : 'x';
	name[253] = '\0';
	is(name, name);
	name[253] = '.';
	name[254] = '\0';
	assert_true(hostname_clean(name, name));
	assert_int_equal(strlen(name), 253);
	memcpy(name + 253, ".x", 3);
	is_not(name);
	memset(name, 'y', sizeof name);
	name[10] = '.';
	name[399] = '\0';
	is_not(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans),
		cmocka_unit_test(refuses),
		cmocka_unit_test(knows_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
