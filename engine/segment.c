/* segment.c: received Ethernet frames, read with bounded cursors. */
#include <stdbool.h>
#include <string.h>

#include "engine/frame.h"
#include "engine/segment.h"

const char *const segment_result_names[SEGMENT_RESULTS] = {
	[SEGMENT_TCP] = "tcp",
	[SEGMENT_ICMP] = "icmp",
	[SEGMENT_OTHER] = "other",
	[SEGMENT_TRUNCATED] = "truncated",
	[SEGMENT_BAD_IP] = "bad IP header",
	[SEGMENT_FRAGMENT] = "fragment",
	[SEGMENT_EXTENSION] = "IPv6 extension header",
	[SEGMENT_BAD_TCP] = "bad TCP header",
};

enum { TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd };
enum { ETH_MACS = 12, IP4_MIN = 20, IP6_LEN = 40, TCP_MIN = 20 };
enum { FRAGMENT_BITS = 0x3fff }; /* more-fragments and the offset */

/* IANA protocol numbers. */
enum {
	PROTO_HOPOPT = 0,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_FRAGMENT = 44,
	PROTO_ESP = 50,
	PROTO_ROUTING = 43,
	PROTO_AH = 51,
	PROTO_ICMP6 = 58,
	PROTO_DSTOPTS = 60
};

/* More would be somebody's joke; each may appear once, hop-by-hop first. */
enum { EXTENSIONS_MAX = 4 };

enum { KIND_END, KIND_NOP, KIND_MSS, KIND_WSCALE, KIND_SACK_OK };

/* What is left to read. A read over the end gives zeros and sets bad. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *
take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (n > c->left) {
		c->bad = true;
		c->left = 0;
		return NULL;
	}
	if (n > 0) { /* an empty one may stand on NULL */
		c->at += n;
		c->left -= n;
	}
	return p;
}

/* Of bytes that have been taken. */
static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static uint8_t
take8(struct cursor *c)
{
	const uint8_t *p = take(c, 1);

	return p != NULL ? *p : 0;
}

