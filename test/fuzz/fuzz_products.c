/*
 * fuzz_products.c: the table of products. First byte T: the rest is a table
 * that somebody wrote, and the texts of its own test lines are held against
 * it. P, I or S: what a POP3, IMAP or SMTP server says, its texts with 0xFF
 * between, to the table that is installed. Both within a bound of time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probes/products.h"

enum { TEXT_CAP = 1 << 18, SEPARATOR = 0xff, MATCH_MS_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static const struct products *
shipped(void)
{
	static char text[TEXT_CAP], error[PRODUCTS_ERROR_MAX];
	static struct products *all;
	FILE *file;

	if (all)
		return all;
	file = fopen("conf/products", "r");
	must(file != NULL);
	must(fread(text, 1, sizeof text - 1, file) > 0);
	(void)fclose(file);
	all = products_read("conf/products", text, NULL, error);
	must(all != NULL);
	return all;
}

static long
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
match(const struct products *all, const struct said *s)
{
	struct product_found f;
	long begin = cpu_ms();

	if (products_match(all, s, &f)) {
		must(f.name[0] != '\0' && f.line > 0);
		must(memchr(f.name, '\0', sizeof f.name) != NULL);
		must(memchr(f.version, '\0', sizeof f.version) != NULL);
	}
	must(cpu_ms() - begin < MATCH_MS_MAX);
}

static void
table(const uint8_t *bytes, size_t len)
{
	char error[PRODUCTS_ERROR_MAX] = "";
	struct product_cases cases;
	struct products *all;
	char *text = malloc(len + 1);

	must(text != NULL);
	memcpy(text, bytes, len);
	text[len] = '\0';
	all = products_read("fuzz", text, &cases, error);
	must((all == NULL) == (error[0] != '\0'));
	for (size_t i = 0; all && i < cases.n && i < 16; i++)
		match(all, &cases.v[i].said);
	if (all)
		product_cases_free(&cases);
	products_free(all);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char kinds[] = "PIS";
	const uint8_t *at = bytes + 1, *stop = bytes + len;
	struct said s = { .protocol = PROTOCOL_UNKNOWN };
	const char *kind;

	if (len < 1)
		return 0;
	kind = bytes[0] == '\0' ? NULL : strchr(kinds, bytes[0]);
	if (!kind) {
		table(at, len - 1);
		return 0;
	}
	s.protocol = (enum protocol)(PROTOCOL_POP3 + (kind - kinds));
	for (int t = 0; t < SAID_COUNT && at < stop; t++) {
		const uint8_t *end = memchr(at, SEPARATOR, (size_t)(stop - at));

		end = end ? end : stop;
		s.text[t].bytes = at;
		s.text[t].len = (size_t)(end - at);
		at = end < stop ? end + 1 : stop;
	}
	match(shipped(), &s);
	return 0;
}
