/* pacer.h: how many frames may leave now: a token bucket. */
#ifndef ENGINE_PACER_H
#define ENGINE_PACER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Knows no clock: times are CLOCK_MONOTONIC nanoseconds from the caller, never
 * going back. One thread uses it. Never lets out more than rate x time plus
 * one burst, which is what rate allows in 10 ms, plus one, and at most
 * PACER_BURST_MAX. Of what a late caller cannot use of that 10 ms' worth is
 * caught up, by an eighth more than the rate; the rest is lost: the rate is a
 * promise to the network.
 */
enum { PACER_BURST_MAX = 64 };

struct pacer {
	uint64_t rate; /* packets/s; 0: pause */
	uint64_t last_ns;
	uint64_t credit, full, quantum; /* packets x 10^9 */
	uint64_t owed; /* to a caller who came late, a little of it */
	uint64_t burst_max;
};

/* Paused. */
void pacer_init(struct pacer *, uint64_t now_ns);

/* For a way that is only fast in larger bursts: up to 10 ms' worth. */
void pacer_bursts(struct pacer *, uint64_t burst_max);

/* What was earned at the old rate is kept, up to the new burst. */
void pacer_set(struct pacer *, uint64_t now_ns, uint64_t rate);

/*
 * How many may leave now. 0 when it is better to wait for more of them:
 * *until_ns is when to ask again, UINT64_MAX when paused.
 */
unsigned pacer_ready(struct pacer *, uint64_t now_ns, uint64_t *until_ns);

/* n of them have left; no more than pacer_ready said. */
void pacer_spend(struct pacer *, unsigned n);

/*
 * One rate for n pacers: parts[i] is 0 where works[i] is not, and the others
 * add up to the rate. What does not divide goes to the last of them, so that a
 * rate below their number still ends.
 */
void pacer_share(uint64_t rate, const bool *works, unsigned n, uint64_t *parts);

#endif
