/*
 * sender_fill.c: from indices of the sweep to frames, a batch at a time.
 *
 * Each step is done for all of a batch before the next: so the processor works
 * at several targets at once, and waits for memory once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sender.h"

_Static_assert((int)AIMS_MAX >= (int)LINK_BATCH, "a batch is looked up whole");
_Static_assert((int)COOKIE_LOT >= (int)LINK_BATCH, "one lot holds a batch");

struct sender_lots {
	const struct sender_plan *plan;
	const struct aims *aims;
	enum syn_kind kind;
	unsigned attempt;
	struct cookie_maker makers[2][CONF_SOURCES_MAX];
	/* Of a batch those that leave from one source. */
	struct cookie_lot of[2][CONF_SOURCES_MAX];
};

/* ---- the plan ------------------------------------------------------------ */

static int
add_source(struct sender_plan *p, const struct addr *source,
    const struct frame_link links[2])
{
	int family = addr_is4(source) ? 0 : 1;

	return frame_template_init(
	    &p->sources[family][p->nsources[family]++], &links[family], source);
}

int
sender_plan_init(struct sender_plan *p, const struct conf *conf,
    const struct ranges *targets, const struct ranges *excluded,
    const struct sweep *sweep, const struct frame_link links[2])
{
	memset(p, 0, sizeof *p);
	p->conf = conf;
	p->targets = targets;
	p->excluded = excluded;
	p->sweep = sweep;
	permute_init(&p->order, sweep->n, sweep->seed);
	if (source_ports_init(&p->ports, conf->sport_first, conf->sport_last,
		sweep_slice(sweep)) == -1)
		return -1;
	p->aims = sender_plan_aims(p, NULL);
	if (p->aims == NULL)
		return -1;
	for (uint32_t i = 0; i < conf->nsources; i++)
		if (add_source(p, &conf->sources[i], links) == -1) {
			sender_plan_free(p);
			return -1;
		}
	return 0;
}

struct aims *
sender_plan_aims(const struct sender_plan *p, const struct ranges *optouts)
{
	uint16_t ports[CONF_PORTS_MAX];

	for (uint32_t i = 0; i < p->conf->nports; i++)
		ports[i] = p->conf->ports[i].port;
	return aims_new(
	    p->targets, p->excluded, optouts, ports, p->conf->nports);
}

void
sender_plan_free(struct sender_plan *p)
{
	aims_free(p->aims);
	p->aims = NULL;
}

/* The same target leaves from the same address, whatever the attempt. */
static inline unsigned
choose(const struct aim *a, unsigned n)
{
	uint64_t h;

	if (n < 2)
		return 0;
	h = (a->lo ^ a->hi * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
	h = ((h ^ h >> 32) + a->port) * 0xbf58476d1ce4e5b9u;
	return (unsigned)((h >> 32) * n >> 32);
}

const struct frame_template *
sender_source(const struct sender_plan *p, const struct aim *a)
{
	int family = a->four ? 0 : 1;
	unsigned n = p->nsources[family];

	return n == 0 ? NULL : &p->sources[family][choose(a, n)];
}

/* ---- a batch ------------------------------------------------------------- */

static void
make_makers(struct sender_lots *l)
{
	const struct sender_plan *p = l->plan;

	for (int family = 0; family < 2; family++)
		for (unsigned i = 0; i < p->nsources[family]; i++)
			cookie_maker_init(&l->makers[family][i], p->sweep->key,
			    &p->ports, &p->sources[family][i].source, l->kind,
			    l->attempt);
}

struct sender_lots *
sender_lots_new(const struct sender_plan *p)
{
	struct sender_lots *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->plan = p;
	l->aims = p->aims;
	make_makers(l);
	return l;
}

void
sender_lots_syn(struct sender_lots *l, enum syn_kind kind, unsigned attempt)
{
	if (l->kind == kind && l->attempt == attempt)
		return;
	l->kind = kind;
	l->attempt = attempt;
	make_makers(l);
}

void
sender_lots_aim(struct sender_lots *l, const struct aims *aims)
{
	l->aims = aims;
}

void
sender_lots_free(struct sender_lots *l)
{
	free(l);
}

static inline void
put_frame(const struct frame_template *from, struct link_slot *slot,
    uint64_t hi, uint64_t lo, uint16_t port, struct cookie c)
{
	if (slot->holds != from) {
		memcpy(slot->frame, from->bytes, FRAME_MAX);
		slot->len = from->len;
		slot->holds = from;
	}
	frame_patch(from, slot->frame, hi, lo, port, c.sport, c.isn);
}

/* Each index to the lot of its source, or to what else becomes of it. */
static void
sort_out(struct sender_lots *lots, const struct aim *aims, unsigned n,
    uint64_t counted[SEND_COUNTS])
{
	const struct sender_plan *p = lots->plan;
	uint64_t excluded = 0, opted_out = 0, not_sent = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct aim *a = &aims[i];
		int family = a->four ? 0 : 1;
		struct cookie_lot *lot;

		if (a->excluded) {
			excluded++;
			continue;
		}
		if (a->opted_out) {
			opted_out++;
			continue;
		}
		if (p->nsources[family] == 0) {
			not_sent++;
			continue;
		}
		lot = &lots->of[family][choose(a, p->nsources[family])];
		lot->hi[lot->n] = a->hi;
		lot->lo[lot->n] = a->lo;
		lot->port[lot->n] = a->port;
		lot->n++;
	}
	counted[SEND_EXCLUDED] += excluded;
	counted[SEND_NOT_SENT] += not_sent;
	counted[SEND_OPTED_OUT] += opted_out;
	counted[SEND_SENT] += n - excluded - opted_out - not_sent;
}

/* The frames of one lot; returns the slots that are left. */
static struct link_slot **
put_lot(struct sender_lots *lots, int family, unsigned source,
    struct link_slot **slots)
{
	const struct frame_template *from =
	    &lots->plan->sources[family][source];
	const struct cookie_maker *maker = &lots->makers[family][source];
	struct cookie_lot *lot = &lots->of[family][source];

	cookie_make_many(maker, lot);
	for (unsigned i = 0; i < lot->n; i++)
		put_frame(from, *slots++, lot->hi[i], lot->lo[i],
		    (uint16_t)lot->port[i],
		    cookie_of_hash(maker, lot->hash[i]));
	lot->n = 0;
	return slots;
}

unsigned
sender_fill(struct sender_lots *lots, uint64_t first, uint64_t stride,
    unsigned n, struct link_slot *slots[], uint64_t counted[SEND_COUNTS])
{
	const struct sender_plan *p = lots->plan;
	struct link_slot **end = slots;
	uint64_t indices[LINK_BATCH];
	struct aim aims[LINK_BATCH];

	permute_many(&p->order, first, stride, n, indices);
	aims_find(lots->aims, indices, n, aims);
	sort_out(lots, aims, n, counted);
	for (int family = 0; family < 2; family++)
		for (unsigned i = 0; i < p->nsources[family]; i++)
			end = put_lot(lots, family, i, end);
	return (unsigned)(end - slots);
}

bool
sender_fill_one(const struct sender_plan *p, const struct target *t,
    enum syn_kind kind, unsigned attempt, struct link_slot *slot)
{
	struct aim a = aim_of(t);
	const struct frame_template *from = sender_source(p, &a);

	if (from == NULL)
		return false;
	put_frame(from, slot, a.hi, a.lo, a.port,
	    cookie_make(
		p->sweep->key, &p->ports, &from->source, t, kind, attempt));
	return true;
}
