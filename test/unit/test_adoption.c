/*
 * test_adoption.c: packet and dial as they are, sandbox, rules and all, between
 * two network namespaces of this program's own; it plays send, store and probe
 * itself, and the mail server on the other side. Needs root, else it skips.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "engine/adopt.h"
#include "engine/cookie.h"
#include "engine/frame.h"
#include "engine/link.h"
#include "engine/log.h"
#include "engine/mark.h"
#include "engine/nft.h"
#include "engine/ranges.h"
#include "engine/role.h"
#include "engine/sports.h"
#include "engine/stats.h"
#include "engine/wire.h"
#include "storage/record.h"

enum { POP3 = 110, IMAPS = 993, SILENT = 25, CLOSED = 143 };
enum { BIG = 1 << 20, WAIT_MS = 3000, NOTES_MAX = 32, WIRE_BYTES = 1 << 20 };
static const char greeting[] = "+OK one two three\r\n";
static const char four[] = "198.18.1.1", six[] = "fd00:198:18::1";

static void
must(bool what, const char *why)
{
	if (!what) {
		fprintf(
		    stderr, "test_adoption: %s: %s\n", why, strerror(errno));
		_exit(1);
	}
}

static void
run(const char *command)
{
	must(system(command) == 0, command);
}

/* ---- the other side ------------------------------------------------------ */

/* What a server tells the test: one letter a event. */
enum {
	SAYS_READY = 'R',
	SAYS_ACCEPTED = 'a',
	SAYS_CLEAN = 'c',
	SAYS_RESET = 'r'
};

static void
tell(int report, char what)
{
	must(write(report, &what, 1) == 1, "report");
}

static bool
write_all(int fd, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, (const char *)bytes + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool
read_all(int fd, void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (char *)bytes + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void
fill(uint8_t *big)
{
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
}

/* Four-letter commands; false at the end, however it came. */
static bool
serve_one(int fd, const uint8_t *pattern)
{
	static uint8_t big[BIG];
	char command[6];

	if (!read_all(fd, command, sizeof command))
		return false;
	if (memcmp(command, "CAPA\r\n", 6) == 0)
		return write_all(fd, "+OK\r\nSTLS\r\n.\r\n", 14);
	if (memcmp(command, "GIVE\r\n", 6) == 0)
		return write_all(fd, pattern, BIG);
	if (memcmp(command, "TAKE\r\n", 6) == 0)
		return read_all(fd, big, BIG) &&
		    write_all(fd,
			memcmp(big, pattern, BIG) == 0 ? "same\r\n"
						       : "else\r\n",
			6);
	write_all(fd, "+OK\r\n", 5);
	return false;
}

static _Noreturn void
leave(int report, char how)
{
	tell(report, how);
	_exit(0);
}

static _Noreturn void
serve(int fd, unsigned port, int report)
{
	static uint8_t pattern[BIG];
	int one = 1;
	char end;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	fill(pattern);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	tell(report, SAYS_ACCEPTED);
	if (port == POP3 &&
	    !(write_all(fd, greeting, 4) && write_all(fd, greeting + 4, 4) &&
		write_all(fd, greeting + 8, sizeof greeting - 1 - 8)))
		leave(report, SAYS_RESET);
	errno = 0;
	if (port == SILENT)
		(void)!read(fd, &end, 1);
	else
		while (serve_one(fd, pattern))
			;
	leave(report,
	    errno == ECONNRESET || errno == EPIPE ? SAYS_RESET : SAYS_CLEAN);
}

static int
listen_on(unsigned port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), no = 0;

	must(fd >= 0, "socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	must(bind(fd, (struct sockaddr *)&any, sizeof any) == 0 &&
		listen(fd, 64) == 0,
	    "listen");
	return fd;
}

static const char there[] =
    "set -e; sysctl -qw net.ipv6.conf.net0.accept_dad=0"
    " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.net0.rp_filter=0;"
    "ip link set lo up; ip link set net0 up;"
    "ip addr add 203.0.113.1/24 dev net0;"
    "ip -6 addr add fd00:198:20::1/64 dev net0 nodad;"
    "ip route add local 198.18.0.0/15 dev lo;"
    "ip -6 route add local fd00:198:18::/64 dev lo";

/* Wait for the link, then serve until the test ends. */
static void
be_server(int go, int report)
{
	static const unsigned ports[] = { POP3, IMAPS, SILENT };
	struct pollfd fds[3];
	char word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	must(unshare(CLONE_NEWNET) == 0, "unshare");
	tell(report, SAYS_READY);
	must(read(go, &word, 1) == 1, "go");
	signal(SIGCHLD, SIG_DFL);
	run(there);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++)
		fds[i] = (struct pollfd){ listen_on(ports[i]), POLLIN, 0 };
	tell(report, SAYS_READY);
	while (poll(fds, 3, -1) > 0)
		for (int i = 0; i < 3; i++) {
			int fd;

			if (fds[i].revents == 0)
				continue;
			fd = accept(fds[i].fd, NULL, NULL);
			if (fd >= 0 && fork() == 0)
				serve(fd, ports[i], report);
			close(fd);
		}
	_exit(0);
}

