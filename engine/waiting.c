/* waiting.c: the table of those that have answered, of a fixed size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/siphash.h"
#include "engine/waiting.h"

_Static_assert(sizeof(struct entry) == 40, "as waiting.h and DESIGN.md say");

enum { HIGH_LEN = 12 };
#define NOBODY UINT32_MAX

struct queue {
	uint32_t oldest, newest, count, timeout_ms;
};

/*
 * Entries below `touched` have been in use; those that are free again form a
 * chain from `spare`. So memory that was never needed is never written.
 */
struct waiting {
	struct entry *entries;
	uint8_t (*high)[HIGH_LEN];
	uint32_t *buckets; /* index + 1; 0: empty */
	uint32_t max, mask, used, touched, spare;
	struct queue queues[QUEUE_COUNT];
	uint8_t key[SWEEP_KEY_LEN];
};

struct waiting *
waiting_new(uint32_t max, bool ipv6, const uint8_t key[SWEEP_KEY_LEN],
    const uint32_t timeouts_ms[QUEUE_COUNT])
{
	uint32_t buckets = 16;
	struct waiting *w;

	if (max == 0 || max > 1u << 30) {
		errno = EINVAL;
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	while (buckets < max)
		buckets *= 2;
	w->entries = calloc(max, sizeof *w->entries);
	w->buckets = calloc(buckets, sizeof *w->buckets);
	w->high = ipv6 ? calloc(max, sizeof *w->high) : NULL;
	if (w->entries == NULL || w->buckets == NULL ||
	    (ipv6 && w->high == NULL)) {
		waiting_free(w);
		errno = ENOMEM;
		return NULL;
	}
	w->max = max;
	w->mask = buckets - 1;
	w->spare = NOBODY;
	memcpy(w->key, key, sizeof w->key);
	for (int i = 0; i < QUEUE_COUNT; i++)
		w->queues[i] =
		    (struct queue){ NOBODY, NOBODY, 0, timeouts_ms[i] };
	return w;
}

void
waiting_free(struct waiting *w)
{
	if (w == NULL)
		return;
	free(w->entries);
	free(w->buckets);
	free(w->high);
	free(w);
}

uint32_t
waiting_number(const struct waiting *w, const struct entry *e)
{
	return (uint32_t)(e - w->entries);
}

/* SipHash of 4 bytes or 16. */
uint64_t
waiting_hash(const struct waiting *w, const struct addr *a)
{
	struct sip s = sip_start(w->key);

	if (addr_is4(a)) {
		sip_word(&s, (uint64_t)4 << 56 | addr_to4(a));
		return sip_finish(&s);
	}
	sip_word(&s, sip_word_be(a->b));
	sip_word(&s, sip_word_be(a->b + SIP_WORD));
	sip_word(&s, (uint64_t)16 << 56);
	return sip_finish(&s);
}

/* All services of an address are in one. */
static inline uint32_t *
bucket_of(const struct waiting *w, uint64_t hash)
{
	return &w->buckets[hash & w->mask];
}

void
waiting_ahead(const struct waiting *w, uint64_t hash)
{
	__builtin_prefetch(bucket_of(w, hash), 1);
}

void
waiting_ahead_entry(const struct waiting *w, uint64_t hash)
{
	uint32_t at = *bucket_of(w, hash);

	if (at != 0)
		__builtin_prefetch(&w->entries[at - 1], 1);
}

struct addr
waiting_addr(const struct waiting *w, const struct entry *e)
{
	struct addr a = addr_from4(0);

	if (w->high != NULL)
		memcpy(a.b, w->high[waiting_number(w, e)], HIGH_LEN);
	memcpy(a.b + HIGH_LEN, &e->addr_low, sizeof e->addr_low);
	return a;
}

static bool
is_of(const struct waiting *w, const struct entry *e, const struct addr *a)
{
	if (memcmp(&e->addr_low, a->b + HIGH_LEN, sizeof e->addr_low) != 0)
		return false;
	if (w->high == NULL)
		return addr_is4(a);
	return memcmp(w->high[waiting_number(w, e)], a->b, HIGH_LEN) == 0;
}

struct entry *
waiting_find_at(
    struct waiting *w, uint64_t hash, const struct addr *a, uint8_t service)
{
	uint32_t at = *bucket_of(w, hash);

	while (at != 0) {
		struct entry *e = &w->entries[at - 1];

		if (e->service == service && is_of(w, e, a))
			return e;
		at = e->chain;
	}
	return NULL;
}

struct entry *
waiting_find(struct waiting *w, const struct addr *a, uint8_t service)
{
	return waiting_find_at(w, waiting_hash(w, a), a, service);
}

unsigned
waiting_open_of(const struct waiting *w, uint64_t hash, const struct addr *a)
{
	unsigned n = 0;

	for (uint32_t at = *bucket_of(w, hash); at != 0;
	     at = w->entries[at - 1].chain) {
		const struct entry *e = &w->entries[at - 1];

		n += e->queue != QUEUE_DONE && is_of(w, e, a);
	}
	return n;
}

static void
queue_add(struct waiting *w, struct entry *e, enum waiting_queue to)
{
	struct queue *q = &w->queues[to];
	uint32_t n = waiting_number(w, e);

	e->queue = (uint8_t)to;
	e->older = q->newest;
	e->newer = NOBODY;
	if (q->newest != NOBODY)
		w->entries[q->newest].newer = n;
	else
		q->oldest = n;
	q->newest = n;
	q->count++;
}

static void
queue_remove(struct waiting *w, struct entry *e)
{
	struct queue *q = &w->queues[e->queue];

	if (e->older != NOBODY)
		w->entries[e->older].newer = e->newer;
	else
		q->oldest = e->newer;
	if (e->newer != NOBODY)
		w->entries[e->newer].older = e->older;
	else
		q->newest = e->older;
	q->count--;
}

struct entry *
waiting_add_at(struct waiting *w, uint64_t hash, const struct addr *a,
    uint8_t service, enum waiting_queue to, uint32_t now_ms)
{
	uint32_t *bucket = bucket_of(w, hash);
	struct entry *e;

	if (w->used == w->max)
		return NULL;
	if (w->spare != NOBODY) {
		e = &w->entries[w->spare];
		w->spare = e->chain;
	} else {
		e = &w->entries[w->touched++];
	}
	w->used++;
	*e = (struct entry){
		.chain = *bucket, .since_ms = now_ms, .service = service
	};
	memcpy(&e->addr_low, a->b + HIGH_LEN, sizeof e->addr_low);
	if (w->high != NULL)
		memcpy(w->high[waiting_number(w, e)], a->b, HIGH_LEN);
	*bucket = waiting_number(w, e) + 1;
	queue_add(w, e, to);
	return e;
}

struct entry *
waiting_add(struct waiting *w, const struct addr *a, uint8_t service,
    enum waiting_queue to, uint32_t now_ms)
{
	return waiting_add_at(w, waiting_hash(w, a), a, service, to, now_ms);
}

void
waiting_move(
    struct waiting *w, struct entry *e, enum waiting_queue to, uint32_t now_ms)
{
	queue_remove(w, e);
	e->since_ms = now_ms;
	queue_add(w, e, to);
}

void
waiting_remove(struct waiting *w, struct entry *e)
{
	struct addr a = waiting_addr(w, e);
	uint32_t *link = bucket_of(w, waiting_hash(w, &a));
	uint32_t n = waiting_number(w, e);

	while (*link != n + 1)
		link = &w->entries[*link - 1].chain;
	*link = e->chain;
	queue_remove(w, e);
	e->chain = w->spare;
	w->spare = n;
	w->used--;
}

struct entry *
waiting_first(struct waiting *w, enum waiting_queue from)
{
	uint32_t n = w->queues[from].oldest;

	return n != NOBODY ? &w->entries[n] : NULL;
}

struct entry *
waiting_next(struct waiting *w, const struct entry *e)
{
	return e->newer != NOBODY ? &w->entries[e->newer] : NULL;
}

struct entry *
waiting_due(struct waiting *w, enum waiting_queue from, uint32_t now)
{
	struct entry *e = waiting_first(w, from);

	if (e == NULL || now - e->since_ms < w->queues[from].timeout_ms)
		return NULL;
	return e;
}

uint32_t
waiting_count(const struct waiting *w, enum waiting_queue of)
{
	return w->queues[of].count;
}

uint32_t
waiting_used(const struct waiting *w)
{
	return w->used;
}

uint32_t
waiting_max(const struct waiting *w)
{
	return w->max;
}
