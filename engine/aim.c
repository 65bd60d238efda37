/*
 * aim.c: which target an index of the sweep is, for many at a time.
 *
 * An index is address number x ports + port. The address number is looked up
 * among the pieces of the targets by a guide with a bucket for each few of
 * them. With a hundred thousand pieces neither lies in the cache: so a batch
 * goes through in three passes, each asking for the memory that the next one
 * reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/aim.h"

enum { PORTS_MAX = 32, BUCKETS_PER_PIECE = 2 };

__extension__ typedef unsigned __int128 wide;

#define MAPPED_FIRST ((wide)0xffff << 32)
#define MAPPED_LAST  (MAPPED_FIRST | 0xffffffffu)

/*
 * key: the addresses before it, and below that its flags. Of an address number
 * n in it the address is base + n.
 */
enum {
	FLAG_EXCLUDED = 1,
	FLAG_FOUR = 2,
	FLAG_OPTED_OUT = 4,
	FLAG_BITS = 8,
	FLAG_MASK = 0xff
};

struct piece {
	uint64_t key, base_lo;
};

struct aims {
	struct piece *pieces; /* and one behind them that nothing reaches */
	uint64_t *base_hi;
	size_t n, cap;
	uint64_t count; /* addresses */
	uint32_t *guide;
	unsigned shift; /* of an address number to its bucket */
	unsigned nports;
	uint64_t reciprocal; /* 2^64 / nports, rounded up */
	uint16_t ports[PORTS_MAX];
};

static uint64_t
unpack64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static wide
wide_of(const struct addr *a)
{
	return (wide)unpack64(a->b) << 64 | unpack64(a->b + 8);
}

struct addr
aim_addr(const struct aim *a)
{
	struct addr to;

	for (int i = 0; i < 8; i++) {
		to.b[i] = (uint8_t)(a->hi >> (56 - 8 * i));
		to.b[8 + i] = (uint8_t)(a->lo >> (56 - 8 * i));
	}
	return to;
}

struct aim
aim_of(const struct target *t)
{
	return (struct aim){ .hi = unpack64(t->addr.b),
		.lo = unpack64(t->addr.b + 8),
		.port = t->port,
		.four = addr_is4(&t->addr) };
}

/* ---- making -------------------------------------------------------------- */

static int
reserve(struct aims *a)
{
	size_t cap = a->cap == 0 ? 64 : a->cap * 2;
	struct piece *pieces;
	uint64_t *base_hi;

	if (a->n + 1 < a->cap)
		return 0;
	pieces = reallocarray(a->pieces, cap, sizeof *pieces);
	if (pieces == NULL)
		return -1;
	a->pieces = pieces;
	base_hi = reallocarray(a->base_hi, cap, sizeof *base_hi);
	if (base_hi == NULL)
		return -1;
	a->base_hi = base_hi;
	a->cap = cap;
	return 0;
}

static int
add(struct aims *a, wide first, wide last, unsigned flags)
{
	bool four = first >= MAPPED_FIRST && first <= MAPPED_LAST;
	wide base = first - a->count;

	if (reserve(a) == -1)
		return -1;
	a->pieces[a->n] = (struct piece){
		a->count << FLAG_BITS | flags | (four ? FLAG_FOUR : 0u),
		(uint64_t)base,
	};
	a->base_hi[a->n++] = (uint64_t)(base >> 64);
	a->count += (uint64_t)(last - first) + 1;
	return 0;
}

/* The last address that is of one family with the first of a piece. */
static wide
family_end(wide first, wide last)
{
	if (first < MAPPED_FIRST && last >= MAPPED_FIRST)
		return MAPPED_FIRST - 1;
	if (first <= MAPPED_LAST && last > MAPPED_LAST)
		return MAPPED_LAST;
	return last;
}

/* A set that pieces are cut at, and its range that may come next. */
struct cutter {
	const struct ranges *set; /* NULL: empty */
	size_t next;
};

/* Is the first in the set? *end: not past where that changes. */
static bool
holds(struct cutter *c, wide first, wide *end)
{
	size_t n = c->set != NULL ? ranges_pieces(c->set) : 0;
	struct addr from = { .b = { 0 } }, to = from;

	for (; c->next < n; c->next++) {
		ranges_piece(c->set, c->next, &from, &to);
		if (wide_of(&to) >= first)
			break;
	}
	if (c->next == n || wide_of(&from) > *end)
		return false;
	if (wide_of(&from) > first) {
		*end = wide_of(&from) - 1;
		return false;
	}
	if (wide_of(&to) < *end)
		*end = wide_of(&to);
	return true;
}

