/*
 * adopt.c: what adoption costs dial: the role itself, fed by a wire as packet
 * feeds it, its sockets taken by others, who close them.
 *
 * In a network of its own (bench_pool.sh): the other end answers nothing, so a
 * connection stays as it was adopted until we reset it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/adopt.h"
#include "engine/conf.h"
#include "engine/handoffs.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "engine/role.h"
#include "engine/stats.h"
#include "engine/wire.h"

enum {
	RECEIVERS = 4,
	FDS_MAX = 20000, /* hard: what a process may have here */
	FDS_HIGH = 100, /* where no role expects a wire */
	WIRE_BYTES = 1 << 20,
	NS_PER_S = 1000000000,
	WAIT_MS = 10000,
	POP3_PORT = 110,
	SPORT_FIRST = 40000,
	SPORTS = 16384,
	BARE = 100000,
	DIAL_CPU = 1,
	OTHER_CPU = 0
};

static const char greeting[] = "+OK POP3 server mail.sim.test ready\r\n";

struct bench {
	struct conf conf;
	struct role_args args;
	struct stats *stats;
	pid_t dial, receivers[RECEIVERS];
	int control, handoff;
	uint64_t sent;
};

static void
must(bool what, const char *why)
{
	if (!what) {
		fprintf(stderr, "adopt: %s: %s\n", why, strerror(errno));
		exit(1);
	}
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void
run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof set, &set) == 0, "CPU");
}

/* What the process had of its CPU (sched-stats), its only thread's. */
static double
cpu_us(pid_t pid)
{
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "r");
	must(f && fgets(line, sizeof line, f), path);
	fclose(f);
	return strtod(line, NULL) / 1000;
}

/* ---- who takes the sockets ----------------------------------------------- */

/* A RST, so that no connection outlives its descriptor. */
static void
reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static _Noreturn void
receive(int wire)
{
	struct dialed dialed[WIRE_FDS_MAX];
	struct pollfd p = { wire, POLLIN, 0 };
	int fds[WIRE_FDS_MAX];
	ssize_t len = 1;

	run_on(OTHER_CPU);
	while (len != 0) {
		size_t n;

		len = wire_recv_fds(
		    wire, dialed, sizeof dialed, fds, WIRE_FDS_MAX, &n);
		if (len < 0 && errno != EAGAIN)
			_exit(1);
		if (len < 0)
			poll(&p, 1, -1);
		for (size_t i = 0; len > 0 && i < n; i++)
			reset(fds[i]);
	}
	_exit(0);
}

/* ---- dial ---------------------------------------------------------------- */

static struct ranges *
ranges_of(const char *text)
{
	const char *expected;
	struct ranges *r = ranges_new();

	must(r && ranges_add_text(r, text, &expected) == 0 &&
		ranges_seal(r) == 0,
	    text);
	return r;
}

static void
configure(struct bench *b)
{
	struct conf *c = &b->conf;
	int fd;

	must(addr_parse("192.0.2.2", &c->sources[0]) == 0, "source");
	c->nsources = 1;
	c->sport_first = SPORT_FIRST;
	c->sport_last = SPORT_FIRST + SPORTS - 1;
	c->ports[c->nports++] =
	    (struct conf_port){ POP3_PORT, PROTOCOL_POP3, 0 };
	c->reply_ms = 30000;
	c->uid_base = 64500;
	c->log_level = LOG_LEVEL_WARN;
	b->stats = stats_create(&fd);
	must(b->stats, "statistics");
	b->args = (struct role_args){ .conf = c,
		.targets = ranges_of("10.0.0.0/8"),
		.excluded = ranges_of("10.255.255.0/24"),
		.stats = b->stats,
		.slot = stats_slot(ROLE_DIAL, 0) };
}

static void
pair(int fds[2])
{
	must(wire_pair(fds, WIRE_BYTES) == 0, "wire");
	for (int i = 0; i < 2; i++) {
		int low = fds[i];

		fds[i] = fcntl(low, F_DUPFD_CLOEXEC, FDS_HIGH);
		must(fds[i] >= 0, "descriptor");
		close(low);
	}
}

static pid_t
child(void)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static _Noreturn void
dial(struct bench *b, int control, int handoff, int dialed)
{
	run_on(DIAL_CPU);
	must(dup2(control, FD_CONTROL) >= 0 && dup2(handoff, FD_HANDOFF) >= 0 &&
		dup2(dialed, FD_DIALED) >= 0,
	    "wires");
	close_range(FD_FIRST_FREE, ~0u, 0);
	log_open(role_names[ROLE_DIAL], LOG_LEVEL_WARN);
	_exit(dial_main(&b->args));
}

static void
start(struct bench *b)
{
	int control[2], handoff[2], dialed[2];
	struct pollfd p;
	struct control c;

	pair(control);
	pair(handoff);
	pair(dialed);
	b->dial = child();
	if (b->dial == 0)
		dial(b, control[1], handoff[1], dialed[0]);
	close(control[1]);
	close(handoff[1]);
	close(dialed[0]);
	for (int i = 0; i < RECEIVERS; i++) {
		b->receivers[i] = child();
		if (b->receivers[i] == 0)
			receive(dialed[1]);
	}
	close(dialed[1]);
	b->control = control[0];
	b->handoff = handoff[0];
	p = (struct pollfd){ b->control, POLLIN, 0 };
	must(poll(&p, 1, WAIT_MS) == 1 && control_recv(b->control, &c) == 1 &&
		c.type == CTL_READY,
	    "dial");
}

