/* test_announced.c: announced addresses counted, read, and rates of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/announced.h"
#include "test/unit/run_help.h"

enum { PATH_CAP = 128, TEXT_CAP = 1024 };

static char asn_csv[PATH_CAP], geo_csv[PATH_CAP], file[PATH_CAP],
    conf[PATH_CAP];

static void
write_text(char path[PATH_CAP], const char *name, const char *text)
{
	FILE *f;

	snprintf(path, PATH_CAP, "%s/%s", sample_datadir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
write_conf(const char *announced)
{
	char text[TEXT_CAP];

	snprintf(text, sizeof text,
	    "helo = scan.example.net\ncontact = a@example.net\n"
	    "targets = 192.0.2.0/24\nexclude = 192.0.2.255\n"
	    "asn_csv = \"%s\"\ngeo_csv = \"%s\"\n%s%s%s\n",
	    asn_csv, geo_csv, announced ? "announced = \"" : "",
	    announced ? announced : "", announced ? "\"" : "");
	write_text(conf, "test.conf", text);
}

static int
set_up(void **state)
{
	sample_setup(state);
	/* A network in two countries, one in none, IPv6, and one of nobody. */
	write_text(asn_csv, "asn.csv",
	    "192.0.2.0,192.0.2.255,64500,A\n"
	    "198.51.100.0,198.51.103.127,64501,B\n"
	    "203.0.113.7,203.0.113.7,64502,C\n"
	    "2001:db8::,2001:db8::ff,64500,A\n10.0.0.0,10.0.0.255,0,\n");
	write_text(geo_csv, "geo.csv",
	    "192.0.2.0/24,DE,,,,,,\n198.51.100.0/23,US,,,,,,\n"
	    "198.51.102.0/23,DE,,,,,,\n");
	return 0;
}

static char *
run(const struct command *command, const char *arguments,
    enum tool_exit expected)
{
	char all[TEXT_CAP];

	snprintf(all, sizeof all, "-f %s %s", conf, arguments);
	return run_sample(command, all, expected);
}

static void
test_counted(void **state)
{
	char *text;

	(void)state;
	write_conf(NULL);
	text = run(&command_announced, "", TOOL_OK);
	has(text, "DE,640\n"); /* 256 + 256 + 128 */
	has(text, "US,512\n");
	has(text, "??,1\n");
	has(text, "AS64500,256\n");
	has(text, "AS64501,896\n");
	has(text, "AS64502,1\n");
	has(text, "total,1153\n");
	assert_int_equal(lines_of(text), 7);
	free(text);
	/* Without a configuration nothing is known of it. */
	free(run_sample(&command_announced, "", TOOL_ERROR));
	free(run(&command_announced, "more", TOOL_USAGE));
}

static void
test_rates(void **state)
{
	char *text;

	(void)state;
	write_text(file, "announced.csv",
	    "# by country and AS\nDE,1000000\nAS64500,500000\n"
	    "total,8000000\n");
	write_conf(file);
	text = run(&command_stats, "--csv --by country", TOOL_OK);
	has(text, ",\"announced\",\"pop3_per_million\"\n");
	has(text, ",66.667,1000000,1.000\n"); /* DE: one host */
	has(text, ",100.000,,\n"); /* PL is not in the file */
	has(text, ",43.750,8000000,0.250\n"); /* two of all */
	free(text);
	text = run(&command_stats, "--csv --by protocol,asn", TOOL_OK);
	has(text, ",500000,2.000\n");
	free(text);
	/* What one AS has in one country nobody knows. */
	text = run(&command_stats, "--csv --by country,asn", TOOL_OK);
	has_not(text, "500000");
	has(text, ",8000000,0.250\n");
	free(text);
	text = run(&command_stats, "--json --by country", TOOL_OK);
	has(text, "\"announced\": 1000000,\n");
	has(text, "\"pop3_per_million\": 0.250");
	free(text);
	text = run(&command_stats, "--by country", TOOL_OK);
	has(text, "  /million\n");
	has(text, "500.0       1.0\n");
	free(text);
	text = run_sample(&command_stats, "--csv --by country", TOOL_OK);
	has_not(text, "announced");
	free(text);
}

/* Of a part of the addresses, not the whole country's or AS's are counted. */
static void
test_rates_of_a_part(void **state)
{
	static const char *const parts[] = { "--by asn --country DE",
		"--by country --asn 64500",
		"--by country --prefix 192.0.2.0/24",
		"--by country --country DE --asn 64500" };
	char *text, arguments[128];

	(void)state;
	write_text(file, "announced.csv",
	    "DE,1000000\nAS64500,500000\ntotal,8000000\n");
	write_conf(file);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		snprintf(arguments, sizeof arguments, "--csv %s", parts[i]);
		text = run(&command_stats, arguments, TOOL_OK);
		has_not(text, "00000,");
		free(text);
	}
	text = run(&command_stats, "--csv --by country --country DE", TOOL_OK);
	has(text, ",1000000,1.000\n");
	has_not(text, ",8000000,");
	free(text);
	text = run(&command_stats, "--csv --by asn --asn 64500", TOOL_OK);
	has(text, ",500000,2.000\n");
	has_not(text, ",8000000,");
	free(text);
}

static void
test_wrong_files(void **state)
{
	static const char *const wrong[] = { "DE", "DE,", "DE,x", "de,1",
		"DE,-1", "ASx,1", "DE,1,2", ",1", "DEU,1",
		"DE,99999999999999999999" };
	char error[STORE_ERROR_MAX], text[64];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		snprintf(text, sizeof text, "NL,1\n%s\n", wrong[i]);
		write_text(file, "announced.csv", text);
		assert_null(announced_read(file, error));
		has(error, "announced.csv:2: expected a country, AS");
	}
	write_conf(file);
	free(run(&command_stats, "", TOOL_ERROR));
	assert_null(announced_read("/nonexistent/announced", error));
	has(error, "No such file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rates_of_a_part),
		cmocka_unit_test(test_wrong_files),
	};

	return cmocka_run_group_tests_name(
	    "announced", tests, set_up, sample_teardown);
}
