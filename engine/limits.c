/* limits.c: counts by network, a line of the cache for each few of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bulk.h"
#include "engine/limits.h"
#include "engine/siphash.h"

/*
 * A slot holds a count below and bits of the network's keyed hash above; a
 * count of 0 is empty. Slots are of two bytes, or of four where counts may be
 * large. A network is in its own line or in that line's twin. Two that share
 * these and the bits share a count: of networks in a full table with slots of
 * two bytes one in fifty does, and one in fifty finds both lines full. All
 * that comes of it is that a host is put off for a while.
 */
enum { LINE = BULK_LINE };
enum { NARROW = LINE / 2, NARROW_FILL = 25, NARROW_MAX = 63 };
enum { WIDE = LINE / 4, WIDE_FILL = 12 };

union line {
	uint16_t narrow[NARROW];
	uint32_t wide[WIDE];
};

_Static_assert(sizeof(union line) == LINE, "a line of the cache");

struct limits {
	struct bulk memory;
	union line *lines; /* in there */
	uint64_t nlines; /* even */
	uint32_t per_network, max, taken;
	uint32_t count_mask, tag_mask; /* of a slot */
	bool wide;
	uint8_t key[SWEEP_KEY_LEN];
};

static void
shape(struct limits *l, uint32_t max, uint32_t per_network)
{
	l->max = max;
	l->per_network =
	    per_network < NETWORK_LIMIT_MAX ? per_network : NETWORK_LIMIT_MAX;
	l->wide = l->per_network > NARROW_MAX;
	l->nlines = max / (2u * NARROW_FILL) * 2 + 2;
	if (l->wide)
		l->nlines = max / (2u * WIDE_FILL) * 2 + 2;
	l->count_mask = 1;
	while (l->count_mask < l->per_network)
		l->count_mask = l->count_mask << 1 | 1;
	l->tag_mask = (l->wide ? UINT32_MAX : 0xffffu) & ~l->count_mask;
}

struct limits *
limits_new(uint32_t max, uint32_t per_network, const uint8_t key[SWEEP_KEY_LEN])
{
	struct limits *l;

	if (max == 0 || per_network == 0) {
		errno = EINVAL;
		return NULL;
	}
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	shape(l, max, per_network);
	memcpy(l->key, key, sizeof l->key);
	if (bulk_new(&l->memory, l->nlines, sizeof *l->lines) < 0) {
		free(l);
		return NULL;
	}
	l->lines = l->memory.at;
	return l;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	bulk_free(&l->memory);
	free(l);
}

size_t
limits_bytes(const struct limits *l)
{
	return (l->nlines + 1) * sizeof *l->lines;
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

/* The line by the upper half of the hash, the tag from the lower. */
static inline uint64_t
line_of(const struct limits *l, uint64_t network)
{
	return (network >> 32) * l->nlines >> 32;
}

static inline uint32_t
tag_of(const struct limits *l, uint64_t network)
{
	return (uint32_t)network & l->tag_mask;
}

void
limits_ahead(const struct limits *l, uint64_t network)
{
	__builtin_prefetch(&l->lines[line_of(l, network)], 1);
	__builtin_prefetch(&l->lines[line_of(l, network) ^ 1], 1);
}

/* Where a network is, or would be. */
struct place {
	union line *line;
	unsigned slot;
	uint32_t count;
};

/* May the line have the tag? Eight slots, or four, in a step. */
typedef uint16_t lanes16 __attribute__((vector_size(16), may_alias));
typedef uint32_t lanes32 __attribute__((vector_size(16), may_alias));

static inline bool
may_have(const struct limits *l, const union line *line, uint32_t tag)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < LINE; i += sizeof(lanes16)) {
		const uint8_t *at = (const uint8_t *)line + i;
		uint64_t same[2];

		if (l->wide) {
			lanes32 v;

			memcpy(&v, at, sizeof v);
			v = (lanes32)((v & l->tag_mask) == tag);
			memcpy(same, &v, sizeof same);
		} else {
			lanes16 v;

			memcpy(&v, at, sizeof v);
			v = (lanes16)((v & (uint16_t)l->tag_mask) ==
			    (uint16_t)tag);
			memcpy(same, &v, sizeof same);
		}
		any |= same[0] | same[1];
	}
	return any != 0;
}

static inline uint32_t
slot_in(const struct limits *l, const union line *line, unsigned i)
{
	return l->wide ? line->wide[i] : line->narrow[i];
}

static bool
find_in(const struct limits *l, struct place *p, uint64_t at, uint32_t tag)
{
	unsigned n = l->wide ? WIDE : NARROW;

	p->line = &l->lines[at];
	if (!may_have(l, p->line, tag))
		return false;
	for (p->slot = 0; p->slot < n; p->slot++) {
		uint32_t slot = slot_in(l, p->line, p->slot);

		p->count = slot & l->count_mask;
		if ((slot & l->tag_mask) == tag && p->count > 0)
			return true;
	}
	return false;
}

static bool
empty_in(const struct limits *l, struct place *p, uint64_t at)
{
	unsigned n = l->wide ? WIDE : NARROW;

	p->line = &l->lines[at];
	p->count = 0;
	for (p->slot = 0; p->slot < n; p->slot++)
		if ((slot_in(l, p->line, p->slot) & l->count_mask) == 0)
			return true;
	return false;
}

static bool
find(const struct limits *l, uint64_t network, struct place *p)
{
	uint64_t at = line_of(l, network);
	uint32_t tag = tag_of(l, network);

	return find_in(l, p, at, tag) || find_in(l, p, at ^ 1, tag);
}

static bool
find_empty(const struct limits *l, uint64_t network, struct place *p)
{
	uint64_t at = line_of(l, network);

	return empty_in(l, p, at) || empty_in(l, p, at ^ 1);
}

/* One that is empty keeps no tag, so that nobody takes it for his own. */
static void
set_count(
    struct limits *l, uint64_t network, const struct place *p, uint32_t count)
{
	uint32_t slot = count > 0 ? tag_of(l, network) | count : 0;

	if (l->wide)
		p->line->wide[p->slot] = slot;
	else
		p->line->narrow[p->slot] = (uint16_t)slot;
}

bool
limits_take(struct limits *l, uint64_t network)
{
	struct place p;

	if (l->taken == l->max ||
	    (!find(l, network, &p) && !find_empty(l, network, &p)) ||
	    p.count >= l->per_network)
		return false;
	set_count(l, network, &p, p.count + 1);
	l->taken++;
	return true;
}

void
limits_give(struct limits *l, uint64_t network)
{
	struct place p;

	if (!find(l, network, &p))
		return;
	set_count(l, network, &p, p.count - 1);
	l->taken--;
}
