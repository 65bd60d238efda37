/* test_writer.c: the store process, from start to seal. */
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
#include "storage/store.h"
#include "test/unit/store_help.h"
#include "test/unit/writer_lab.h"

static void
test_clean_sweep(void **state)
{
	struct control c;
	struct store *s;
	struct head h;
	struct target t;
	const uint8_t *body;
	uint32_t len;

	(void)state;
	lab_start();
	assert_int_equal(lab.sweep.n, 2048);
	lab_pending("192.0.2.1");
	lab_pending("192.0.2.2");
	lab_pending("192.0.2.3");
	lab_await(STAT_STORE_PENDING, 3);
	lab_outcome("192.0.2.2", OUTCOME_SILENT);
	lab_outcome("192.0.2.3", OUTCOME_DIAL_FAILED);
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	lab_count_others(lab.sweep.n, lab.sweep.n - 4, 1, 1, 1);
	lab_end_of_sweep();
	lab_seal(&c);
	assert_int_equal(c.u.sealed.rows, 3);
	assert_int_equal(c.u.sealed.balanced, 1);
	assert_int_equal(access(c.u.sealed.path, F_OK), 0);

	s = store_open(lab.dir, NULL, lab.error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->account.counted[SEND_SENT], 2044);
	assert_int_equal(store_info(s)->account.without_answer, 2041);
	t = help_target("192.0.2.1", 110);
	assert_true(store_get(s, &t, &h, &body, &len));
	assert_int_equal(h.change, CHANGE_NEW);
	assert_int_equal(h.observations, 1);
	store_close(s);
}

/* Whatever a stranger's hands may send: refused, counted, and on it goes. */
static void
test_refuses(void **state)
{
	struct target t = help_target("192.0.2.200", 110);
	struct control c;
	struct store *s;

	(void)state;
	lab_start();
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(
		    wire_send(lab.ours[RECORDS], &t, 1 + i % 16), 0);
	lab_record("192.0.2.200", OUTCOME_COMPLETED);
	lab_record("192.0.2.4", OUTCOME_COMPLETED);
	assert_int_equal(wire_send(lab.ours[NOTES_PACKET], &t, 3), 0);
	assert_int_equal(wire_send(lab.ours[NOTES_SEND], &t, 3), 0);
	lab_await(STAT_STORE_NEW, 1);
	/* The row and its count are in one transaction, this one. */
	s = store_open(lab.dir, "live", lab.error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->account.rows, 1);
	assert_int_equal(store_info(s)->account.rows_new, 1);
	store_close(s);
	assert_int_equal(
	    stats_get(lab.stats, lab.args.slot, STAT_STORE_REFUSED), 51);
	assert_int_equal(
	    stats_get(lab.stats, lab.args.slot, STAT_STORE_RECEIVED), 52);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_control(&c), 0);
	assert_int_equal(lab_status(), 0);
}

/*
 * kill -9 in the middle: the next start is the same sweep from the settled
 * position, what was pending is asked again, and the account closes over both.
 */
static void
test_killed(void **state)
{
	struct pollfd p;
	struct followup f;
	struct control c;
	struct sweep first;
	struct store *s;

	(void)state;
	lab_start();
	first = lab.sweep;
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	lab_pending("192.0.2.2");
	lab_position(100, 0);
	lab.mono_us += (uint64_t)2 * SECOND_US;
	lab_position(900, 0);
	lab_tick(1);
	lab_await(STAT_STORE_SETTLED, 100);
	lab_await(STAT_STORE_PENDING, 1);
	lab_count_others(900, 900, 2, 0, 0);
	lab_await(STAT_STORE_COMMITS,
	    stats_get(lab.stats, lab.args.slot, STAT_STORE_COMMITS) + 2);
	kill(lab.store, SIGKILL);
	assert_true(WIFSIGNALED(lab_status()));

	memset(lab.stats, 0, sizeof *lab.stats);
	lab_start();
	assert_string_equal(lab.sweep.id, first.id);
	assert_int_equal(lab.sweep.incarnation, 1);
	assert_int_equal(lab.sweep.position[0], 100);
	assert_int_equal(lab.sweep.counted[0][SEND_SENT], 100);
	p = (struct pollfd){ .fd = lab.ours[DUE], .events = POLLIN };
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(wire_recv(lab.ours[DUE], &f, sizeof f), sizeof f);
	assert_int_equal(addr_to4(&f.target.addr), 0xc0000202);
	assert_int_equal(f.kind, KIND_PLAIN);
	/* Sent again: the first one answers as before, the other at last. */
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	lab_record("192.0.2.2", OUTCOME_COMPLETED);
	lab_count_others(lab.sweep.n - 100, lab.sweep.n - 104, 2, 0, 0);
	lab_end_of_sweep();
	lab_seal(&c);
	assert_int_equal(c.u.sealed.rows, 2);
	assert_int_equal(c.u.sealed.balanced, 1);
	s = store_open(lab.dir, NULL, lab.error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->account.incarnations, 2);
	assert_int_equal(store_info(s)->account.rows_new, 2);
	assert_int_equal(store_info(s)->account.cut_off[LINE_PASSED_ALL], 800);
	store_close(s);
}

