/* simnet.h: the simulated internet: who answers, what is lost, what counts. */
#ifndef TEST_INTERNET_SIMNET_H
#define TEST_INTERNET_SIMNET_H

#include <linux/types.h>

/* The simulated addresses: 10.0.0.0/8 and fd0a::/16; all else passes by. */
enum { SIM_NET4 = 10, SIM_NET6 = 0xfd0a };

enum {
	SIM_PORTS_MAX = 8,
	SIM_TEXT_LEN = 16 /* of a greeting; a multiple of 4 */
};

/* A share of all is a number out of this; shares of hosts are added up. */
#define SIM_ALL ((__u64)1 << 32)

/*
 * Written by simnet(1), read for every packet. Who answers is drawn by
 * address and seed alone, so it is the same on every port, at any time and in
 * user space.
 */
struct sim_conf {
	__u64 seed;
	__u64 open; /* share that answers a SYN with SYN-ACK */
	__u64 closed; /* ... or with RST; the rest is not there */
	__u64 greet; /* of the open: greets once acknowledged */
	__u64 reset; /* ... or sends RST then; the rest stays silent */
	__u64 every; /* of the open: answers on every port */
	__u64 lost_there, lost_back; /* share of packets, each direction */
	__u32 pass_net, pass_mask; /* IPv4 that real listeners answer for */
	__u32 ifindex; /* of the veth end this is attached to */
	/*
	 * Loss is drawn by slices of source ports, of which a sweep uses
	 * another one for each probe; past the last one they begin anew. So
	 * the same sweep loses the same packets each time. Size 0: by the
	 * port and the sequence number.
	 */
	__u16 slice_first, slice_size, slices;
	__u16 port[SIM_PORTS_MAX]; /* served, host order; none: all are */
	__u16 nports;
	char text[SIM_TEXT_LEN]; /* the greeting */
};

/*
 * What it saw arrive, lost or not, and what it sent, lost ones not among them.
 * Columns: name in print, and what it counts.
 */
/* clang-format off */
#define SIM_COUNTERS(X)                                                      \
	X(SYN, "syn")			/* arrived, to simulated addresses */\
	X(ACK, "ack")			/* ... bare */                       \
	X(RST, "rst")                                                        \
	X(DATA, "data")			/* ... with bytes, or a FIN */       \
	X(LOST_SYN, "lost_syn")		/* of those: dropped on the way */   \
	X(LOST_THERE, "lost_there")	/* ... of all kinds */               \
	X(SYNACK_OUT, "synack_out")	/* answers that went back */         \
	X(RST_OUT, "rst_out")                                                \
	X(GREETING_OUT, "greeting_out")                                      \
	X(OTHER_OUT, "other_out")                                            \
	X(LOST_SYNACK, "lost_synack")	/* answers dropped on the way */     \
	X(LOST_BACK, "lost_back")	/* ... of all kinds */               \
	X(NOBODY, "nobody")		/* SYNs that nobody answers */       \
	X(PASSED, "passed")		/* to the listeners behind */        \
	X(STRANGE, "strange")		/* anything else, dropped */

/* clang-format on */
#define X(id, name) SIM_##id,
enum sim_counter { SIM_COUNTERS(X) SIM_COUNT };
#undef X

struct sim_counts {
	__u64 n[SIM_COUNT];
};

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static inline __attribute__((always_inline)) __u64
sim_mix(__u64 x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* All that is random about a host; an IPv4 address is its number. */
static inline __attribute__((always_inline)) __u64
sim_host(const struct sim_conf *c, __u64 high, __u64 low)
{
	return sim_mix(low ^ sim_mix(high ^ sim_mix(c->seed)));
}

static inline __attribute__((always_inline)) int
sim_is_open(const struct sim_conf *c, __u64 host)
{
	return host >> 32 < c->open;
}

#endif
