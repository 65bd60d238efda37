/* frame.c: the Ethernet frames we send: SYN, bare ACK, RST. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <libnet.h>

#include "engine/frame.h"

/* Where the fields lie: Ethernet II, RFC 791, RFC 8200, RFC 9293. */
enum {
	ETH_LEN = 14,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
	SYN_OPTIONS_LEN = 12,
	IP4_TOTAL = ETH_LEN + 2,
	IP4_ID = ETH_LEN + 4,
	IP4_SUM = ETH_LEN + 10,
	IP4_SRC = ETH_LEN + 12,
	IP4_DST = ETH_LEN + 16,
	IP6_SRC = ETH_LEN + 8,
	IP6_DST = ETH_LEN + 24,
	TCP4 = ETH_LEN + IP4_LEN,
	TCP6 = ETH_LEN + IP6_LEN,
	/* from the start of the TCP header */
	TCP_SPORT = 0,
	TCP_DPORT = 2,
	TCP_SEQ = 4,
	TCP_ACK_AT = 8,
	TCP_BITS = 12,
	TCP_SUM = 16
};

enum { TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, HOPS = 64, PROTO_TCP = 6 };

static inline void
put16(uint8_t *p, uint16_t v)
{
	v = htons(v);
	memcpy(p, &v, sizeof v);
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof v);
}

/* The sum of RFC 1071, not yet folded; len is even in all we send. */
static inline uint32_t
sum16(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static inline uint32_t
sum32(uint32_t v)
{
	return (v >> 16) + (v & 0xffff);
}

static inline uint16_t
sum_end(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* One header as libnet built it; 0 when libnet has none. */
static size_t
copy_header(libnet_t *l, libnet_ptag_t tag, uint8_t *out, size_t len)
{
	uint8_t *p = tag == -1 ? NULL : libnet_getpbuf(l, tag);

	if (p == NULL || libnet_getpbuf_size(l, tag) != len)
		return 0;
	memcpy(out, p, len);
	return len;
}

static libnet_ptag_t
build_ip(libnet_t *l, const struct addr *source)
{
	uint16_t len = TCP_LEN + SYN_OPTIONS_LEN;
	struct libnet_in6_addr src6, dst6 = { 0 };
	uint32_t src4;

	if (addr_is4(source)) {
		memcpy(&src4, source->b + 12, sizeof src4);
		return libnet_build_ipv4((uint16_t)(IP4_LEN + len), 0, 0, IP_DF,
		    HOPS, PROTO_TCP, 0, src4, 0, NULL, 0, l, 0);
	}
	memcpy(&src6, source->b, sizeof src6);
	return libnet_build_ipv6(
	    0, 0, len, PROTO_TCP, HOPS, src6, dst6, NULL, 0, l, 0);
}

/* Headers one after the other into t->bytes, checksums and variables 0. */
static int
build_syn(libnet_t *l, struct frame_template *t, const struct frame_link *link)
{
	bool four = addr_is4(&t->source);
	uint16_t mss = four ? SYN_MSS4 : SYN_MSS6;
	uint8_t options[SYN_OPTIONS_LEN] = { 2, 4, (uint8_t)(mss >> 8),
		(uint8_t)mss, 1, 1, 4, 2, 1, 3, 3, SYN_WSCALE };
	libnet_ptag_t tags[4];
	const size_t lens[4] = { ETH_LEN, four ? IP4_LEN : IP6_LEN, TCP_LEN,
		SYN_OPTIONS_LEN };

	tags[3] = libnet_build_tcp_options(options, sizeof options, l, 0);
	tags[2] = libnet_build_tcp(0, 0, 0, 0, TH_SYN, SYN_WINDOW, 0, 0,
	    TCP_LEN + SYN_OPTIONS_LEN, NULL, 0, l, 0);
	tags[1] = build_ip(l, &t->source);
	tags[0] = libnet_build_ethernet(link->gateway, link->ours,
	    four ? TYPE_IP4 : TYPE_IP6, NULL, 0, l, 0);
	t->len = 0;
	for (int i = 0; i < 4; i++) {
		size_t n = copy_header(l, tags[i], t->bytes + t->len, lens[i]);

		if (n == 0)
			return -1;
		t->len += (uint32_t)n;
	}
	return 0;
}

static void
template_sums(struct frame_template *t)
{
	bool four = addr_is4(&t->source);
	size_t tcp = four ? TCP4 : TCP6;

	t->sum_ip = four ? sum16(t->bytes + ETH_LEN, IP4_LEN) : 0;
	t->sum_tcp = sum16(t->bytes + tcp, t->len - tcp) +
	    (four ? sum16(t->bytes + IP4_SRC, 4)
		  : sum16(t->bytes + IP6_SRC, 16)) +
	    PROTO_TCP + (uint32_t)(t->len - tcp);
}

int
frame_template_init(struct frame_template *t, const struct frame_link *link,
    const struct addr *source)
{
	char why[LIBNET_ERRBUF_SIZE];
	/* No device: it only builds, and needs no right. */
	libnet_t *l = libnet_init(LIBNET_NONE, NULL, why);
	int r;

	if (l == NULL) {
		errno = ENOMEM;
		return -1;
	}
	memset(t, 0, sizeof *t);
	t->source = *source;
	t->four = addr_is4(source);
	r = build_syn(l, t, link);
	libnet_destroy(l);
	if (r == -1) {
		errno = EPROTO;
		return -1;
	}
	template_sums(t);
	return 0;
}

static inline void
put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof v);
}