static struct {
	pid_t server;
	int report, go;
	struct nft *nft;
} lab;

static char
hear_server(int wait_ms)
{
	struct pollfd p = { lab.report, POLLIN, 0 };
	char what;

	if (poll(&p, 1, wait_ms) != 1 || read(lab.report, &what, 1) != 1)
		return 0;
	return what;
}

static const char here[] =
    "set -e; sysctl -qw net.ipv6.conf.scan0.accept_dad=0;"
    "ip link set lo up; ip link set scan0 up;"
    "ip addr add 203.0.113.2/24 dev scan0;"
    "ip -6 addr add fd00:198:20::2/64 dev scan0 nodad;"
    "ip route add 198.18.0.0/15 via 203.0.113.1;"
    "ip -6 route add fd00:198:18::/64 via fd00:198:20::1";

/* Nothing but a pair of our own: no packet can leave. */
static int
lab_up(void **state)
{
	char command[128];
	int report[2], go[2];

	(void)state;
	if (geteuid() != 0)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	must(unshare(CLONE_NEWNET) == 0, "unshare");
	must(
	    pipe2(report, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipe");
	lab.report = report[0];
	lab.go = go[1];
	lab.server = fork();
	must(lab.server >= 0, "fork");
	if (lab.server == 0)
		be_server(go[0], report[1]);
	must(hear_server(WAIT_MS) == SAYS_READY, "server");
	snprintf(command, sizeof command,
	    "ip link add scan0 type veth peer name net0 netns %d",
	    (int)lab.server);
	run(command);
	tell(lab.go, 'g');
	run(here);
	must(hear_server(WAIT_MS) == SAYS_READY, "server");
	return 0;
}

static int
lab_down(void **state)
{
	(void)state;
	if (lab.server > 0) {
		kill(lab.server, SIGKILL);
		waitpid(lab.server, NULL, 0);
	}
	return 0;
}

/* ---- our side ------------------------------------------------------------ */

struct world {
	struct conf conf;
	struct sweep sweep;
	struct role_args args;
	struct source_ports ports;
	struct stats *stats;
	int control[2], dialed, done, notes; /* our ends; packet's, dial's */
	pid_t pids[2];
	struct nft *nft;
	struct link *link;
	struct frame_link ends;
	struct note_outcome outcomes[NOTES_MAX];
	unsigned npending, noutcomes, nticks;
};

static struct ranges *
ranges_of(const char *a, const char *b)
{
	const char *expected;
	struct ranges *r = ranges_new();

	assert_int_equal(ranges_add_text(r, a, &expected), 0);
	if (b != NULL)
		assert_int_equal(ranges_add_text(r, b, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

static void
configure(struct world *w, enum follow_mode follow)
{
	struct conf *c = &w->conf;

	snprintf(c->interface, sizeof c->interface, "scan0");
	assert_int_equal(addr_parse("203.0.113.2", &c->sources[0]), 0);
	assert_int_equal(addr_parse("fd00:198:20::2", &c->sources[1]), 0);
	c->nsources = 2;
	c->sport_first = 40000;
	c->sport_last = 56383;
	c->follow = (uint8_t)follow;
	c->ports[0] = (struct conf_port){ POP3, PROTOCOL_POP3, 0 };
	c->ports[1] = (struct conf_port){ IMAPS, PROTOCOL_IMAP, 1 };
	c->ports[2] = (struct conf_port){ SILENT, PROTOCOL_SMTP, 0 };
	c->ports[3] = (struct conf_port){ CLOSED, PROTOCOL_IMAP, 0 };
	c->nports = 4;
	c->greeting_ms = 3000;
	c->greeting_smtp_ms = 300;
	c->conversation_ms = 20000;
	c->answer_window_ms = 1000;
	c->reply_ms = 3000;
	c->per_host = 9;
	c->per_network = 99;
	c->waiting_max = 1000;
	c->uid_base = 64500;
	c->log_level = LOG_LEVEL_WARN;
	w->sweep.incarnation = 2;
	assert_int_equal(getrandom(w->sweep.key, sizeof w->sweep.key, 0),
	    sizeof w->sweep.key);
	assert_int_equal(source_ports_init(&w->ports, c->sport_first,
			     c->sport_last, w->sweep.incarnation),
	    0);
}

static void
place(int from, int to)
{
	must(dup2(from, to) == to && fcntl(to, F_SETFD, 0) == 0, "dup2");
}

/* High numbers, so that none is where a role expects another. */
static void
pair(int fds[2])
{
	assert_int_equal(wire_pair(fds, WIRE_BYTES), 0);
	for (int i = 0; i < 2; i++) {
		int low = fds[i];

		fds[i] = fcntl(low, F_DUPFD_CLOEXEC, 100);
		assert_true(fds[i] >= 100);
		close(low);
	}
}

static pid_t
start(struct world *w, enum role role, int control, const int (*fds)[2],
    unsigned n)
{
	struct role_args args = w->args;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	place(control, FD_CONTROL);
	for (unsigned i = 0; i < n; i++)
		place(fds[i][0], fds[i][1]);
	close_range(FD_FIRST_FREE, ~0u, 0);
	log_open(role_names[role], LOG_LEVEL_WARN);
	args.slot = stats_slot(role, 0);
	_exit(role == ROLE_PACKET ? packet_main(&args) : dial_main(&args));
}

static void
await_ready(int control)
{
	struct pollfd p = { control, POLLIN, 0 };
	struct control c;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(control_recv(control, &c), 1);
	assert_int_equal(c.type, CTL_READY);
}

static void
start_roles(struct world *w)
{
	int c[2][2], handoff[2], dialed[2], done[2], notes[2];

	pair(c[0]);
	pair(c[1]);
	pair(handoff);
	pair(dialed);
	pair(done);
	pair(notes);
	w->pids[0] = start(w, ROLE_PACKET, c[0][1],
	    (const int[][2]){ { handoff[0], FD_HANDOFF }, { done[1], FD_DONE },
		{ notes[0], FD_NOTES_PACKET } },
	    3);
	w->pids[1] = start(w, ROLE_DIAL, c[1][1],
	    (const int[][2]){
		{ handoff[1], FD_HANDOFF }, { dialed[0], FD_DIALED } },
	    2);
	w->control[0] = c[0][0];
	w->control[1] = c[1][0];
	w->dialed = dialed[1];
	w->done = done[0];
	w->notes = notes[1];
	for (int i = 0; i < 2; i++) {
		close(c[i][1]);
		close(handoff[i]);
	}
	close(dialed[0]);
	close(done[1]);
	close(notes[0]);
	await_ready(w->control[0]);
	await_ready(w->control[1]);
}

static struct world *
world_new(enum follow_mode follow)
{
	struct world *w = calloc(1, sizeof *w);
	char error[NFT_ERROR_MAX];
	struct sports before;
	int fd;

	if (geteuid() != 0)
		skip();
	configure(w, follow);
	w->stats = stats_create(&fd);
	assert_non_null(w->stats);
	close(fd);
	w->args = (struct role_args){ .conf = &w->conf,
		.targets = ranges_of("198.18.0.0/15", "fd00:198:18::/112"),
		.excluded = ranges_of("198.19.255.0/24", NULL),
		.sweep = &w->sweep,
		.stats = w->stats };
	/* The parent keeps the range from connect(2); namespaces have their
	 * own setting, which ends with them. */
	assert_int_equal(
	    sports_reserve(w->conf.sport_first, w->conf.sport_last, &before),
	    0);
	start_roles(w);
	if (follow == FOLLOW_ADOPT) {
		w->nft = nft_start(&w->conf, error);
		if (w->nft == NULL)
			fail_msg("nft: %s", error);
	}
	w->link = link_open(TX_PACKET, "scan0");
	assert_non_null(w->link);
	return w;
}

static void
stop_roles(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(
		    control_send(w->control[i], CTL_STOP, NULL, 0), 0);
		assert_int_equal(waitpid(w->pids[i], &status, 0), w->pids[i]);
		assert_int_equal(status, 0);
		close(w->control[i]);
	}
}

static void
world_free(struct world *w)
{
	stop_roles(w);
	if (w->nft != NULL)
		nft_end(w->nft);
	link_close(w->link);
	close(w->dialed);
	close(w->done);
	close(w->notes);
	ranges_free((struct ranges *)(uintptr_t)w->args.targets);
	ranges_free((struct ranges *)(uintptr_t)w->args.excluded);
	free(w);
}

/* As send does. */
static struct cookie
send_syn(struct world *w, const char *address, uint16_t port)
{
	struct target t = { .port = port };
	const struct addr *source;
	struct frame_template template;
	uint8_t frame[1][FRAME_MAX];
	struct cookie c;
	uint32_t len;

	assert_int_equal(addr_parse(address, &t.addr), 0);
	source = &w->conf.sources[addr_is4(&t.addr) ? 0 : 1];
	assert_int_equal(
	    link_neighbour("scan0", source, &t.addr, "", WAIT_MS, &w->ends), 0);
	assert_int_equal(frame_template_init(&template, &w->ends, source), 0);
	c = cookie_make(w->sweep.key, &w->ports, source, &t, KIND_PLAIN, 0);
	len = (uint32_t)frame_syn(&template, frame[0], &t, c.sport, c.isn);
	assert_int_equal(link_send(w->link, frame, &len, 1), 1);
	return c;
}

/* As probe does; the socket blocks from here on, but not for ever. */
static int
receive_socket(struct world *w, struct dialed *d)
{
	struct pollfd p = { w->dialed, POLLIN, 0 };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	size_t n;
	int fd;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(
	    wire_recv_fds(w->dialed, d, sizeof *d, &fd, 1, &n), sizeof *d);
	assert_int_equal(n, 1);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	return fd;
}

static void
send_done(struct world *w, const struct dialed *d)
{
	struct done_note n = { .target = d->contact.target,
		.sport = d->contact.sport,
		.outcome = OUTCOME_COMPLETED };

	assert_int_equal(wire_send(w->done, &n, sizeof n), 0);
}

/* As store does: take what is there, or wait for it. */
static bool
receive_notes(struct world *w, int wait_ms)
{
	static uint8_t m[WIRE_MESSAGE_MAX];
	struct pollfd p = { w->notes, POLLIN, 0 };
	struct note_header h;

	if (poll(&p, 1, wait_ms) != 1)
		return false;
	assert_true(wire_recv(w->notes, m, sizeof m) > (ssize_t)sizeof h);
	memcpy(&h, m, sizeof h);
	if (h.type == NOTE_PENDING)
		w->npending += h.count;
	if (h.type == NOTE_TICK)
		w->nticks += h.count;
	for (uint32_t i = 0; h.type == NOTE_OUTCOME && i < h.count; i++)
		memcpy(&w->outcomes[w->noutcomes++],
		    m + sizeof h + i * sizeof w->outcomes[0],
		    sizeof w->outcomes[0]);
	return true;
}

static void
await_outcome(struct world *w, enum outcome outcome)
{
	while (w->noutcomes == 0)
		assert_true(receive_notes(w, WAIT_MS));
	assert_int_equal(w->noutcomes, 1);
	assert_int_equal(w->outcomes[0].outcome, outcome);
}

static uint64_t
count(const struct world *w, enum stat_id what)
{
	return stats_sum(w->stats, what);
}

/* Counters are written by others: wait for one, a tick at most. */
static void
await_count(struct world *w, enum stat_id what, uint64_t n)
{
	for (int i = 0; i < 5 && count(w, what) != n; i++)
		receive_notes(w, WAIT_MS);
	assert_int_equal(count(w, what), n);
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
ask(int fd, const char *command, const char *reply)
{
	char got[64];

	assert_true(write_all(fd, command, strlen(command)));
	assert_true(read_all(fd, got, strlen(reply)));
	assert_memory_equal(got, reply, strlen(reply));
}

/* A megabyte each way; with windows misread it would take a minute. */
static void
talk(int fd)
{
	static uint8_t pattern[BIG], big[BIG];
	uint64_t begin = now_ms();
	char end;

	fill(pattern);
	ask(fd, "CAPA\r\n", "+OK\r\nSTLS\r\n.\r\n");
	assert_true(write_all(fd, "GIVE\r\n", 6));
	assert_true(read_all(fd, big, BIG));
	assert_memory_equal(big, pattern, BIG);
	assert_true(write_all(fd, "TAKE\r\n", 6));
	assert_true(write_all(fd, pattern, BIG));
	ask(fd, "", "same\r\n");
	assert_in_range(now_ms() - begin, 0, 2000);
	ask(fd, "QUIT\r\n", "+OK\r\n");
	assert_int_equal(read(fd, &end, 1), 0);
}

static void
check_session(void)
{
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_CLEAN);
	assert_int_equal(hear_server(50), 0);
}

static void
check_balance(struct world *w)
{
	assert_int_equal(count(w, STAT_PKT_SYNACKS),
	    count(w, STAT_PKT_REPEATS) + count(w, STAT_PKT_ENTERED));
	assert_int_equal(count(w, STAT_PKT_ENTERED),
	    count(w, STAT_PKT_HANDED_ON) + count(w, STAT_PKT_SILENT) +
		count(w, STAT_PKT_RESET));
	assert_int_equal(count(w, STAT_PKT_HANDED_ON),
	    count(w, STAT_DIAL_ADOPTED) + count(w, STAT_DIAL_FAILED));
	assert_int_equal(count(w, STAT_DIAL_QUEUED), 0);
	assert_int_equal(count(w, STAT_PKT_BAD_COOKIE), 0);
	assert_int_equal(count(w, STAT_PKT_MALFORMED), 0);
	assert_int_equal(count(w, STAT_PKT_PCAP_DROP), 0);
}

/* ---- the tests ----------------------------------------------------------- */

static void
adopt_and_talk(const char *address, bool scaled)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct cookie c = send_syn(w, address, POP3);
	char got[sizeof greeting];
	struct dialed d;
	int fd = receive_socket(w, &d), mark = 0;
	socklen_t len = sizeof mark;

	assert_int_equal(d.contact.target.port, POP3);
	assert_int_equal(d.contact.sport, c.sport);
	assert_int_equal((d.contact.flags & HANDOFF_WSCALE) != 0, scaled);
	assert_true(d.contact.greeting_us >= d.contact.synack_us);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	assert_int_equal(mark, ADOPT_MARK);
	assert_true(read_all(fd, got, sizeof greeting - 1));
	assert_memory_equal(got, greeting, sizeof greeting - 1);
	talk(fd);
	close(fd);
	check_session();
	send_done(w, &d);
	await_count(w, STAT_PKT_DONE, 1);
	assert_int_equal(w->npending, 1);
	assert_int_equal(w->noutcomes, 0);
	assert_int_equal(count(w, STAT_PKT_RSTS_SENT), 0);
	check_balance(w);
	world_free(w);
}

static void
adopts_ipv4(void **state)
{
	(void)state;
	adopt_and_talk(four, true);
}

static void
adopts_ipv6(void **state)
{
	(void)state;
	adopt_and_talk(six, true);
}

static void
set_there(const char *what)
{
	char command[160];

	snprintf(command, sizeof command, "nsenter -t %d -n sysctl -qw %s",
	    (int)lab.server, what);
	run(command);
}

static void
adopts_without_window_scaling(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	set_there("net.ipv4.tcp_window_scaling=0");
	adopt_and_talk(four, false);
	set_there("net.ipv4.tcp_window_scaling=1");
}

static void
adopts_where_the_client_speaks_first(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct dialed d;
	int fd;

	(void)state;
	send_syn(w, four, IMAPS);
	fd = receive_socket(w, &d);
	/* our ACK has made it a connection, before any word of ours */
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_true(d.contact.flags & HANDOFF_TLS);
	assert_int_equal(d.contact.greeting_us, 0);
	talk(fd);
	close(fd);
	assert_int_equal(hear_server(WAIT_MS), SAYS_CLEAN);
	send_done(w, &d);
	await_count(w, STAT_PKT_DONE, 1);
	check_balance(w);
	world_free(w);
}

static void
silence_costs_no_socket(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	send_syn(w, six, SILENT);
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_RESET);
	await_outcome(w, OUTCOME_SILENT);
	assert_int_equal(w->npending, 1);
	assert_int_equal(count(w, STAT_DIAL_RECEIVED), 0);
	check_balance(w);
	world_free(w);
}

static void
a_closed_port_is_counted(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	send_syn(w, four, CLOSED);
	await_count(w, STAT_PKT_RST_IN, 1);
	assert_int_equal(w->npending, 0);
	assert_int_equal(count(w, STAT_PKT_SYNACKS), 0);
	world_free(w);
}

/* Somebody holds the same four numbers: the peer must not wait for us. */
static void
what_cannot_be_adopted_is_reset(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct handoff h = { .contact = { .target = { .port = POP3 },
				 .source = w->conf.sources[0] },
		.isn = 1,
		.irs = 1,
		.snd_wl1 = 1 };
	enum dial_step step;
	int other;

	(void)state;
	assert_int_equal(addr_parse(four, &h.contact.target.addr), 0);
	h.contact.sport = cookie_make(w->sweep.key, &w->ports,
	    &h.contact.source, &h.contact.target, KIND_PLAIN, 0)
			      .sport;
	other = adopt(&h, &step);
	assert_true(other >= 0);
	assert_int_equal(step, STEP_COUNT);
	assert_int_equal(adopt(&h, &step), -1);
	assert_int_equal(step, STEP_CONNECT);
	assert_int_equal(errno, EADDRNOTAVAIL);
	send_syn(w, four, POP3);
	await_outcome(w, OUTCOME_DIAL_FAILED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_RESET);
	assert_int_equal(count(w, STAT_DIAL_FAILED), 1);
	check_balance(w);
	close(other);
	world_free(w);
}

static void
connects_plainly(void **state)
{
	static const char *const both[] = { four, six };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world *w = world_new(FOLLOW_CONNECT);
		char got[sizeof greeting];
		struct dialed d;
		int fd;

		send_syn(w, both[i], POP3);
		fd = receive_socket(w, &d);
		assert_true(d.contact.flags & HANDOFF_CONNECT);
		assert_in_range(d.rtt_us, 1, 1000000);
		assert_true(read_all(fd, got, sizeof greeting - 1));
		assert_memory_equal(got, greeting, sizeof greeting - 1);
		talk(fd);
		close(fd);
		check_session();
		send_done(w, &d);
		await_count(w, STAT_PKT_DONE, 1);
		assert_int_equal(count(w, STAT_PKT_RSTS_SENT), 0);
		assert_int_equal(count(w, STAT_PKT_ACKS_SENT), 0);
		check_balance(w);
		world_free(w);
	}
}

static void
a_stop_leaves_nobody_half_open(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	send_syn(w, four, SILENT);
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	world_free(w);
	assert_int_equal(hear_server(100), SAYS_RESET);
}

static void
ticks_come_by_themselves(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	while (w->nticks < 2)
		assert_true(receive_notes(w, WAIT_MS));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopts_ipv4),
		cmocka_unit_test(adopts_ipv6),
		cmocka_unit_test(adopts_without_window_scaling),
		cmocka_unit_test(adopts_where_the_client_speaks_first),
		cmocka_unit_test(silence_costs_no_socket),
		cmocka_unit_test(a_closed_port_is_counted),
		cmocka_unit_test(what_cannot_be_adopted_is_reset),
		cmocka_unit_test(connects_plainly),
		cmocka_unit_test(a_stop_leaves_nobody_half_open),
		cmocka_unit_test(ticks_come_by_themselves),
	};

	return cmocka_run_group_tests(tests, lab_up, lab_down);
}
