/* live.h: what link_live.c lays down and live.bpf.c picks up. */
#ifndef ENGINE_LIVE_H
#define ENGINE_LIVE_H

#include <linux/types.h>

/* Descriptors in a ring; a call takes no more. A power of two. */
#define LIVE_RING 524288

/* What differs between two SYNs, as on the wire. */
struct live4 {
	__u32 src, dst, seq;
	__u16 sport, dport, id, ip_sum, tcp_sum, spare;
};

struct live6 {
	__u8 src[16], dst[16];
	__u32 seq;
	__u16 sport, dport, tcp_sum, spare[3];
};

struct live_state {
	__u32 ifindex;
	__u32 next; /* descriptor that the next frame takes */
};

#endif
