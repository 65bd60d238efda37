/* permute.h: a keyed bijection of 0..n-1 with random access. */
#ifndef ENGINE_PERMUTE_H
#define ENGINE_PERMUTE_H

#include <stdint.h>

enum { PERMUTE_ROUNDS = 4 };

struct permute {
	uint64_t n, mask;
	unsigned half; /* shift of each round */
	uint64_t mul[PERMUTE_ROUNDS], add[PERMUTE_ROUNDS];
};

/* n from 1 to 2^56. The same seed and n give the same order anywhere. */
void permute_init(struct permute *, uint64_t n, uint64_t seed);

/* The image of i, both below n. */
uint64_t permute_at(const struct permute *, uint64_t i);

#endif
