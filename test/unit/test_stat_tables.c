/* test_stat_tables.c: the tables of `mailsweep stats`. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/tool_help.h"

/* A cell of a row behind its label, which is quoted and may have commas. */
static unsigned long
number_in(const char *row, unsigned cell)
{
	const char *at = strstr(row, "\",");

	for (; at != NULL && cell > 0; cell--)
		at = strchr(at + 1, ',');
	return at != NULL ? strtoul(at + 1, NULL, 10) : ULONG_MAX;
}

/* The rows of a table are what its filter lets through. */
static void
test_filters_are_cuts(void **state)
{
	static const struct {
		const char *by, *option;
		size_t from; /* of a label: a region has its country before */
	} cases[] = { { "tls", "--tls", 0 }, { "product", "--product", 0 },
		{ "region", "--region", 3 } };
	char options[256], label[128];
	unsigned rows = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *table, *one, *line, *save;

		snprintf(options, sizeof options, "--csv --by %s", cases[i].by);
		table = run_sample(&command_stats, options, TOOL_OK);
		assert_non_null(strtok_r(table, "\n", &save));
		while ((line = strtok_r(NULL, "\n", &save))) {
			unsigned long services;
			const char *row;

			if (sscanf(line, "\"%127[^\"]\",", label) != 1 ||
			    label[0] == '(' || !label[cases[i].from] ||
			    strchr(label + cases[i].from, ' '))
				continue;
			services = number_in(line, 2);
			snprintf(options, sizeof options,
			    "--csv --by none %s %s%s%.2s", cases[i].option,
			    label + cases[i].from,
			    cases[i].from ? " --country " : "",
			    cases[i].from ? label : "");
			one = run_sample(&command_stats, options, TOOL_OK);
			row = strstr(one, "\"all\",1,");
			assert_true(
			    row != NULL && services == number_in(row, 2));
			free(one);
			rows++;
		}
		free(table);
	}
	assert_true(rows > 3);
}

static void
test_stats(void **state)
{
	char *text = run_sample(&command_stats, "", TOOL_OK);

	(void)state;
	has(text, "POP3 without TLS: 2 IPv4 addresses, 1 IPv6\n");
	has(text, "IMAP without TLS: 1 IPv4 addresses, 0 IPv6\n");
	has(text, "both 1, only POP3 1, only IMAP 0 (IPv6: 0, 1, 0)\n");
	has(text, "DE");
	has(text, "total");
	free(text);
	text = run_sample(&command_stats, "--by asn --top 1 --csv", TOOL_OK);
	has(text, "\"asn\",\"as_name\",\"rank\",\"services\"");
	has(text, "\"Example, Inc\",");
	has(text, "\"(rest)\",,");
	has(text, "\"(total)\",,,16,");
	has(text, "\"(phantoms)\",,,1,");
	has(text, "\"(unknown)\"");
	free(text);
	text = run_sample(&command_stats, "--json --by port", TOOL_OK);
	has(text, "\"port\": \"110\"");
	free(text);
	text = run_sample(&command_stats, "--against previous", TOOL_ERROR);
	free(text);
	text = run_sample(
	    &command_stats, "--csv --by country --against " SAMPLE_ID, TOOL_OK);
	has(text, "\"rank_before\",\"services_before\",\"pop3_before\"\n");
	has(text,
	    "\"DE\",1,3,1,0,0,0,2,0,2,2,2,0,0,2,1,1,0,1,1,0,0,0,0,0,0,500.000,"
	    "18.750,66.667,1,3,1\n");
	free(text);
	free(run_sample(&command_stats, "--by moon", TOOL_USAGE));
}

/* A row a sweep and value; each says of which sweep it is. */
static void
test_series(void **state)
{
	char *text = run_sample(&command_stats,
	    "--csv --by asn --from 2026-11-21 --to 2026-11-21", TOOL_OK);

	(void)state;
	has(text, "\"sweep\",\"began\",\"asn\",\"as_name\",\"rank\"");
	has(text, "\"" SAMPLE_ID "\",\"");
	has(text, "\"(total)\",,,16,");
	free(text);
	text = run_sample(&command_stats, "--from 2026-11-21", TOOL_OK);
	has(text, "began (UTC)");
	has_not(text, "coverage");
	free(text);
	text = run_sample(&command_stats, "--json --from 1970-01-01", TOOL_OK);
	assert_int_equal(strncmp(text, "{\"sweep\":\"" SAMPLE_ID "\"", 32), 0);
	free(text);
	free(run_sample(&command_stats, "--from 2100-01-01", TOOL_NOTHING));
	free(run_sample(&command_stats, "--to 1970-01-01", TOOL_NOTHING));
	free(run_sample(&command_stats, "--from 2026-11", TOOL_USAGE));
	free(run_sample(
	    &command_stats, "--to 2026-11-21 --against x", TOOL_USAGE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_are_cuts),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_series),
	};

	return cmocka_run_group_tests_name(
	    "stat_tables", tests, sample_setup, sample_teardown);
}
