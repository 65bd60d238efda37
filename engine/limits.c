/* limits.c: counts by network, a line of the cache for each few of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/limits.h"
#include "engine/siphash.h"

/*
 * A slot is one word: 20 bits of the network's keyed hash above 12 of count;
 * a count of 0 is empty. Two networks that share line and tag share a count:
 * with a million of them about ten pairs do, and all it does is to put off a
 * host for a while. What finds its line full goes to the next, and counts as
 * spilt from its own: two full lines in a row, and it is put off.
 */
enum { LINE = 64, SLOTS = LINE / 4 - 1, COUNT_BITS = 12, FILL = 8 };

_Static_assert(NETWORK_LIMIT_MAX == (1 << COUNT_BITS) - 1, "a count");

struct line {
	uint32_t slots[SLOTS], spilt;
};

_Static_assert(sizeof(struct line) == LINE, "a line of the cache");

struct limits {
	struct line *lines;
	uint64_t mask;
	uint32_t per_network, max, taken;
	uint8_t key[SWEEP_KEY_LEN];
};

struct limits *
limits_new(uint32_t max, uint32_t per_network, const uint8_t key[SWEEP_KEY_LEN])
{
	struct limits *l;
	uint64_t n = 2;

	if (max == 0 || per_network == 0) {
		errno = EINVAL;
		return NULL;
	}
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	while (n * FILL < max)
		n *= 2;
	l->lines = aligned_alloc(LINE, n * sizeof *l->lines);
	if (l->lines == NULL) {
		free(l);
		return NULL;
	}
	memset(l->lines, 0, n * sizeof *l->lines);
	l->mask = n - 1;
	l->max = max;
	l->per_network =
	    per_network < NETWORK_LIMIT_MAX ? per_network : NETWORK_LIMIT_MAX;
	memcpy(l->key, key, sizeof l->key);
	return l;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	free(l->lines);
	free(l);
}

/* SipHash of the prefix alone, 3 bytes or 6. */
uint64_t
limits_network(const struct limits *l, const struct addr *a)
{
	struct sip s = sip_start(l->key);

	if (addr_is4(a))
		sip_word(&s, (uint64_t)3 << 56 | addr_to4(a) >> 8);
	else
		sip_word(&s, (uint64_t)6 << 56 | sip_word_be(a->b) >> 16);
	return sip_finish(&s);
}

static inline struct line *
line_of(const struct limits *l, uint64_t network, unsigned next)
{
	return &l->lines[(network + next) & l->mask];
}

static inline uint32_t
tag_of(uint64_t network)
{
	return (uint32_t)(network >> 32) >> COUNT_BITS;
}

static inline uint32_t
count_of(uint32_t slot)
{
	return slot & NETWORK_LIMIT_MAX;
}

void
limits_ahead(const struct limits *l, uint64_t network)
{
	__builtin_prefetch(line_of(l, network, 0), 1);
}

static uint32_t *
find_in(struct line *line, uint32_t tag)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (line->slots[i] >> COUNT_BITS == tag &&
		    count_of(line->slots[i]) > 0)
			return &line->slots[i];
	return NULL;
}

static uint32_t *
empty_in(struct line *line)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (count_of(line->slots[i]) == 0)
			return &line->slots[i];
	return NULL;
}

/* The network's slot, or NULL; *spilt: it is not in its own line. */
static uint32_t *
find(struct limits *l, uint64_t network, bool *spilt)
{
	struct line *home = line_of(l, network, 0);
	uint32_t tag = tag_of(network), *slot = find_in(home, tag);

	*spilt = slot == NULL && home->spilt > 0;
	return *spilt ? find_in(line_of(l, network, 1), tag) : slot;
}

/* A slot for one that has none, or NULL. */
static uint32_t *
begin(struct limits *l, uint64_t network)
{
	struct line *home = line_of(l, network, 0);
	uint32_t *slot = empty_in(home);

	if (slot == NULL) {
		slot = empty_in(line_of(l, network, 1));
		home->spilt += slot != NULL;
	}
	if (slot != NULL)
		*slot = tag_of(network) << COUNT_BITS;
	return slot;
}

bool
limits_take(struct limits *l, uint64_t network)
{
	uint32_t *slot;
	bool spilt;

	if (l->taken == l->max)
		return false;
	slot = find(l, network, &spilt);
	if (slot == NULL)
		slot = begin(l, network);
	if (slot == NULL || count_of(*slot) >= l->per_network)
		return false;
	++*slot;
	l->taken++;
	return true;
}

void
limits_give(struct limits *l, uint64_t network)
{
	bool spilt;
	uint32_t *slot = find(l, network, &spilt);

	if (slot == NULL)
		return;
	--*slot;
	l->taken--;
	if (spilt && count_of(*slot) == 0)
		line_of(l, network, 0)->spilt--;
}
