/*
 * checkpoint.h: how far the sweep is settled: the position that each sender
 * thread had one answer window ago, while the link was up and no capture was
 * dropped. What is behind it need never be sent again. No clock, no store.
 */
#ifndef STORAGE_CHECKPOINT_H
#define STORAGE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sweep.h"
#include "engine/wire.h"

enum { CHECKPOINT_KEEP = 256 }; /* positions a thread, one a second */

struct checkpoint_position {
	uint64_t mono_us;
	struct note_position note;
};

struct checkpoint {
	uint32_t threads;
	uint64_t window_us;
	/* Not settled yet, oldest first. */
	struct checkpoint_position kept[SWEEP_THREADS_MAX][CHECKPOINT_KEEP];
	uint32_t nkept[SWEEP_THREADS_MAX];
	struct note_position settled[SWEEP_THREADS_MAX];
	struct note_tick tick; /* the last one */
	uint64_t tick_us; /* all answers before it are noted */
	bool ticked;
	uint64_t trouble_us; /* nothing settles within a window of it */
	bool troubled;
};

/* Begin at the sweep's positions. */
void checkpoint_init(
    struct checkpoint *, const struct sweep *, uint64_t window_us);

/*
 * A thread's position; where a stretch is being sent again, nothing settles
 * until a whole window after its end. -1 when it cannot be (thread, or it went back).
 */
int checkpoint_position(
    struct checkpoint *, uint64_t mono_us, const struct note_position *);

/*
 * packet's tick. A drop since the last one, or a link that is down, is
 * trouble: nothing settles until a whole window has passed without.
 */
void checkpoint_tick(
    struct checkpoint *, uint64_t mono_us, const struct note_tick *);

/* Trouble of another kind: the machine slept. */
void checkpoint_trouble(struct checkpoint *, uint64_t mono_us);

/* The settled positions and counts, into the sweep. */
void checkpoint_apply(const struct checkpoint *, struct sweep *);

/* Steps settled, all threads together. */
uint64_t checkpoint_steps(const struct checkpoint *);

/* Every thread has settled its end, and packet follows nobody. */
bool checkpoint_swept(const struct checkpoint *);

#endif
