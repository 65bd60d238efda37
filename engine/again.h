/*
 * again.h: which stretches of the index have to be sent a second time, since
 * the capture dropped frames, or the link was down, while their answers may
 * have been on the way. No clock and no thread: send's main loop asks.
 */
#ifndef ENGINE_AGAIN_H
#define ENGINE_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sweep.h"

enum {
	AGAIN_SAMPLES = 256,
	AGAIN_CALM_MS = 1000, /* without trouble, before it is sent again */
	AGAIN_ROUNDS = 16 /* in a row; then it is given up */
};

/* Steps from..to-1 of sweep_index(), of one thread. */
struct stretch {
	uint64_t from, to;
};

struct again {
	unsigned threads;
	uint64_t window_ms, spacing_ms;
	/* Where each thread was, the oldest a window ago or more. */
	struct {
		uint64_t ms, position[SWEEP_THREADS_MAX];
	} samples[AGAIN_SAMPLES];
	unsigned first, n;

	struct stretch open[SWEEP_THREADS_MAX]; /* to be sent, or under way */
	uint64_t troubles, trouble_ms, ended_ms;
	unsigned rounds;
	enum again_state {
		AGAIN_NONE,
		AGAIN_TROUBLED, /* wait until it is calm */
		AGAIN_SENDING,
		AGAIN_ANSWERS /* sent again, answers may be on the way */
	} state;
};

/* window_ms: how long after a SYN its answer may come. */
void again_init(struct again *, unsigned threads, uint64_t window_ms);

/*
 * The next trouble is of another kind: so long before it answers may have been
 * lost; at most what again_init() was given.
 */
void again_window(struct again *, uint64_t window_ms);

/*
 * Positions now, the count of troubles (drops, link losses; it never goes
 * back), and whether every stretch handed out has been sent. True: hand out
 * a->open to the threads now (empty ones too), numbered a->rounds.
 */
bool again_turn(struct again *, uint64_t now_ms,
    const uint64_t position[SWEEP_THREADS_MAX], uint64_t troubles,
    bool all_sent);

/* Is anything to be sent again, or its answer awaited? */
bool again_open(const struct again *);

#endif
