/* test_writer.c: the store process, with the other ends of its wires here. */
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

enum { WAIT_MS = 20000, WIRE_BYTES = 1 << 20, SECOND_US = 1000000 };

/* Those that store has an end of, and its end of each. */
static const int fixed[] = { FD_CONTROL, FD_NOTES_SEND, FD_NOTES_PACKET,
	FD_RECORDS, FD_DUE, FD_RESOLVE };
enum { CONTROL, NOTES_SEND, NOTES_PACKET, RECORDS, DUE, NAMES, WIRES };

static char dir[64], error[STORE_ERROR_MAX];
static struct conf conf;
static struct role_args args;
static struct stats *stats;
static struct sweep sweep;
static int ours[WIRES];
static pid_t store;
static uint64_t mono_us;
static uint32_t findings; /* of every record */

/* How far the clock on the wall was set, of store as well. */
static _Atomic int64_t *set_s;

/* In the place of the C library's. */
int
clock_gettime(clockid_t clock, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, t);

	if (clock == CLOCK_REALTIME && set_s != NULL)
		t->tv_sec += *set_s;
	return rc;
}

static uint64_t
wall_us(void)
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
	*uid = geteuid();
	*gid = getegid();
	return true;
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	help_directory(dir);
	help_args(&args, &conf);
	snprintf(conf.store, sizeof conf.store, "%s", dir);
	stats = stats_create(&fd);
	assert_non_null(stats);
	close(fd);
	set_s = mmap(NULL, sizeof *set_s, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(set_s, MAP_FAILED);
	args.stats = stats;
	args.slot = stats_slot(ROLE_STORE, 0);
	mono_us = (uint64_t)1000 * SECOND_US;
	findings = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(set_s, sizeof *set_s);
	set_s = NULL;
	help_args_free(&args);
	help_remove(dir);
	return 0;
}

/* The next message of the parent's wire; its type, 0: the end. */
static uint32_t
control(struct control *c)
{
	struct pollfd p = { .fd = ours[CONTROL], .events = POLLIN };
	int r;

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("store says nothing");
	r = control_recv(ours[CONTROL], c);
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
	_exit(store_main(&args));
}

static void
start(void)
{
	int theirs[WIRES], pair[2];
	struct control c;

	for (unsigned i = 0; i < WIRES; i++) {
		assert_int_equal(wire_pair(pair, WIRE_BYTES), 0);
		ours[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 20);
		close(pair[0]);
		theirs[i] = pair[1];
	}
	store = fork();
	if (store == 0)
		child(theirs);
	for (unsigned i = 0; i < WIRES; i++)
		close(theirs[i]);
	assert_int_equal(control(&c), CTL_SWEEP);
	sweep = c.u.sweep;
	assert_int_equal(control(&c), CTL_READY);
}

/* Its status, after the wires are closed on our side. */
static int
status_of(void)
{
	int status;

	assert_int_equal(waitpid(store, &status, 0), store);
	for (unsigned i = 0; i < WIRES; i++)
		close(ours[i]);
	return status;
}

static void
note(unsigned wire, uint32_t type, const void *item, size_t len)
{
	struct note_header h = { .type = type, .count = 1, .mono_us = mono_us };
	uint8_t bytes[512];

	memcpy(bytes, &h, sizeof h);
	memcpy(bytes + sizeof h, item, len);
	assert_int_equal(wire_send(ours[wire], bytes, sizeof h + len), 0);
}

static void
position(uint64_t steps, uint32_t finished)
{
	struct note_position n = { .position = steps, .finished = finished };

	n.counted[SEND_EXCLUDED] = steps == sweep.n ? 4 : 0;
	n.counted[SEND_SENT] = steps - n.counted[SEND_EXCLUDED];
	note(NOTES_SEND, NOTE_POSITION, &n, sizeof n);
}

/* Two wires: a tick that overtakes a position settles nothing. */
static void
positions_are_read(void)
{
	int unread = 1;

	for (unsigned i = 0; unread > 0 && i < WAIT_MS / 10; i++) {
		assert_int_equal(ioctl(ours[NOTES_SEND], SIOCOUTQ, &unread), 0);
		if (unread > 0)
			poll(NULL, 0, 10);
	}
	assert_int_equal(unread, 0);
}

