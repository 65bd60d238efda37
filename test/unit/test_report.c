/* test_report.c: the page about a small sealed sweep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/html.h"
#include "test/unit/run_help.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

enum { PATH_CAP = 128 };

/* What `mailsweep report ARGUMENTS` prints, to free. */
static char *
report(enum tool_exit expected, const char *arguments)
{
	return run_sample(&command_report, arguments, expected);
}

static void
test_figures(void **state)
{
	char *page = report(TOOL_OK, "-o -");

	(void)state;
	has(page, "<dt>POP3 without TLS</dt><dd>2<span>IPv4");
	has(page, "<dt>IMAP without TLS</dt><dd>1<span>IPv4");
	has(page, SAMPLE_ID);
	has(page, "<tr data-key=\"PL\"><th scope=row>Poland</th>");
	has(page, "id=\"m-PL\" class=q");
	free(page);
}

/* Each element that the policy names by its hash, and no other. */
static void
test_policy(void **state)
{
	static const char *const tags[] = { "script", "style" };
	char *page = report(TOOL_OK, "-o -");

	(void)state;
	has(page, "default-src 'none'");
	has_not(page, "unsafe");
	has_not(page, " style=");
	has_not(page, " src=");
	has_not(page, "url(");
	for (unsigned i = 0; i < 2; i++) {
		struct buf hash = { 0 };
		char open[16], close[16];
		const char *from, *to;

		snprintf(open, sizeof open, "<%s>", tags[i]);
		snprintf(close, sizeof close, "</%s>", tags[i]);
		from = strstr(page, open);
		assert_non_null(from);
		from += strlen(open);
		to = strstr(from, close);
		assert_non_null(to);
		html_hash(&hash, from, (size_t)(to - from));
		has(page, buf_text(&hash));
		has_not(to, open);
		buf_free(&hash);
	}
	free(page);
}

/* 192.0.2.6 is open to anybody: who acts must know, the public must not. */
static void
test_for_the_public_no_host(void **state)
{
	char *page = report(TOOL_OK, "-o -");

	(void)state;
	has(page, "192.0.2.6");
	free(page);
	page = report(TOOL_OK, "-o - --public");
	has_not(page, "192.0.2.");
	has_not(page, SAMPLE_ID);
	has(page, "fewer than 10");
	has_not(page, "<dd>2<");
	has_not(page, "data-key=\"PL\"");
	free(page);
	page = report(TOOL_OK, "-o - --public --mask-below 0");
	has_not(page, "192.0.2.");
	has_not(page, SAMPLE_ID);
	has_not(page, "fewer than 10");
	has(page, "data-key=\"PL\"");
	free(page);
}

/* Who publishes it, whom to ask, how to be left out: with a name for each. */
static void
test_publisher(void **state)
{
	char *page = report(TOOL_OK, "-o -");

	(void)state;
	has_not(page, "Published by");
	has_not(page, "id=about");
	has_not(page, "href=\"#about\"");
	free(page);
	page = report(TOOL_OK,
	    "-o - --public --publisher <CERT> --contact cert@example.net");
	has(page, "<p class=by>Published by &lt;CERT&gt;</p>");
	has(page, "<a href=\"#about\">Contact</a>");
	has(page,
	    "<a rel=noreferrer href=\"mailto:cert@example.net\">"
	    "cert@example.net</a>");
	has(page, "left out of all further sweeps");
	free(page);
	page = report(TOOL_OK, "-o - --contact https://cert.example/a?b&c");
	has(page, "<a rel=noreferrer href=\"https://cert.example/a?b&amp;c\">");
	free(page);
	page = report(TOOL_OK, "-o - --contact httpd@example.net");
	has(page, "href=\"mailto:httpd@example.net\"");
	free(page);
}

static void
test_attribution_is_text(void **state)
{
	char *page = report(TOOL_OK,
	    "-o - --attribution <b>&by --attribution "
	    "https://example.net/a\"onclick=x,by");

	(void)state;
	has(page,
	    "<p>&lt;b&gt;&amp;by</p>\n<p><a rel=noreferrer "
	    "href=\"https://example.net/a\">https://example.net/a</a>"
	    "&quot;onclick=x,by</p>");
	free(page);
}

static void
test_file(void **state)
{
	char path[PATH_CAP], words[PATH_CAP + 8], *text;
	struct stat st;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "%s/page.html", sample_datadir);
	snprintf(words, sizeof words, "-o %s", path);
	free(report(TOOL_OK, words));
	text = file_text(path, &len);
	assert_int_equal(strncmp(text, "<!doctype html>\n", 16), 0);
	assert_string_equal(text + len - 8, "</html>\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	unlink(path);
	free(text);
}

static void
test_wrong_use(void **state)
{
	(void)state;
	free(report(TOOL_USAGE, ""));
	free(report(TOOL_USAGE, "-o - --json"));
	free(report(TOOL_USAGE, "-o - more"));
	free(report(TOOL_USAGE, "-o - --mask-below few"));
	free(report(TOOL_ERROR, "-o /nonexistent/page.html"));
}

/* A figure of the series that lacks rows is not passed off as whole. */
static void
test_damage_in_an_earlier_sweep(void **state)
{
	static const char id[] = "20261120T020000Z-test";
	const uint64_t day_before = SAMPLE_START_US - (uint64_t)86400 * 1000000;
	const uint32_t mark = 0x5eed1234;
	struct help_row r = { .target = help_target("192.0.2.1", 110) };
	char path[PATH_CAP];

	(void)state;
	r.head = help_head(&r.target, OUTCOME_COMPLETED, 0, day_before);
	r.head.rtt_us = mark;
	help_seal(sample_datadir, id, day_before, &r, 1, 0);
	free(report(TOOL_OK, "-o -"));
	snprintf(path, sizeof path, "%s/sealed/%s.mdb", sample_datadir, id);
	spoil_sealed(path, mark);
	free(report(TOOL_ERROR, "-o -"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_for_the_public_no_host),
		cmocka_unit_test(test_publisher),
		cmocka_unit_test(test_attribution_is_text),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_wrong_use),
		cmocka_unit_test(test_damage_in_an_earlier_sweep),
	};

	return cmocka_run_group_tests_name(
	    "report", tests, sample_setup, sample_teardown);
}
