/*
 * flow.h: what packet does with each segment and when time passes. No socket
 * and no clock: segments and times come in, actions go out.
 */
#ifndef ENGINE_FLOW_H
#define ENGINE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "engine/role.h"
#include "engine/segment.h"
#include "engine/wire.h"

/* Segments in one batch; each gives at most one note and one hand-on. */
enum { FLOW_BATCH = 256 };

struct flow_time {
	uint64_t utc_us, mono_us;
};

struct flow_actions {
	/* A bare segment from conf.sources[source]; may be lost. */
	void (*segment)(void *, unsigned source, uint16_t sport,
	    const struct target *, uint32_t seq, uint32_t ack, uint8_t flags,
	    uint16_t window);
	/* On wire 1: how many of the first of n it took, or -1: it is full. */
	int (*hand_on)(void *, const struct handoff *const *, unsigned n);
	/* One item for store: note_pending, _outcome, _canary or followup. */
	void (*note)(void *, enum note_type, const void *item, size_t len);
	/* Has every note given so far been sent? Else try, and say. */
	bool (*noted)(void *);
};

struct flow;

/*
 * The args' configuration, sweep, ranges and statistics stay the caller's and
 * must live as long. Allocates all that is ever needed. NULL with errno.
 */
struct flow *flow_new(const struct role_args *, const struct flow_actions *,
    void *context, struct flow_time now);
void flow_free(struct flow *);

/*
 * A batch: begin, up to FLOW_BATCH segments, end. What speaks first is
 * collected while the batch lasts and handed on at its end. A pending note of
 * a target has been sent before it is handed on, so that store cannot hear of
 * the record first.
 */
void flow_begin(struct flow *, struct flow_time now);
void flow_segment(struct flow *, const struct segment *, uint64_t captured_us);
void flow_end(struct flow *);

/* Between batches. The last gives one note at most. */
void flow_done(struct flow *, const struct done_note *, struct flow_time now);
void flow_dial_failed(
    struct flow *, const struct dial_note *, struct flow_time now);

/* What is due, up to room notes; the gauges of the statistics page. */
void flow_pass_time(struct flow *, struct flow_time now, unsigned room);

/*
 * Who is left out from now on: those that wait are withdrawn, with a RST, and
 * whoever answers after all gets one for FLOW_FAREWELL_US more; then nothing.
 * The set stays the caller's and must live until the next one is given.
 */
enum { FLOW_FAREWELL_US = 900 * 1000 };
void flow_optouts(struct flow *, const struct ranges *, struct flow_time now);

/* The end: a RST to each that waits. Their rows stay pending. */
void flow_leave(struct flow *);

uint32_t flow_waiting(const struct flow *);
uint32_t flow_open(const struct flow *); /* handed on, not done */

#endif
