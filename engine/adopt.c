/* adopt.c: a raw handshake becomes a socket of the kernel (DESIGN.md 9). */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "engine/adopt.h"
#include "engine/buffer.h"
#include "engine/frame.h"
#include "engine/mark.h"

const char *const dial_step_names[STEP_COUNT] = {
	[STEP_CHECK] = "check",
	[STEP_SOCKET] = "socket",
	[STEP_MARK] = "SO_MARK",
	[STEP_REPAIR] = "TCP_REPAIR",
	[STEP_MSS] = "TCP_MAXSEG",
	[STEP_BIND] = "bind",
	[STEP_SEND_QUEUE] = "send queue",
	[STEP_SEND_SEQUENCE] = "sequence number",
	[STEP_RECEIVE_QUEUE] = "receive queue",
	[STEP_RECEIVE_SEQUENCE] = "their sequence number",
	[STEP_CONNECT] = "connect",
	[STEP_OPTIONS] = "TCP_REPAIR_OPTIONS",
	[STEP_DATA] = "captured bytes",
	[STEP_WINDOW] = "TCP_REPAIR_WINDOW",
	[STEP_LIVE] = "leaving TCP_REPAIR",
	[STEP_ANSWER] = "answer to connect",
};

/* The kernel takes TCP_MAXSEG from 88; what peers leave out is RFC 9293's. */
enum { MSS_MIN = 88, MSS_MAX = 32767, MSS_DEFAULT4 = 536, MSS_DEFAULT6 = 1220 };
/* Option kinds as TCP_REPAIR_OPTIONS wants them. */
enum { OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK = 4 };

int
dial_socket(const struct addr *to)
{
	int family = addr_is4(to) ? AF_INET : AF_INET6;

	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

socklen_t
dial_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	memset(ss, 0, sizeof *ss);
	if (addr_is4(a)) {
		four.sin_addr.s_addr = htonl(addr_to4(a));
		memcpy(ss, &four, sizeof four);
		return sizeof four;
	}
	memcpy(&six.sin6_addr, a->b, sizeof a->b);
	memcpy(ss, &six, sizeof six);
	return sizeof six;
}

static bool
set_tcp(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, IPPROTO_TCP, option, value, len) == 0;
}

static bool
set_int(int fd, int option, int value)
{
	return set_tcp(fd, option, &value, sizeof value);
}

static bool
set_sequence(int fd, uint32_t value)
{
	return set_tcp(fd, TCP_QUEUE_SEQ, &value, sizeof value);
}

static uint32_t
peer_mss(const struct contact *c)
{
	uint32_t mss = c->mss;

	if (mss == 0)
		mss = addr_is4(&c->target.addr) ? MSS_DEFAULT4 : MSS_DEFAULT6;
	return mss < MSS_MIN ? MSS_MIN : mss > MSS_MAX ? MSS_MAX : mss;
}

/*
 * Both scales in one word; 0 where scaling was not agreed upon, since without
 * the option the kernel would misread every window.
 */
static bool
set_options(int fd, const struct contact *c)
{
	bool scaled = (c->flags & HANDOFF_WSCALE) != 0;
	struct tcp_repair_opt options[] = {
		{ OPT_MSS, peer_mss(c) },
		{ OPT_WSCALE, scaled ? c->wscale | SYN_WSCALE << 16 : 0 },
		{ OPT_SACK, 0 },
	};
	size_t n = c->flags & HANDOFF_SACK ? 3 : 2;

	return set_tcp(fd, TCP_REPAIR_OPTIONS, options,
	    (socklen_t)(n * sizeof options[0]));
}

/* The receive queue is selected still. */
static bool
put_data(int fd, const struct handoff *h)
{
	ssize_t n;

	if (h->len == 0)
		return true;
	n = send(fd, h->data, h->len, MSG_NOSIGNAL);
	if (n >= 0 && (size_t)n != h->len)
		errno = ENOBUFS;
	return n == (ssize_t)h->len;
}

/*
 * Theirs as their last segment said; ours as our SYN and every ACK since have
 * said, for which the buffer has room.
 */
static bool
set_window(int fd, const struct handoff *h)
{
	struct tcp_repair_window w = { .snd_wl1 = h->snd_wl1,
		.snd_wnd = h->snd_wnd,
		.max_window = h->snd_wnd,
		.rcv_wnd = SYN_WINDOW,
		.rcv_wup = h->irs + 1 + h->len };

	return set_tcp(fd, TCP_REPAIR_WINDOW, &w, sizeof w);
}

static bool
bind_source(int fd, const struct contact *c)
{
	struct sockaddr_storage ss;
	socklen_t len = dial_sockaddr(&c->source, c->sport, &ss);

	return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

/* In repair it sends nothing. */
static bool
connect_target(int fd, const struct contact *c)
{
	struct sockaddr_storage ss;
	socklen_t len = dial_sockaddr(&c->target.addr, c->target.port, &ss);

	return connect(fd, (struct sockaddr *)&ss, len) == 0;
}

/* Steps 1 and 2 of the recipe: the socket with both ends' numbers. */
static enum dial_step
establish(int fd, const struct handoff *h)
{
	const struct contact *c = &h->contact;
	int mark = ADOPT_MARK;

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
		return STEP_MARK;
	if (!set_int(fd, TCP_REPAIR, TCP_REPAIR_ON))
		return STEP_REPAIR;
	if (!set_int(fd, TCP_MAXSEG, (int)peer_mss(c)))
		return STEP_MSS;
	if (!bind_source(fd, c))
		return STEP_BIND;
	if (!set_int(fd, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE))
		return STEP_SEND_QUEUE;
	if (!set_sequence(fd, h->isn + 1))
		return STEP_SEND_SEQUENCE;
	if (!set_int(fd, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE))
		return STEP_RECEIVE_QUEUE;
	if (!set_sequence(fd, h->irs + 1))
		return STEP_RECEIVE_SEQUENCE;
	return connect_target(fd, c) ? STEP_COUNT : STEP_CONNECT;
}

/*
 * Steps 3 to 6: what was negotiated, what was heard, and off it goes; without
 * a window probe, which would lie outside the peer's window.
 */
static enum dial_step
furnish(int fd, const struct handoff *h)
{
	if (!set_options(fd, &h->contact))
		return STEP_OPTIONS;
	if (!put_data(fd, h))
		return STEP_DATA;
	if (!set_window(fd, h))
		return STEP_WINDOW;
	if (!set_int(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP))
		return STEP_LIVE;
	return STEP_COUNT;
}

int
adopt(const struct handoff *h, bool limited, enum dial_step *failed)
{
	int fd = dial_socket(&h->contact.target.addr);
	int error;

	*failed = STEP_SOCKET;
	if (fd < 0)
		return -1;
	if (limited)
		buffer_limit(fd);
	*failed = establish(fd, h);
	if (*failed == STEP_COUNT)
		*failed = furnish(fd, h);
	if (*failed == STEP_COUNT)
		return fd;
	/* Closed while in repair: not a word to the peer. */
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
