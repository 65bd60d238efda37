/* test_send.c: the send role between its wires, the network replaced. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/cookie.h"
#include "engine/link.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "engine/role.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "engine/wire.h"

/* ---- what the role stands on, replaced ----------------------------------- */

struct link {
	struct link_slot slots[LINK_BATCH];
	uint8_t frames[LINK_BATCH][FRAME_MAX];
};

static struct link the_link;
static _Atomic unsigned frames_seen;
static _Atomic bool link_down;

struct link *
link_open(enum tx_path tx, const char *interface, const struct link_want *want)
{
	(void)tx;
	(void)interface;
	(void)want;
	return &the_link;
}

void
link_close(struct link *l)
{
	(void)l;
}

const char *
link_name(const struct link *l)
{
	(void)l;
	return "test";
}

enum tx_path
link_path(const struct link *l)
{
	(void)l;
	return TX_PACKET;
}

/* Nobody looks at the frames. */
unsigned
link_take(struct link *l, struct link_slot *slots[], unsigned n)
{
	static _Thread_local struct link own;

	(void)l;
	for (unsigned i = 0; i < n; i++) {
		own.slots[i].frame = own.frames[i];
		slots[i] = &own.slots[i];
	}
	return n;
}

unsigned
link_burst(const struct link *l)
{
	(void)l;
	return LINK_BATCH;
}

int
link_flush(struct link *l)
{
	(void)l;
	return 0;
}

int
link_push(struct link *l, struct link_slot *const slots[], unsigned n)
{
	(void)l;
	(void)slots;
	if (atomic_load(&link_down)) {
		errno = ENETDOWN;
		return -1;
	}
	atomic_fetch_add(&frames_seen, n);
	return (int)n;
}

int
link_ends(const struct conf *conf, const struct ranges *targets, bool four,
    int wait_ms, struct frame_link *ends, struct addr *towards, bool *no_source)
{
	(void)conf;
	(void)wait_ms;
	*no_source = false;
	memset(ends, 2, sizeof *ends);
	return ranges_first(targets, four, towards);
}

void
sandbox_enter(enum role role, const struct conf *conf, unsigned instance)
{
	(void)conf;
	(void)instance;
	assert_int_equal(role, ROLE_SEND);
	assert_int_equal(control_send(FD_CONTROL, CTL_READY, NULL, 0), 0);
}

/* ---- one run of the role in a thread ------------------------------------- */

struct run {
	struct conf conf;
	struct sweep sweep;
	struct ranges *targets, *excluded;
	struct stats *stats;
	struct role_args args;
	int control, notes, due; /* our ends */
	pthread_t id;
	int status;
};

static void *
role(void *arg)
{
	struct run *r = arg;

	r->status = send_main(&r->args);
	return NULL;
}

static int
wire_to(int fixed)
{
	int fds[2], end;

	assert_int_equal(wire_pair(fds, 1 << 16), 0);
	end = fcntl(fds[0], F_DUPFD_CLOEXEC, FD_FIRST_FREE + 20);
	assert_true(end >= 0);
	assert_int_equal(dup2(fds[1], fixed), fixed);
	if (fds[1] != fixed)
		close(fds[1]);
	if (fds[0] != fixed)
		close(fds[0]);
	return end;
}

