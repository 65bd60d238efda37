/* simnet.bpf.c: the simulated internet, at the far end of a veth (tc). */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "simnet.h"

#define INLINE static inline __attribute__((always_inline))

enum {
	FIN = 1,
	SYN = 2,
	RST = 4,
	PSH = 8,
	ACK = 16,
	FLAGS = FIN | SYN | RST | ACK,
	FLAGS_AT = 13, /* in the TCP header */
	WORD = 4,
	TTL_LEAST = 40,
	HEAD4 = ETH_HLEN + sizeof(struct iphdr),
	HEAD6 = ETH_HLEN + sizeof(struct ipv6hdr),
	REPLY_MAX = HEAD6 + sizeof(struct tcphdr) + SIM_TEXT_LEN
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sim_conf);
} sim_conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sim_counts);
} sim_counts SEC(".maps");

/* What is known of the packet in hand. */
struct sim {
	const struct sim_conf *conf;
	struct sim_counts *counts;
	__u64 host; /* all that is random about the address asked */
	__u32 head; /* bytes before the TCP header */
	__u32 len; /* TCP bytes behind its header */
	__u32 seq, ack;
	__u16 sport, dport;
	__u8 flags;
};

INLINE void
count(struct sim *s, enum sim_counter what)
{
	s->counts->n[what]++;
}

/* ---- what is drawn ------------------------------------------------------- */

INLINE int
is_lost(const struct sim *s, __u64 share, __u8 what)
{
	const struct sim_conf *c = s->conf;
	__u64 which = (__u64)s->sport << 32 | s->seq;

	if (share == 0)
		return 0;
	if (c->slice_size != 0 && c->slices != 0)
		which = (__u16)(s->sport - c->slice_first) / c->slice_size %
		    c->slices;
	which ^= (__u64)s->dport << 48;
	return sim_mix(s->host ^ sim_mix(which + ((__u64)what << 40))) >> 32 <
	    share;
}

INLINE int
is_served(const struct sim *s)
{
	const struct sim_conf *c = s->conf;

	if (c->nports == 0 || (s->host & 0xffffffff) < c->every)
		return 1;
	for (int i = 0; i < SIM_PORTS_MAX; i++)
		if (c->port[i] == s->dport)
			return 1;
	return 0;
}

/* Another draw than the one for `every`. */
INLINE __u64
talk(const struct sim *s)
{
	return sim_mix(s->host) >> 32;
}

INLINE __u32
isn_of(const struct sim *s)
{
	return (__u32)sim_mix(s->host ^ s->dport);
}

/* ---- answers ------------------------------------------------------------- */

INLINE __u16
fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* RFC 1624, equation 3, over one word of 32 bits. */
INLINE __u16
adjust(__u16 check, __u32 was, __u32 is)
{
	__u32 sum = (__u16)~check;

	sum += (__u16) ~(was & 0xffff);
	sum += (__u16) ~(was >> 16);
	sum += is & 0xffff;
	sum += is >> 16;
	return (__u16)~fold(sum);
}

INLINE void
turn_ethernet(struct ethhdr *e)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, e->h_dest, sizeof mac);
	__builtin_memcpy(e->h_dest, e->h_source, sizeof mac);
	__builtin_memcpy(e->h_source, mac, sizeof mac);
}

/* Its way back, with the sums as they are: they do not depend on the order. */
INLINE void
turn_network(void *l3, __u32 head)
{
	if (head == HEAD4) {
		struct iphdr *ip = l3;
		__u32 a = ip->saddr;

		ip->saddr = ip->daddr;
		ip->daddr = a;
	} else {
		struct ipv6hdr *ip6 = l3;
		struct in6_addr a = ip6->saddr;

		ip6->saddr = ip6->daddr;
		ip6->daddr = a;
	}
}

INLINE int
back(struct sim *s, enum sim_counter sent)
{
	if (is_lost(s, s->conf->lost_back, ~s->flags)) {
		count(s, SIM_LOST_BACK);
		if (sent == SIM_SYNACK_OUT)
			count(s, SIM_LOST_SYNACK);
		return TC_ACT_SHOT;
	}
	count(s, sent);
	return (int)bpf_redirect_peer(s->conf->ifindex, 0);
}

/* A SYN becomes its answer where it lies, with the options that it had. */
INLINE int
answer_syn(struct __sk_buff *skb, struct sim *s, int reset)
{
	void *data = (void *)(long)skb->data,
	     *end = (void *)(long)skb->data_end;
	struct tcphdr *t = data + s->head;
	__u32 seq, ack, flags, *word;
	__u16 port;

	if ((void *)(t + 1) > end)
		return TC_ACT_SHOT;
	turn_ethernet(data);
	turn_network(data + ETH_HLEN, s->head);
	port = t->source;
	t->source = t->dest;
	t->dest = port;
	word = (__u32 *)t;
	seq = word[1];
	ack = word[2];
	flags = word[3];
	word[1] = reset ? 0 : bpf_htonl(isn_of(s));
	word[2] = bpf_htonl(s->seq + 1);
	word[3] =
	    flags ^ bpf_htonl((__u32)(reset ? SYN ^ (RST | ACK) : ACK) << 16);
	t->check = adjust(t->check, seq, word[1]);
	t->check = adjust(t->check, ack, word[2]);
	t->check = adjust(t->check, flags, word[3]);
	return back(s, reset ? SIM_RST_OUT : SIM_SYNACK_OUT);
}

