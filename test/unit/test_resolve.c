/*
 * test_resolve.c: the role resolve behind its real list of system calls, with
 * store's end of its wire and a resolver on the loopback here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/sandbox.h"
#include "engine/sandbox_rules.h"
#include "engine/stats.h"
#include "engine/wire.h"
#include "test/unit/dns_help.h"

enum { WAIT_MS = 10000, WIRE_BYTES = 1 << 18, RATE = 200, SIGSYS_STATUS = 99 };

static struct conf conf;
static struct stats *stats;
static struct role_args args;
static int control, wire, server;
static pid_t child;
static struct sockaddr_in from; /* who asked last */
static void (*misdeed)(void); /* in the sandbox, in place of the loop */

static void
die(int signo)
{
	(void)signo;
	_exit(SIGSYS_STATUS);
}

/* No users here, but the real rules. */
void
sandbox_enter(enum role role, const struct conf *c, unsigned instance)
{
	(void)c;
	(void)instance;
	signal(SIGSYS, die);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || rules_load(role) < 0)
		_exit(77);
	if (misdeed != NULL) {
		misdeed();
		_exit(0);
	}
	control_send(FD_CONTROL, CTL_READY, NULL, 0);
}

static void
listen_here(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;

	server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(server >= 0);
	assert_int_equal(bind(server, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&sin, &len), 0);
	conf.resolver = addr_from4(INADDR_LOOPBACK);
	conf.resolver_port = ntohs(sin.sin_port);
}

static void
await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, WAIT_MS) != 1)
		fail_msg("resolve says nothing");
}

static void
start(void)
{
	int c[2], w[2];
	struct control ready;
	struct resolved begun;

	assert_int_equal(wire_pair(c, WIRE_BYTES), 0);
	assert_int_equal(wire_pair(w, WIRE_BYTES), 0);
	child = fork();
	if (child == 0) {
		/* Out of the way first, so that none is overwritten. */
		c[1] = fcntl(c[1], F_DUPFD, 100);
		w[1] = fcntl(w[1], F_DUPFD, 100);
		dup2(c[1], FD_CONTROL);
		dup2(w[1], FD_RESOLVE);
		close_range(FD_CONTROL + 1, FD_RESOLVE - 1, 0);
		close_range(FD_FIRST_FREE, ~0U, 0);
		_exit(resolve_main(&args));
	}
	close(c[1]);
	close(w[1]);
	control = c[0];
	wire = w[0];
	if (misdeed != NULL)
		return;
	await(control);
	assert_int_equal(control_recv(control, &ready), 1);
	await(wire);
	assert_int_equal(wire_recv(wire, &begun, sizeof begun), sizeof begun);
	assert_int_equal(begun.begun, 1);
}

static int
make(void **state)
{
	int fd;

	(void)state;
	memset(&conf, 0, sizeof conf);
	misdeed = NULL;
	conf.resolve_rate = RATE;
	stats = stats_create(&fd);
	assert_non_null(stats);
	close(fd);
	args = (struct role_args){ .conf = &conf,
		.stats = stats,
		.slot = stats_slot(ROLE_RESOLVE, 0) };
	listen_here();
	return 0;
}

static int
status_of(void)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	close(control);
	close(wire);
	close(server);
	return status;
}

static void
stop(void)
{
	assert_int_equal(control_send(control, CTL_STOP, NULL, 0), 0);
	assert_int_equal(status_of(), 0);
}

static uint64_t
counted(enum stat_id what)
{
	return stats_get(stats, args.slot, what);
}

static void
ask(const char *addr)
{
	struct addr a;

	assert_int_equal(addr_parse(addr, &a), 0);
	assert_int_equal(wire_send(wire, &a, sizeof a), 0);
}

/* The next query, which is for this name. */
static void
hears(uint8_t query[DNS_QUERY_MAX], const char *want)
{
	socklen_t len = sizeof from;
	char name[256];
	uint16_t type;

	await(server);
	assert_true(recvfrom(server, query, DNS_QUERY_MAX, 0,
			(struct sockaddr *)&from, &len) > 12);
	query_asks(query, name, &type);
	assert_string_equal(name, want);
}

static void
says(const struct reply *r)
{
	assert_int_equal(sendto(server, r->b, r->len, 0,
			     (struct sockaddr *)&from, sizeof from),
	    r->len);
}

static struct resolved
result(void)
{
	struct resolved r;

	await(wire);
	assert_int_equal(wire_recv(wire, &r, sizeof r), sizeof r);
	return r;
}

static void
finds_a_name(void **state)
{
	uint8_t query[DNS_QUERY_MAX];
	struct resolved found;
	struct reply r;

	(void)state;
	start();
	ask("192.0.2.7");
	hears(query, "7.2.0.192.in-addr.arpa");
	reply_to(&r, query, 0);
	reply_ptr(&r, "MX.example.net");
	says(&r);
	hears(query, "mx.example.net");
	reply_to(&r, query, 0);
	reply_address(&r, "192.0.2.7");
	says(&r);
	found = result();
	assert_string_equal(found.name, "mx.example.net");
	assert_int_equal(found.confirmed, 1);
	assert_int_equal(addr_to4(&found.addr), 0xc0000207);
	stop();
	assert_int_equal(counted(STAT_RESOLVE_ADDRS), 1);
	assert_int_equal(counted(STAT_RESOLVE_QUERIES), 2);
	assert_int_equal(counted(STAT_RESOLVE_CONFIRMED), 1);
}

