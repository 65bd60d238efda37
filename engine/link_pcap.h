/* link_pcap.h: the way into the machine: libpcap. */
#ifndef ENGINE_LINK_PCAP_H
#define ENGINE_LINK_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"

struct capture;

/*
 * Start to capture what comes in for the configuration's source addresses and
 * ports, and ICMP errors for those addresses. Needs CAP_NET_RAW; the rest
 * does not. NULL after a line in the log.
 */
struct capture *capture_open(const struct conf *);
void capture_close(struct capture *);

/* For poll(2): readable when frames are there, at most 2 ms late. */
int capture_fd(const struct capture *);

/* A frame and when it was captured, UTC; it dies when the function returns. */
typedef void capture_frame(
    void *context, const uint8_t *frame, size_t len, uint64_t utc_us);

/*
 * Give up to max frames that are there to the function: how many, or -1 when
 * the interface is down or gone. Never blocks.
 */
int capture_read(
    struct capture *, unsigned max, capture_frame *, void *context);

/* Frames since the start that passed the filter, and those lost of them. */
void capture_counts(struct capture *, uint64_t *received, uint64_t *dropped);

/* Is the interface up and running? */
bool capture_link_up(const struct capture *);

#endif
