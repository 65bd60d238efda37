/* test_text.c: bytes to text, and the dialect of the feeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "storage/csv.h"
#include "storage/text.h"

static void
maps(const char *from, size_t len, size_t max, const char *to)
{
	struct buf b = { 0 };

	text_map(&b, from, len, max);
	assert_string_equal(buf_text(&b), to);
	assert_true(b.len <= max);
	buf_free(&b);
}
#define MAPS(from, to) maps(from, sizeof from - 1, SIZE_MAX, to)

static void
test_map(void **state)
{
	(void)state;
	MAPS("", "");
	MAPS("+OK ready\r\n", "+OK ready|");
	MAPS("a\rb\nc\r\n\r\nd", "a|b|c||d");
	MAPS("a\0b\x7f\t", "a\\x00b\\x7F\\x09");
	MAPS("a|b\\x\"',;=1", "a|b\\x\"',;=1");
	MAPS("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7");
	MAPS("\xc3", "\\xC3");
	MAPS("\xc3(", "\\xC3(");
	MAPS("\xc0\xaf", "\\xC0\\xAF"); /* not the shortest form */
	MAPS("\xe0\x80\xaf", "\\xE0\\x80\\xAF");
	MAPS("\xed\xa0\x80", "\\xED\\xA0\\x80"); /* a surrogate */
	MAPS("\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"); /* past the end */
	MAPS("\xc2\x9b", "\\xC2\\x9B"); /* CSI, in UTF-8 */
	/* What would turn a line around, or end it, for who reads it. */
	MAPS("a\xe2\x80\xae"
	     "b",
	    "a\\xE2\\x80\\xAE"
	    "b"); /* U+202E */
	MAPS("\xe2\x81\xa6", "\\xE2\\x81\\xA6"); /* U+2066 */
	MAPS("\xe2\x80\xa8", "\\xE2\\x80\\xA8"); /* U+2028 */
	MAPS("\xe2\x80\x8f", "\\xE2\\x80\\x8F"); /* U+200F */
	MAPS("\xd8\x9c", "\\xD8\\x9C"); /* U+061C */
	MAPS("\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf");
	MAPS("\xe2\x82", "\\xE2\\x82");
	MAPS("\xa4\xa4\xa4\xe5", "\\xA4\\xA4\\xA4\\xE5"); /* Big5 */
}

static void
test_map_never_cuts(void **state)
{
	(void)state;
	maps("ab\xc3\xa9", 4, 3, "ab");
	maps("ab\xc3\xa9", 4, 4, "ab\xc3\xa9");
	maps("a\x01z", 3, 4, "a");
	maps("a\x01z", 3, 5, "a\\x01");
	maps("\x01z", 2, 0, "");
}

static void
cuts(const char *text, size_t max, const char *to)
{
	struct buf b = { 0 };

	buf_puts(&b, text);
	text_cut(&b, max);
	assert_string_equal(b.s, to);
	assert_int_equal(b.len, strlen(to));
	buf_free(&b);
}

static void
test_cut(void **state)
{
	(void)state;
	cuts("abc", 3, "abc");
	cuts("abc", 2, "ab");
	cuts("abc", 0, "");
	cuts("a\xe2\x82\xac", 3, "a");
	cuts("a\xe2\x82\xac"
	     "b",
	    4, "a\xe2\x82\xac");
	cuts("a\\x80"
	     "b",
	    4, "a");
	cuts("a\\x80"
	     "b",
	    3, "a");
	cuts("a\\x80"
	     "b",
	    2, "a");
	cuts("a\\x80"
	     "b",
	    5, "a\\x80");
}

static void
test_times(void **state)
{
	char t[TIME_TEXT_MAX];

	(void)state;
	assert_string_equal(text_time(0, t), "");
	assert_string_equal(
	    text_time(1795226405999999, t), "2026-11-21 02:00:05");
	assert_string_equal(
	    text_time_iso(1795226405999999, t), "2026-11-21T02:00:05.999Z");
	assert_string_equal(text_day(1795226405999999, t), "2026-11-21");
	assert_string_equal(text_seconds(-1, t), "1969-12-31 23:59:59");
	assert_string_equal(text_duration(59, t), "59s");
	assert_string_equal(text_duration(61, t), "1m01s");
	assert_string_equal(text_duration(7384, t), "2h03m");
}

static void
test_encodings(void **state)
{
	static const uint8_t bytes[] = { 0xfb, 0xff, 0x00, 0x10 };
	static const char *const base64[] = { "", "+w==", "+/8=", "+/8A",
		"+/8AEA==" };
	struct buf b = { 0 };

	(void)state;
	for (size_t n = 0; n <= sizeof bytes; n++) {
		buf_clear(&b);
		text_base64(&b, bytes, n);
		assert_string_equal(buf_text(&b), base64[n]);
	}
	buf_clear(&b);
	text_hex(&b, bytes, sizeof bytes);
	assert_string_equal(b.s, "fbff0010");
	buf_clear(&b);
	text_hex_colons(&b, bytes, sizeof bytes);
	assert_string_equal(b.s, "FB:FF:00:10");
	buf_clear(&b);
	text_upper(&b,
	    "\xc3\x8ele-de-Fr\xc3\xa0nce \xc5\x81\xc3\xb3"
	    "d\xc5\xba \xe6\x9d\xb1\x07\xff",
	    30);
	assert_string_equal(b.s, "ILE-DE-FRANCE LODZ ");
	buf_free(&b);
}

static void
is_hostname(const char *s, size_t want)
{
	size_t len = strlen(s);
	bool is = text_is_hostname(s, &len);

	if (is != (want > 0) || (is && len != want))
		fail_msg("%s: %d, %zu", s, is, len);
}

static void
test_hostnames(void **state)
{
	(void)state;
	is_hostname("mail.example.net", 16);
	is_hostname("mail.example.net.", 16);
	is_hostname("mx_1.example-2.net", 18);
	is_hostname("xn--bcher-kva.example", 21);
	is_hostname("localhost", 0);
	is_hostname("192.0.2.1", 0);
	is_hostname("*.example.net", 0);
	is_hostname("a..b", 0);
	is_hostname(".a.b", 0);
	is_hostname("a.b..", 0);
	is_hostname("a b.net", 0);
	is_hostname("\xc3\xa9.net", 0);
	is_hostname("", 0);
	is_hostname(".", 0);
}

static void
test_csv(void **state)
{
	struct buf b = { 0 };
	struct csv csv = { &b, 0 };

	(void)state;
	csv_string(&csv, "a,b");
	csv_string(&csv, "say \"hi\"\"");
	csv_missing(&csv);
	csv_string(&csv, "");
	csv_number(&csv, 110);
	csv_bare(&csv, "2");
	csv_end(&csv);
	csv_missing(&csv);
	csv_string(&csv, "x");
	csv_end(&csv);
	assert_string_equal(b.s,
	    "\"a,b\",\"say \"\"hi\"\"\"\"\",,,110,2\n"
	    ",\"x\"\n");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_never_cuts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_hostnames),
		cmocka_unit_test(test_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