/* The next control message of that type, others passed over. */
static void
expect_control(struct run *r, enum control_type type)
{
	struct control c;

	do {
		struct pollfd p = { .fd = r->control, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(control_recv(r->control, &c), 1);
	} while (c.type != type);
}

static struct run *
run_new(uint32_t threads)
{
	struct run *r = calloc(1, sizeof *r);
	const char *expected;
	int fd;

	assert_non_null(r);
	atomic_store(&frames_seen, 0);
	atomic_store(&link_down, false);
	r->targets = ranges_new();
	r->excluded = ranges_new();
	assert_int_equal(
	    ranges_add_text(r->targets, "198.18.0.0/22", &expected), 0);
	assert_int_equal(
	    ranges_add_text(r->targets, "fd00:198::/120", &expected), 0);
	assert_int_equal(
	    ranges_add_text(r->excluded, "198.18.3.0/24", &expected), 0);
	assert_int_equal(ranges_seal(r->targets), 0);
	assert_int_equal(ranges_seal(r->excluded), 0);
	r->conf.nports = 1;
	r->conf.ports[0].port = 25;
	r->conf.nsources = 2;
	r->conf.sources[0] = addr_from4(0xc0000201);
	assert_int_equal(addr_parse("fd00::1", &r->conf.sources[1]), 0);
	r->conf.sport_first = 40000;
	r->conf.sport_last = 56383;
	r->sweep.n = ranges_count(r->targets);
	r->sweep.shards = 1;
	r->sweep.threads = threads;
	r->stats = stats_create(&fd);
	assert_non_null(r->stats);
	close(fd);
	r->args = (struct role_args){ .conf = &r->conf,
		.targets = r->targets,
		.excluded = r->excluded,
		.sweep = &r->sweep,
		.stats = r->stats,
		.slot = stats_slot(ROLE_SEND, 0) };
	return r;
}

static void
run_go(struct run *r)
{
	r->control = wire_to(FD_CONTROL);
	r->notes = wire_to(FD_NOTES_SEND);
	r->due = wire_to(FD_DUE);
	assert_int_equal(pthread_create(&r->id, NULL, role, r), 0);
	expect_control(r, CTL_READY);
}

static struct run *
run_start(uint32_t threads)
{
	struct run *r = run_new(threads);

	run_go(r);
	return r;
}

static void
set_rate(struct run *r, uint64_t rate)
{
	assert_int_equal(
	    control_send(r->control, CTL_RATE, &rate, sizeof rate), 0);
}

static void
run_stop(struct run *r)
{
	assert_int_equal(control_send(r->control, CTL_STOP, NULL, 0), 0);
	assert_int_equal(pthread_join(r->id, NULL), 0);
	assert_int_equal(r->status, 0);
}

static void
run_free(struct run *r)
{
	ranges_free(r->targets);
	ranges_free(r->excluded);
	close(r->control);
	close(r->notes);
	close(r->due);
	free(r);
}

/* One note: its time, and the sum of its positions. */
struct noted {
	uint64_t mono_us, position, counted[SEND_COUNTS];
	unsigned finished;
};

static bool
read_note(struct run *r, int wait_ms, struct noted *noted)
{
	struct pollfd p = { .fd = r->notes, .events = POLLIN };
	struct {
		struct note_header header;
		struct note_position v[SWEEP_THREADS_MAX];
	} note;
	ssize_t n;

	if (poll(&p, 1, wait_ms) != 1)
		return false;
	n = wire_recv(r->notes, &note, sizeof note);
	if (n <= 0)
		return false;
	assert_int_equal(note.header.type, NOTE_POSITION);
	assert_int_equal(note.header.count, r->sweep.threads);
	assert_int_equal(
	    n, sizeof note.header + note.header.count * sizeof note.v[0]);
	memset(noted, 0, sizeof *noted);
	noted->mono_us = note.header.mono_us;
	for (uint32_t i = 0; i < note.header.count; i++) {
		assert_int_equal(note.v[i].thread, i);
		noted->position += note.v[i].position;
		noted->finished += note.v[i].finished;
		for (int k = 0; k < SEND_COUNTS; k++)
			noted->counted[k] += note.v[i].counted[k];
	}
	return true;
}

static struct noted
last_note(struct run *r)
{
	struct noted n = { 0 };

	while (read_note(r, 0, &n))
		;
	return n;
}

static uint64_t
stat_of(struct run *r, enum stat_id id)
{
	return stats_get(r->stats, r->args.slot, id);
}

enum { ALL = 1024 + 256, OUT = 256, SENT = ALL - OUT };

static void
a_sweep_from_rate_to_stop(void **state)
{
	struct run *r = run_start(3);
	struct noted n;

	(void)state;
	set_rate(r, 100000);
	expect_control(r, CTL_SENT);
	run_stop(r);
	n = last_note(r);
	assert_int_equal(n.position, ALL);
	assert_int_equal(n.finished, 3);
	assert_int_equal(n.counted[SEND_SENT], SENT);
	assert_int_equal(n.counted[SEND_EXCLUDED], OUT);
	assert_int_equal(atomic_load(&frames_seen), SENT);
	assert_int_equal(stat_of(r, STAT_SEND_PASSED), ALL);
	assert_int_equal(stat_of(r, STAT_SEND_EXCLUDED_N), OUT);
	assert_int_equal(stat_of(r, STAT_SEND_SENT_N), SENT);
	assert_int_equal(stat_of(r, STAT_SEND_NOT_SENT_N), 0);
	assert_int_equal(stat_of(r, STAT_SEND_PACKETS), SENT);
	assert_int_equal(stat_of(r, STAT_SEND_ERRORS), 0);
	assert_int_equal(stat_of(r, STAT_SEND_FINISHED), 3);
	run_free(r);
}

/* Nothing before CTL_RATE; a note still comes each second. */
static void
starts_paused(void **state)
{
	struct run *r = run_start(2);
	struct noted n;

	(void)state;
	assert_true(read_note(r, 2000, &n));
	assert_int_equal(n.position, 0);
	assert_int_equal(atomic_load(&frames_seen), 0);
	run_stop(r);
	assert_int_equal(atomic_load(&frames_seen), 0);
	run_free(r);
}

/* More threads than packets a second: it still ends. */
static void
a_rate_below_the_threads_ends(void **state)
{
	struct run *r = run_new(8);

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		r->sweep.position[i] = sweep_share(&r->sweep, i) - (i == 3);
	run_go(r);
	set_rate(r, 1);
	expect_control(r, CTL_SENT);
	run_stop(r);
	run_free(r);
}

/* Pressure of packet slows and stops; the rest goes out when it is gone. */
static void
pressure_stops_sending(void **state)
{
	struct run *r = run_start(1);
	unsigned packet = stats_slot(ROLE_PACKET, 0), seen;
	struct noted n;

	(void)state;
	stats_set(r->stats, packet, STAT_PKT_PRESSURE, 1000);
	set_rate(r, 100000);
	assert_true(read_note(r, 2000, &n));
	assert_true(read_note(r, 2000, &n));
	seen = atomic_load(&frames_seen);
	stats_set(r->stats, packet, STAT_PKT_PRESSURE, 0);
	expect_control(r, CTL_SENT);
	assert_int_equal(seen, 0);
	run_stop(r);
	assert_int_equal(atomic_load(&frames_seen), SENT);
	run_free(r);
}

/* What packet says can be followed is not exceeded, whatever the rate. */
static void
a_limit_of_packet_is_kept(void **state)
{
	struct run *r = run_start(1);
	unsigned packet = stats_slot(ROLE_PACKET, 0), seen;
	struct noted n;

	(void)state;
	stats_set(r->stats, packet, STAT_PKT_SYN_LIMIT, 20);
	set_rate(r, 100000);
	for (int i = 0; i < 4; i++)
		assert_true(read_note(r, 2000, &n));
	seen = atomic_load(&frames_seen);
	stats_set(r->stats, packet, STAT_PKT_SYN_LIMIT, 0);
	expect_control(r, CTL_SENT);
	/* a note is sent twice a second */
	assert_in_range(seen, 5, 80);
	run_stop(r);
	assert_int_equal(atomic_load(&frames_seen), SENT);
	run_free(r);
}

/* A note never covers what the link has not taken. */
static void
notes_wait_for_the_link(void **state)
{
	struct run *r = run_start(2);
	struct noted n;

	(void)state;
	atomic_store(&link_down, true);
	set_rate(r, 100000);
	assert_true(read_note(r, 2000, &n));
	assert_true(read_note(r, 2000, &n));
	assert_int_equal(n.position, 0);
	run_stop(r);
	n = last_note(r);
	assert_int_equal(n.position, 0);
	assert_int_equal(n.counted[SEND_SENT], 0);
	assert_int_equal(stat_of(r, STAT_SEND_SENT_N), 0);
	assert_true(stat_of(r, STAT_SEND_ERRORS) > 0);
	run_free(r);
}

/* Six hundred follow-ups, more than fit in the thread, all go out. */
static void
followups_all_leave(void **state)
{
	struct run *r = run_start(2);
	struct followup f[2] = { { .attempt = 1 }, { .kind = KIND_CANARY } };
	unsigned given = 0;

	(void)state;
	f[0].target = f[1].target =
	    (struct target){ addr_from4(0xc6120007), 25 };
	while (given < 600) {
		struct pollfd p = { .fd = r->due, .events = POLLOUT };

		if (given == 300)
			set_rate(r, 50000);
		assert_int_equal(poll(&p, 1, 5000), 1);
		if (wire_send(r->due, f, sizeof f) == 0)
			given += 2;
	}
	expect_control(r, CTL_SENT);
	for (int i = 0; i < 200 && atomic_load(&frames_seen) < SENT + 600; i++)
		poll(NULL, 0, 20);
	run_stop(r);
	assert_int_equal(atomic_load(&frames_seen), SENT + 600);
	assert_int_equal(stat_of(r, STAT_SEND_FOLLOWUPS), 300);
	assert_int_equal(stat_of(r, STAT_SEND_CANARIES), 300);
	assert_int_equal(stat_of(r, STAT_SEND_SENT_N), SENT);
	assert_int_equal(stat_of(r, STAT_SEND_PACKETS), SENT + 600);
	run_free(r);
}

/* Resumed: statistics are of this incarnation, notes are cumulative. */
static void
resumes_where_it_was(void **state)
{
	struct run *r = run_start(1);
	struct run *again;
	struct noted first, second;

	(void)state;
	set_rate(r, 4000);
	assert_true(read_note(r, 2000, &first));
	while (atomic_load(&frames_seen) < 100)
		poll(NULL, 0, 5);
	run_stop(r);
	first = last_note(r);
	assert_in_range(first.position, 100, ALL - 1);
	again = calloc(1, sizeof *again);
	assert_non_null(again);
	again->conf = r->conf;
	again->sweep = r->sweep;
	again->sweep.position[0] = first.position;
	memcpy(again->sweep.counted[0], first.counted, sizeof first.counted);
	again->args = r->args;
	again->args.conf = &again->conf;
	again->args.sweep = &again->sweep;
	again->stats = r->stats;
	run_go(again);
	set_rate(again, 100000);
	expect_control(again, CTL_SENT);
	run_stop(again);
	second = last_note(again);
	assert_int_equal(second.position, ALL);
	assert_int_equal(second.counted[SEND_SENT], SENT);
	assert_int_equal(second.counted[SEND_EXCLUDED], OUT);
	assert_int_equal(
	    stat_of(again, STAT_SEND_PASSED), ALL - first.position);
	assert_int_equal(atomic_load(&frames_seen), SENT);
	close(again->control);
	close(again->notes);
	close(again->due);
	free(again);
	run_free(r);
}

/* The parent gone is a stop as well. */
static void
ends_with_its_parent(void **state)
{
	struct run *r = run_start(1);

	(void)state;
	close(r->control);
	assert_int_equal(pthread_join(r->id, NULL), 0);
	assert_int_equal(r->status, 0);
	r->control = -1;
	run_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_from_rate_to_stop),
		cmocka_unit_test(starts_paused),
		cmocka_unit_test(a_rate_below_the_threads_ends),
		cmocka_unit_test(pressure_stops_sending),
		cmocka_unit_test(a_limit_of_packet_is_kept),
		cmocka_unit_test(notes_wait_for_the_link),
		cmocka_unit_test(followups_all_leave),
		cmocka_unit_test(resumes_where_it_was),
		cmocka_unit_test(ends_with_its_parent),
	};

	log_open("send", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("send", tests, NULL, NULL);
}
