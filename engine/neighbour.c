/* neighbour.c: whose MAC a frame to a target carries, asked of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "engine/link.h"

enum { ANSWER_CAP = 8192, REQUEST_CAP = 256, ASK_AGAIN_MS = 100 };

/* States in which the kernel itself would use the address. */
enum {
	NUD_USABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE |
	    NUD_PERMANENT | NUD_NOARP
};

/* A request being written: header, family's own header, one attribute. */
struct request {
	uint8_t bytes[REQUEST_CAP];
	size_t len;
};

static void
request_start(struct request *r, uint16_t type, uint16_t flags, const void *own,
    size_t own_len)
{
	struct nlmsghdr h = { .nlmsg_type = type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) };

	memset(r, 0, sizeof *r);
	memcpy(r->bytes, &h, sizeof h);
	memcpy(r->bytes + NLMSG_HDRLEN, own, own_len);
	r->len = NLMSG_HDRLEN + NLMSG_ALIGN(own_len);
}

static void
request_add(struct request *r, uint16_t type, const void *data, size_t len)
{
	struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(len),
		.rta_type = type };

	memcpy(r->bytes + r->len, &a, sizeof a);
	memcpy(r->bytes + r->len + RTA_LENGTH(0), data, len);
	r->len += RTA_SPACE(len);
}

static void
request_add_addr(struct request *r, uint16_t type, const struct addr *a)
{
	if (addr_is4(a))
		request_add(r, type, a->b + 12, 4);
	else
		request_add(r, type, a->b, 16);
}

static int
request_send(struct request *r, int fd)
{
	uint32_t len = (uint32_t)r->len;

	memcpy(
	    r->bytes + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof len);
	return send(fd, r->bytes, r->len, 0) == -1 ? -1 : 0;
}

/* Bytes of an answer not yet looked at. */
struct cursor {
	const uint8_t *p;
	size_t left;
};

/* The next message of an answer: its header and what follows it. */
static bool
next_message(struct cursor *c, struct nlmsghdr *h, struct cursor *body)
{
	size_t step;

	if (c->left < NLMSG_HDRLEN)
		return false;
	memcpy(h, c->p, sizeof *h);
	if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > c->left)
		return false;
	body->p = c->p + NLMSG_HDRLEN;
	body->left = h->nlmsg_len - NLMSG_HDRLEN;
	step = NLMSG_ALIGN(h->nlmsg_len);
	step = step < c->left ? step : c->left;
	c->p += step;
	c->left -= step;
	return true;
}

/* The attribute of that type behind own_len bytes, at least min long. */
static const uint8_t *
find_attribute(struct cursor c, size_t own_len, uint16_t type, size_t min)
{
	size_t skip = NLMSG_ALIGN(own_len);

	while (skip < c.left && c.left - skip >= sizeof(struct rtattr)) {
		struct rtattr a;

		c.p += skip;
		c.left -= skip;
		memcpy(&a, c.p, sizeof a);
		if (a.rta_len < sizeof a || a.rta_len > c.left)
			return NULL;
		if (a.rta_type == type)
			return a.rta_len - RTA_LENGTH(0) >= min
			    ? c.p + RTA_LENGTH(0)
			    : NULL;
		skip = RTA_ALIGN(a.rta_len);
	}
	return NULL;
}

static int
error_of(struct cursor body)
{
	struct nlmsgerr e;

	if (body.left < sizeof e.error)
		return EPROTO;
	memcpy(&e.error, body.p, sizeof e.error);
	return -e.error;
}

/*
 * Next hop of the kernel's route out of that interface. Where there is none
 * IPv4 pretends that the target is on the link; the answer then names no
 * table.
 */
/*
 * The body of the kernel's answer to a route request, past the events that
 * come to the same socket. 0, or -1 with errno.
 */
static int
route_answer(int fd, uint8_t answer[ANSWER_CAP], struct cursor *body)
{
	for (;;) {
		ssize_t n = recv(fd, answer, ANSWER_CAP, 0);
		struct cursor c = { answer, n > 0 ? (size_t)n : 0 };
		struct nlmsghdr h;

		if (n == -1)
			return -1;
		while (next_message(&c, &h, body)) {
			if (h.nlmsg_type == RTM_NEWROUTE)
				return 0;
			if (h.nlmsg_type == NLMSG_ERROR) {
				errno = ENETUNREACH;
				return -1;
			}
		}
	}
}

