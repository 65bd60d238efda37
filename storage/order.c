/* order.c: what came in, put into the order of its addresses. */
#include <stdbool.h>
#include <string.h>

#include "storage/order.h"

static uint64_t
number(const uint8_t *b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < sizeof n; i++)
		n = n << 8 | b[i];
	return n;
}

struct place
order_place(const struct addr *a, uint32_t at)
{
	return (
	    struct place){ number(a->b), number(a->b + sizeof(uint64_t)), at };
}

static bool
is_before(const struct place *a, const struct place *b)
{
	return a->high != b->high ? a->high < b->high : a->low < b->low;
}

/* Two sorted runs, [0, middle) and [middle, n), into one. */
static void
merge(const struct place *from, uint32_t middle, uint32_t n, struct place *to)
{
	uint32_t left = 0, right = middle;

	while (left < middle && right < n)
		*to++ = is_before(&from[right], &from[left]) ? from[right++]
							     : from[left++];
	memcpy(to, from + left, (middle - left) * sizeof *to);
	to += middle - left;
	memcpy(to, from + right, (n - right) * sizeof *to);
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

struct place *
order_sort(struct place *places, struct place *spare, uint32_t n)
{
	for (uint32_t run = 1; run < n; run *= 2) {
		struct place *was = places;

		for (uint32_t at = 0; at < n; at += least(2 * run, n - at))
			merge(places + at, least(run, n - at),
			    least(2 * run, n - at), spare + at);
		places = spare;
		spare = was;
	}
	return places;
}
