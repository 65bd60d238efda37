/*
 * permute.c: a keyed bijection of 0..n-1 with random access.
 *
 * A Feistel network on two halves of different size: the low one a power of
 * two near the root of n, the high one just large enough, so that their
 * product passes n by less than the root of n. In turn a hash of one half is
 * added to the other, modulo its size: each step has an inverse, so the whole
 * is a bijection. What falls outside 0..n-1 is sent through again until it
 * comes back (cycle walking, Black and Rogaway 2002), which is so rare that
 * the processor foresees it. No division.
 */
#include "engine/permute.h"

/* splitmix64 (Steele, Lea, Flood 2014), to draw the round keys. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void
permute_init(struct permute *p, uint64_t n, uint64_t seed)
{
	unsigned bits = 1;

	while (bits < 56 && (uint64_t)1 << bits < n)
		bits++;
	p->n = n;
	p->low_bits = bits / 2;
	p->low_mask = ((uint32_t)1 << p->low_bits) - 1;
	p->high = (uint32_t)((n + p->low_mask) >> p->low_bits);
	for (int i = 0; i < PERMUTE_ROUNDS; i++) {
		p->mul[i] = draw(&seed) | 1;
		p->add[i] = draw(&seed);
	}
}

/* 32 bits of hash, keyed for the round. */
static inline uint64_t
mix(const struct permute *p, int round, uint64_t half)
{
	uint64_t h = (half + p->add[round]) * p->mul[round];

	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
	return h >> 32;
}

static inline uint64_t
once(const struct permute *p, uint64_t i)
{
	uint64_t low = i & p->low_mask, high = i >> p->low_bits;

	for (int r = 0; r < PERMUTE_ROUNDS; r += 2) {
		/* a hash below the size of the half: multiply and shift */
		high += mix(p, r, low) * p->high >> 32;
		high -= high >= p->high ? p->high : 0;
		low = (low + mix(p, r + 1, high)) & p->low_mask;
	}
	return high << p->low_bits | low;
}

uint64_t
permute_at(const struct permute *p, uint64_t i)
{
	do
		i = once(p, i);
	while (i >= p->n);
	return i;
}

void
permute_many(const struct permute *p, uint64_t i, uint64_t stride,
    unsigned count, uint64_t *out)
{
	const struct permute own = *p; /* so that it stays in registers */

	for (unsigned k = 0; k < count; k++)
		out[k] = once(&own, i + stride * k);
	for (unsigned k = 0; k < count; k++)
		while (out[k] >= own.n)
			out[k] = once(&own, out[k]);
}
