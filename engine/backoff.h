/* backoff.h: how fast this machine and the wire let us send, as they show. */
#ifndef ENGINE_BACKOFF_H
#define ENGINE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* What made it slower last. */
enum backoff_why {
	BACKOFF_NONE,
	BACKOFF_DROPS, /* the capture lost frames */
	BACKOFF_ERRORS, /* frames could not be sent */
	BACKOFF_WIRE, /* who follows the answers takes no more */
	BACKOFF_WHYS
};

extern const char *const backoff_why_names[BACKOFF_WHYS];

enum { BACKOFF_SPEEDS = 4 };

/* What has been counted so far, of trouble and sent; it never goes back. */
struct backoff_seen {
	uint64_t n[BACKOFF_WHYS];
	uint64_t sent;
};

/*
 * Additive increase, multiplicative decrease. It starts at a tenth of the rate
 * and doubles, until the rate is reached or trouble comes. Trouble halves what
 * went out in truth, which may be far below the rate, once in BACKOFF_CUT_MS;
 * a full wire, which stops send by itself (PKT_PRESSURE), is only said. A time
 * without adds a twentieth of what had been reached a second. Knows no clock:
 * times are milliseconds from the caller.
 */
struct backoff {
	uint64_t rate, allowed; /* packets/s */
	uint64_t reached; /* when it was cut last */
	uint64_t step_ms, cut_ms, said_ms;
	uint64_t sent, sent_ms;
	uint64_t speeds[BACKOFF_SPEEDS]; /* packets/s, of the last seconds */
	unsigned nspeeds;
	struct backoff_seen seen;
	enum backoff_why why; /* NONE: at the rate, or starting */
	uint64_t cuts;
	bool starting;
};

enum {
	BACKOFF_STEP_MS = 250,
	BACKOFF_CUT_MS = 500, /* how long the last cut takes to show */
	BACKOFF_WAIT_MS = 1000, /* without trouble, before it rises */
	BACKOFF_SAY_MS = 10000
};

void backoff_init(
    struct backoff *, uint64_t now_ms, const struct backoff_seen *);

/* What is worth a line in the log now. */
enum backoff_say { BACKOFF_QUIET, BACKOFF_SLOWER, BACKOFF_RECOVERED };

/*
 * rate is what the configuration and the parent allow; a new one is begun
 * with slowly, as at the start. Call it often. Afterwards b->allowed holds.
 */
enum backoff_say backoff_turn(struct backoff *, uint64_t now_ms, uint64_t rate,
    const struct backoff_seen *);

#endif
