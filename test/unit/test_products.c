/* test_products.c: the table of products, each of its test lines, mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "probes/pattern.h"
#include "probes/products.h"

enum { TEXT_CAP = 1 << 18, HOSTILE_MS = 200 };

static const char path[] = "conf/products";

static char *
slurp(void)
{
	char *text = calloc(1, TEXT_CAP);
	FILE *file = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, TEXT_CAP - 1, file) > 1000);
	fclose(file);
	return text;
}

static struct products *
shipped(struct product_cases *cases)
{
	char error[PRODUCTS_ERROR_MAX];
	char *text = slurp();
	struct products *all = products_read(path, text, cases, error);

	if (!all)
		fail_msg("%s", error);
	free(text);
	return all;
}

/* Each test line is its own product's, whatever stands before and behind. */
static void
test_lines(void **state)
{
	struct product_cases cases;
	struct products *all = shipped(&cases);
	unsigned wrong = 0;

	(void)state;
	assert_true(products_count(all) > 200);
	assert_true(cases.n > products_count(all));
	for (size_t i = 0; i < cases.n; i++) {
		const struct product_case *c = &cases.v[i];
		struct product_found f = { .line = 0 };
		bool good;

		if (!products_match(all, &c->said, &f))
			memset(&f, 0, sizeof f);
		good = strcmp(f.name, c->name) == 0;
		if (c->must_not)
			good = !good;
		else
			good = good && strcmp(f.version, c->version) == 0 &&
			    f.line == c->pattern;
		if (good)
			continue;
		wrong++;
		print_message("%s:%u: %s \"%s\" \"%s\", but \"%s\" \"%s\" of "
			      "line %u\n",
		    path, c->line, c->must_not ? "not" : "is", c->name,
		    c->version, f.name, f.version, f.line);
	}
	product_cases_free(&cases);
	products_free(all);
	assert_int_equal(wrong, 0);
}

#define HEAD "product X\nprotocol smtp\n"
#define REST "untried here\ntest greeting 220 X\n"

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "t:0: \"\", expected a product at least" },
		{ "# only\n", "t:1: \"\", expected a product at least" },
		{ "\n\ngreeting x\n", "t:3: \"greeting\", expected product" },
		{ HEAD "colour red\n",
		    "t:3: \"colour\", expected product, pr" },
		{ "product\n", "t:1: \"\", expected a name of 1 to 63" },
		{ "product X\nprotocol ftp\n", "t:2: \"ftp\", expected pop3" },
		{ HEAD "greeting (220\n",
		    "t:3: \"(220\", expected a regular expression: missing "
		    "closing parenthesis, at byte 5" },
		{ HEAD "greeting\n",
		    "t:3: \"greeting\", expected a regular expression" },
		{ HEAD "greeting (?<vendor>x)\n", "no named ones but product" },
		{ HEAD "greeting (*UTF)x\n", "expected a regular expression" },
		{ HEAD "key ab\n", "t:3: \"ab\", expected one key" },
		{ HEAD "key abc\nkey abc\n", "t:4: \"abc\", expected one key" },
		{ HEAD "greeting 220 X\ntried\n", "expected behind tried" },
		{ HEAD "greeting 220 X\n" REST "tried x\n",
		    "expected one line" },
		{ HEAD "greeting 220 X\nuntried x\n",
		    "t:1: \"X\", expected a line test below it" },
		{ HEAD "greeting 220 X\ntest greeting 220 X\n",
		    "t:1: \"X\", expected a line tried or untried" },
		{ HEAD REST, "t:1: \"X\", expected an expression below it" },
		{ "product X\ngreeting 220 X\nuntried x\n",
		    "t:1: \"X\", expected a line protocol below it" },
		{ "product X\ntest greeting 220\n", "expected the protocol" },
		{ HEAD "greeting (?<product>x)\n" REST,
		    "t:1: \"X\", expected product * where" },
		{ "product *\nprotocol smtp\ngreeting x\n" REST,
		    "t:1: \"*\", expected product * where" },
		{ HEAD "greeting 220 X\n" REST "with colour red\n",
		    "t:6: \"colour\", expected greeting, hello" },
		{ HEAD "greeting 220 X\n" REST "with greeting 220\n",
		    "t:6: \"greeting\", expected each text of a test once" },
		{ HEAD "greeting 220 X\n" REST "with hello a\\qb\n",
		    "t:6: \"a\\qb\", expected what a server says" },
		{ HEAD "with greeting 220 X\n", "expected a line test or not" },
		{ HEAD "version 1\n", "t:3: \"1\", expected a line test" },
		{ HEAD "greeting a\ngreeting b\nlist c\nhello d\nlist e\n",
		    "t:7: \"e\", expected at most 4 expressions" },
	};
	struct product_cases kept;
	char error[PRODUCTS_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct products *all =
		    products_read("t", cases[i].text, &kept, error);

		if (all || !strstr(error, cases[i].why))
			fail_msg("%s: \"%s\"", cases[i].text,
			    all ? "no mistake" : error);
		assert_null(kept.v);
	}
}

