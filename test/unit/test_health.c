/* test_health.c: refusals by the hour, and the warning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/health.h"
#include "engine/log.h"
#include "engine/stats.h"

enum { TWO = 1795226400, HOUR = 3600 }; /* 2026-11-21 02:00 UTC */

static struct stats page;
static struct health h;
static struct conf conf;

static int
set_up(void **state)
{
	(void)state;
	memset(&page, 0, sizeof page);
	memset(&h, 0, sizeof h);
	conf.refused_warning = 20;
	return 0;
}

/* Two probes have counted so much in all. */
static void
counted(uint64_t dialogs, uint64_t later, uint64_t code_554, uint64_t listed)
{
	unsigned slot = stats_slot(ROLE_PROBE, 0);

	stats_set(&page, slot, STAT_PROBE_DIALOGS, dialogs / 2);
	stats_set(&page, slot + 1, STAT_PROBE_DIALOGS, dialogs - dialogs / 2);
	stats_set(&page, slot, STAT_PROBE_REFUSED_LATER, later);
	stats_set(&page, slot + 1, STAT_PROBE_REFUSED_554, code_554);
	stats_set(&page, slot, STAT_PROBE_REFUSED_LISTED, listed);
}

/* A turn, and whether it said something on standard error. */
static bool
speaks(time_t now)
{
	int fd = memfd_create("errors", 0), old = dup(STDERR_FILENO);
	off_t said;

	dup2(fd, STDERR_FILENO);
	health_turn(&h, &conf, &page, now);
	dup2(old, STDERR_FILENO);
	said = lseek(fd, 0, SEEK_END);
	close(old);
	close(fd);
	return said > 0;
}

static void
counts_by_the_hour(void **state)
{
	char text[HEALTH_TEXT_MAX];

	(void)state;
	assert_false(speaks(TWO + 10));
	counted(100, 3, 2, 1);
	assert_false(speaks(TWO + HOUR - 1));
	assert_int_equal(h.n, 1);
	assert_int_equal(h.hours[0].counted.dialogs, 100);
	assert_int_equal(h.hours[0].counted.later, 3);
	assert_int_equal(h.hours[0].counted.code_554, 2);
	assert_int_equal(h.hours[0].counted.listed, 1);
	assert_int_equal(health_percent(&h.hours[0]), 6);
	assert_string_equal(
	    health_hour_text(&h.hours[0], text), "2026-11-21T02:00Z");
	assert_false(speaks(TWO + HOUR));
	counted(110, 4, 2, 1);
	assert_false(speaks(TWO + HOUR + 5));
	assert_int_equal(h.n, 2);
	assert_int_equal(h.hours[0].counted.dialogs, 100);
	assert_int_equal(h.hours[1].counted.dialogs, 10);
	assert_int_equal(h.hours[1].counted.later, 1);
	assert_int_equal(h.hours[1].counted.listed, 0);
}

static void
warns_once_an_hour(void **state)
{
	(void)state;
	assert_false(speaks(TWO));
	/* all of a few is no share */
	counted(49, 49, 0, 0);
	assert_false(speaks(TWO + 1));
	assert_false(h.warning);
	counted(100, 10, 5, 5);
	assert_false(speaks(TWO + 2));
	counted(100, 10, 5, 6);
	assert_true(speaks(TWO + 3));
	assert_true(h.warning);
	assert_false(speaks(TWO + 4));
	assert_false(speaks(TWO + HOUR));
	assert_false(h.warning);
	counted(200, 100, 5, 6);
	assert_true(speaks(TWO + HOUR + 1));
}

static void
can_be_told_to_be_quiet(void **state)
{
	(void)state;
	conf.refused_warning = 0;
	assert_false(speaks(TWO));
	counted(100, 100, 0, 0);
	assert_false(speaks(TWO + 1));
	assert_int_equal(health_percent(&h.hours[0]), 100);
	assert_false(h.warning);
}

static void
keeps_a_day(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		counted(i, 0, 0, 0);
		health_turn(&h, &conf, &page, TWO + (time_t)i * HOUR);
	}
	assert_int_equal(h.n, HEALTH_HOURS);
	assert_int_equal(h.hours[0].began, TWO + 6 * HOUR);
	assert_int_equal(h.hours[HEALTH_HOURS - 1].began, TWO + 29 * HOUR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counts_by_the_hour, set_up),
		cmocka_unit_test_setup(warns_once_an_hour, set_up),
		cmocka_unit_test_setup(can_be_told_to_be_quiet, set_up),
		cmocka_unit_test_setup(keeps_a_day, set_up),
	};

	log_open("test", LOG_LEVEL_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
