/* test_writer_time.c: the store process, and what the clock does. */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/sockios.h>

#include "engine/cookie.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "engine/wire.h"
#include "storage/datadir.h"
#include "storage/layout.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"
#include "test/unit/writer_lab.h"

enum { SLACK_US = 2000000 };

/* packet wants a target to be asked again, so many milliseconds from now. */
static void
ask_again(const char *addr, unsigned ms)
{
	struct followup f = { .target = help_target(addr, 110),
		.attempt = 1,
		.why = OUTCOME_RESET,
		.protocol = PROTOCOL_POP3,
		.not_before_us = lab_wall_us() + ms * (uint64_t)1000 };

	lab_note(NOTES_PACKET, NOTE_FOLLOWUP, &f, sizeof f);
}

/* Who is asked again within a time; 0: nobody. */
static uint32_t
asked_again(int ms)
{
	struct pollfd p = { .fd = lab.ours[DUE], .events = POLLIN };
	struct followup f;

	if (poll(&p, 1, ms) != 1)
		return 0;
	assert_int_equal(wire_recv(lab.ours[DUE], &f, sizeof f), sizeof f);
	return addr_to4(&f.target.addr);
}

/*
 * The clock is set back by an hour, and then forward by a day: who waits in
 * the queue waits neither longer nor shorter, whoever took the time.
 */
static void
test_clock_is_set(void **state)
{
	struct control c;
	struct store *s;

	(void)state;
	lab.args.now_us = lab_wall_us();
	lab.conf.checkpoint_ms = 200;
	lab_start();
	ask_again("192.0.2.1", 1500);
	lab_await(STAT_STORE_QUEUE, 1);
	*lab.set_s = -3600;
	assert_int_equal(asked_again(10000), 0xc0000201);
	ask_again("192.0.2.2", 1500);
	assert_int_equal(asked_again(10000), 0xc0000202);
	ask_again("192.0.2.3", 60000);
	lab_await(STAT_STORE_QUEUE, 1);
	*lab.set_s = 86400;
	assert_int_equal(asked_again(1000), 0);
	ask_again("192.0.2.4", 60000);
	lab_await(STAT_STORE_QUEUE, 2);
	assert_int_equal(asked_again(1000), 0);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_control(&c), 0);
	assert_int_equal(lab_status(), 0);
	s = store_open(lab.dir, "live", lab.error);
	assert_non_null(s);
	assert_true(store_info(s)->sweep.start_us == lab.args.now_us);
	store_close(s);
}

static uint64_t
real_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* packet has read all that came until now. */
static void
tick_now(void)
{
	lab.mono_us = real_mono_us();
	lab_tick(1);
}

/*
 * Whoever is asked again after a crash and is gone by now is given up a window
 * after the SYN has left, which send counts; not before.
 */
static void
test_resumed_ends_soon(void **state)
{
	(void)state;
	lab.conf.retries = 0;
	lab_start();
	lab_pending("192.0.2.2");
	lab_await(STAT_STORE_PENDING, 1);
	kill(lab.store, SIGKILL);
	assert_true(WIFSIGNALED(lab_status()));

	memset(lab.stats, 0, sizeof *lab.stats);
	lab_start();
	assert_int_equal(asked_again(10000), 0xc0000202);
	for (unsigned i = 0; i < 4; i++) {
		poll(NULL, 0, 1000);
		tick_now();
	}
	assert_int_equal(
	    stats_get(lab.stats, lab.args.slot, STAT_STORE_PENDING), 1);
	stats_set(lab.stats, stats_slot(ROLE_SEND, 0), STAT_SEND_FOLLOWUPS, 1);
	for (unsigned i = 0; i < 5; i++) {
		poll(NULL, 0, 1000);
		tick_now();
	}
	lab_await(STAT_STORE_NEW, 1);
	lab_await(STAT_STORE_PENDING, 0);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_status(), 0);
}

/* Set back while no daemon ran: the queue does not wait for the old time. */
static void
test_clock_was_set_back(void **state)
{
	struct control c;

	(void)state;
	lab.args.now_us = lab_wall_us();
	lab_start();
	ask_again("192.0.2.1", 1500);
	lab_await(STAT_STORE_QUEUE, 1);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_control(&c), 0);
	assert_int_equal(lab_status(), 0);

	*lab.set_s = -3600;
	lab.args.now_us = lab_wall_us();
	memset(lab.stats, 0, sizeof *lab.stats);
	lab_start();
	assert_int_equal(asked_again(10000), 0xc0000201);
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	lab_count_others(lab.sweep.n, lab.sweep.n - 4, 1, 0, 0);
	lab_end_of_sweep();
	lab_seal(&c);
	assert_int_equal(c.u.sealed.rows, 1);
}

/* Its own clock at the last commit, as the next start reads it. */
static uint64_t
clock_kept(void)
{
	struct live *l = live_open(lab.dir, lab.conf.map_size, lab.error);
	uint64_t us = 0;

	assert_non_null(l);
	live_begin(l);
	assert_int_equal(
	    live_meta_get(l, META_CLOCK, (char *)&us, sizeof us), sizeof us);
	live_abort(l);
	live_close(l);
	return us;
}

/* However long it reads its databases and opens its files: nobody set it. */
static void
test_slow_start(void **state)
{
	struct control c;
	uint64_t now_us;

	(void)state;
	lab.set_up_ms = 3000;
	lab.args.now_us = lab_wall_us();
	lab_start();
	ask_again("192.0.2.1", 60000);
	lab_await(STAT_STORE_QUEUE, 1);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_control(&c), 0);
	assert_int_equal(lab_status(), 0);
	now_us = lab_wall_us();
	assert_in_range(clock_kept(), now_us - SLACK_US, now_us);
}

#define EACH(test) \
	cmocka_unit_test_setup_teardown(test, lab_set_up, lab_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_clock_is_set),
		EACH(test_clock_was_set_back),
		EACH(test_resumed_ends_soon),
		EACH(test_slow_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
