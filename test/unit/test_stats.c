/* test_stats.c: one writer a slot, all slots in one sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "engine/stats.h"

static void
both_sides_see_one_page(void **state)
{
	const unsigned one = stats_slot(ROLE_PROBE, 0),
		       other = stats_slot(ROLE_PROBE, 1);
	struct stats *ours, *theirs, *others;
	int fd;

	(void)state;
	ours = stats_create(&fd);
	theirs = stats_map(fd, one);
	others = stats_map(fd, other);
	assert_true(ours != NULL && theirs != NULL && others != NULL);
	stats_add(theirs, one, STAT_PROBE_REPORTED, 2);
	stats_add(others, other, STAT_PROBE_REPORTED, 3);
	stats_set(ours, stats_slot(ROLE_PACKET, 0), STAT_PKT_WAITING, 9);
	assert_int_equal(stats_sum(ours, STAT_PROBE_REPORTED), 5);
	assert_int_equal(stats_sum(theirs, STAT_PROBE_REPORTED), 5);
	assert_int_equal(stats_sum(others, STAT_PKT_WAITING), 9);
	assert_null(stats_map(-1, one));
	assert_null(stats_map(fd, STATS_SLOTS));
	close(fd);
}

/* The signal that ends a child which does so with the counters. */
static int
ends_by(void (*does)(struct stats *), struct stats *s)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		does(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
writes_its_own(struct stats *s)
{
	stats_add(s, stats_slot(ROLE_PROBE, 3), STAT_PROBE_REPORTED, 1);
}

static void
writes_a_neighbours(struct stats *s)
{
	stats_add(s, stats_slot(ROLE_PROBE, 2), STAT_PROBE_REPORTED, 1);
}

static void
stops_send(struct stats *s)
{
	stats_set(s, stats_slot(ROLE_PACKET, 0), STAT_PKT_PRESSURE, 1000);
}

static void
writes_the_rate(struct stats *s)
{
	atomic_store(&s->rate, 0);
}

/* Who reads strangers' bytes may be in a stranger's hands. */
static void
nobody_writes_another_ones(void **state)
{
	struct stats *ours, *theirs;
	int fd;

	(void)state;
	ours = stats_create(&fd);
	assert_non_null(ours);
	theirs = stats_map(fd, stats_slot(ROLE_PROBE, 3));
	assert_non_null(theirs);
	close(fd);
	assert_int_equal(ends_by(writes_its_own, theirs), 0);
	assert_int_equal(stats_sum(ours, STAT_PROBE_REPORTED), 1);
	assert_int_equal(ends_by(writes_a_neighbours, theirs), SIGSEGV);
	assert_int_equal(ends_by(stops_send, theirs), SIGSEGV);
	assert_int_equal(ends_by(writes_the_rate, theirs), SIGSEGV);
	/* and it cannot be made to */
	assert_int_equal(
	    mprotect(theirs, STATS_PAGE, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
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
		cmocka_unit_test(nobody_writes_another_ones),
		cmocka_unit_test(every_process_has_a_slot_of_its_own),
		cmocka_unit_test(names_are_there_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
