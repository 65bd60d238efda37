/* permute.h: a keyed bijection of 0..n-1 with random access. */
#ifndef ENGINE_PERMUTE_H
#define ENGINE_PERMUTE_H

#include <stdint.h>

enum { PERMUTE_ROUNDS = 4 };

struct permute {
	uint64_t n;
	uint32_t low_mask, high; /* low half: a mask; high half: its size */
	unsigned low_bits;
	uint64_t mul[PERMUTE_ROUNDS], add[PERMUTE_ROUNDS];
};

/* n from 1 to 2^56. The same seed and n give the same order anywhere. */
void permute_init(struct permute *, uint64_t n, uint64_t seed);

/* The image of i, both below n. */
uint64_t permute_at(const struct permute *, uint64_t i);

/*
 * The images of i, i + stride ... of count indices below n, into out. Faster
 * than one by one: the processor works at several at a time.
 */
void permute_many(const struct permute *, uint64_t i, uint64_t stride,
    unsigned count, uint64_t *out);

#endif