/* tcp is where the TCP header begins. */
static inline void
patch_tcp(
    uint8_t *tcp, uint32_t sum, uint16_t sport, uint16_t dport, uint32_t isn)
{
	put32(tcp + TCP_SPORT, (uint32_t)sport << 16 | dport);
	put32(tcp + TCP_SEQ, isn);
	sum += (uint32_t)sport + dport + sum32(isn);
	put16(tcp + TCP_SUM, sum_end(sum));
}

void
frame_patch(const struct frame_template *t, uint8_t frame[FRAME_MAX],
    uint64_t hi, uint64_t lo, uint16_t dport, uint16_t sport, uint32_t isn)
{
	uint32_t dst = (uint32_t)lo;
	uint16_t id;

	if (!t->four) {
		put64(frame + IP6_DST, hi);
		put64(frame + IP6_DST + 8, lo);
		patch_tcp(frame + TCP6,
		    t->sum_tcp + sum32((uint32_t)(hi >> 32)) +
			sum32((uint32_t)hi) + sum32((uint32_t)(lo >> 32)) +
			sum32(dst),
		    sport, dport, isn);
		return;
	}
	/* Atomic datagrams (DF) may carry any id, RFC 6864. */
	id = (uint16_t)(isn ^ isn >> 16);
	put16(frame + IP4_ID, id);
	put32(frame + IP4_DST, dst);
	put16(frame + IP4_SUM, sum_end(t->sum_ip + sum32(dst) + id));
	patch_tcp(frame + TCP4, t->sum_tcp + sum32(dst), sport, dport, isn);
}

static uint64_t
number_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return be64toh(v);
}

size_t
frame_syn(const struct frame_template *t, uint8_t out[FRAME_MAX],
    const struct target *to, uint16_t sport, uint32_t isn)
{
	memcpy(out, t->bytes, FRAME_MAX);
	frame_patch(t, out, number_at(to->addr.b), number_at(to->addr.b + 8),
	    to->port, sport, isn);
	return t->len;
}

/* The sum of an address, two or four words of it at a time. */
static inline uint32_t
sum_addr(const struct addr *a, bool four)
{
	uint64_t lo = number_at(a->b + 8), hi = four ? 0 : number_at(a->b);

	return sum32((uint32_t)lo) +
	    (four ? 0
		  : sum32((uint32_t)(lo >> 32)) + sum32((uint32_t)(hi >> 32)) +
			sum32((uint32_t)hi));
}

/*
 * All sums are made from the values and not from the bytes: what has just been
 * stored in small pieces is slow to load in larger ones.
 */
static inline void
bare_ip4(uint8_t *out, const struct addr *source, const struct addr *to,
    uint32_t sum_addrs)
{
	uint8_t *ip = out + ETH_LEN;

	put32(ip, 0x45000000 | (IP4_LEN + TCP_LEN));
	put32(ip + 4, 0x4000); /* DF */
	put16(ip + 8, HOPS << 8 | PROTO_TCP);
	put16(out + IP4_SUM,
	    sum_end(0x4500 + IP4_LEN + TCP_LEN + 0x4000 +
		(HOPS << 8 | PROTO_TCP) + sum_addrs));
	memcpy(out + IP4_SRC, source->b + 12, 4);
	memcpy(out + IP4_DST, to->b + 12, 4);
}

static inline void
bare_ip6(uint8_t *out, const struct addr *source, const struct addr *to)
{
	uint8_t *ip = out + ETH_LEN;

	put32(ip, 0x60000000);
	put32(ip + 4, TCP_LEN << 16 | PROTO_TCP << 8 | HOPS);
	memcpy(out + IP6_SRC, source->b, 16);
	memcpy(out + IP6_DST, to->b, 16);
}

size_t
frame_bare(const struct frame_link *link, uint8_t out[FRAME_MAX],
    const struct addr *source, uint16_t sport, const struct target *to,
    uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window)
{
	bool four = addr_is4(source);
	uint8_t *tcp = out + (four ? TCP4 : TCP6);
	uint32_t bits = (uint32_t)TCP_LEN / 4 << 28 | (uint32_t)flags << 16;
	uint32_t sum = sum_addr(source, four) + sum_addr(&to->addr, four);

	memcpy(out, link->gateway, MAC_LEN);
	memcpy(out + MAC_LEN, link->ours, MAC_LEN);
	put16(out + ETH_LEN - 2, four ? TYPE_IP4 : TYPE_IP6);
	if (four)
		bare_ip4(out, source, &to->addr, sum);
	else
		bare_ip6(out, source, &to->addr);
	put32(tcp + TCP_SPORT, (uint32_t)sport << 16 | to->port);
	put32(tcp + TCP_SEQ, seq);
	put32(tcp + TCP_ACK_AT, ack);
	put32(tcp + TCP_BITS, bits | window);
	sum += (uint32_t)sport + to->port + sum32(seq) + sum32(ack) +
	    sum32(bits | window) + PROTO_TCP + TCP_LEN;
	put32(tcp + TCP_SUM, (uint32_t)sum_end(sum) << 16);
	return (size_t)(tcp - out) + TCP_LEN;
}