static void
say(struct said *s, enum said_text where, const char *text)
{
	s->text[where].bytes = (const uint8_t *)text;
	s->text[where].len = strlen(text);
}

/* Order, several texts at once, texts that were not said, cut captures. */
static void
test_rules(void **state)
{
	static const char table[] =
	    "product Both\nprotocol smtp\ngreeting 220\nhello \n"
	    "untried x\ntest greeting 220\n"
	    "product Both\nprotocol smtp\ngreeting 220\nhello x\n"
	    "untried x\ntest greeting 220\nwith hello x\n"
	    "product One\nprotocol smtp\ngreeting 220 (?<version>.*)\n"
	    "untried x\ntest greeting 220\n";
	struct product_found f;
	struct said s = { .protocol = PROTOCOL_SMTP };
	char error[PRODUCTS_ERROR_MAX], text[200], *broken;
	struct products *all;

	(void)state;
	assert_null(products_read("t", table, NULL, error));
	assert_non_null(strstr(error, "t:4: \"hello\", expected a regular"));
	broken = strstr(table,
	    "product Both\nprotocol smtp\ngreeting 220\n"
	    "hello x");
	all = products_read("t", broken, NULL, error);
	assert_non_null(all);
	assert_int_equal(products_count(all), 2);
	assert_false(products_match(all, &s, &f)); /* nothing was said */
	memset(text, 'v', sizeof text);
	memcpy(text, "220 ", 4);
	text[sizeof text - 1] = '\0';
	say(&s, SAID_GREETING, text);
	assert_true(products_match(all, &s, &f));
	assert_string_equal(f.name, "One");
	assert_int_equal(strlen(f.version), PRODUCT_VERSION_MAX - 1);
	say(&s, SAID_HELLO, "x");
	assert_true(products_match(all, &s, &f));
	assert_string_equal(f.name, "Both");
	assert_string_equal(f.version, "");
	s.protocol = PROTOCOL_POP3;
	assert_false(products_match(all, &s, &f));
	products_free(all);
}

static unsigned long
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (unsigned long)t.tv_sec * 1000 +
	    (unsigned long)t.tv_nsec / 1000000;
}

/* Backtracking without end is cut off, and identification with it. */
static void
test_limits(void **state)
{
	static const char table[] =
	    "product X\nprotocol smtp\ngreeting 220 (?:(?:a|aa)+)+[bc]\n"
	    "untried x\ntest greeting 220 ab\n"
	    "product Y\nprotocol smtp\ngreeting 220\n"
	    "untried x\ntest greeting 220\n";
	char error[PRODUCTS_ERROR_MAX], text[PATTERN_SUBJECT_MAX];
	struct products *all = products_read("t", table, NULL, error);
	struct said s = { .protocol = PROTOCOL_SMTP };
	struct product_found f;
	unsigned long begin = cpu_ms();

	(void)state;
	assert_non_null(all);
	memset(text, 'a', sizeof text);
	memcpy(text, "220 ", 4);
	text[sizeof text - 1] = '\0';
	say(&s, SAID_GREETING, text);
	assert_false(products_match(all, &s, &f));
	assert_true(cpu_ms() - begin < HOSTILE_MS);
	say(&s, SAID_GREETING, "220 b");
	assert_true(products_match(all, &s, &f));
	assert_string_equal(f.name, "Y");
	products_free(all);
}

/* All keys of the shipped table at once, and not one product. */
static void
test_hostile(void **state)
{
	static const char *const begins[] = { "+OK ", "* OK [", "220-" };
	char *text = slurp(), *at, words[PATTERN_SUBJECT_MAX + 1];
	struct products *all = shipped(NULL);
	struct product_found f;
	struct said s = { .protocol = PROTOCOL_UNKNOWN };
	unsigned long begin;
	size_t n;

	(void)state;
	for (int p = PROTOCOL_POP3; p < PROTOCOL_COUNT; p++) {
		n = (size_t)snprintf(
		    words, sizeof words, "%s", begins[p - PROTOCOL_POP3]);
		for (at = text; (at = strstr(at, "\nkey ")) != NULL;) {
			at += 5;
			if (n + strcspn(at, "\n") + 2 > sizeof words)
				break;
			n += (size_t)snprintf(words + n, sizeof words - n,
			    "%.*s ", (int)strcspn(at, "\n"), at);
		}
		s.protocol = (enum protocol)p;
		for (int t = 0; t < SAID_COUNT; t++)
			say(&s, (enum said_text)t, words);
		begin = cpu_ms();
		(void)products_match(all, &s, &f);
		assert_true(cpu_ms() - begin < HOSTILE_MS);
	}
	products_free(all);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
