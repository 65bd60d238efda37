/*
 * live.bpf.c: run by the kernel for each frame of a BPF_PROG_TEST_RUN in
 * live-frame mode: the next descriptor into the frame, and off to the card.
 * And what became of it there.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "engine/live.h"

/* Ethernet II, RFC 791, RFC 8200, RFC 9293. */
#define ETHER_TYPE 12
#define IP4        14
#define TCP4       (IP4 + 20)
#define IP6        14
#define TCP6       (IP6 + 40)
#define TCP_LEN    20

/* Arguments of the tracepoint xdp_devmap_xmit. */
enum { FROM, TO, TAKEN, REFUSED };

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

/* False: the frame is too short. */
static __always_inline int
fill4(__u8 *f, const __u8 *end)
{
	__u32 zero = 0;
	struct ring4 *ring = bpf_map_lookup_elem(&live_ring4, &zero);
	struct live4 *d;

	if (f + TCP4 + TCP_LEN > end || !ring)
		return 0;
	d = &ring->d[live_state.next++ & (LIVE_RING - 1)];
	__builtin_memcpy(f + IP4 + 4, &d->id, 2);
	__builtin_memcpy(f + IP4 + 10, &d->ip_sum, 2);
	__builtin_memcpy(f + IP4 + 12, &d->src, 4);
	__builtin_memcpy(f + IP4 + 16, &d->dst, 4);
	__builtin_memcpy(f + TCP4, &d->sport, 2);
	__builtin_memcpy(f + TCP4 + 2, &d->dport, 2);
	__builtin_memcpy(f + TCP4 + 4, &d->seq, 4);
	__builtin_memcpy(f + TCP4 + 16, &d->tcp_sum, 2);
	return 1;
}

static __always_inline int
fill6(__u8 *f, const __u8 *end)
{
	__u32 zero = 0;
	struct ring6 *ring = bpf_map_lookup_elem(&live_ring6, &zero);
	struct live6 *d;

	if (f + TCP6 + TCP_LEN > end || !ring)
		return 0;
	d = &ring->d[live_state.next++ & (LIVE_RING - 1)];
	__builtin_memcpy(f + IP6 + 8, d->src, 16);
	__builtin_memcpy(f + IP6 + 24, d->dst, 16);
	__builtin_memcpy(f + TCP6, &d->sport, 2);
	__builtin_memcpy(f + TCP6 + 2, &d->dport, 2);
	__builtin_memcpy(f + TCP6 + 4, &d->seq, 4);
	__builtin_memcpy(f + TCP6 + 16, &d->tcp_sum, 2);
	return 1;
}

/* A frame of neither family, the test burst's, leaves as it is. */
SEC("xdp")
int
live_send(struct xdp_md *c)
{
	__u8 *f = (void *)(long)c->data, *end = (void *)(long)c->data_end;
	int filled = 1;

	if (f + ETHER_TYPE + 2 > end)
		return XDP_ABORTED;
	if (f[ETHER_TYPE] == 0x08 && f[ETHER_TYPE + 1] == 0x00)
		filled = fill4(f, end);
	else if (f[ETHER_TYPE] == 0x86 && f[ETHER_TYPE + 1] == 0xdd)
		filled = fill6(f, end);
	if (!filled)
		return XDP_ABORTED;
	live_state.cpu = bpf_get_smp_processor_id();
	live_state.flying++;
	return bpf_redirect(live_state.ifindex, 0);
}

/*
 * The kernel has offered the oldest frames that were in flight to the card,
 * which took some and refused the last ones. Between a frame and its offer no
 * other work of the network comes in on that processor.
 */
SEC("raw_tp/xdp_devmap_xmit")
int
live_offered(struct bpf_raw_tracepoint_args *a)
{
	__u32 taken = (__u32)a->args[TAKEN], refused = (__u32)a->args[REFUSED];
	__u32 n = taken + refused, at = live_state.offered + taken;

	if (live_state.cpu != bpf_get_smp_processor_id() ||
	    n > live_state.flying)
		return 0;
	live_state.flying -= n;
	live_state.offered += n;
	for (__u32 i = 0; i < LIVE_RING && i < refused; i++)
		live_state.refused[live_state.nrefused++ & (LIVE_RING - 1)] =
		    at + i;
	return 0;
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
