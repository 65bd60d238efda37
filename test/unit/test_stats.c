/* test_stats.c: one writer a slot, all slots in one sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "engine/stats.h"

static void
both_sides_see_one_page(void **state)
{
	struct stats *ours, *theirs;
	int fd;

	(void)state;
	ours = stats_create(&fd);
	assert_non_null(ours);
	theirs = stats_map(fd);
	assert_non_null(theirs);
	stats_add(theirs, stats_slot(ROLE_PROBE, 0), STAT_PROBE_REPORTED, 2);
	stats_add(theirs, stats_slot(ROLE_PROBE, 1), STAT_PROBE_REPORTED, 3);
	stats_add(theirs, stats_slot(ROLE_SEND, 0), STAT_SEND_PASSED, 7);
	stats_set(theirs, stats_slot(ROLE_PACKET, 0), STAT_PKT_WAITING, 9);
	assert_int_equal(stats_sum(ours, STAT_PROBE_REPORTED), 5);
	assert_int_equal(stats_sum(ours, STAT_SEND_PASSED), 7);
	assert_int_equal(stats_sum(ours, STAT_PKT_WAITING), 9);
	assert_null(stats_map(-1));
	close(fd);
}

static void
every_process_has_a_slot_of_its_own(void **state)
{
	unsigned seen[STATS_SLOTS] = { 0 };

	(void)state;
	for (enum role r = 0; r < ROLE_PROBE; r++)
		seen[stats_slot(r, 0)]++;
	for (unsigned i = 0; i < STATS_PROBES_MAX; i++) {
		assert_in_range(stats_slot(ROLE_PROBE, i), 0, STATS_SLOTS - 1);
		seen[stats_slot(ROLE_PROBE, i)]++;
	}
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		assert_in_range(seen[i], 0, 1);
}

static void
names_are_there_and_differ(void **state)
{
	(void)state;
	for (enum stat_id a = 0; a < STAT_COUNT; a++) {
		assert_true(*stats_name(a) != '\0');
		for (enum stat_id b = 0; b < a; b++)
			assert_string_not_equal(stats_name(a), stats_name(b));
	}
	assert_string_equal(stats_name(STAT_SEND_SENT_N), "sent");
	assert_string_equal(stats_name(STAT_COUNT), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_see_one_page),
		cmocka_unit_test(every_process_has_a_slot_of_its_own),
		cmocka_unit_test(names_are_there_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
