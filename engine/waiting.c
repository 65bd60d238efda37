/* waiting.c: the table of those that have answered, of a fixed size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bulk.h"
#include "engine/deadlines.h"
#include "engine/siphash.h"
#include "engine/waiting.h"

_Static_assert(sizeof(struct entry) == 24, "as waiting.h and DESIGN.md say");

enum { HIGH_LEN = 12 };
enum { QUEUE_FREE = QUEUE_COUNT }; /* in no queue */
#define NOBODY UINT32_MAX

/* Of an entry's age: 14 bits of 64 ms. */
enum { AGE_MS = 64, AGE_MAX = (1 << 14) - 1 };

/*
 * A line of the cache names 15 entries; all services of an address begin at
 * one. A slot is the number of an entry plus one, with bits of its address's
 * hash above, so that others are not looked at; 0 is empty. What finds its
 * line full goes to the next, and each line that was passed over counts it.
 */
enum { LINE = BULK_LINE, SLOTS = LINE / 4 - 1, FILL = 13 };

struct line {
	uint32_t slots[SLOTS], spilt;
};

_Static_assert(sizeof(struct line) == LINE, "a line of the cache");

/*
 * Entries below `touched` have been in use; those that are free again form a
 * chain from `spare`, by addr_low. So memory that was never needed is never
 * written.
 */
struct waiting {
	struct entry *entries;
	uint8_t (*high)[HIGH_LEN];
	struct line *lines;
	struct bulk table, names; /* where these lie */
	uint32_t max, nlines, number_mask, used, touched, spare;
	uint32_t counts[QUEUE_COUNT], timeouts_ms[QUEUE_COUNT];
	struct deadlines deadlines;
	uint32_t due_at, due_end; /* what is looked at in the block due */
	uint32_t any_at;
	bool done_held;
	uint8_t key[SWEEP_KEY_LEN];
};

static int
allocate(struct waiting *w, bool ipv6)
{
	w->high = ipv6 ? calloc(w->max, sizeof *w->high) : NULL;
	if (deadlines_init(&w->deadlines, w->max) < 0 ||
	    bulk_new(&w->table, w->max, sizeof *w->entries) < 0 ||
	    bulk_new(&w->names, w->nlines, sizeof *w->lines) < 0 ||
	    (ipv6 && w->high == NULL))
		return -1;
	w->entries = w->table.at;
	w->lines = w->names.at;
	return 0;
}

struct waiting *
waiting_new(uint32_t max, bool ipv6, const uint8_t key[SWEEP_KEY_LEN],
    const uint32_t timeouts_ms[QUEUE_COUNT])
{
	struct waiting *w;

	if (max == 0 || max > 1u << 30) {
		errno = EINVAL;
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->max = max;
	w->nlines = (max - 1) / FILL + 1;
	w->number_mask = 1;
	while (w->number_mask < max)
		w->number_mask = w->number_mask << 1 | 1;
	w->spare = NOBODY;
	memcpy(w->key, key, sizeof w->key);
	memcpy(w->timeouts_ms, timeouts_ms, sizeof w->timeouts_ms);
	if (allocate(w, ipv6) < 0) {
		waiting_free(w);
		errno = ENOMEM;
		return NULL;
	}
	return w;
}

void
waiting_free(struct waiting *w)
{
	if (w == NULL)
		return;
	bulk_free(&w->table);
	bulk_free(&w->names);
	free(w->high);
	deadlines_free(&w->deadlines);
	free(w);
}

size_t
waiting_bytes(const struct waiting *w)
{
	size_t each =
	    sizeof *w->entries + (w->high != NULL ? sizeof *w->high : 0);

	return sizeof *w + w->max * each +
	    (w->nlines + (size_t)1) * sizeof *w->lines + w->deadlines.bytes;
}

uint32_t
waiting_number(const struct waiting *w, const struct entry *e)
{
	return (uint32_t)(e - w->entries);
}

/* ---- who it is ----------------------------------------------------------- */

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

struct addr
waiting_addr(const struct waiting *w, const struct entry *e)
{
	struct addr a = addr_from4(0);

	if (w->high != NULL)
		memcpy(a.b, w->high[waiting_number(w, e)], HIGH_LEN);
	memcpy(a.b + HIGH_LEN, &e->addr_low, sizeof e->addr_low);
	return a;
}

static void
set_addr(struct waiting *w, struct entry *e, const struct addr *a)
{
	memcpy(&e->addr_low, a->b + HIGH_LEN, sizeof e->addr_low);
	if (w->high != NULL)
		memcpy(w->high[waiting_number(w, e)], a->b, HIGH_LEN);
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

/* ---- where it is --------------------------------------------------------- */

/* Over the lines where what has this hash may be. */
struct walk {
	struct line *line;
	uint32_t tag; /* as it is in a slot */
	uint32_t left; /* lines */
	unsigned slot; /* the next one */
};

/* The line by the upper half, the tag from the lower. */
static inline struct walk
walk_of(const struct waiting *w, uint64_t hash)
{
	return (struct walk){ .line = &w->lines[(hash >> 32) * w->nlines >> 32],
		.tag = (uint32_t)hash & ~w->number_mask,
		.left = w->nlines };
}

static inline void
walk_on(const struct waiting *w, struct walk *k)
{
	k->slot = 0;
	k->left--;
	if (++k->line == w->lines + w->nlines)
		k->line = w->lines;
}

/* May the line have the tag? Four slots in a step. */
typedef uint32_t lanes __attribute__((vector_size(16), may_alias));

static inline bool
may_have(const struct waiting *w, const struct walk *k)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < LINE; i += sizeof(lanes)) {
		uint64_t same[2];
		lanes v;

		memcpy(&v, (const uint8_t *)k->line + i, sizeof v);
		v = (lanes)((v & ~w->number_mask) == k->tag);
		memcpy(same, &v, sizeof same);
		any |= same[0] | same[1];
	}
	return any != 0;
}

