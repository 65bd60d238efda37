/* writer_lab.c: the store process with the other ends of its wires here. */
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

enum { WIRE_BYTES = 1 << 20 };

/* Those that store has an end of, and its end of each. */
static const int fixed[] = { FD_CONTROL, FD_NOTES_SEND, FD_NOTES_PACKET,
	FD_RECORDS, FD_DUE, FD_RESOLVE };

struct writer_lab lab;

/* In the place of the C library's. */
int
clock_gettime(clockid_t clock, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, t);

	if (clock == CLOCK_REALTIME && lab.set_s != NULL)
		t->tv_sec += *lab.set_s;
	return rc;
}

uint64_t
lab_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* Here nothing is given up: test/e2e runs it with its real sandbox. */
void
sandbox_enter(enum role role, const struct conf *c, unsigned instance)
{
	(void)instance;
	if (role != ROLE_STORE || strcmp(c->store, ".") != 0 ||
	    control_send(FD_CONTROL, CTL_READY, NULL, 0) != 0)
		_exit(77);
}

bool
sandbox_user(enum role role, const struct conf *c, uid_t *uid, gid_t *gid)
{
	(void)role;
	(void)c;
	poll(NULL, 0, lab.set_up_ms);
	*uid = geteuid();
	*gid = getegid();
	return true;
}

