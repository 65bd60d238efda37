/* deadlines.h: which of many entries may be due, without a list of them. */
#ifndef ENGINE_DEADLINES_H
#define ENGINE_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Entries are numbered, and for each block of them the earliest of their
 * deadlines is kept, for each group of blocks the earliest of those: an eighth
 * of a byte an entry. A deadline that was put off stays noted; it costs one
 * look at its block. Times are of a clock that wraps at 2^32.
 */
enum { DEADLINES_BLOCK = 32 };

struct deadlines {
	uint32_t *blocks, *groups;
	uint32_t ngroups; /* so far */
	uint32_t group, block; /* where the walk is; the next ones */
	size_t bytes;
};

/* For numbers below max. 0, or -1 with ENOMEM. */
int deadlines_init(struct deadlines *, uint32_t max);
void deadlines_free(struct deadlines *);

static inline bool
deadline_is_up(uint32_t deadline_ms, uint32_t now_ms)
{
	return (int32_t)(now_ms - deadline_ms) >= 0;
}

/* Of one entry; it may be due earlier or later than what was noted before. */
void deadlines_note(struct deadlines *, uint32_t number, uint32_t deadline_ms);

/*
 * The next block in which one may be due: its first number, or -1 at the end
 * of a walk over all of them. What was noted for the block is forgotten, so
 * for those that are not due it has to be noted again.
 */
int64_t deadlines_next(struct deadlines *, uint32_t now_ms);

/* Any may be due now. */
void deadlines_doubt(struct deadlines *, uint32_t now_ms);

#endif