/* The next entry with that tag, most likely of that address; NULL: the end. */
static inline struct entry *
walk_next(const struct waiting *w, struct walk *k)
{
	while (k->left > 0) {
		if (k->slot == 0 && !may_have(w, k))
			k->slot = SLOTS;
		while (k->slot < SLOTS) {
			uint32_t slot = k->line->slots[k->slot++];

			if ((slot ^ k->tag) <= w->number_mask && slot != 0)
				return &w->entries[(slot & w->number_mask) - 1];
		}
		if (k->line->spilt == 0)
			return NULL;
		walk_on(w, k);
	}
	return NULL;
}

/* The first slot that holds just this, in the walk's line. */
static bool
line_has(struct walk *k, uint32_t what)
{
	for (k->slot = 0; k->slot < SLOTS; k->slot++)
		if (k->line->slots[k->slot] == what)
			return true;
	return false;
}

/* There are more slots than entries. */
static void
name(struct waiting *w, uint64_t hash, const struct entry *e)
{
	struct walk k = walk_of(w, hash);

	for (; !line_has(&k, 0); walk_on(w, &k))
		k.line->spilt++;
	k.line->slots[k.slot] = k.tag | (waiting_number(w, e) + 1);
}

static void
forget(struct waiting *w, const struct entry *e)
{
	struct addr a = waiting_addr(w, e);
	struct walk k = walk_of(w, waiting_hash(w, &a));

	for (; !line_has(&k, k.tag | (waiting_number(w, e) + 1));
	     walk_on(w, &k))
		k.line->spilt--;
	k.line->slots[k.slot] = 0;
}

void
waiting_ahead(const struct waiting *w, uint64_t hash)
{
	__builtin_prefetch(walk_of(w, hash).line, 1);
}

void
waiting_ahead_entry(const struct waiting *w, uint64_t hash)
{
	struct walk k = walk_of(w, hash);
	const struct entry *e = walk_next(w, &k);

	if (e != NULL)
		__builtin_prefetch(e, 1);
}

struct entry *
waiting_find_at(
    struct waiting *w, uint64_t hash, const struct addr *a, uint8_t service)
{
	struct walk k = walk_of(w, hash);
	struct entry *e;

	while ((e = walk_next(w, &k)) != NULL)
		if (e->service == service && is_of(w, e, a))
			return e;
	return NULL;
}

struct entry *
waiting_find(struct waiting *w, const struct addr *a, uint8_t service)
{
	return waiting_find_at(w, waiting_hash(w, a), a, service);
}

/* What was handed on before it spoke had no ACK of ours until then. */
static uint32_t
began(const struct entry *e)
{
	return e->queue == QUEUE_BLOCKED || e->queue == QUEUE_HANDED_EARLY ||
		e->queue == QUEUE_HANDED_EARLY_SMTP
	    ? e->since_ms
	    : waiting_start(e);
}

struct waiting_host
waiting_host(const struct waiting *w, uint64_t hash, const struct addr *a)
{
	struct walk k = walk_of(w, hash);
	struct waiting_host h = { 0 };
	const struct entry *e;

	while ((e = walk_next(w, &k)) != NULL) {
		uint32_t began_ms = began(e);

		if (!is_of(w, e, a))
			continue;
		h.open += e->queue != QUEUE_DONE;
		if (h.entries++ == 0 || (int32_t)(began_ms - h.last_ms) > 0)
			h.last_ms = began_ms;
	}
	return h;
}