/* One piece of the targets, cut. */
static int
cut(struct aims *a, wide first, wide last, struct cutter *excluded,
    struct cutter *optouts)
{
	while (first <= last) {
		wide end = family_end(first, last);
		unsigned flags =
		    holds(excluded, first, &end) ? FLAG_EXCLUDED : 0;

		/* Where the end has come nearer, what was said still holds. */
		if (holds(optouts, first, &end))
			flags |= FLAG_OPTED_OUT;
		if (add(a, first, end, flags) == -1)
			return -1;
		if (end == ~(wide)0)
			break;
		first = end + 1;
	}
	return 0;
}

/* guide[b]: the piece that holds the first address number of bucket b. */
static int
make_guide(struct aims *a)
{
	size_t buckets, p = 0;

	a->pieces[a->n] = (struct piece){ .key = UINT64_MAX };
	while (a->count >> a->shift > a->n * BUCKETS_PER_PIECE)
		a->shift++;
	buckets = (size_t)(a->count >> a->shift) + 1;
	a->guide = calloc(buckets, sizeof *a->guide);
	if (a->guide == NULL)
		return -1;
	for (size_t b = 0; b < buckets; b++) {
		uint64_t key = (uint64_t)b << a->shift << FLAG_BITS | FLAG_MASK;

		while (a->pieces[p + 1].key <= key)
			p++;
		a->guide[b] = (uint32_t)p;
	}
	return 0;
}

struct aims *
aims_new(const struct ranges *targets, const struct ranges *excluded,
    const struct ranges *optouts, const uint16_t *ports, unsigned nports)
{
	struct cutter out = { excluded, 0 }, opted = { optouts, 0 };
	struct aims *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->nports = nports;
	a->reciprocal = UINT64_MAX / nports + 1;
	memcpy(a->ports, ports, nports * sizeof ports[0]);
	for (size_t i = 0; i < ranges_pieces(targets); i++) {
		struct addr first, last;

		ranges_piece(targets, i, &first, &last);
		if (cut(a, wide_of(&first), wide_of(&last), &out, &opted) == -1)
			goto fail;
	}
	if (reserve(a) == -1 || make_guide(a) == -1)
		goto fail;
	return a;
fail:
	aims_free(a);
	errno = ENOMEM;
	return NULL;
}

void
aims_free(struct aims *a)
{
	if (a == NULL)
		return;
	free(a->pieces);
	free(a->base_hi);
	free(a->guide);
	free(a);
}

/* ---- looking up ---------------------------------------------------------- */

/*
 * index / nports as a multiplication: exact while index x nports is below 2^64
 * (Granlund and Montgomery 1994), and an index is below 2^56.
 */
static inline uint64_t
address_number(const struct aims *a, uint64_t index)
{
	if (a->nports == 1)
		return index;
	return (uint64_t)((wide)index * a->reciprocal >> 64);
}

void
aims_find(
    const struct aims *a, const uint64_t *indices, unsigned n, struct aim *out)
{
	uint64_t number[AIMS_MAX];
	uint32_t at[AIMS_MAX];

	for (unsigned i = 0; i < n; i++) {
		number[i] = address_number(a, indices[i]);
		out[i].port = a->ports[indices[i] - number[i] * a->nports];
		__builtin_prefetch(&a->guide[number[i] >> a->shift]);
	}
	for (unsigned i = 0; i < n; i++) {
		at[i] = a->guide[number[i] >> a->shift];
		__builtin_prefetch(&a->pieces[at[i]]);
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t key = number[i] << FLAG_BITS | FLAG_MASK;
		const struct piece *p = &a->pieces[at[i]];

		/* without a jump, since nobody could foresee it */
		p += p[1].key <= key;
		while (p[1].key <= key)
			p++;
		out[i].lo = p->base_lo + number[i];
		out[i].four = (p->key & FLAG_FOUR) != 0;
		out[i].excluded = (p->key & FLAG_EXCLUDED) != 0;
		out[i].opted_out = (p->key & FLAG_OPTED_OUT) != 0;
		out[i].hi = out[i].four
		    ? 0
		    : a->base_hi[p - a->pieces] + (out[i].lo < number[i]);
	}
}
