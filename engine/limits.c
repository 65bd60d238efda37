/* limits.c: counts by host and network in one open-addressed table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cookie.h"
#include "engine/limits.h"

/*
 * A slot is one word: 48 bits of the keyed hash, which stand for the host or
 * the network, above 16 bits of count; 0 is empty. Two that share 48 bits
 * share a count: with a million connections a chance of one in a hundred, and
 * all it does is to put off a host for a while.
 */
enum { COUNT_BITS = 16, COUNT_MAX = (1 << COUNT_BITS) - 1 };

enum scope { HOST, NETWORK };

struct limits {
	uint64_t *slots;
	uint64_t mask;
	uint32_t per_host, per_network, max, taken;
	uint8_t key[SWEEP_KEY_LEN];
};

static uint32_t
cut(uint32_t limit)
{
	return limit < COUNT_MAX ? limit : COUNT_MAX;
}

struct limits *
limits_new(uint32_t max, uint32_t per_host, uint32_t per_network,
    const uint8_t key[SWEEP_KEY_LEN])
{
	struct limits *l;
	uint64_t n = 16;

	if (max == 0 || per_host == 0 || per_network == 0) {
		errno = EINVAL;
		return NULL;
	}
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	/* A connection fills two slots at most; half of all stay empty. */
	while (n < (uint64_t)max * 4)
		n *= 2;
	l->slots = calloc(n, sizeof *l->slots);
	if (l->slots == NULL) {
		free(l);
		return NULL;
	}
	l->mask = n - 1;
	l->max = max;
	l->per_host = cut(per_host);
	l->per_network = cut(per_network);
	memcpy(l->key, key, sizeof l->key);
	return l;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	free(l->slots);
	free(l);
}

static uint64_t
tag_of(const struct limits *l, const struct addr *a, enum scope scope)
{
	uint8_t m[sizeof a->b + 1];
	struct addr n = *a;

	if (scope == NETWORK)
		n = addr_network(
		    a, addr_is4(a) ? NETWORK_BITS4 : NETWORK_BITS6);
	memcpy(m, n.b, sizeof n.b);
	m[sizeof n.b] = (uint8_t)scope;
	return cookie_hash(l->key, m, sizeof m) >> COUNT_BITS;
}

/* Where the tag's count is, or the empty slot where it would be. */
static uint64_t
slot_of(const struct limits *l, uint64_t tag)
{
	uint64_t at = tag & l->mask;

	while (l->slots[at] != 0 && l->slots[at] >> COUNT_BITS != tag)
		at = (at + 1) & l->mask;
	return at;
}

static uint32_t
count_at(const struct limits *l, uint64_t slot)
{
	return (uint32_t)(l->slots[slot] & COUNT_MAX);
}

/* An empty slot has no tag yet. */
static void
raise_at(struct limits *l, uint64_t slot, uint64_t tag)
{
	l->slots[slot] = tag << COUNT_BITS | (uint64_t)(count_at(l, slot) + 1);
}

bool
limits_take(struct limits *l, const struct addr *a)
{
	uint64_t host = tag_of(l, a, HOST), network = tag_of(l, a, NETWORK);
	uint64_t slot = slot_of(l, host);

	if (l->taken == l->max || count_at(l, slot) >= l->per_host ||
	    count_at(l, slot_of(l, network)) >= l->per_network)
		return false;
	raise_at(l, slot, host);
	/* Looked for again: the host may have taken the empty slot. */
	raise_at(l, slot_of(l, network), network);
	l->taken++;
	return true;
}

/* Close the gap, so that no search ends before what it looks for. */
static void
empty_at(struct limits *l, uint64_t gap)
{
	uint64_t at = gap;

	l->slots[gap] = 0;
	for (;;) {
		uint64_t home;

		at = (at + 1) & l->mask;
		if (l->slots[at] == 0)
			return;
		home = l->slots[at] >> COUNT_BITS & l->mask;
		/* Would a search from home meet the gap before it? */
		if (((at - home) & l->mask) < ((at - gap) & l->mask))
			continue;
		l->slots[gap] = l->slots[at];
		l->slots[at] = 0;
		gap = at;
	}
}

static void
lower(struct limits *l, uint64_t tag)
{
	uint64_t slot = slot_of(l, tag);

	if (count_at(l, slot) > 1)
		l->slots[slot]--;
	else if (l->slots[slot] != 0)
		empty_at(l, slot);
}

void
limits_give(struct limits *l, const struct addr *a)
{
	lower(l, tag_of(l, a, HOST));
	lower(l, tag_of(l, a, NETWORK));
	if (l->taken > 0)
		l->taken--;
}