/* ---- its time ------------------------------------------------------------ */

uint32_t
waiting_start(const struct entry *e)
{
	return e->since_ms - e->age * (uint32_t)AGE_MS;
}

static uint32_t
deadline_of(const struct waiting *w, const struct entry *e)
{
	return e->since_ms + w->timeouts_ms[e->queue];
}

static void
queue_add(struct waiting *w, struct entry *e, enum waiting_queue to)
{
	e->queue = to & 7u;
	w->counts[to]++;
	deadlines_note(&w->deadlines, waiting_number(w, e), deadline_of(w, e));
}

static struct entry *
allot(struct waiting *w)
{
	struct entry *e;

	if (w->used == w->max)
		return NULL;
	w->used++;
	if (w->spare == NOBODY)
		return &w->entries[w->touched++];
	e = &w->entries[w->spare];
	w->spare = e->addr_low;
	if (w->spare != NOBODY)
		__builtin_prefetch(&w->entries[w->spare], 1);
	return e;
}

struct entry *
waiting_add_at(struct waiting *w, uint64_t hash, const struct addr *a,
    uint8_t service, enum waiting_queue to, uint32_t now_ms)
{
	struct entry *e = allot(w);

	if (e == NULL)
		return NULL;
	*e = (struct entry){ .since_ms = now_ms, .service = service & 31u };
	set_addr(w, e, a);
	name(w, hash, e);
	queue_add(w, e, to);
	return e;
}

struct entry *
waiting_add(struct waiting *w, const struct addr *a, uint8_t service,
    enum waiting_queue to, uint32_t now_ms)
{
	return waiting_add_at(w, waiting_hash(w, a), a, service, to, now_ms);
}

/* Whole steps of its age from its start, so that this is never rounded. */
void
waiting_move(
    struct waiting *w, struct entry *e, enum waiting_queue to, uint32_t now_ms)
{
	uint32_t start_ms = waiting_start(e);
	uint32_t steps = (now_ms - start_ms + AGE_MS - 1) / AGE_MS;

	w->counts[e->queue]--;
	e->since_ms = steps <= AGE_MAX ? start_ms + steps * AGE_MS : now_ms;
	e->age = (steps <= AGE_MAX ? steps : AGE_MAX) & AGE_MAX;
	queue_add(w, e, to);
}

void
waiting_remove(struct waiting *w, struct entry *e)
{
	forget(w, e);
	w->counts[e->queue]--;
	e->queue = QUEUE_FREE;
	e->addr_low = w->spare;
	w->spare = waiting_number(w, e);
	w->used--;
}

/* ---- whose time is up ---------------------------------------------------- */

struct entry *
waiting_due(struct waiting *w, uint32_t now_ms)
{
	int64_t block;

	do {
		while (w->due_at < w->due_end) {
			struct entry *e = &w->entries[w->due_at++];
			uint32_t deadline_ms;

			if (e->queue == QUEUE_FREE ||
			    (w->done_held && e->queue == QUEUE_DONE))
				continue;
			deadline_ms = deadline_of(w, e);
			if (deadline_is_up(deadline_ms, now_ms))
				return e;
			deadlines_note(
			    &w->deadlines, waiting_number(w, e), deadline_ms);
		}
		block = deadlines_next(&w->deadlines, now_ms);
		w->due_at = (uint32_t)block;
		w->due_end = w->due_at + DEADLINES_BLOCK;
		if (block < 0 || w->due_end > w->touched)
			w->due_end = block < 0 ? w->due_at : w->touched;
	} while (block >= 0);
	return NULL;
}

void
waiting_hold_done(struct waiting *w, bool held, uint32_t now_ms)
{
	if (w->done_held && !held)
		deadlines_doubt(&w->deadlines, now_ms);
	w->done_held = held;
}

struct entry *
waiting_next(struct waiting *w, const struct entry *e)
{
	uint32_t at = e != NULL ? waiting_number(w, e) + 1 : 0;

	while (at < w->touched && w->entries[at].queue == QUEUE_FREE)
		at++;
	return at < w->touched ? &w->entries[at] : NULL;
}

struct entry *
waiting_any(struct waiting *w, enum waiting_queue from)
{
	for (uint32_t i = 0; w->counts[from] > 0 && i < w->touched; i++) {
		if (w->any_at >= w->touched)
			w->any_at = 0;
		if (w->entries[w->any_at].queue == from)
			return &w->entries[w->any_at];
		w->any_at++;
	}
	return NULL;
}

uint32_t
waiting_count(const struct waiting *w, enum waiting_queue of)
{
	return w->counts[of];
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
