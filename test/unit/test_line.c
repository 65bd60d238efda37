/* test_line.c: lines out of whatever segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/line.h"

static void
feed(struct line_reader *r, const char *bytes, size_t n)
{
	uint32_t room;
	uint8_t *space = line_space(r, &room);

	assert_true(room >= n);
	memcpy(space, bytes, n);
	line_fed(r, (uint32_t)n);
}

static void
expect(struct line_reader *r, const char *text, size_t len, bool lf_only)
{
	struct line line;

	assert_int_equal(line_next(r, &line), LINE_GOT);
	assert_int_equal(line.len, len);
	assert_memory_equal(line.bytes, text, len);
	assert_int_equal(line.lf_only, lf_only);
}

static void
line_ends(void **state)
{
	static const char bytes[] = "one\r\ntwo\nthree\r\r\n\r\n\nfo\rur\n";
	uint8_t buf[64];
	struct line_reader r;
	struct line line;

	(void)state;
	line_init(&r, buf, sizeof buf);
	feed(&r, bytes, sizeof bytes - 1);
	expect(&r, "one", 3, false);
	expect(&r, "two", 3, true);
	expect(&r, "three", 5, false);
	expect(&r, "", 0, false);
	expect(&r, "", 0, true);
	expect(&r, "fo\rur", 5, true);
	assert_int_equal(line_next(&r, &line), LINE_NEED);
}

static void
nul_and_eight_bit(void **state)
{
	static const char bytes[] = "\0a\377\200b\0\r\n";
	uint8_t buf[16];
	struct line_reader r;

	(void)state;
	line_init(&r, buf, sizeof buf);
	feed(&r, bytes, sizeof bytes - 1);
	expect(&r, "\0a\377\200b\0", 6, false);
}

static void
cap_holds(void **state)
{
	uint8_t buf[8], large[16];
	struct line_reader r;
	struct line line;

	(void)state;
	line_init(&r, buf, sizeof buf);
	feed(&r, "123456\r\n", 8);
	expect(&r, "123456", 6, false);
	feed(&r, "12345678", 8);
	assert_int_equal(line_next(&r, &line), LINE_FULL);
	line_move(&r, large, sizeof large);
	assert_int_equal(line_next(&r, &line), LINE_NEED);
	feed(&r, "9\n", 2);
	expect(&r, "123456789", 9, true);
}

static void
what_is_left(void **state)
{
	uint8_t buf[32];
	struct line_reader r;
	uint32_t n;

	(void)state;
	line_init(&r, buf, sizeof buf);
	feed(&r, "220 go\r\nEHLO", 12);
	expect(&r, "220 go", 6, false);
	assert_memory_equal(line_left(&r, &n), "EHLO", 4);
	assert_int_equal(n, 4);
	line_drop(&r);
	line_left(&r, &n);
	assert_int_equal(n, 0);
}

/* A reader that is moved about while a line is half there loses nothing. */
static void
byte_by_byte(void **state)
{
	uint8_t buf[8];
	struct line_reader r;
	struct line line;
	unsigned lines = 0;

	(void)state;
	line_init(&r, buf, sizeof buf);
	for (int i = 0; i < 100; i++) {
		feed(&r, i % 5 == 4 ? "\n" : "x", 1);
		while (line_next(&r, &line) == LINE_GOT) {
			assert_int_equal(line.len, 4);
			lines++;
		}
	}
	assert_int_equal(lines, 20);
}

static void
words(void **state)
{
	static const char text[] = "  AUTH\tPLAIN  LOGIN ";
	struct word w;
	size_t at = 0;

	(void)state;
#define NEXT word_next((const uint8_t *)text, sizeof text - 1, &at, &w)
	assert_true(NEXT && bytes_equal(w.bytes, w.len, "auth"));
	assert_true(NEXT && bytes_equal(w.bytes, w.len, "PLAIN"));
	assert_false(bytes_equal(w.bytes, w.len, "PLAI"));
	assert_true(NEXT && bytes_start(w.bytes, w.len, "Log"));
	assert_false(NEXT);
	assert_non_null(bytes_find((const uint8_t *)text, 20, "plain"));
	assert_null(bytes_find((const uint8_t *)text, 9, "plain"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends),
		cmocka_unit_test(nul_and_eight_bit),
		cmocka_unit_test(cap_holds),
		cmocka_unit_test(what_is_left),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