static uint16_t
take16(struct cursor *c)
{
	const uint8_t *p = take(c, 2);

	return p != NULL ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static uint32_t
take32(struct cursor *c)
{
	uint32_t high = take16(c);

	return high << 16 | take16(c);
}

/* The next n bytes as a cursor of their own; short of them, both are bad. */
static struct cursor
take_part(struct cursor *c, size_t n)
{
	const uint8_t *p = take(c, n);

	return (struct cursor){ p, p != NULL ? n : 0, p == NULL };
}

static struct addr
take_addr6(struct cursor *c)
{
	const uint8_t *p = take(c, sizeof(struct addr));
	struct addr a = { { 0 } };

	if (p != NULL)
		memcpy(a.b, p, sizeof a.b);
	return a;
}

/* The value of one option; o holds exactly its bytes. Wrong size: no option. */
static void
read_option(struct cursor *o, unsigned kind, struct segment *s)
{
	static const uint8_t sizes[] = { [KIND_MSS] = 2, [KIND_WSCALE] = 1 };

	if (kind <= KIND_SACK_OK && o->left != (kind < 4 ? sizes[kind] : 0))
		return;
	if (kind < 8)
		s->options |= (uint8_t)(1u << kind);
	if (kind == KIND_MSS)
		s->mss = take16(o);
	if (kind == KIND_WSCALE) {
		s->wscale = take8(o);
		if (s->wscale > WSCALE_MAX)
			s->wscale = WSCALE_MAX;
	}
}

/*
 * What runs over the header, or has no length, ends the list: hosts with such
 * options are out there, and kernels take them at their word so far.
 */
static void
read_options(struct cursor *c, struct segment *s)
{
	while (c->left > 0) {
		unsigned kind = take8(c);
		struct cursor o;
		size_t len;

		if (kind <= KIND_NOP)
			s->options |= (uint8_t)(1u << kind);
		if (kind == KIND_END)
			return;
		if (kind == KIND_NOP)
			continue;
		len = take8(c);
		if (len < 2)
			return;
		o = take_part(c, len - 2);
		if (o.bad)
			return;
		read_option(&o, kind, s);
	}
}

static enum segment_result
read_tcp(struct cursor *c, struct segment *s)
{
	const uint8_t *p = take(c, TCP_MIN);
	struct cursor options;
	size_t header;

	if (p == NULL)
		return SEGMENT_TRUNCATED;
	s->sport = get16(p);
	s->dport = get16(p + 2);
	s->seq = get32(p + 4);
	s->ack = get32(p + 8);
	header = (size_t)(p[12] >> 4) * 4;
	s->flags = p[13];
	s->window = get16(p + 14);
	if (header < TCP_MIN || s->sport == 0 ||
	    ((s->flags & TCP_SYN) && (s->flags & (TCP_FIN | TCP_RST))))
		return SEGMENT_BAD_TCP;
	options = take_part(c, header - TCP_MIN);
	if (options.bad)
		return SEGMENT_TRUNCATED;
	read_options(&options, s);
	s->data = c->at;
	s->len = (uint32_t)c->left;
	return SEGMENT_TCP;
}

static enum segment_result
read_ip4(struct cursor *c, struct segment *s)
{
	const uint8_t *p = take(c, IP4_MIN);
	size_t header, total;
	struct cursor packet;

	if (p == NULL)
		return SEGMENT_TRUNCATED;
	header = (size_t)(p[0] & 15) * 4;
	total = get16(p + 2);
	s->ttl = p[8];
	s->src = addr_from4(get32(p + 12));
	s->dst = addr_from4(get32(p + 16));
	if (p[0] >> 4 != 4 || header < IP4_MIN || total < header)
		return SEGMENT_BAD_IP;
	if ((get16(p + 6) & FRAGMENT_BITS) != 0)
		return SEGMENT_FRAGMENT;
	packet = take_part(c, total - IP4_MIN);
	take(&packet, header - IP4_MIN);
	if (packet.bad)
		return SEGMENT_TRUNCATED;
	if (p[9] == PROTO_TCP)
		return read_tcp(&packet, s);
	return p[9] == PROTO_ICMP ? SEGMENT_ICMP : SEGMENT_OTHER;
}

/*
 * Walks over hop-by-hop and destination options (RFC 8200 section 4.3, 4.6)
 * to what they carry.
 */
static enum segment_result
skip_extensions(struct cursor *c, unsigned *proto)
{
	for (unsigned n = 0; n < EXTENSIONS_MAX; n++) {
		size_t len;

		if (*proto == PROTO_FRAGMENT)
			return SEGMENT_FRAGMENT;
		if (*proto == PROTO_ROUTING || *proto == PROTO_AH ||
		    *proto == PROTO_ESP)
			return SEGMENT_EXTENSION;
		if (*proto != PROTO_DSTOPTS &&
		    (*proto != PROTO_HOPOPT || n > 0))
			return SEGMENT_TCP;
		*proto = take8(c);
		len = take8(c) * (size_t)8 + 6;
		take(c, len);
		if (c->bad)
			return SEGMENT_TRUNCATED;
	}
	return SEGMENT_EXTENSION;
}

static enum segment_result
read_ip6(struct cursor *c, struct segment *s)
{
	uint32_t first = take32(c);
	size_t total = take16(c);
	unsigned proto = take8(c);
	enum segment_result r;
	struct cursor packet;

	s->ttl = take8(c);
	s->src = take_addr6(c);
	s->dst = take_addr6(c);
	if (c->bad)
		return SEGMENT_TRUNCATED;
	/* A mapped address on the wire would pass for IPv4 from here on. */
	if (first >> 28 != 6 || addr_is4(&s->src) || addr_is4(&s->dst))
		return SEGMENT_BAD_IP;
	packet = take_part(c, total);
	if (packet.bad)
		return SEGMENT_TRUNCATED;
	r = skip_extensions(&packet, &proto);
	if (r != SEGMENT_TCP)
		return r;
	if (proto == PROTO_TCP)
		return read_tcp(&packet, s);
	return proto == PROTO_ICMP6 ? SEGMENT_ICMP : SEGMENT_OTHER;
}

enum segment_result
segment_parse(const uint8_t *frame, size_t len, struct segment *s)
{
	struct cursor c = { frame, len, false };
	uint16_t type;

	memset(s, 0, sizeof *s);
	s->wscale = WSCALE_NONE;
	take(&c, ETH_MACS);
	type = take16(&c);
	if (c.bad)
		return SEGMENT_TRUNCATED;
	if (type == TYPE_IP4)
		return read_ip4(&c, s);
	if (type == TYPE_IP6)
		return read_ip6(&c, s);
	return SEGMENT_OTHER;
}
