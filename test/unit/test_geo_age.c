/* test_geo_age.c: who is warned of geo data that is too old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/geo_age.h"
#include "test/unit/run_help.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

#define DAY_US ((uint64_t)86400 * 1000000)

static void
test_days(void **state)
{
	(void)state;
	assert_int_equal(geo_age_days(0, DAY_US), 0);
	assert_int_equal(geo_age_days(2 * DAY_US, DAY_US), 0);
	assert_int_equal(geo_age_days(DAY_US, 3 * DAY_US - 1), 1);
	assert_int_equal(geo_age_days(DAY_US, 92 * DAY_US), 91);
}

/* What is printed about a sweep whose data was so many days old. */
static char *
printed(const struct command *command, const char *arguments, uint64_t days)
{
	char dir[64], *text;

	help_geo_build_us = SAMPLE_START_US - days * DAY_US;
	sample_make(dir);
	text = run_command(command, dir, arguments, TOOL_OK);
	help_remove(dir);
	return text;
}

static void
test_stats_and_report(void **state)
{
	char *text = printed(&command_stats, "", 91);

	(void)state;
	has(text, "warning: the geo data was of 2026-08-22, 91 days old\n");
	free(text);
	text = printed(&command_stats, "", 90);
	has_not(text, "geo data");
	free(text);
	text = printed(&command_report, "-o - --attribution x", 91);
	has(text, "2026-08-22. <strong>It was 91 days old");
	free(text);
	text = printed(&command_report, "-o - --attribution x", 90);
	has(text, "Countries by a database of 2026-08-23.</p>");
	free(text);
}

/* Today is later than any of these days: it is old, or there is none. */
static char *
status_says(uint64_t build_us)
{
	char dir[64], path[] = "/tmp/mailsweep-stderr-XXXXXX", *text;
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);

	assert_true(fd >= 0 && saved >= 0);
	help_geo_build_us = build_us;
	sample_make(dir);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	free(run_command(&command_status, dir, "", TOOL_ERROR));
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(fd);
	help_remove(dir);
	text = file_text(path, NULL);
	unlink(path);
	return text;
}

static void
test_status(void **state)
{
	char *text = status_says(365 * DAY_US);

	(void)state;
	has(text, "warning: the geo data is of 1971-01-01, ");
	has(text, " days old\n");
	free(text);
	text = status_says(0);
	has_not(text, "geo data");
	has(text, "no daemon answers");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_stats_and_report),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests_name("geo_age", tests, NULL, NULL);
}
