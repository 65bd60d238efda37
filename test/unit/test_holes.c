/* test_holes.c: versions with a known hole, and the advice texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/advice.h"
#include "storage/holes.h"

enum { BODY_CAP = 512 };

static uint8_t body[BODY_CAP];

static struct row
exim(const char *product, const char *version, const char *greeting)
{
	struct record r;
	struct row row = { 0 };

	record_init(&r, body, sizeof body);
	if (product)
		record_put(&r, TAG_PRODUCT, product, strlen(product));
	if (version)
		record_put(&r, TAG_VERSION, version, strlen(version));
	record_put(&r, TAG_GREETING, greeting, strlen(greeting));
	row.head = r.head;
	row.body = body;
	row.len = r.len;
	return row;
}

static void
test_versions(void **state)
{
	(void)state;
	assert_true(version_compare("4.9", "4.10") < 0);
	assert_true(version_compare("4.92", "4.92.0") == 0);
	assert_true(version_compare("4.92.1", "4.92") > 0);
	assert_true(version_compare("4.90_1", "4.90.1") == 0);
	assert_true(version_compare("4.94.2", "4.94.2") == 0);
	assert_true(version_compare("4.93-RC1", "4.93") == 0);
	assert_true(version_compare("4.91", "") > 0);
	assert_true(version_compare("99999999999999999999", "1") > 0);
}

/* The table that is installed. */
static void
test_table(void **state)
{
	static const struct {
		const char *product, *version;
		size_t holes;
	} cases[] = {
		{ "Exim", "4.80", 3 }, /* 6789, 15846, 28017 */
		{ "exim", "4.91", 3 }, /* 10149, 15846, 28017 */
		{ "Exim", "4.92", 3 }, /* 15846, 16928, 28017 */
		{ "Exim", "4.92.3", 1 },
		{ "Exim", "4.94.2", 0 },
		{ "Exim", "4.96", 0 },
		{ "Exim", NULL, 0 },
		{ "Exim", "unknown", 0 },
		{ "Postfix", "4.80", 0 },
		{ NULL, "4.80", 0 },
	};
	char error[HOLES_ERROR_MAX];
	const struct hole *matched[HOLES_MATCHED_MAX];
	struct holes *h = holes_read("conf/smtp-vulnerable", error);

	(void)state;
	assert_non_null(h);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct row r =
		    exim(cases[i].product, cases[i].version, "220 hi");

		if (holes_match(h, &r, matched) != cases[i].holes)
			fail_msg("%s %s", cases[i].product, cases[i].version);
	}
	holes_free(h);
	assert_int_equal(holes_match(NULL, &(struct row){ 0 }, matched), 0);
}

/* A file with this text; its path. */
static const char *
written(const char *text)
{
	static char path[64];
	FILE *file;
	int fd;

	snprintf(path, sizeof path, "/tmp/mailsweep-table-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
	return path;
}

static void
test_mended(void **state)
{
	const char *path =
	    written("exim - 4.94.2 CVE-2020-28017 https://example.net/ a b\n"
		    "mended exim CVE-2020-28017 built by Us #7\n");
	const struct hole *matched[HOLES_MATCHED_MAX];
	char error[HOLES_ERROR_MAX];
	struct holes *h = holes_read(path, error);
	struct row r = exim("Exim", "4.90", "220 Exim 4.90 built by Us #7");

	(void)state;
	unlink(path);
	assert_non_null(h);
	assert_int_equal(holes_match(h, &r, matched), 0);
	r = exim("Exim", "4.90", "220 Exim 4.90 built by Us #6");
	assert_int_equal(holes_match(h, &r, matched), 1);
	assert_string_equal(matched[0]->cve, "cve-2020-28017");
	assert_string_equal(matched[0]->source, "https://example.net/ a b");
	holes_free(h);
}

static void
is_refused(const char *text, const char *why)
{
	char error[HOLES_ERROR_MAX];
	const char *path = written(text);

	assert_null(holes_read(path, error));
	unlink(path);
	if (!strstr(error, why))
		fail_msg("%s", error);
}

static void
test_mistakes(void **state)
{
	char error[HOLES_ERROR_MAX];

	(void)state;
	is_refused("# fine\nexim 4.87 4.92\n", ":2: 4.92: expected PRODUCT");
	is_refused("exim old 4.92 CVE-1 s\n", ":1: old: expected a version");
	is_refused("exim - new CVE-1 s\n", "new: expected the first version");
	is_refused("exim - 4.92 21nails s\n", "21nails: expected CVE-");
	is_refused("mended exim CVE-1\n", "expected mended PRODUCT");
	assert_null(holes_read("/nonexistent/table", error));
	assert_non_null(strstr(error, "No such file"));
}

/* Every finding has its advice, in the file that is installed. */
static void
test_advice(void **state)
{
	char error[ADVICE_ERROR_MAX], subject[64];
	struct advices *all = advice_read("conf/advice", error);
	const struct advice *a;

	(void)state;
	assert_non_null(all);
	for (int i = 0; i < FINDING_COUNT; i++) {
		snprintf(
		    subject, sizeof subject, "finding %s", finding_names[i]);
		a = advice_find(all, subject);
		assert_non_null(a);
		assert_non_null(a->risk);
		assert_true(a->ntodo > 0);
	}
	a = advice_find(all, "port 110");
	assert_non_null(a);
	assert_non_null(strstr(a->source, "RFC 8314"));
	assert_null(advice_find(all, "port 111"));
	a = advice_find(all, "tag banner-version");
	assert_non_null(a);
	assert_non_null(strstr(a->todo[0], "Check the package"));
	advice_free(all);
	assert_null(advice_find(NULL, "port 110"));
}

static void
test_advice_lines(void **state)
{
	char error[ADVICE_ERROR_MAX];
	const char *path = written("finding x\nrisk: one\n  two\ndo: a\ndo: b\n"
				   "\nport 1\nask: q\n");
	struct advices *all = advice_read(path, error);
	const struct advice *a;

	(void)state;
	unlink(path);
	assert_non_null(all);
	a = advice_find(all, "finding x");
	assert_non_null(a);
	assert_string_equal(a->risk, "one two");
	assert_int_equal(a->ntodo, 2);
	assert_string_equal(a->todo[1], "b");
	advice_free(all);
	path = written("finding x\nmood: bad\n");
	assert_null(advice_read(path, error));
	unlink(path);
	assert_non_null(strstr(error, ":2: mood: bad: expected risk"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_mended),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_advice_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
