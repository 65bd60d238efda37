/* sweep.h: one sweep: what it visits, in which order, and how far it is. */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include <stdint.h>

enum { SWEEP_ID_MAX = 64, SWEEP_KEY_LEN = 16, SWEEP_THREADS_MAX = 8 };

/*
 * Which permutation, choice of the source and cookie: a sweep that was begun
 * with others cannot go on.
 */
enum { SWEEP_ORDER = 2 };

/*
 * Made by store (fresh, or read back from the live environment), handed to
 * every role at its start and constant from then on; positions are where each
 * sender thread begins. An index runs over target addresses x ports; excluded
 * and opted-out ones are passed over by send, not left out of the index, so
 * that a changed exclusion never moves a target.
 */
struct sweep {
	char id[SWEEP_ID_MAX]; /* 20261121T020000Z-lab */
	uint64_t start_us; /* UTC, since 1970 */
	uint32_t order; /* SWEEP_ORDER of the program that began it */
	uint64_t seed; /* of the permutation */
	uint8_t key[SWEEP_KEY_LEN]; /* of the cookie */
	uint64_t n; /* addresses x ports */
	uint64_t targets_hash; /* over ranges and ports: must match */
	uint32_t incarnation; /* 0 at first, +1 a daemon start */
	uint32_t shard, shards; /* this one of so many */
	uint32_t threads;
	uint32_t resumed; /* 1: went on from a checkpoint */
	/* Slice of source ports of incarnation 0, the next one of the last
	 * sweep's: a server may still hold that one's connections. */
	uint32_t first_slice;
	/* thread t visits shard + shards * (t + threads * k), k = position... */
	uint64_t position[SWEEP_THREADS_MAX];
	/* ... and had counted this much by then (see enum send_count). */
	uint64_t counted[SWEEP_THREADS_MAX][4];
};

/* What becomes of an index that send passes; they sum to indices passed. */
enum send_count {
	SEND_EXCLUDED,
	SEND_OPTED_OUT,
	SEND_SENT,
	SEND_NOT_SENT,
	SEND_COUNTS
};

/* The slice that this incarnation's SYNs leave from, modulo INCARNATIONS. */
static inline uint32_t
sweep_slice(const struct sweep *s)
{
	return s->first_slice + s->incarnation;
}

/* How many indices thread t of this shard visits in all. */
uint64_t sweep_share(const struct sweep *, unsigned thread);

/* From one step of a thread to its next. */
uint64_t sweep_stride(const struct sweep *);

/* The index that thread t visits at its k-th step. */
uint64_t sweep_index(const struct sweep *, unsigned thread, uint64_t k);

#endif
