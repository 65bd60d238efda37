/* live.h: what live frames carry from C to the kernel's program and back. */
#ifndef ENGINE_LIVE_H
#define ENGINE_LIVE_H

#include <linux/types.h>

/* Descriptors in a ring; a call takes no more. A power of two. */
#define LIVE_RING 16384

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

/* One call: descriptors are numbered from 0 in each. */
struct live_state {
	__u32 ifindex;
	__u32 next; /* descriptor that the next frame takes */
	__u32 cpu; /* where frames are made now */
	__u32 flying; /* of them, not yet offered to the card */
	__u32 offered; /* descriptors below it the card took or refused */
	__u32 nrefused;
	__u32 refused[LIVE_RING]; /* which ones */
};

#endif
