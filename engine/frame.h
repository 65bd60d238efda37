/* frame.h: the Ethernet frames we send: SYN, bare ACK, RST. */
#ifndef ENGINE_FRAME_H
#define ENGINE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"

/* Ethernet 14 + IPv6 40 + TCP 20 + options 12, rounded up. */
enum { FRAME_MAX = 96, MAC_LEN = 6 };

enum tcp_flag {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_PSH = 8,
	TCP_ACK = 16
};

/* Our SYN offers these; adoption tells the kernel the same. */
enum { SYN_MSS4 = 1460, SYN_MSS6 = 1440, SYN_WSCALE = 7, SYN_WINDOW = 64240 };

/* The two ends of the link for one family. */
struct frame_link {
	uint8_t ours[MAC_LEN], gateway[MAC_LEN];
};

/*
 * A SYN template for one source address, made by libnet: MSS, SACK-permitted,
 * window scale, no timestamps. frame_syn() copies it and patches target,
 * ports, sequence number, IP id and both checksums (incremental, RFC 1624).
 */
struct frame_template {
	uint8_t bytes[FRAME_MAX];
	uint32_t len;
	struct addr source;
	bool four;
	uint32_t sum_ip, sum_tcp; /* of the constant parts */
};

/* 0, or -1 with errno (libnet could not build it). */
int frame_template_init(struct frame_template *, const struct frame_link *,
    const struct addr *source);

/*
 * Into a frame that holds the template already: what differs between two SYNs
 * from it. The address is two numbers, for IPv4 the low half of lo.
 */
void frame_patch(const struct frame_template *, uint8_t frame[FRAME_MAX],
    uint64_t hi, uint64_t lo, uint16_t dport, uint16_t sport, uint32_t isn);

/* The SYN for a target of the template's family; returns its length. */
size_t frame_syn(const struct frame_template *, uint8_t out[FRAME_MAX],
    const struct target *, uint16_t sport, uint32_t isn);

/*
 * A bare segment without options (ACK, RST, RST|ACK) from source:sport to a
 * target; window as on the wire. Returns the frame's length.
 */
size_t frame_bare(const struct frame_link *, uint8_t out[FRAME_MAX],
    const struct addr *source, uint16_t sport, const struct target *,
    uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window);

#endif
