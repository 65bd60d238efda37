/* resolve.c: the role that asks a resolver for the names of addresses. */
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/lookups.h"
#include "engine/pacer.h"
#include "engine/role.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "engine/wire.h"

enum {
	MS_NS = 1000000,
	REPLY_CAP = 2048, /* what is longer than DNS_PAYLOAD is seen as such */
	BURST = 256, /* replies read in a turn */
	RETRY_MS = 5, /* the wire to store was full */
	REST_MS = 1000
};

enum { CONTROL, ASKED, SOCKET, POLLED };

struct resolve {
	const struct role_args *args;
	struct lookups *lookups;
	struct pacer pacer;
	int socket; /* UDP, connected to the resolver */
	bool alone; /* store has gone before us: the parent sees to it */
	bool full; /* the wire to store took no more */
	bool stop;
	int status;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
count(struct resolve *r, enum stat_id what, uint64_t n)
{
	stats_add(r->args->stats, r->args->slot, what, n);
}

/* ---- store --------------------------------------------------------------- */

static void
take_addresses(struct resolve *r, const uint8_t *message, size_t len)
{
	struct addr a;

	for (size_t at = 0; len - at >= sizeof a; at += sizeof a) {
		memcpy(&a, message + at, sizeof a);
		/* store never has more open than there is room for. */
		if (!lookups_has_room(r->lookups)) {
			log_warn("more addresses than were agreed on");
			return;
		}
		lookups_add(r->lookups, &a);
		count(r, STAT_RESOLVE_ADDRS, 1);
		sandbox_hook(ROLE_RESOLVE);
	}
}

static void
read_asked(struct resolve *r)
{
	uint8_t message[NAMES_ASKED_MAX * sizeof(struct addr)];

	while (!r->alone &&
	    LOOKUPS_MAX - lookups_count(r->lookups) >= NAMES_ASKED_MAX) {
		ssize_t n = wire_recv(FD_RESOLVE, message, sizeof message);

		if (n > 0)
			take_addresses(r, message, (size_t)n);
		else if (n == 0)
			r->alone = true;
		else if (errno != EMSGSIZE)
			return;
	}
}

static void
count_result(struct resolve *r, const struct resolved *result)
{
	if (result->failed)
		count(r, STAT_RESOLVE_FAILED, 1);
	else if (result->name[0] == '\0')
		count(r, STAT_RESOLVE_NONE, 1);
	else
		count(r, STAT_RESOLVE_FOUND, 1);
	if (result->confirmed)
		count(r, STAT_RESOLVE_CONFIRMED, 1);
}

/* What another one in this place was asked for is to be asked for again. */
static void
say_begun(void)
{
	const struct resolved begun = { .begun = 1 };
	struct pollfd p = { .fd = FD_RESOLVE, .events = POLLOUT };

	/* The wire may be full of what the one before had found. */
	while (
	    wire_send(FD_RESOLVE, &begun, sizeof begun) < 0 && errno == EAGAIN)
		(void)poll(&p, 1, REST_MS);
}

/* What is finished goes to store; what it cannot take now stays. */
static void
send_results(struct resolve *r)
{
	struct resolved result;

	r->full = false;
	while (!r->alone && lookups_result(r->lookups, &result)) {
		if (wire_send(FD_RESOLVE, &result, sizeof result) < 0) {
			r->full = true;
			break;
		}
		count_result(r, &result);
		lookups_drop(r->lookups);
	}
	stats_set(r->args->stats, r->args->slot, STAT_RESOLVE_OPEN,
	    lookups_count(r->lookups));
}

/* ---- the resolver -------------------------------------------------------- */

static void
read_replies(struct resolve *r)
{
	uint8_t reply[REPLY_CAP];

	for (unsigned i = 0; i < BURST; i++) {
		ssize_t n = recv(r->socket, reply, sizeof reply, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* "Port unreachable" of a query before: its time will pass. */
		if (n < 0)
			continue;
		if (n > DNS_PAYLOAD ||
		    lookups_reply(r->lookups, reply, (size_t)n) == DNS_STRANGE)
			count(r, STAT_RESOLVE_STRANGE, 1);
	}
}

/* One that the kernel does not take is one that got lost. */
static void
send_queries(struct resolve *r)
{
	uint8_t query[DNS_QUERY_MAX];
	uint64_t now = now_ns(), until;
	unsigned n = pacer_ready(&r->pacer, now, &until);
	size_t len;

	for (unsigned i = 0; i < n; i++) {
		len = lookups_query(r->lookups, now / MS_NS, query);
		if (len == 0)
			return;
		(void)!send(r->socket, query, len, MSG_NOSIGNAL);
		pacer_spend(&r->pacer, 1);
		count(r, STAT_RESOLVE_QUERIES, 1);
	}
}

static int
open_socket(const struct conf *conf)
{
	const struct addr *a = &conf->resolver;
	struct sockaddr_in in4 = { .sin_family = AF_INET,
		.sin_port = htons(conf->resolver_port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(conf->resolver_port) };
	bool is4 = addr_is4(a);
	char text[ADDR_TEXT_MAX];
	int fd = socket(is4 ? AF_INET : AF_INET6,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(&in4.sin_addr, &a->b[12], sizeof in4.sin_addr);
	memcpy(&in6.sin6_addr, a->b, sizeof in6.sin6_addr);
	/* Connected: the kernel draws the port, and hears nobody else on it. */
	if (fd < 0 ||
	    connect(fd, is4 ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6,
		is4 ? sizeof in4 : sizeof in6) < 0)
		fatal("resolver %s: %s", addr_text(a, text), strerror(errno));
	return fd;
}

/* ---- the loop ------------------------------------------------------------ */

static void
read_control(struct resolve *r)
{
	struct control c;
	int n = control_recv(FD_CONTROL, &c);

	if (n == 0 || (n == 1 && c.type == CTL_STOP)) {
		r->stop = true;
		r->status = n == 0;
	}
}

/* Until the next reply is overdue, or the rate lets the next query out. */
static int
wait_ms(struct resolve *r)
{
	uint64_t now = now_ns(), until = UINT64_MAX, due, ms = REST_MS;

	if (r->full)
		ms = RETRY_MS;
	due = lookups_due_ms(r->lookups);
	if (due != UINT64_MAX)
		until = due * MS_NS;
	if (lookups_has_query(r->lookups)) {
		if (pacer_ready(&r->pacer, now, &due) > 0)
			return 0;
		until = due < until ? due : until;
	}
	if (until <= now)
		return 0;
	/* Rounded up, else the last millisecond is spent in turns. */
	if ((until - now) / MS_NS < ms)
		ms = (until - now) / MS_NS + 1;
	return (int)ms;
}

static void
turn(struct resolve *r)
{
	bool room = LOOKUPS_MAX - lookups_count(r->lookups) >= NAMES_ASKED_MAX;
	struct pollfd p[POLLED] = {
		[CONTROL] = { .fd = FD_CONTROL, .events = POLLIN },
		[ASKED] = { .fd = room && !r->alone ? FD_RESOLVE : -1,
		    .events = POLLIN },
		[SOCKET] = { .fd = r->socket, .events = POLLIN },
	};

	if (poll(p, POLLED, wait_ms(r)) < 0 && errno != EINTR)
		fatal("poll: %s", strerror(errno));
	if (p[CONTROL].revents != 0)
		read_control(r);
	read_asked(r);
	read_replies(r);
	count(r, STAT_RESOLVE_TIMEOUTS,
	    lookups_expire(r->lookups, now_ns() / MS_NS));
	send_results(r);
	send_queries(r);
}

int
resolve_main(const struct role_args *args)
{
	static struct resolve r;

	r.args = args;
	r.socket = open_socket(args->conf);
	r.lookups = lookups_new();
	if (r.lookups == NULL)
		fatal("no memory");
	pacer_init(&r.pacer, now_ns());
	pacer_set(&r.pacer, now_ns(), args->conf->resolve_rate);
	sandbox_enter(ROLE_RESOLVE, args->conf, 0);
	say_begun();
	while (!r.stop)
		turn(&r);
	lookups_free(r.lookups);
	close(r.socket);
	return r.status;
}