/* What is said in answer to anything but a SYN. */
struct reply {
	__u8 flags;
	__u32 seq, ack;
	enum sim_counter sent;
};

INLINE __u32
sum_of(const void *bytes, __u32 len, __u32 sum)
{
	return (__u32)bpf_csum_diff(0, 0, (__be32 *)bytes, len, sum);
}

/* Over the pseudo header, whose addresses stand before the TCP header. */
INLINE __u16
tcp_sum(const __u8 *frame, __u32 head, __u32 len)
{
	__u32 pseudo[2] = { bpf_htonl(IPPROTO_TCP), bpf_htonl(len) };
	__u32 addresses = head == HEAD4 ? 8 : 32;
	__u32 sum = sum_of(pseudo, sizeof pseudo, 0);

	sum = sum_of(frame + head - addresses, addresses, sum);
	return (__u16)~fold(sum_of(frame + head, len, sum));
}

INLINE void
set_lengths(__u8 *frame, __u32 head, __u32 len)
{
	if (head == HEAD4) {
		struct iphdr *ip = (void *)(frame + ETH_HLEN);

		ip->tot_len = bpf_htons((__u16)(sizeof *ip + len));
		ip->check = 0;
		ip->check = (__u16)~fold(sum_of(ip, sizeof *ip, 0));
	} else {
		struct ipv6hdr *ip6 = (void *)(frame + ETH_HLEN);

		ip6->payload_len = bpf_htons((__u16)len);
	}
}

/* Written over the packet in hand; head and greeting are constants. */
INLINE int
reply_sized(struct __sk_buff *skb, struct sim *s, const struct reply *r,
    __u32 head, int greeting)
{
	__u32 len = sizeof(struct tcphdr) + (greeting ? SIM_TEXT_LEN : 0);
	/* What follows the Ethernet header is to lie at a multiple of 4. */
	__u8 room[2 + REPLY_MAX] __attribute__((aligned(8))) = { 0 };
	__u8 *frame = room + 2;
	struct tcphdr *t = (void *)(frame + head);

	if (bpf_skb_load_bytes(skb, 0, frame, head) != 0)
		return TC_ACT_SHOT;
	turn_ethernet((void *)frame);
	turn_network(frame + ETH_HLEN, head);
	t->source = bpf_htons(s->dport);
	t->dest = bpf_htons(s->sport);
	t->seq = bpf_htonl(r->seq);
	t->ack_seq = bpf_htonl(r->ack);
	((__u32 *)t)[3] =
	    bpf_htonl(0x50000000u | (__u32)r->flags << 16 | 0xffff);
	if (greeting)
		__builtin_memcpy(t + 1, s->conf->text, SIM_TEXT_LEN);
	set_lengths(frame, head, len);
	t->check = tcp_sum(frame, head, len);
	if (bpf_skb_change_tail(skb, head + len, 0) != 0 ||
	    bpf_skb_store_bytes(skb, 0, frame, head + len, 0) != 0)
		return TC_ACT_SHOT;
	return back(s, r->sent);
}

INLINE int
reply(struct __sk_buff *skb, struct sim *s, const struct reply *r, int greeting)
{
	if (s->head == HEAD4)
		return reply_sized(skb, s, r, HEAD4, greeting);
	return reply_sized(skb, s, r, HEAD6, greeting);
}

/* ---- what arrives -------------------------------------------------------- */

INLINE int
on_syn(struct __sk_buff *skb, struct sim *s)
{
	const struct sim_conf *c = s->conf;

	if (sim_is_open(c, s->host))
		return answer_syn(skb, s, !is_served(s));
	if (s->host >> 32 < c->open + c->closed)
		return answer_syn(skb, s, 1);
	count(s, SIM_NOBODY);
	return TC_ACT_SHOT;
}

/* Only the ACK of a handshake is answered; the greeting's has moved on. */
INLINE int
on_ack(struct __sk_buff *skb, struct sim *s)
{
	const struct sim_conf *c = s->conf;
	struct reply greeting = { ACK | PSH, s->ack, s->seq, SIM_GREETING_OUT };
	struct reply reset = { RST, s->ack, 0, SIM_RST_OUT };

	if (!sim_is_open(c, s->host) || s->ack != isn_of(s) + 1)
		return TC_ACT_SHOT;
	if (talk(s) < c->greet)
		return reply(skb, s, &greeting, 1);
	if (talk(s) < c->greet + c->reset)
		return reply(skb, s, &reset, 0);
	return TC_ACT_SHOT;
}

