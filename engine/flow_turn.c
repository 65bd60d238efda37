/* flow_turn.c: those that are handed on at the end of a batch. */
#include <string.h>

#include "engine/flow_state.h"

/* Where the entry's turn is noted, or the empty place where it would be. */
static uint16_t *
place_of(struct flow *f, const struct entry *e)
{
	uint32_t at = waiting_number(f->table, e) % PLACES;

	while (f->places[at] != 0 && f->turns[f->places[at] - 1].entry != e)
		at = (at + 1) % PLACES;
	return &f->places[at];
}

struct turn *
flow_turn_find(struct flow *f, const struct entry *e)
{
	uint16_t place = *place_of(f, e);

	return place != 0 ? &f->turns[place - 1] : NULL;
}

struct turn *
flow_turn_get(struct flow *f, struct entry *e)
{
	uint16_t *place = place_of(f, e);
	struct turn *t;

	if (*place != 0)
		return &f->turns[*place - 1];
	t = &f->turns[f->nturns++];
	*place = (uint16_t)f->nturns;
	t->entry = e;
	t->next = e->irs + 1;
	memset(&t->handoff, 0, HANDOFF_HEAD);
	t->handoff.contact = flow_contact(f, e);
	t->handoff.isn = flow_isn(f, e);
	t->handoff.irs = e->irs;
	/* Of the SYN-ACK, never scaled (RFC 7323 section 2.2). */
	t->handoff.snd_wnd = e->window;
	t->handoff.snd_wl1 = e->irs;
	return t;
}

static bool
smtp(const struct flow *f, const struct entry *e)
{
	return f->conf->ports[e->service].protocol == PROTOCOL_SMTP;
}

void
flow_handed(struct flow *f, struct entry *e)
{
	enum waiting_queue to = QUEUE_HANDED;

	if (flow_early(f, e))
		to = smtp(f, e) ? QUEUE_HANDED_EARLY_SMTP : QUEUE_HANDED_EARLY;
	waiting_move(f->table, e, to, flow_now_ms(f));
	flow_count(f, STAT_PKT_HANDED_ON);
}

/*
 * One ACK for exactly what was taken; a FIN behind it stays unacknowledged
 * and comes again, to the socket.
 */
static void
taken(struct flow *f, struct turn *t)
{
	flow_ack(f, t->entry, t->handoff.len);
	flow_handed(f, t->entry);
}

/* What is not taken is not acknowledged: the peer keeps it for us. */
static void
blocked(struct flow *f, struct turn *t)
{
	waiting_move(f->table, t->entry, QUEUE_BLOCKED, flow_now_ms(f));
}

/* Who did not end in the same batch; turns and handoffs side by side. */
static unsigned
collect(struct flow *f, struct turn **turns, const struct handoff **handoffs)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->nturns; i++) {
		if (f->turns[i].entry == NULL)
			continue;
		turns[n] = &f->turns[i];
		handoffs[n++] = &f->turns[i].handoff;
	}
	return n;
}

void
flow_hand_on(struct flow *f)
{
	struct turn *turns[FLOW_BATCH];
	const struct handoff *handoffs[FLOW_BATCH];
	unsigned n, at = 0;
	bool open;

	if (f->nturns == 0)
		return;
	n = collect(f, turns, handoffs);
	open = f->act.noted(f->context);
	while (open && at < n) {
		int took = f->act.hand_on(f->context, handoffs + at, n - at);

		open = took > 0;
		if (!open)
			stats_add(f->args->stats, f->args->slot,
			    STAT_PKT_WIRE_FULL, n - at);
		for (int i = 0; i < took && at < n; i++)
			taken(f, turns[at++]);
	}
	for (; at < n; at++)
		blocked(f, turns[at]);
	memset(f->places, 0, sizeof f->places);
	f->nturns = 0;
}
