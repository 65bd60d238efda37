/*
 * throttle.h: how many SYNs a second bring no more answers than the probes
 * begin to talk to. What waits for them on the wires is kept at a few tenths of
 * a second's work, as PIE keeps a queue at a delay (RFC 8033): here the inflow
 * is ours, so that what is held back is a SYN that nobody knows of. Knows no
 * clock: times are microseconds from the caller.
 */
#ifndef ENGINE_THROTTLE_H
#define ENGINE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

/* What has been counted so far; but for ahead it never goes back. */
struct throttle_seen {
	uint64_t syns; /* sent */
	uint64_t handed; /* answers that were handed on */
	uint64_t refused; /* times that the first wire was full */
	uint64_t ahead; /* gauge: handed on, and not begun yet */
};

enum { THROTTLE_TURNS = 3 };

struct throttle {
	struct throttle_seen seen;
	uint64_t us;
	uint64_t taken; /* handed on and ahead no more */
	double take; /* of these, a second */
	double rate; /* SYNs a second */
	double syns, answers; /* of the last while: answers a SYN */
	double limit; /* SYNs a second; 0: none */
	uint64_t ahead[THROTTLE_TURNS]; /* the newest first */
	double calm_s; /* for so long nobody has waited */
	double spare_s; /* for so long it was not used up */
};

void throttle_init(struct throttle *, uint64_t now_us);

/*
 * About ten times a second. SYNs a second that may be sent from now on, at
 * least 1; 0: as many as you like.
 */
uint64_t throttle_turn(
    struct throttle *, uint64_t now_us, const struct throttle_seen *);

#endif
