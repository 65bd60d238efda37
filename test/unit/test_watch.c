/* test_watch.c: rates by the second, and the warning of a deaf host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/stats.h"
#include "engine/watch.h"

static struct stats page;

/* A turn, and whether it said something on standard error. */
static bool
speaks(struct watch *w, const struct conf *conf, uint64_t now_ms)
{
	int fd = memfd_create("errors", 0), old = dup(STDERR_FILENO);
	off_t said;

	dup2(fd, STDERR_FILENO);
	watch_turn(w, conf, &page, now_ms);
	dup2(old, STDERR_FILENO);
	said = lseek(fd, 0, SEEK_END);
	close(old);
	close(fd);
	return said > 0;
}

static void
counts_by_the_second(void **state)
{
	struct conf conf = { .follow = FOLLOW_ADOPT };
	struct watch w = { .second_ms = 5000 };

	(void)state;
	memset(&page, 0, sizeof page);
	stats_set(&page, ROLE_SEND, STAT_SEND_PACKETS, 100);
	stats_set(&page, ROLE_PACKET, STAT_PKT_SYNACKS, 7);
	watch_turn(&w, &conf, &page, 5999);
	assert_int_equal(w.rates.syns, 0);
	watch_turn(&w, &conf, &page, 6000);
	assert_int_equal(w.rates.syns, 100);
	assert_int_equal(w.rates.answers, 7);
	stats_set(&page, ROLE_SEND, STAT_SEND_PACKETS, 130);
	watch_turn(&w, &conf, &page, 7000);
	assert_int_equal(w.rates.syns, 30);
	assert_int_equal(w.rates.answers, 0);
}

static void
warns_once_when_nothing_is_heard(void **state)
{
	struct conf conf = { .follow = FOLLOW_ADOPT };
	struct watch w = { 0 };

	(void)state;
	memset(&page, 0, sizeof page);
	stats_set(&page, ROLE_DIAL, STAT_DIAL_ADOPTED, 20);
	assert_false(speaks(&w, &conf, 100000));
	stats_set(&page, ROLE_DIAL, STAT_DIAL_ADOPTED, 21);
	assert_false(speaks(&w, &conf, 200000));
	assert_false(speaks(&w, &conf, 209999));
	assert_true(speaks(&w, &conf, 210000));
	assert_false(speaks(&w, &conf, 220000));
}

static void
is_quiet_when_one_was_heard(void **state)
{
	struct conf conf = { .follow = FOLLOW_ADOPT };
	struct conf connects = { .follow = FOLLOW_CONNECT };
	struct watch w = { 0 }, v = { 0 };

	(void)state;
	memset(&page, 0, sizeof page);
	stats_set(&page, ROLE_DIAL, STAT_DIAL_ADOPTED, 21);
	assert_false(speaks(&v, &connects, 1));
	assert_false(speaks(&v, &connects, 100000));
	assert_false(speaks(&w, &conf, 1));
	stats_set(&page, ROLE_PROBE, STAT_PROBE_REPORTED, 1);
	assert_false(speaks(&w, &conf, 100000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_by_the_second),
		cmocka_unit_test(warns_once_when_nothing_is_heard),
		cmocka_unit_test(is_quiet_when_one_was_heard),
	};

	log_open("test", LOG_LEVEL_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