int
lab_set_up(void **state)
{
	int fd;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	help_directory(lab.dir);
	help_args(&lab.args, &lab.conf);
	snprintf(lab.conf.store, sizeof lab.conf.store, "%s", lab.dir);
	lab.stats = stats_create(&fd);
	assert_non_null(lab.stats);
	close(fd);
	lab.set_s = mmap(NULL, sizeof *lab.set_s, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(lab.set_s, MAP_FAILED);
	lab.args.stats = lab.stats;
	lab.args.slot = stats_slot(ROLE_STORE, 0);
	lab.mono_us = (uint64_t)1000 * SECOND_US;
	lab.findings = 0;
	lab.set_up_ms = 0;
	return 0;
}

int
lab_tear_down(void **state)
{
	(void)state;
	munmap(lab.set_s, sizeof *lab.set_s);
	lab.set_s = NULL;
	help_args_free(&lab.args);
	help_remove(lab.dir);
	return 0;
}

/* The next message of the parent's wire; its type, 0: the end. */
uint32_t
lab_control(struct control *c)
{
	struct pollfd p = { .fd = lab.ours[CONTROL], .events = POLLIN };
	int r;

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("store says nothing");
	r = control_recv(lab.ours[CONTROL], c);
	assert_true(r >= 0);
	return r == 0 ? 0 : c->type;
}

static void
child(int theirs[WIRES])
{
	/* Out of the way first, so that none is overwritten. */
	for (unsigned i = 0; i < WIRES; i++)
		theirs[i] = fcntl(theirs[i], F_DUPFD, 100);
	for (unsigned i = 0; i < WIRES; i++) {
		dup2(theirs[i], fixed[i]);
		close(theirs[i]);
	}
	for (int fd = 20; fd < 100; fd++)
		close(fd);
	_exit(store_main(&lab.args));
}

void
lab_start(void)
{
	int theirs[WIRES], pair[2];
	struct control c;

	for (unsigned i = 0; i < WIRES; i++) {
		assert_int_equal(wire_pair(pair, WIRE_BYTES), 0);
		lab.ours[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 20);
		close(pair[0]);
		theirs[i] = pair[1];
	}
	lab.store = fork();
	if (lab.store == 0)
		child(theirs);
	for (unsigned i = 0; i < WIRES; i++)
		close(theirs[i]);
	assert_int_equal(lab_control(&c), CTL_SWEEP);
	lab.sweep = c.u.sweep;
	assert_int_equal(lab_control(&c), CTL_READY);
}

/* Its status, after the wires are closed on our side. */
int
lab_status(void)
{
	int status;

	assert_int_equal(waitpid(lab.store, &status, 0), lab.store);
	for (unsigned i = 0; i < WIRES; i++)
		close(lab.ours[i]);
	return status;
}

void
lab_note(unsigned wire, uint32_t type, const void *item, size_t len)
{
	struct note_header h = {
		.type = type, .count = 1, .mono_us = lab.mono_us
	};
	uint8_t bytes[512];

	memcpy(bytes, &h, sizeof h);
	memcpy(bytes + sizeof h, item, len);
	assert_int_equal(wire_send(lab.ours[wire], bytes, sizeof h + len), 0);
}

void
lab_position(uint64_t steps, uint32_t finished)
{
	struct note_position n = { .position = steps, .finished = finished };

	n.counted[SEND_EXCLUDED] = steps == lab.sweep.n ? 4 : 0;
	n.counted[SEND_SENT] = steps - n.counted[SEND_EXCLUDED];
	lab_note(NOTES_SEND, NOTE_POSITION, &n, sizeof n);
}

/* Two wires: a tick that overtakes a position settles nothing. */
static void
positions_are_read(void)
{
	int unread = 1;

	for (unsigned i = 0; unread > 0 && i < WAIT_MS / 10; i++) {
		assert_int_equal(
		    ioctl(lab.ours[NOTES_SEND], SIOCOUTQ, &unread), 0);
		if (unread > 0)
			poll(NULL, 0, 10);
	}
	assert_int_equal(unread, 0);
}

void
lab_tick(uint32_t open)
{
	struct note_tick n = { .link_up = 1, .open = open };

	positions_are_read();
	lab_note(NOTES_PACKET, NOTE_TICK, &n, sizeof n);
}

void
lab_pending(const char *addr)
{
	struct note_pending n = { .target = help_target(addr, 110),
		.protocol = PROTOCOL_POP3,
		.synack_us = lab.args.now_us };

	lab_note(NOTES_PACKET, NOTE_PENDING, &n, sizeof n);
}

void
lab_outcome(const char *addr, enum outcome what)
{
	struct note_outcome n = { .outcome = (uint8_t)what,
		.when_us = lab.args.now_us + 7 * (uint64_t)SECOND_US };

	n.contact.target = help_target(addr, 110);
	lab_note(NOTES_PACKET, NOTE_OUTCOME, &n, sizeof n);
}

void
lab_record(const char *addr, enum outcome what)
{
	static uint8_t body[256], bytes[1024];
	struct target t = help_target(addr, 110);
	struct record_header h = { .type = MSG_RECORD };
	struct record r;

	record_init(&r, body, sizeof body);
	r.head = help_head(&t, what, lab.findings, lab.args.now_us + SECOND_US);
	record_put(&r, TAG_GREETING, "+OK", 3);
	h.len = (uint32_t)record_flatten(
	    &r, bytes + sizeof h, sizeof bytes - sizeof h);
	memcpy(bytes, &h, sizeof h);
	assert_int_equal(
	    wire_send(lab.ours[RECORDS], bytes, sizeof h + h.len), 0);
}

/* Wait until a counter of store's is at a value; it changes with a commit. */
void
lab_await(enum stat_id what, uint64_t value)
{
	struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		if (stats_get(lab.stats, lab.args.slot, what) == value)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("%s is %llu, not %llu", stats_name(what),
	    (unsigned long long)stats_get(lab.stats, lab.args.slot, what),
	    (unsigned long long)value);
}

/* What the other processes would have counted of a clean sweep. */
void
lab_count_others(uint64_t passed, uint64_t sent, uint64_t reported,
    uint64_t silent, uint64_t reset)
{
	unsigned s = stats_slot(ROLE_SEND, 0), p = stats_slot(ROLE_PACKET, 0);

	stats_set(lab.stats, s, STAT_SEND_PASSED, passed);
	stats_set(lab.stats, s, STAT_SEND_EXCLUDED_N, passed - sent);
	stats_set(lab.stats, s, STAT_SEND_SENT_N, sent);
	stats_set(lab.stats, p, STAT_PKT_SYNACKS, reported + silent + reset);
	stats_set(lab.stats, p, STAT_PKT_ENTERED, reported + silent + reset);
	stats_set(lab.stats, p, STAT_PKT_HANDED_ON, reported);
	stats_set(lab.stats, p, STAT_PKT_SILENT, silent);
	stats_set(lab.stats, p, STAT_PKT_RESET, reset);
	stats_set(
	    lab.stats, stats_slot(ROLE_DIAL, 0), STAT_DIAL_ADOPTED, reported);
	stats_set(lab.stats, stats_slot(ROLE_PROBE, 1), STAT_PROBE_REPORTED,
	    reported);
}

/* All was sent a window ago, and nobody is followed any more. */
void
lab_end_of_sweep(void)
{
	lab_position(lab.sweep.n, 1);
	lab.mono_us += (uint64_t)2 * SECOND_US;
	lab_tick(0);
}

void
lab_seal(struct control *c)
{
	assert_int_equal(lab_control(c), CTL_SWEPT);
	assert_int_equal(control_send(lab.ours[CONTROL], CTL_SEAL, NULL, 0), 0);
	assert_int_equal(lab_control(c), CTL_SEALED);
	assert_int_equal(lab_status(), 0);
}