/* Junk, too long, from another socket: on it goes. */
static void
passes_over_junk(void **state)
{
	static uint8_t junk[4000];
	struct sockaddr_in other = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint8_t query[DNS_QUERY_MAX];
	struct resolved found;
	struct reply r;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	start();
	ask("192.0.2.7");
	hears(query, "7.2.0.192.in-addr.arpa");
	/* The right reply, of one who was not asked. */
	reply_to(&r, query, 0);
	reply_ptr(&r, "evil.example.net");
	assert_int_equal(bind(fd, (struct sockaddr *)&other, sizeof other), 0);
	assert_int_equal(
	    sendto(fd, r.b, r.len, 0, (struct sockaddr *)&from, sizeof from),
	    r.len);
	for (size_t n = 1; n < sizeof junk; n += 97) {
		memcpy(junk, query, n < 12 ? n : 12);
		assert_int_equal(sendto(server, junk, n, 0,
				     (struct sockaddr *)&from, sizeof from),
		    n);
	}
	reply_to(&r, query, 3);
	says(&r);
	found = result();
	assert_string_equal(found.name, "");
	assert_int_equal(found.failed, 0);
	close(fd);
	stop();
	assert_int_equal(counted(STAT_RESOLVE_STRANGE), 42);
}

/* Nobody listens: "port unreachable" each time, and it is told in the end. */
static void
gives_up_on_a_closed_port(void **state)
{
	struct resolved found;

	(void)state;
	close(server);
	start();
	ask("192.0.2.7");
	found = result();
	assert_int_equal(found.failed, 1);
	assert_string_equal(found.name, "");
	server = dup(wire);
	stop();
	assert_int_equal(counted(STAT_RESOLVE_QUERIES), 3);
	assert_int_equal(counted(STAT_RESOLVE_TIMEOUTS), 3);
	assert_int_equal(counted(STAT_RESOLVE_FAILED), 1);
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* 200 queries at 200 a second take a second, all but a burst of three. */
static void
keeps_the_rate(void **state)
{
	struct addr asks[NAMES_ASKED_MAX];
	uint64_t begin;
	uint8_t query[DNS_QUERY_MAX];

	(void)state;
	start();
	begin = now_ms();
	for (unsigned i = 0; i < RATE; i += 50) {
		for (unsigned j = 0; j < 50; j++)
			asks[j] = addr_from4(0xc6336400 + i + j);
		assert_int_equal(wire_send(wire, asks, 50 * sizeof asks[0]), 0);
	}
	for (unsigned i = 0; i < RATE; i++) {
		await(server);
		assert_true(recv(server, query, sizeof query, 0) > 0);
	}
	assert_true(now_ms() - begin >= 980);
	assert_true(now_ms() - begin < 1900);
	stop();
}

/* ---- what it may not ----------------------------------------------------- */

static struct sockaddr_in elsewhere;
static int own_socket;

static void
makes_a_socket(void)
{
	(void)!socket(AF_INET, SOCK_DGRAM, 0);
}

static void
opens_a_file(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
}

static void
connects_elsewhere(void)
{
	(void)!connect(
	    own_socket, (struct sockaddr *)&elsewhere, sizeof elsewhere);
}

static void
sends_elsewhere(void)
{
	(void)!sendto(own_socket, "x", 1, 0, (struct sockaddr *)&elsewhere,
	    sizeof elsewhere);
}

static void
sends_a_message_elsewhere(void)
{
	struct msghdr m = { .msg_name = &elsewhere,
		.msg_namelen = sizeof elsewhere };

	(void)!sendmsg(own_socket, &m, 0);
}

static void
sends_home(void)
{
	/* Else none of these tests would have had a socket. */
	if (send(own_socket, "x", 1, 0) != 1)
		_exit(1);
}

static int
ends_of(void (*what)(void))
{
	int fd = server;

	/* The socket that it makes is the first that is free. */
	own_socket = FD_CONTROL + 1;
	server = dup(fd);
	misdeed = what;
	start();
	return WEXITSTATUS(status_of());
}

static void
may_speak_to_the_resolver_alone(void **state)
{
	(void)state;
	elsewhere = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(ends_of(sends_home), 0);
	assert_int_equal(ends_of(makes_a_socket), SIGSYS_STATUS);
	assert_int_equal(ends_of(connects_elsewhere), SIGSYS_STATUS);
	assert_int_equal(ends_of(sends_elsewhere), SIGSYS_STATUS);
	assert_int_equal(ends_of(sends_a_message_elsewhere), SIGSYS_STATUS);
#ifndef SANITIZED
	assert_int_equal(ends_of(opens_a_file), SIGSYS_STATUS);
#else
	(void)opens_a_file;
#endif
}

#define EACH(test) cmocka_unit_test_setup(test, make)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(finds_a_name),
		EACH(passes_over_junk),
		EACH(gives_up_on_a_closed_port),
		EACH(keeps_the_rate),
		EACH(may_speak_to_the_resolver_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
