/* segment.h: a received Ethernet frame, read as a TCP segment. */
#ifndef ENGINE_SEGMENT_H
#define ENGINE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"

enum { WSCALE_NONE = 255, WSCALE_MAX = 14 }; /* RFC 7323 section 2.3 */

/* Bytes of data lie in the frame and die with it. */
struct segment {
	struct addr src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags; /* enum tcp_flag, frame.h */
	uint8_t ttl;
	uint8_t wscale; /* WSCALE_NONE: not in the options */
	uint8_t options; /* bit per kind below 8 seen */
	uint16_t window; /* as on the wire */
	uint16_t mss; /* 0: not in the options */
	uint32_t len; /* of data */
	const uint8_t *data;
};

/* Bits of segment.options that others ask for (IANA TCP option kinds). */
enum { OPTION_MSS = 1 << 2, OPTION_WSCALE = 1 << 3, OPTION_SACK_OK = 1 << 4 };

enum segment_result {
	SEGMENT_TCP, /* the struct is filled */
	SEGMENT_ICMP, /* ICMP or ICMPv6: src and dst are filled */
	SEGMENT_OTHER, /* neither, or not IP */
	SEGMENT_TRUNCATED, /* shorter than its headers say */
	SEGMENT_BAD_IP, /* version or lengths contradict */
	SEGMENT_FRAGMENT, /* not reassembled: a SYN-ACK never needs it */
	SEGMENT_EXTENSION, /* an IPv6 header that cannot be skipped */
	SEGMENT_BAD_TCP, /* header length, or flags that nobody sends */
	SEGMENT_RESULTS
};

extern const char *const segment_result_names[SEGMENT_RESULTS];

/*
 * Reads one frame (Ethernet II, RFC 791, RFC 8200, RFC 9293, RFC 7323).
 * Checksums are not looked at: behind a virtual interface they are not
 * filled in yet. Bytes after the IP packet (padding) are left out.
 */
enum segment_result segment_parse(
    const uint8_t *frame, size_t len, struct segment *);

#endif