static int
next_hop(int fd, int ifindex, const struct addr *towards, struct addr *hop)
{
	bool four = addr_is4(towards);
	struct rtmsg own = { .rtm_family = four ? AF_INET : AF_INET6,
		.rtm_dst_len = four ? 32 : 128,
		.rtm_flags = RTM_F_LOOKUP_TABLE };
	uint8_t answer[ANSWER_CAP];
	struct request r;
	struct cursor body;
	const uint8_t *via;

	request_start(&r, RTM_GETROUTE, 0, &own, sizeof own);
	request_add_addr(&r, RTA_DST, towards);
	request_add(&r, RTA_OIF, &ifindex, sizeof ifindex);
	if (request_send(&r, fd) == -1)
		return -1;
	if (route_answer(fd, answer, &body) == -1)
		return -1;
	errno = ENETUNREACH;
	if (body.left < sizeof own)
		return -1;
	memcpy(&own, body.p, sizeof own);
	if (own.rtm_table == RT_TABLE_UNSPEC)
		return -1;
	*hop = *towards;
	via = find_attribute(body, sizeof own, RTA_GATEWAY, four ? 4 : 16);
	if (via != NULL)
		memcpy(hop->b + (four ? 12 : 0), via, four ? 4 : 16);
	else if (find_attribute(body, sizeof own, RTA_VIA, 2) != NULL)
		return -1; /* an IPv4 route over an IPv6 next hop */
	return 0;
}

/*
 * Ask for the entry of hop, and with NTF_USE have the kernel resolve it as if
 * a packet of its own waited for it.
 */
static int
ask_neighbour(int fd, int ifindex, const struct addr *hop, bool use)
{
	struct ndmsg own = { .ndm_family = addr_is4(hop) ? AF_INET : AF_INET6,
		.ndm_ifindex = ifindex,
		.ndm_flags = use ? NTF_USE : 0 };
	struct request r;

	request_start(&r, use ? RTM_NEWNEIGH : RTM_GETNEIGH,
	    use ? NLM_F_CREATE : 0, &own, sizeof own);
	request_add_addr(&r, NDA_DST, hop);
	return request_send(&r, fd);
}

/* Is this message the usable entry of hop? Then its MAC. */
static bool
is_entry(const struct nlmsghdr *h, struct cursor body, int ifindex,
    const struct addr *hop, uint8_t mac[MAC_LEN])
{
	size_t from = addr_is4(hop) ? 12 : 0, len = 16 - from;
	const uint8_t *dst, *lladdr;
	struct ndmsg own;

	if (h->nlmsg_type != RTM_NEWNEIGH || body.left < sizeof own)
		return false;
	memcpy(&own, body.p, sizeof own);
	dst = find_attribute(body, sizeof own, NDA_DST, len);
	lladdr = find_attribute(body, sizeof own, NDA_LLADDR, MAC_LEN);
	if (own.ndm_ifindex != ifindex || dst == NULL || lladdr == NULL ||
	    (own.ndm_state & NUD_USABLE) == 0 ||
	    memcmp(dst, hop->b + from, len) != 0)
		return false;
	memcpy(mac, lladdr, MAC_LEN);
	return true;
}

/* 1 = found, 0 = nothing yet, -1 with errno. */
static int
read_answer(int fd, int ifindex, const struct addr *hop, uint8_t mac[MAC_LEN])
{
	uint8_t answer[ANSWER_CAP];
	ssize_t n = recv(fd, answer, sizeof answer, 0);
	struct cursor body, c = { answer, 0 };
	struct nlmsghdr h;

	if (n == -1)
		return errno == ENOBUFS || errno == EINTR ? 0 : -1;
	c.left = (size_t)n;
	while (next_message(&c, &h, &body)) {
		int error;

		if (is_entry(&h, body, ifindex, hop, mac))
			return 1;
		if (h.nlmsg_type != NLMSG_ERROR)
			continue;
		error = error_of(body);
		if (error == EPERM || error == EACCES) {
			errno = error;
			return -1;
		} /* ENOENT: no such entry yet */
	}
	return 0;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * The kernel tells of a change (RTMGRP_NEIGH); when it has been quiet it is
 * asked again, in case that was lost.
 */
static int
resolve(int fd, int ifindex, const struct addr *hop, int wait_ms,
    uint8_t mac[MAC_LEN])
{
	int64_t end = now_ms() + wait_ms;
	bool used = false;

	if (ask_neighbour(fd, ifindex, hop, false) == -1)
		return -1;
	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		bool quiet = poll(&p, 1, ASK_AGAIN_MS) == 0;
		int got = quiet ? 0 : read_answer(fd, ifindex, hop, mac);

		if (got != 0)
			return got == 1 ? 0 : -1;
		if ((quiet || !used) &&
		    ask_neighbour(fd, ifindex, hop, !used) == -1)
			return -1;
		used = true;
	} while (now_ms() < end);
	errno = EHOSTUNREACH;
	return -1;
}

