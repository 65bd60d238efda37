/*
 * checkpoint.c: a sweep by the instruction, for callgrind: one process makes
 * its SYNs, one is store, with a checkpoint every so many milliseconds of a
 * clock that goes a second ahead when all of a second has been read.
 *
 *	checkpoint MILLISECONDS DIRECTORY
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "engine/log.h"
#include "engine/sandbox.h"
#include "engine/sender.h"
#include "engine/stats.h"
#include "engine/wire.h"
#include "storage/record.h"

enum {
	RATE = 100000,
	SECONDS = 10,
	ANSWERS = RATE / 100, /* a second */
	TALKERS = 3, /* of ten that answer; the others stay silent */
	SPREAD = 0x9e3779b1, /* odd: a bijection of 32 bits */
	NET = 0x0a000000,
	SECOND_US = 1000000,
	WIRE_BYTES = 4 << 20,
	FD_OURS = 20
};

#define START_US ((uint64_t)1795226400 * SECOND_US) /* 2026-11-21 02:00 */

static const int fixed[] = { FD_CONTROL, FD_NOTES_SEND, FD_NOTES_PACKET,
	FD_RECORDS, FD_DUE, FD_RESOLVE };
enum { CONTROL, NOTES_SEND, NOTES_PACKET, RECORDS, DUE, NAMES, WIRES };

static _Atomic uint64_t *mono_us; /* of all processes */
static struct conf conf;
static struct role_args args;
static int ours[WIRES];

/* In the place of the C library's. */
int
clock_gettime(clockid_t clock, struct timespec *t)
{
	uint64_t us = *mono_us + (clock == CLOCK_REALTIME ? START_US : 0);

	t->tv_sec = (time_t)(us / SECOND_US);
	t->tv_nsec = (long)(us % SECOND_US) * 1000;
	return 0;
}