/* Not swept while anything is pending, even when all else is done. */
static void
test_not_swept(void **state)
{
	struct pollfd p;
	struct control c;

	(void)state;
	lab_start();
	lab_pending("192.0.2.1");
	lab_end_of_sweep();
	lab_await(STAT_STORE_SETTLED, lab.sweep.n);
	p = (struct pollfd){ .fd = lab.ours[CONTROL], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 2500), 0);
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	assert_int_equal(lab_control(&c), CTL_SWEPT);
	/* The parent is gone: what came is written, and it ends. */
	lab_record("192.0.2.2", OUTCOME_COMPLETED);
	shutdown(lab.ours[CONTROL], SHUT_RDWR);
	assert_int_equal(lab_status(), 0);
	lab_start();
	assert_int_equal(lab.sweep.incarnation, 1);
	assert_int_equal(lab.sweep.position[0], lab.sweep.n);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_status(), 0);
}

/* The next address whose name is asked for. */
static uint32_t
asked(void)
{
	struct pollfd p = { .fd = lab.ours[NAMES], .events = POLLIN };
	struct addr a;

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("no name is asked for");
	assert_int_equal(wire_recv(lab.ours[NAMES], &a, sizeof a), sizeof a);
	return addr_to4(&a);
}

static void
answer(uint32_t addr, const char *name)
{
	struct resolved r = { .addr = addr_from4(addr), .confirmed = 1 };

	memcpy(r.name, name, strlen(name));
	assert_int_equal(wire_send(lab.ours[NAMES], &r, sizeof r), 0);
}

/*
 * An address with a finding is asked for once, again after a kill, and the end
 * of the sweep waits for its name. Junk on that wire is passed over.
 */
static void
test_names(void **state)
{
	struct target t = help_target("192.0.2.1", 110);
	struct control c;
	struct pollfd p;
	struct store *s;
	struct head h;
	const uint8_t *body;
	struct field f;
	uint32_t len;

	(void)state;
	lab.conf.resolver_port = 53;
	lab.conf.resolve_wait_ms = 600000;
	lab_start();
	lab_record("192.0.2.2", OUTCOME_COMPLETED);
	lab.findings = 1u << FINDING_NO_TLS;
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	assert_int_equal(asked(), 0xc0000201);
	kill(lab.store, SIGKILL);
	assert_true(WIFSIGNALED(lab_status()));

	memset(lab.stats, 0, sizeof *lab.stats);
	lab_start();
	assert_int_equal(asked(), 0xc0000201);
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	lab_await(STAT_STORE_WANTED, 1);
	lab_end_of_sweep();
	lab_await(STAT_STORE_SETTLED, lab.sweep.n);
	assert_int_equal(wire_send(lab.ours[NAMES], &t, 5), 0);
	p = (struct pollfd){ .fd = lab.ours[CONTROL], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 2500), 0);
	answer(0xc0000209, "nobody.asked.example");
	answer(0xc0000201, "mx.example.net");
	lab_seal(&c);
	s = store_open(lab.dir, NULL, lab.error);
	assert_non_null(s);
	assert_true(store_get(s, &t, &h, &body, &len));
	assert_true(body_find(body, len, TAG_PTR, &f));
	assert_memory_equal(f.bytes, "mx.example.net", f.len);
	assert_true(h.flags & HEAD_PTR_CONFIRMED);
	store_close(s);
}

/* Nobody answers: the sweep ends without the name, after its time. */
static void
test_no_names(void **state)
{
	struct control c;
	struct pollfd p;

	(void)state;
	lab.conf.resolver_port = 53;
	lab.conf.resolve_wait_ms = 4000;
	lab.findings = 1u << FINDING_NO_TLS;
	lab_start();
	lab_record("192.0.2.1", OUTCOME_COMPLETED);
	lab_end_of_sweep();
	assert_int_equal(asked(), 0xc0000201);
	p = (struct pollfd){ .fd = lab.ours[CONTROL], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 2500), 0);
	assert_int_equal(lab_control(&c), CTL_SWEPT);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_control(&c), 0);
	assert_int_equal(lab_status(), 0);
}

/* Two daemons on one directory: the second one is told, and stays out. */
static void
test_held(void **state)
{
	char why[STORE_ERROR_MAX];
	struct control c;
	int status;
	pid_t pid;

	(void)state;
	lab_start();
	pid = fork();
	if (pid == 0)
		_exit(datadir_enter(lab.dir, why) == -1 &&
			    strstr(why, "another mailsweepd")
			? 0
			: 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(lab_control(&c), 0);
	assert_int_equal(lab_status(), 0);
}

#define EACH(test) \
	cmocka_unit_test_setup_teardown(test, lab_set_up, lab_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_clean_sweep),
		EACH(test_refuses),
		EACH(test_killed),
		EACH(test_not_swept),
		EACH(test_names),
		EACH(test_no_names),
		EACH(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
