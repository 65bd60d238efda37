/*
 * permute.c: a keyed bijection of 0..n-1 with random access.
 *
 * On the smallest power of two that holds n, each round multiplies by an odd
 * number, adds a key and folds the high half onto the low one: every step has
 * an inverse, so the whole is a bijection. What falls outside 0..n-1 is sent
 * through again until it comes back (cycle walking, Black and Rogaway 2002);
 * that is less than one more turn on average, and needs no division.
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

	while (bits < 63 && (uint64_t)1 << bits < n)
		bits++;
	p->n = n;
	p->mask = ((uint64_t)1 << bits) - 1;
	p->half = (bits + 1) / 2;
	for (int i = 0; i < PERMUTE_ROUNDS; i++) {
		p->mul[i] = draw(&seed) | 1;
		p->add[i] = draw(&seed);
	}
}

uint64_t
permute_at(const struct permute *p, uint64_t i)
{
	do {
		for (int r = 0; r < PERMUTE_ROUNDS; r++) {
			i = (i * p->mul[r] + p->add[r]) & p->mask;
			i ^= i >> p->half;
		}
	} while (i >= p->n);
	return i;
}
