/* wheel.h: a timer wheel: set, cleared and found in constant time. */
#ifndef PROBES_WHEEL_H
#define PROBES_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Slots of WHEEL_TICK_MS; the wheel turns once in about 4 minutes, and a
 * deadline beyond that is cut to it (who is woken early sets a new one).
 */
enum { WHEEL_TICK_MS = 64, WHEEL_SLOTS = 4096 };

struct timer {
	struct timer *next, **before; /* before: NULL when it is not set */
	uint32_t slot;
};

struct wheel {
	struct timer *slots[WHEEL_SLOTS];
	uint64_t set[WHEEL_SLOTS / 64]; /* a bit for each slot in use */
	uint64_t tick; /* every slot up to this one has been emptied */
	uint64_t now; /* of the last wheel_due; nothing is set before it */
};

void wheel_init(struct wheel *, uint64_t now_ms);

/* Set, or set anew: due not before at_ms, less than a tick later. */
void wheel_set(struct wheel *, struct timer *, uint64_t at_ms);
void wheel_clear(struct wheel *, struct timer *);

/*
 * The next timer that is due, cleared, or NULL: call until then. Timers that
 * are set meanwhile wait for a later tick.
 */
struct timer *wheel_due(struct wheel *, uint64_t now_ms);

/* Until the first timer: ms, for epoll_wait; -1: none is set. */
int wheel_wait(const struct wheel *, uint64_t now_ms);

#endif