static void
stop(struct bench *b)
{
	int status, bad = 0;

	must(control_send(b->control, CTL_STOP, NULL, 0) == 0, "stop");
	must(waitpid(b->dial, &status, 0) == b->dial && status == 0, "dial");
	for (int i = 0; i < RECEIVERS; i++)
		if (waitpid(b->receivers[i], &status, 0) < 0 || status != 0)
			bad++;
	must(bad == 0, "a receiver");
}

/* ---- packet's part ------------------------------------------------------- */

/* The i-th answer: an address of its own, and what it said. */
static void
answer(struct handoff *h, uint64_t i)
{
	struct contact *c = &h->contact;

	c->target.addr = addr_from4((uint32_t)(0x0a000001 + i));
	c->sport = (uint16_t)(SPORT_FIRST + i % SPORTS);
	h->isn = (uint32_t)(i * 2654435761U);
	h->irs = (uint32_t)(i * 40503U + 7);
	h->snd_wl1 = h->irs + 1;
}

static void
handoff_init(struct bench *b, struct handoff *h)
{
	memset(h, 0, sizeof *h);
	h->contact.source = b->conf.sources[0];
	h->contact.target.port = POP3_PORT;
	h->contact.protocol = PROTOCOL_POP3;
	h->contact.flags = HANDOFF_SACK | HANDOFF_WSCALE;
	h->contact.mss = 1460;
	h->contact.wscale = 7;
	h->snd_wnd = 64240;
	h->len = sizeof greeting - 1;
	memcpy(h->data, greeting, sizeof greeting - 1);
}

static bool
failed(const struct bench *b)
{
	return stats_sum(b->stats, STAT_DIAL_FAILED) > 0;
}

/* Up to so many more, in packet's messages; false: the wire takes none now. */
static bool
hand_on(struct bench *b, struct handoff *h, unsigned n)
{
	const struct handoff *pointers[HANDOFFS_MAX];
	int took;

	for (unsigned i = 0; i < n; i++) {
		answer(&h[i], b->sent + i);
		pointers[i] = &h[i];
	}
	took = handoffs_send(b->handoff, pointers, n);
	must(took > 0 || errno == EAGAIN, "wire 1");
	b->sent += took > 0 ? (uint64_t)took : 0;
	return took > 0;
}

/*
 * At rate, and no faster to make up for what the wire would not take; in
 * bursts as packet's, whose capture wakes it every two milliseconds.
 */
static double
feed(struct bench *b, unsigned rate, unsigned seconds)
{
	static struct handoff h[HANDOFFS_MAX];
	struct timespec nap = { 0, 2000000 };
	uint64_t begin = now_ns(), total = (uint64_t)rate * seconds;

	for (unsigned i = 0; i < HANDOFFS_MAX; i++)
		handoff_init(b, &h[i]);
	while (b->sent < total && !failed(b)) {
		uint64_t due = (now_ns() - begin) * rate / NS_PER_S;
		uint64_t left;

		due = due < total ? due : total;
		do {
			left = due - b->sent;
			left = left < HANDOFFS_MAX ? left : HANDOFFS_MAX;
		} while (left > 0 && hand_on(b, h, (unsigned)left));
		nanosleep(&nap, NULL);
	}
	while (stats_sum(b->stats, STAT_DIAL_ADOPTED) +
		stats_sum(b->stats, STAT_DIAL_FAILED) <
	    b->sent)
		nanosleep(&nap, NULL);
	return (double)(now_ns() - begin) / NS_PER_S;
}

/* The calls of adoption alone, and a reset: no wire, no sandbox, no role. */
static _Noreturn void
adopt_bare(struct bench *b)
{
	static struct handoff h;
	double cpu;

	run_on(DIAL_CPU);
	handoff_init(b, &h);
	cpu = cpu_us(getpid());
	for (uint64_t i = 0; i < BARE; i++) {
		enum dial_step step;
		int fd;

		answer(&h, i);
		fd = adopt(&h, &step);
		must(fd >= 0, dial_step_names[step]);
		reset(fd);
	}
	printf(
	    "bench: adopt_calls_us %.2f us\n", (cpu_us(getpid()) - cpu) / BARE);
	fflush(stdout);
	_exit(0);
}

static void
measure_bare(struct bench *b)
{
	pid_t pid = child();
	int status;

	if (pid == 0)
		adopt_bare(b);
	must(waitpid(pid, &status, 0) == pid && status == 0, "adoption");
}

static unsigned
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n == 0 || n > 1000000) {
		fprintf(stderr, "adopt: %s: not from 1 to 1000000\n", text);
		exit(2);
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	static struct bench b;
	struct rlimit fds = { FDS_MAX, FDS_MAX };
	double cpu, seconds;
	uint64_t adopted, bad;

	if (argc != 3) {
		fputs("usage: adopt RATE SECONDS\n", stderr);
		return 2;
	}
	must(setrlimit(RLIMIT_NOFILE, &fds) == 0, "descriptors");
	run_on(OTHER_CPU);
	configure(&b);
	measure_bare(&b);
	start(&b);
	cpu = cpu_us(b.dial);
	seconds = feed(&b, number(argv[1]), number(argv[2]));
	cpu = cpu_us(b.dial) - cpu;
	adopted = stats_sum(b.stats, STAT_DIAL_ADOPTED);
	bad = stats_sum(b.stats, STAT_DIAL_FAILED);
	stop(&b);
	printf("bench: adopt_us %.2f us\n",
	    cpu / (double)(adopted > 0 ? adopted : 1));
	printf("bench: adopt_per_second %.0f 1/s\n", (double)adopted / seconds);
	printf("bench: adopt_failed %llu of %llu\n", (unsigned long long)bad,
	    (unsigned long long)b.sent);
	return bad > 0;
}