static void
tick(uint32_t open)
{
	struct note_tick n = { .link_up = 1, .open = open };

	positions_are_read();
	note(NOTES_PACKET, NOTE_TICK, &n, sizeof n);
}

static void
pending(const char *addr)
{
	struct note_pending n = { .target = help_target(addr, 110),
		.protocol = PROTOCOL_POP3,
		.synack_us = args.now_us };

	note(NOTES_PACKET, NOTE_PENDING, &n, sizeof n);
}

static void
outcome(const char *addr, enum outcome what)
{
	struct note_outcome n = { .outcome = (uint8_t)what,
		.when_us = args.now_us + 7 * (uint64_t)SECOND_US };

	n.contact.target = help_target(addr, 110);
	note(NOTES_PACKET, NOTE_OUTCOME, &n, sizeof n);
}

static void
record(const char *addr, enum outcome what)
{
	static uint8_t body[256], bytes[1024];
	struct target t = help_target(addr, 110);
	struct record_header h = { .type = MSG_RECORD };
	struct record r;

	record_init(&r, body, sizeof body);
	r.head = help_head(&t, what, findings, args.now_us + SECOND_US);
	record_put(&r, TAG_GREETING, "+OK", 3);
	h.len = (uint32_t)record_flatten(
	    &r, bytes + sizeof h, sizeof bytes - sizeof h);
	memcpy(bytes, &h, sizeof h);
	assert_int_equal(wire_send(ours[RECORDS], bytes, sizeof h + h.len), 0);
}

/* Wait until a counter of store's is at a value; it changes with a commit. */
static void
await(enum stat_id what, uint64_t value)
{
	struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned i = 0; i < WAIT_MS / 10; i++) {
		if (stats_get(stats, args.slot, what) == value)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("%s is %llu, not %llu", stats_name(what),
	    (unsigned long long)stats_get(stats, args.slot, what),
	    (unsigned long long)value);
}

/* What the other processes would have counted of a clean sweep. */
static void
count_others(uint64_t passed, uint64_t sent, uint64_t reported, uint64_t silent,
    uint64_t reset)
{
	unsigned s = stats_slot(ROLE_SEND, 0), p = stats_slot(ROLE_PACKET, 0);

	stats_set(stats, s, STAT_SEND_PASSED, passed);
	stats_set(stats, s, STAT_SEND_EXCLUDED_N, passed - sent);
	stats_set(stats, s, STAT_SEND_SENT_N, sent);
	stats_set(stats, p, STAT_PKT_SYNACKS, reported + silent + reset);
	stats_set(stats, p, STAT_PKT_ENTERED, reported + silent + reset);
	stats_set(stats, p, STAT_PKT_HANDED_ON, reported);
	stats_set(stats, p, STAT_PKT_SILENT, silent);
	stats_set(stats, p, STAT_PKT_RESET, reset);
	stats_set(stats, stats_slot(ROLE_DIAL, 0), STAT_DIAL_ADOPTED, reported);
	stats_set(
	    stats, stats_slot(ROLE_PROBE, 1), STAT_PROBE_REPORTED, reported);
}

/* All was sent a window ago, and nobody is followed any more. */
static void
end_of_sweep(void)
{
	position(sweep.n, 1);
	mono_us += (uint64_t)2 * SECOND_US;
	tick(0);
}