/* Whatever is said is acknowledged, and the end of the conversation. */
INLINE int
on_data(struct __sk_buff *skb, struct sim *s)
{
	struct reply r = { ACK, s->ack, s->seq + s->len, SIM_OTHER_OUT };

	if (s->len > 0)
		r.flags |= FIN;
	if (s->flags & FIN)
		r.ack++;
	return reply(skb, s, &r, 0);
}

INLINE int
is_lost_there(struct sim *s)
{
	if (!is_lost(s, s->conf->lost_there, s->flags))
		return 0;
	count(s, SIM_LOST_THERE);
	if ((s->flags & FLAGS) == SYN)
		count(s, SIM_LOST_SYN);
	return 1;
}

INLINE int
on_segment(struct __sk_buff *skb, struct sim *s)
{
	__u8 flags = s->flags & FLAGS;
	int bare = flags == ACK && s->len == 0;

	if (flags == SYN)
		count(s, SIM_SYN);
	else if (flags & RST)
		count(s, SIM_RST);
	else if (bare)
		count(s, SIM_ACK);
	else
		count(s, SIM_DATA);
	if (is_lost_there(s) || flags & RST)
		return TC_ACT_SHOT;
	if (flags == SYN)
		return on_syn(skb, s);
	return bare ? on_ack(skb, s) : on_data(skb, s);
}

/* ---- what it is at all --------------------------------------------------- */

enum place { PASS, SIMULATED, STRANGE };

INLINE __u64
word64(const __be32 *at)
{
	return (__u64)bpf_ntohl(at[0]) << 32 | bpf_ntohl(at[1]);
}

INLINE enum place
find_ip4(struct sim *s, const struct iphdr *ip, __u32 *len)
{
	const struct sim_conf *c = s->conf;
	__u32 a = bpf_ntohl(ip->daddr);

	if (a >> 24 != SIM_NET4 ||
	    (c->pass_mask != 0 && (a & c->pass_mask) == c->pass_net))
		return PASS;
	if (ip->ihl != 5 || ip->protocol != IPPROTO_TCP)
		return STRANGE;
	s->host = sim_host(c, 0, a);
	s->head = HEAD4;
	*len = bpf_ntohs(ip->tot_len) - (__u32)sizeof *ip;
	return SIMULATED;
}

INLINE enum place
find_ip6(struct sim *s, const struct ipv6hdr *ip6, __u32 *len)
{
	const __be32 *a = ip6->daddr.in6_u.u6_addr32;

	if (bpf_ntohl(a[0]) >> 16 != SIM_NET6)
		return PASS;
	if (ip6->nexthdr != IPPROTO_TCP)
		return STRANGE;
	s->host = sim_host(s->conf, word64(a), word64(a + 2));
	s->head = HEAD6;
	*len = bpf_ntohs(ip6->payload_len);
	return SIMULATED;
}

INLINE enum place
find(struct sim *s, void *data, void *end, __u32 *len)
{
	struct ethhdr *e = data;

	if ((void *)(e + 1) > end)
		return STRANGE;
	if (e->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);

		if ((void *)(ip + 1) > end)
			return STRANGE;
		return find_ip4(s, ip, len);
	}
	if (e->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = (void *)(e + 1);

		if ((void *)(ip6 + 1) > end)
			return STRANGE;
		return find_ip6(s, ip6, len);
	}
	return PASS;
}

/* False: it is no segment. */
INLINE int
read_segment(struct sim *s, void *data, void *end, __u32 len)
{
	struct tcphdr *t = data + s->head;
	__u32 head;

	if ((void *)(t + 1) > end)
		return 0;
	head = (__u32)t->doff * WORD;
	if (head < sizeof *t || len < head)
		return 0;
	s->len = len - head;
	s->seq = bpf_ntohl(t->seq);
	s->ack = bpf_ntohl(t->ack_seq);
	s->sport = bpf_ntohs(t->source);
	s->dport = bpf_ntohs(t->dest);
	s->flags = ((__u8 *)t)[FLAGS_AT];
	return 1;
}

SEC("tc")
int
simnet(struct __sk_buff *skb)
{
	struct sim s = { 0 };
	__u32 zero = 0, len = 0;
	void *data, *end;
	enum place place;

	s.conf = bpf_map_lookup_elem(&sim_conf, &zero);
	s.counts = bpf_map_lookup_elem(&sim_counts, &zero);
	if (s.conf == 0 || s.counts == 0)
		return TC_ACT_SHOT;
	/* Some ways of sending leave nothing in the linear part. */
	if (skb->data_end - skb->data < HEAD6 + sizeof(struct tcphdr))
		bpf_skb_pull_data(skb,
		    skb->len < HEAD6 + sizeof(struct tcphdr)
			? skb->len
			: HEAD6 + (__u32)sizeof(struct tcphdr));
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	place = find(&s, data, end, &len);
	if (place == PASS) {
		count(&s, SIM_PASSED);
		return TC_ACT_OK;
	}
	if (place == SIMULATED && read_segment(&s, data, end, len))
		return on_segment(skb, &s);
	count(&s, SIM_STRANGE);
	return TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