/* Valgrind needs its calls; nothing here comes from strangers. */
void
sandbox_enter(enum role role, const struct conf *c, unsigned instance)
{
	(void)role;
	(void)c;
	(void)instance;
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

static struct ranges *
set_of(const char *text)
{
	struct ranges *r = ranges_new();
	const char *expected;

	if (r == NULL || ranges_add_text(r, text, &expected) == -1 ||
	    ranges_seal(r) == -1)
		fatal("%s", text);
	return r;
}

static void
set_up(const char *interval, const char *directory)
{
	int fd;

	conf.checkpoint_ms = (uint32_t)strtoul(interval, NULL, 10);
	snprintf(conf.store, sizeof conf.store, "%s", directory);
	snprintf(conf.sensor, sizeof conf.sensor, "bench");
	conf.ports[0] =
	    (struct conf_port){ .port = 110, .protocol = PROTOCOL_POP3 };
	conf.nports = conf.nsources = conf.shards = 1;
	conf.tx_threads = 1;
	conf.sources[0] = addr_from4(0xc0000201);
	conf.sport_first = 40000;
	conf.sport_last = 56383;
	conf.rate = RATE;
	conf.seed = 1;
	conf.retries = 3;
	conf.map_size = 1 << 28;
	conf.answer_window_ms = conf.greeting_ms = 2000;
	conf.conversation_ms = 4000;
	args.conf = &conf;
	args.targets = set_of("10.0.0.0/8");
	args.excluded = set_of("198.18.0.0/15");
	args.now_us = START_US;
	args.stats = stats_create(&fd);
	args.slot = stats_slot(ROLE_STORE, 0);
	mono_us = mmap(NULL, sizeof *mono_us, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (args.stats == NULL || mono_us == MAP_FAILED)
		fatal("no memory");
	*mono_us = (uint64_t)1000 * SECOND_US;
}

/* All SYNs of the sweep, as far as they are made in user space. */
static int
make_syns(void)
{
	static const struct frame_link links[2];
	static uint8_t frames[LINK_BATCH][FRAME_MAX];
	static struct sender_plan plan;
	struct sweep sweep = { .n = ranges_count(args.targets),
		.seed = 1,
		.shards = 1,
		.threads = 1 };
	struct link_slot slots[LINK_BATCH], *taken[LINK_BATCH];
	uint64_t counted[SEND_COUNTS] = { 0 };
	struct sender_lots *lots;

	if (sender_plan_init(&plan, &conf, args.targets, args.excluded, &sweep,
		links) == -1 ||
	    (lots = sender_lots_new(&plan)) == NULL)
		fatal("no memory");
	for (int i = 0; i < LINK_BATCH; i++) {
		slots[i] = (struct link_slot){ .frame = frames[i] };
		taken[i] = &slots[i];
	}
	for (uint64_t i = 0; i < (uint64_t)RATE * SECONDS; i += LINK_BATCH)
		(void)sender_fill(lots, i, 1, LINK_BATCH, taken, counted);
	sender_lots_free(lots);
	sender_plan_free(&plan);
	return counted[SEND_SENT] < (uint64_t)RATE * SECONDS;
}

static pid_t
start_store(void)
{
	int theirs[WIRES], pair[2];
	pid_t pid;

	for (unsigned i = 0; i < WIRES; i++) {
		if (wire_pair(pair, WIRE_BYTES) == -1)
			fatal("wires: %s", strerror(errno));
		ours[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, FD_OURS);
		theirs[i] = fcntl(pair[1], F_DUPFD_CLOEXEC, FD_OURS);
		close(pair[0]);
		close(pair[1]);
	}
	pid = fork();
	for (unsigned i = 0; i < WIRES; i++) {
		if (pid == 0 && dup2(theirs[i], fixed[i]) == -1)
			fatal("wires: %s", strerror(errno));
		close(theirs[i]);
		if (pid == 0)
			close(ours[i]);
	}
	if (pid == 0)
		_exit(store_main(&args));
	return pid;
}

static void
say(unsigned wire, const void *bytes, size_t len)
{
	struct pollfd p = { .fd = ours[wire], .events = POLLOUT };

	while (wire_send(ours[wire], bytes, len) == -1)
		if (errno != EAGAIN || poll(&p, 1, 1) == -1)
			fatal("store: %s", strerror(errno));
}

static void
note(unsigned wire, uint32_t type, const void *item, size_t len)
{
	struct note_header h = {
		.type = type, .count = 1, .mono_us = *mono_us
	};
	uint8_t bytes[512];

	memcpy(bytes, &h, sizeof h);
	memcpy(bytes + sizeof h, item, len);
	say(wire, bytes, sizeof h + len);
}

/* The n-th that answers. */
static struct target
host(uint32_t n)
{
	return (struct target){ addr_from4(NET | (n * SPREAD >> 8)), 110 };
}

static void
answers(uint32_t n)
{
	struct note_pending p = { .target = host(n),
		.protocol = PROTOCOL_POP3,
		.synack_us = START_US + *mono_us };

	note(NOTES_PACKET, NOTE_PENDING, &p, sizeof p);
}

static void
talks(uint32_t n)
{
	static const char greeting[] = "+OK POP3 ready <1.2@example.net>";
	uint8_t body[512], bytes[1024];
	struct target t = host(n);
	struct record_header h = { .type = MSG_RECORD };
	struct record r;

	record_init(&r, body, sizeof body);
	r.head.outcome = OUTCOME_COMPLETED;
	r.head.time_us = START_US + *mono_us;
	r.head.port = t.port;
	r.head.protocol = r.head.port_protocol = PROTOCOL_POP3;
	memcpy(r.head.addr, t.addr.b, sizeof r.head.addr);
	for (unsigned i = 0; i < 8; i++)
		(void)record_put(
		    &r, TAG_GREETING, greeting, sizeof greeting - 1);
	h.len = (uint32_t)record_flatten(
	    &r, bytes + sizeof h, sizeof bytes - sizeof h);
	memcpy(bytes, &h, sizeof h);
	say(RECORDS, bytes, sizeof h + h.len);
}

static void
ends(uint32_t n)
{
	struct note_outcome o = { .outcome = OUTCOME_SILENT,
		.when_us = START_US + *mono_us };

	if (n % 10 < TALKERS) {
		talks(n);
		return;
	}
	o.contact.target = host(n);
	o.contact.protocol = PROTOCOL_POP3;
	note(NOTES_PACKET, NOTE_OUTCOME, &o, sizeof o);
}

/* Store has taken all that was said. */
static void
await_read(void)
{
	int unread = 1;

	while (unread > 0) {
		unread = 0;
		for (unsigned i = NOTES_SEND; i <= RECORDS; i++) {
			int n = 0;

			if (ioctl(ours[i], SIOCOUTQ, &n) == -1)
				fatal("wires: %s", strerror(errno));
			unread += n;
		}
		if (unread > 0)
			poll(NULL, 0, 1);
	}
}

static void
second(uint32_t s)
{
	struct note_position position = { .position = (uint64_t)s * RATE };
	struct note_tick tick = { .link_up = 1, .waiting = 1 };

	position.counted[SEND_SENT] = position.position;
	for (uint32_t i = 0; i < ANSWERS; i++) {
		answers(s * ANSWERS + i);
		if (s > 0)
			ends((s - 1) * ANSWERS + i);
	}
	note(NOTES_SEND, NOTE_POSITION, &position, sizeof position);
	await_read();
	*mono_us += SECOND_US;
	note(NOTES_PACKET, NOTE_TICK, &tick, sizeof tick);
	await_read();
}

static bool
ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
}

int
main(int argc, char **argv)
{
	uint64_t wanted = (uint64_t)ANSWERS * (SECONDS - 1);
	pid_t store, send;

	if (argc != 3)
		return 2;
	log_open("checkpoint", LOG_LEVEL_WARN);
	set_up(argv[1], argv[2]);
	send = fork();
	if (send == 0)
		_exit(make_syns());
	store = start_store();
	for (uint32_t s = 0; s < SECONDS; s++)
		second(s);
	if (control_send(ours[CONTROL], CTL_STOP, NULL, 0) == -1 ||
	    !ended_well(store) || !ended_well(send) ||
	    stats_get(args.stats, args.slot, STAT_STORE_NEW) != wanted)
		fatal("the sweep has not ended as it should");
	printf("%d %d %d %d\n", send, store, RATE * SECONDS,
	    (int)stats_get(args.stats, args.slot, STAT_STORE_COMMITS));
	return 0;
}