static int
open_netlink(void)
{
	struct sockaddr_nl us = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_NEIGH };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd != -1 && bind(fd, (struct sockaddr *)&us, sizeof us) == -1) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int
own_mac(const char *interface, uint8_t mac[MAC_LEN])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };
	int failed;

	if (fd == -1)
		return -1;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
	failed = ioctl(fd, SIOCGIFHWADDR, &r);
	close(fd);
	if (failed)
		return -1;
	if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	memcpy(mac, r.ifr_hwaddr.sa_data, MAC_LEN);
	return 0;
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* "02:00:00:00:00:01", nothing else. */
static int
mac_parse(const char *s, uint8_t mac[MAC_LEN])
{
	errno = EINVAL;
	if (strlen(s) != MAC_LEN * 3 - 1)
		return -1;
	for (size_t i = 0; i < MAC_LEN; i++, s += 3) {
		int high = hex(s[0]), low = hex(s[1]);

		if (high < 0 || low < 0 || (s[2] != ':' && s[2] != '\0'))
			return -1;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int
link_neighbour(const char *interface, const struct addr *source,
    const struct addr *towards, const char *mac_text, int wait_ms,
    struct frame_link *link)
{
	int ifindex = (int)if_nametoindex(interface), fd, r, saved;
	struct addr hop;

	if (ifindex == 0 || own_mac(interface, link->ours) == -1)
		return -1;
	if (mac_text[0] != '\0')
		return mac_parse(mac_text, link->gateway);
	if (addr_is4(source) != addr_is4(towards)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	fd = open_netlink();
	if (fd == -1)
		return -1;
	r = next_hop(fd, ifindex, towards, &hop);
	if (r == 0)
		r = resolve(fd, ifindex, &hop, wait_ms, link->gateway);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

static const struct addr *
source_of(const struct conf *conf, bool four)
{
	for (uint32_t i = 0; i < conf->nsources; i++)
		if (addr_is4(&conf->sources[i]) == four)
			return &conf->sources[i];
	return NULL;
}

int
link_ends(const struct conf *conf, const struct ranges *targets, bool four,
    int wait_ms, struct frame_link *ends, struct addr *towards, bool *no_source)
{
	const struct addr *source = source_of(conf, four);
	const char *mac = four ? conf->gateway_mac : conf->gateway_mac6;

	memset(ends, 0, sizeof *ends);
	*no_source = false;
	if (!ranges_first(targets, four, towards))
		return 0;
	*no_source = source == NULL;
	if (source == NULL)
		return 0;
	if (link_neighbour(
		conf->interface, source, towards, mac, wait_ms, ends) == -1)
		return -1;
	return 1;
}

/* ---- a next hop that is watched ------------------------------------------ */

/* The state of an entry in that message: of hop, or 0. */
static unsigned
state_of(struct cursor body, int ifindex, const struct addr *hop)
{
	size_t from = addr_is4(hop) ? 12 : 0, len = 16 - from;
	const uint8_t *dst;
	struct ndmsg own;

	if (body.left < sizeof own)
		return 0;
	memcpy(&own, body.p, sizeof own);
	dst = find_attribute(body, sizeof own, NDA_DST, len);
	if (own.ndm_ifindex != ifindex || dst == NULL ||
	    memcmp(dst, hop->b + from, len) != 0)
		return 0;
	return own.ndm_state;
}

int
link_watch_open(struct link_watch *w, const struct conf *conf,
    const struct ranges *targets, bool four)
{
	const char *mac = four ? conf->gateway_mac : conf->gateway_mac6;
	struct frame_link ends;
	struct addr towards;
	bool no_source;
	int flags, found;

	memset(w, 0, sizeof *w);
	if (mac[0] != '\0')
		return 0;
	found = link_ends(conf, targets, four, 0, &ends, &towards, &no_source);
	if (found != 1)
		return found;
	memcpy(w->mac, ends.gateway, MAC_LEN);
	w->ifindex = (int)if_nametoindex(conf->interface);
	w->fd = open_netlink();
	if (w->fd == -1)
		return -1;
	flags = fcntl(w->fd, F_GETFL);
	if (next_hop(w->fd, w->ifindex, &towards, &w->hop) == 0 &&
	    fcntl(w->fd, F_SETFL, flags | O_NONBLOCK) == 0)
		return 1;
	link_watch_close(w);
	return -1;
}

void
link_watch_close(struct link_watch *w)
{
	close(w->fd);
	w->fd = -1;
}

/*
 * What it is now is asked for as well: a message of a change may be lost, and
 * one that a person has set is not touched.
 */
void
link_watch_ask(struct link_watch *w)
{
	struct ndmsg own = { .ndm_family =
				 addr_is4(&w->hop) ? AF_INET : AF_INET6,
		.ndm_ifindex = w->ifindex,
		.ndm_state = NUD_PROBE };
	struct request r;

	if (w->permanent)
		return;
	(void)ask_neighbour(w->fd, w->ifindex, &w->hop, false);
	if (w->absent) {
		(void)ask_neighbour(w->fd, w->ifindex, &w->hop, true);
		return;
	}
	if (!w->known)
		return;
	/* As ip(8) does: neighbour change ... nud probe. */
	request_start(&r, RTM_NEWNEIGH, NLM_F_REPLACE, &own, sizeof own);
	request_add_addr(&r, NDA_DST, &w->hop);
	(void)request_send(&r, w->fd);
}

/* There is no such entry; or we may not ask, and so never hear of it. */
static enum link_seen
seen_in_error(struct link_watch *w, int error)
{
	w->absent |= error == ENOENT;
	w->permanent |= error == EPERM || error == EACCES;
	return w->permanent ? LINK_SEEN_FINE : LINK_SEEN_NOTHING;
}

/*
 * It is there, and with its address. That it hears us its answer alone says: an
 * entry is made of what it asks us, too. But there are those that answer all on
 * the link (RFC 3927 section 2.5), which the kernel takes for no answer: of one
 * that never gave another, an entry that is new has to do.
 */
static enum link_seen
seen_in_entry(struct link_watch *w, unsigned state)
{
	bool is_new = w->absent;

	w->known = true;
	w->absent = false;
	/* Else it may be TCP that has heard of it (DELAY). */
	w->answers |= w->probing && (state & NUD_REACHABLE) != 0;
	w->probing = (state & NUD_PROBE) != 0;
	w->permanent = state & (NUD_PERMANENT | NUD_NOARP);
	return w->permanent || (state & NUD_REACHABLE) ||
		(is_new && !w->answers)
	    ? LINK_SEEN_FINE
	    : LINK_SEEN_NOTHING;
}

/* What one message says of it. */
static enum link_seen
seen_in(struct link_watch *w, const struct nlmsghdr *h, struct cursor body)
{
	uint8_t mac[MAC_LEN];
	unsigned state;

	if (h->nlmsg_type == NLMSG_ERROR)
		return seen_in_error(w, error_of(body));
	if (h->nlmsg_type != RTM_NEWNEIGH)
		return LINK_SEEN_NOTHING;
	state = state_of(body, w->ifindex, &w->hop);
	if (state & NUD_FAILED) {
		w->absent = true;
		w->probing = false;
		return LINK_SEEN_GONE;
	}
	if (!is_entry(h, body, w->ifindex, &w->hop, mac))
		return LINK_SEEN_NOTHING;
	if (memcmp(mac, w->mac, MAC_LEN) != 0)
		return LINK_SEEN_OTHER;
	return seen_in_entry(w, state);
}

enum link_seen
link_watch_read(struct link_watch *w)
{
	enum link_seen seen = LINK_SEEN_NOTHING;
	uint8_t answer[ANSWER_CAP];
	ssize_t n;

	/* ENOBUFS: some are lost, others lie there. */
	while ((n = recv(w->fd, answer, sizeof answer, 0)) > 0 ||
	    (n == -1 && errno == ENOBUFS)) {
		struct cursor body, c = { answer, n > 0 ? (size_t)n : 0 };
		struct nlmsghdr h;

		while (next_message(&c, &h, &body)) {
			enum link_seen one = seen_in(w, &h, body);

			if (one != LINK_SEEN_NOTHING)
				seen = one;
		}
	}
	return seen;
}
