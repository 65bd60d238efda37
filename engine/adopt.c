/* adopt.c: a raw handshake becomes a socket of the kernel (DESIGN.md 9). */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "engine/adopt.h"
#include "engine/adopt_plan.h"
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

static uint32_t
peer_mss(const struct contact *c)
{
	uint32_t mss = c->mss;

	if (mss == 0)
		mss = addr_is4(&c->target.addr) ? MSS_DEFAULT4 : MSS_DEFAULT6;
	return mss < MSS_MIN ? MSS_MIN : mss > MSS_MAX ? MSS_MAX : mss;
}

/* ---- the plan ------------------------------------------------------------ */

static struct call *
add(struct plan *p, enum dial_step step, enum call_kind kind, const void *value,
    size_t len)
{
	struct call *c = &p->calls[p->n++];

	*c = (struct call){
		.step = step, .kind = kind, .value = value, .len = (uint32_t)len
	};
	return c;
}

static void
add_option(struct plan *p, enum dial_step step, int option, const void *value,
    size_t len)
{
	struct call *c = add(p, step, CALL_OPTION, value, len);

	c->level = IPPROTO_TCP;
	c->option = option;
}

static void
add_int(struct plan *p, enum dial_step step, int option, const int *value)
{
	add_option(p, step, option, value, sizeof *value);
}

static void
add_for_socket(
    struct plan *p, enum dial_step step, int option, const int *value)
{
	add_int(p, step, option, value);
	p->calls[p->n - 1].level = SOL_SOCKET;
}

/* Steps 1 and 2 of the recipe: the socket with both ends' numbers. */
static void
plan_ends(struct plan *p, const struct handoff *h)
{
	static const int mark = ADOPT_MARK, on = TCP_REPAIR_ON,
			 sending = TCP_SEND_QUEUE, receiving = TCP_RECV_QUEUE;
	const struct contact *c = &h->contact;
	socklen_t len = dial_sockaddr(&c->source, c->sport, &p->source);

	add_for_socket(p, STEP_SOCKET, SO_RCVBUF, &buffer_bytes);
	add_for_socket(p, STEP_MARK, SO_MARK, &mark);
	add_int(p, STEP_REPAIR, TCP_REPAIR, &on);
	p->mss = (int)peer_mss(c);
	add_int(p, STEP_MSS, TCP_MAXSEG, &p->mss);
	add(p, STEP_BIND, CALL_BIND, &p->source, len);
	p->snd_nxt = h->isn + 1;
	add_int(p, STEP_SEND_QUEUE, TCP_REPAIR_QUEUE, &sending);
	add_option(p, STEP_SEND_SEQUENCE, TCP_QUEUE_SEQ, &p->snd_nxt,
	    sizeof p->snd_nxt);
	p->rcv_nxt = h->irs + 1;
	add_int(p, STEP_RECEIVE_QUEUE, TCP_REPAIR_QUEUE, &receiving);
	add_option(p, STEP_RECEIVE_SEQUENCE, TCP_QUEUE_SEQ, &p->rcv_nxt,
	    sizeof p->rcv_nxt);
}

/*
 * Both scales in one word; 0 where scaling was not agreed upon, since without
 * the option the kernel would misread every window.
 */
static void
plan_options(struct plan *p, const struct contact *c)
{
	bool scaled = (c->flags & HANDOFF_WSCALE) != 0;
	size_t n = c->flags & HANDOFF_SACK ? 3 : 2;

	p->options[0] = (struct tcp_repair_opt){ OPT_MSS, peer_mss(c) };
	p->options[1] = (struct tcp_repair_opt){ OPT_WSCALE,
		scaled ? c->wscale | SYN_WSCALE << 16 : 0 };
	p->options[2] = (struct tcp_repair_opt){ OPT_SACK, 0 };
	add_option(p, STEP_OPTIONS, TCP_REPAIR_OPTIONS, p->options,
	    n * sizeof p->options[0]);
}

/*
 * Theirs as their last segment said; ours as our SYN and every ACK since have
 * said, for which the buffer has room.
 */
static void
plan_window(struct plan *p, const struct handoff *h)
{
	p->window = (struct tcp_repair_window){ .snd_wl1 = h->snd_wl1,
		.snd_wnd = h->snd_wnd,
		.max_window = h->snd_wnd,
		.rcv_wnd = SYN_WINDOW,
		.rcv_wup = h->irs + 1 + h->len };
	add_option(
	    p, STEP_WINDOW, TCP_REPAIR_WINDOW, &p->window, sizeof p->window);
}

/*
 * Steps 3 to 6: what was negotiated, what was heard, into the receive queue,
 * which is selected still; and off it goes, without a window probe, which
 * would lie outside the peer's window.
 */
void
plan_make(struct plan *p, const struct handoff *h)
{
	static const int off = TCP_REPAIR_OFF_NO_WP;
	const struct target *to = &h->contact.target;
	socklen_t len = dial_sockaddr(&to->addr, to->port, &p->target);

	p->n = 0;
	plan_ends(p, h);
	p->connect = p->n;
	add(p, STEP_CONNECT, CALL_CONNECT, &p->target, len);
	plan_options(p, &h->contact);
	if (h->len > 0)
		add(p, STEP_DATA, CALL_SEND, h->data, h->len);
	plan_window(p, h);
	p->live = p->n;
	add_int(p, STEP_LIVE, TCP_REPAIR, &off);
}

/* ---- call by call -------------------------------------------------------- */

static bool
call(int fd, const struct call *c)
{
	ssize_t n;

	switch (c->kind) {
	case CALL_OPTION:
		return setsockopt(fd, c->level, c->option, c->value, c->len) ==
		    0;
	case CALL_BIND:
		return bind(fd, c->value, c->len) == 0;
	case CALL_CONNECT: /* in repair it sends nothing */
		return connect(fd, c->value, c->len) == 0;
	case CALL_SEND:
		n = send(fd, c->value, c->len, MSG_NOSIGNAL);
		if (n >= 0 && (size_t)n != c->len)
			errno = ENOBUFS;
		return n == (ssize_t)c->len;
	}
	return false;
}

int
adopt(const struct handoff *h, enum dial_step *failed)
{
	int fd = dial_socket(&h->contact.target.addr);
	unsigned i = 0;
	struct plan p;
	int error;

	*failed = STEP_SOCKET;
	if (fd < 0)
		return -1;
	plan_make(&p, h);
	while (i < p.n && call(fd, &p.calls[i]))
		i++;
	*failed = i < p.n ? p.calls[i].step : STEP_COUNT;
	if (i == p.n)
		return fd;
	/* Closed while in repair: not a word to the peer. */
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