static void
seal_it(struct control *c)
{
	assert_int_equal(control(c), CTL_SWEPT);
	assert_int_equal(control_send(ours[CONTROL], CTL_SEAL, NULL, 0), 0);
	assert_int_equal(control(c), CTL_SEALED);
	assert_int_equal(status_of(), 0);
}

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
	start();
	assert_int_equal(sweep.n, 2048);
	pending("192.0.2.1");
	pending("192.0.2.2");
	pending("192.0.2.3");
	await(STAT_STORE_PENDING, 3);
	outcome("192.0.2.2", OUTCOME_SILENT);
	outcome("192.0.2.3", OUTCOME_DIAL_FAILED);
	record("192.0.2.1", OUTCOME_COMPLETED);
	count_others(sweep.n, sweep.n - 4, 1, 1, 1);
	end_of_sweep();
	seal_it(&c);
	assert_int_equal(c.u.sealed.rows, 3);
	assert_int_equal(c.u.sealed.balanced, 1);
	assert_int_equal(access(c.u.sealed.path, F_OK), 0);

	s = store_open(dir, NULL, error);
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
	start();
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(wire_send(ours[RECORDS], &t, 1 + i % 16), 0);
	record("192.0.2.200", OUTCOME_COMPLETED);
	record("192.0.2.4", OUTCOME_COMPLETED);
	assert_int_equal(wire_send(ours[NOTES_PACKET], &t, 3), 0);
	assert_int_equal(wire_send(ours[NOTES_SEND], &t, 3), 0);
	await(STAT_STORE_NEW, 1);
	/* The row and its count are in one transaction, this one. */
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->account.rows, 1);
	assert_int_equal(store_info(s)->account.rows_new, 1);
	store_close(s);
	assert_int_equal(stats_get(stats, args.slot, STAT_STORE_REFUSED), 51);
	assert_int_equal(stats_get(stats, args.slot, STAT_STORE_RECEIVED), 52);
	assert_int_equal(control_send(ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(control(&c), 0);
	assert_int_equal(status_of(), 0);
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
	start();
	first = sweep;
	record("192.0.2.1", OUTCOME_COMPLETED);
	pending("192.0.2.2");
	position(100, 0);
	mono_us += (uint64_t)2 * SECOND_US;
	position(900, 0);
	tick(1);
	await(STAT_STORE_SETTLED, 100);
	await(STAT_STORE_PENDING, 1);
	count_others(900, 900, 2, 0, 0);
	await(STAT_STORE_COMMITS,
	    stats_get(stats, args.slot, STAT_STORE_COMMITS) + 2);
	kill(store, SIGKILL);
	assert_true(WIFSIGNALED(status_of()));

	memset(stats, 0, sizeof *stats);
	start();
	assert_string_equal(sweep.id, first.id);
	assert_int_equal(sweep.incarnation, 1);
	assert_int_equal(sweep.position[0], 100);
	assert_int_equal(sweep.counted[0][SEND_SENT], 100);
	p = (struct pollfd){ .fd = ours[DUE], .events = POLLIN };
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(wire_recv(ours[DUE], &f, sizeof f), sizeof f);
	assert_int_equal(addr_to4(&f.target.addr), 0xc0000202);
	assert_int_equal(f.kind, KIND_PLAIN);
	/* Sent again: the first one answers as before, the other at last. */
	record("192.0.2.1", OUTCOME_COMPLETED);
	record("192.0.2.2", OUTCOME_COMPLETED);
	count_others(sweep.n - 100, sweep.n - 104, 2, 0, 0);
	end_of_sweep();
	seal_it(&c);
	assert_int_equal(c.u.sealed.rows, 2);
	assert_int_equal(c.u.sealed.balanced, 1);
	s = store_open(dir, NULL, error);
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
	start();
	pending("192.0.2.1");
	end_of_sweep();
	await(STAT_STORE_SETTLED, sweep.n);
	p = (struct pollfd){ .fd = ours[CONTROL], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 2500), 0);
	record("192.0.2.1", OUTCOME_COMPLETED);
	assert_int_equal(control(&c), CTL_SWEPT);
	/* The parent is gone: what came is written, and it ends. */
	record("192.0.2.2", OUTCOME_COMPLETED);
	shutdown(ours[CONTROL], SHUT_RDWR);
	assert_int_equal(status_of(), 0);
	start();
	assert_int_equal(sweep.incarnation, 1);
	assert_int_equal(sweep.position[0], sweep.n);
	assert_int_equal(control_send(ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(status_of(), 0);
}

/* packet wants a target to be asked again, so many milliseconds from now. */
static void
ask_again(const char *addr, unsigned ms)
{
	struct followup f = { .target = help_target(addr, 110),
		.attempt = 1,
		.why = OUTCOME_RESET,
		.protocol = PROTOCOL_POP3,
		.not_before_us = wall_us() + ms * (uint64_t)1000 };

	note(NOTES_PACKET, NOTE_FOLLOWUP, &f, sizeof f);
}

/* Who is asked again within a time; 0: nobody. */
static uint32_t
asked_again(int ms)
{
	struct pollfd p = { .fd = ours[DUE], .events = POLLIN };
	struct followup f;

	if (poll(&p, 1, ms) != 1)
		return 0;
	assert_int_equal(wire_recv(ours[DUE], &f, sizeof f), sizeof f);
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
	args.now_us = wall_us();
	conf.checkpoint_ms = 200;
	start();
	ask_again("192.0.2.1", 1500);
	await(STAT_STORE_QUEUE, 1);
	*set_s = -3600;
	assert_int_equal(asked_again(10000), 0xc0000201);
	ask_again("192.0.2.2", 1500);
	assert_int_equal(asked_again(10000), 0xc0000202);
	ask_again("192.0.2.3", 60000);
	await(STAT_STORE_QUEUE, 1);
	*set_s = 86400;
	assert_int_equal(asked_again(1000), 0);
	ask_again("192.0.2.4", 60000);
	await(STAT_STORE_QUEUE, 2);
	assert_int_equal(asked_again(1000), 0);
	assert_int_equal(control_send(ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(control(&c), 0);
	assert_int_equal(status_of(), 0);
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_true(store_info(s)->sweep.start_us == args.now_us);
	store_close(s);
}

/* Set back while no daemon ran: the queue does not wait for the old time. */
static void
test_clock_was_set_back(void **state)
{
	struct control c;

	(void)state;
	args.now_us = wall_us();
	start();
	ask_again("192.0.2.1", 1500);
	await(STAT_STORE_QUEUE, 1);
	assert_int_equal(control_send(ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(control(&c), 0);
	assert_int_equal(status_of(), 0);

	*set_s = -3600;
	args.now_us = wall_us();
	memset(stats, 0, sizeof *stats);
	start();
	assert_int_equal(asked_again(10000), 0xc0000201);
	record("192.0.2.1", OUTCOME_COMPLETED);
	count_others(sweep.n, sweep.n - 4, 1, 0, 0);
	end_of_sweep();
	seal_it(&c);
	assert_int_equal(c.u.sealed.rows, 1);
}

/* The next address whose name is asked for. */
static uint32_t
asked(void)
{
	struct pollfd p = { .fd = ours[NAMES], .events = POLLIN };
	struct addr a;

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("no name is asked for");
	assert_int_equal(wire_recv(ours[NAMES], &a, sizeof a), sizeof a);
	return addr_to4(&a);
}

static void
answer(uint32_t addr, const char *name)
{
	struct resolved r = { .addr = addr_from4(addr), .confirmed = 1 };

	memcpy(r.name, name, strlen(name));
	assert_int_equal(wire_send(ours[NAMES], &r, sizeof r), 0);
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
	conf.resolver_port = 53;
	conf.resolve_wait_ms = 600000;
	start();
	record("192.0.2.2", OUTCOME_COMPLETED);
	findings = 1u << FINDING_NO_TLS;
	record("192.0.2.1", OUTCOME_COMPLETED);
	assert_int_equal(asked(), 0xc0000201);
	kill(store, SIGKILL);
	assert_true(WIFSIGNALED(status_of()));

	memset(stats, 0, sizeof *stats);
	start();
	assert_int_equal(asked(), 0xc0000201);
	record("192.0.2.1", OUTCOME_COMPLETED);
	await(STAT_STORE_WANTED, 1);
	end_of_sweep();
	await(STAT_STORE_SETTLED, sweep.n);
	assert_int_equal(wire_send(ours[NAMES], &t, 5), 0);
	p = (struct pollfd){ .fd = ours[CONTROL], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 2500), 0);
	answer(0xc0000209, "nobody.asked.example");
	answer(0xc0000201, "mx.example.net");
	seal_it(&c);
	s = store_open(dir, NULL, error);
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
	conf.resolver_port = 53;
	conf.resolve_wait_ms = 4000;
	findings = 1u << FINDING_NO_TLS;
	start();
	record("192.0.2.1", OUTCOME_COMPLETED);
	end_of_sweep();
	assert_int_equal(asked(), 0xc0000201);
	p = (struct pollfd){ .fd = ours[CONTROL], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 2500), 0);
	assert_int_equal(control(&c), CTL_SWEPT);
	assert_int_equal(control_send(ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(control(&c), 0);
	assert_int_equal(status_of(), 0);
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
	start();
	pid = fork();
	if (pid == 0)
		_exit(datadir_enter(dir, why) == -1 &&
			    strstr(why, "another mailsweepd")
			? 0
			: 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(control_send(ours[CONTROL], CTL_STOP, NULL, 0), 0);
	assert_int_equal(control(&c), 0);
	assert_int_equal(status_of(), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
		EACH(test_clock_is_set),
		EACH(test_clock_was_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
