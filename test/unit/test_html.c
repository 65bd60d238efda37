/* test_html.c: nothing that strangers wrote leaves its place in the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/html.h"

static void
is(struct buf *b, const char *expected)
{
	assert_string_equal(buf_text(b), expected);
	buf_free(b);
}

static void
test_no_text_is_markup(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_string(&b, "\"><script>alert('x')</script>&amp;");
	is(&b,
	    "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"
	    "&amp;amp;");
}

static void
test_bytes_are_mapped_first(void **state)
{
	static const char bytes[] = "a\0b\r\n\x1b[31m\xff\xc3\xa9\xe2\x80\xae";
	struct buf b = { 0 };

	(void)state;
	html_text(&b, bytes, sizeof bytes - 1);
	is(&b, "a\\x00b|\\x1B[31m\\xFF\xc3\xa9\\xE2\\x80\\xAE");
}

static void
test_every_byte(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		struct buf b = { 0 };
		char byte = (char)c;

		html_text(&b, &byte, 1);
		assert_null(strpbrk(buf_text(&b), "<>\"'"));
		buf_free(&b);
	}
}

static void
test_numbers(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_number(&b, 0);
	is(&b, "0");
	html_number(&b, 999);
	is(&b, "999");
	html_number(&b, 1000);
	is(&b, "1,000");
	html_number(&b, UINT64_MAX);
	is(&b, "18,446,744,073,709,551,615");
	html_share(&b, 1, 3);
	is(&b, "33.3 %");
	html_share(&b, 0, 0);
	is(&b, "–");
}

/* printf abc | openssl sha256 -binary | base64 */
static void
test_hash(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_hash(&b, "abc", 3);
	is(&b, "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_text_is_markup),
		cmocka_unit_test(test_bytes_are_mapped_first),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
