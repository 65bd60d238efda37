/*
 * live.bpf.c: run by the kernel for each frame of a BPF_PROG_TEST_RUN in
 * live-frame mode: the next descriptor into the frame, and off to the card.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "engine/live.h"

/* Ethernet II, RFC 791, RFC 8200, RFC 9293. */
#define IP4     14
#define TCP4    (IP4 + 20)
#define IP6     14
#define TCP6    (IP6 + 40)
#define TCP_LEN 20

struct ring4 {
	struct live4 d[LIVE_RING];
};

struct ring6 {
	struct live6 d[LIVE_RING];
};

/* clang-format off */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ring4);
} live_ring4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ring6);
} live_ring6 SEC(".maps");
/* clang-format on */

struct live_state live_state;

SEC("xdp")
int
live_send4(struct xdp_md *c)
{
	__u8 *f = (void *)(long)c->data, *end = (void *)(long)c->data_end;
	__u32 zero = 0;
	struct ring4 *ring = bpf_map_lookup_elem(&live_ring4, &zero);
	struct live4 *d;

	if (f + TCP4 + TCP_LEN > end || !ring)
		return XDP_ABORTED;
	d = &ring->d[live_state.next++ & (LIVE_RING - 1)];
	__builtin_memcpy(f + IP4 + 4, &d->id, 2);
	__builtin_memcpy(f + IP4 + 10, &d->ip_sum, 2);
	__builtin_memcpy(f + IP4 + 12, &d->src, 4);
	__builtin_memcpy(f + IP4 + 16, &d->dst, 4);
	__builtin_memcpy(f + TCP4, &d->sport, 2);
	__builtin_memcpy(f + TCP4 + 2, &d->dport, 2);
	__builtin_memcpy(f + TCP4 + 4, &d->seq, 4);
	__builtin_memcpy(f + TCP4 + 16, &d->tcp_sum, 2);
	return bpf_redirect(live_state.ifindex, 0);
}

SEC("xdp")
int
live_send6(struct xdp_md *c)
{
	__u8 *f = (void *)(long)c->data, *end = (void *)(long)c->data_end;
	__u32 zero = 0;
	struct ring6 *ring = bpf_map_lookup_elem(&live_ring6, &zero);
	struct live6 *d;

	if (f + TCP6 + TCP_LEN > end || !ring)
		return XDP_ABORTED;
	d = &ring->d[live_state.next++ & (LIVE_RING - 1)];
	__builtin_memcpy(f + IP6 + 8, d->src, 16);
	__builtin_memcpy(f + IP6 + 24, d->dst, 16);
	__builtin_memcpy(f + TCP6, &d->sport, 2);
	__builtin_memcpy(f + TCP6 + 2, &d->dport, 2);
	__builtin_memcpy(f + TCP6 + 4, &d->seq, 4);
	__builtin_memcpy(f + TCP6 + 16, &d->tcp_sum, 2);
	return bpf_redirect(live_state.ifindex, 0);
}

/* The test burst: frames as they are. */
SEC("xdp")
int
live_send_plain(struct xdp_md *c)
{
	(void)c;
	return bpf_redirect(live_state.ifindex, 0);
}

/* On the card itself, where its driver wants one before it takes frames. */
SEC("xdp")
int
live_pass(struct xdp_md *c)
{
	(void)c;
	return XDP_PASS;
}

char live_license[] SEC("license") = "Dual BSD/GPL";
