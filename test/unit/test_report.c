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
#include "storage/tool.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

enum { ARGS_MAX = 12, PATH_CAP = 128 };

static char datadir[64];

struct call {
	char *argv[ARGS_MAX];
	int argc;
};

static int
run_call(void *arg)
{
	struct call *c = arg;
	struct tool tool = { .command = &command_report };
	int status;

	optind = 0; /* glibc: start anew */
	status = command_report.run(&tool, c->argc, c->argv);
	tool_clear(&tool);
	return status;
}

/* `mailsweep report -d DATADIR ...`, its output, to free; words is cut. */
static char *
report(int expected, char *words)
{
	char name[] = "mailsweep", option[] = "-d";
	struct call c = { { name, option, datadir }, 3 };
	char *text;
	int status;

	for (char *rest, *w = strtok_r(words, " ", &rest); w != NULL;
	     w = strtok_r(NULL, " ", &rest))
		c.argv[c.argc++] = w;
	text = output_of(run_call, &c, &status);
	assert_int_equal(status, expected);
	return text;
}

static int
make(void **state)
{
	(void)state;
	sample_make(datadir);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	help_remove(datadir);
	return 0;
}

static void
has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in the page", part);
}

static void
has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in the page", part);
}

static void
test_figures(void **state)
{
	char words[] = "-o -";
	char *page = report(TOOL_OK, words);

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
	char words[] = "-o -";
	char *page = report(TOOL_OK, words);

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
		assert_null(strstr(to, open));
		buf_free(&hash);
	}
	free(page);
}

/* 192.0.2.6 is open to anybody: who acts must know, the public must not. */
static void
test_for_the_public_no_host(void **state)
{
	char inside[] = "-o -", outside[] = "-o - --public";
	char also[] = "-o - --public --mask-below 0";
	char *page = report(TOOL_OK, inside);

	(void)state;
	has(page, "192.0.2.6");
	free(page);
	page = report(TOOL_OK, outside);
	has_not(page, "192.0.2.");
	has_not(page, SAMPLE_ID);
	has(page, "fewer than 10");
	has_not(page, "<dd>2<");
	has_not(page, "data-key=\"PL\"");
	free(page);
	page = report(TOOL_OK, also);
	has_not(page, "192.0.2.");
	has_not(page, SAMPLE_ID);
	has_not(page, "fewer than 10");
	has(page, "data-key=\"PL\"");
	free(page);
}

static void
test_attribution_is_text(void **state)
{
	char words[] = "-o - --attribution <b>&by --attribution "
		       "https://example.net/a\"onclick=x,by";
	char *page = report(TOOL_OK, words);

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
	snprintf(path, sizeof path, "%s/page.html", datadir);
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
	char none[] = "", json[] = "-o - --json", more[] = "-o - more";
	char number[] = "-o - --mask-below few";
	char nowhere[] = "-o /nonexistent/page.html";

	(void)state;
	free(report(TOOL_USAGE, none));
	free(report(TOOL_USAGE, json));
	free(report(TOOL_USAGE, more));
	free(report(TOOL_USAGE, number));
	free(report(TOOL_ERROR, nowhere));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_for_the_public_no_host),
		cmocka_unit_test(test_attribution_is_text),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_wrong_use),
	};

	return cmocka_run_group_tests_name("report", tests, make, clean);
}
