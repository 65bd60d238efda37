/* ending.c: what a conversation that is over leaves in its record. */
#include <stdlib.h>
#include <string.h>

#include "probes/ending.h"

enum {
	US_PER_MS = 1000,
	/* Of one line: transcript, capability, name, field heads, notes. */
	MADE_OF_LINE = 3,
	MADE_BESIDE = 512,
	MADE_OF_SAID = 64, /* our own lines stand in the transcript only */
	MADE_AT_END = 1536 /* chain, names, product, last notes */
};

static void
make_room(struct conversation *c, size_t bytes)
{
	struct record *r = &c->record;
	uint8_t *large;

	if (c->body_large || r->cap - r->len >= bytes)
		return;
	large = malloc(BODY_LARGE);
	if (!large)
		return; /* the record says that it is cut */
	memcpy(large, r->body, r->len);
	c->body_large = r->body = large;
	r->cap = BODY_LARGE;
}

void
conversation_room(struct conversation *c, size_t line)
{
	make_room(c, line * MADE_OF_LINE + MADE_BESIDE);
}

void
conversation_said_room(struct conversation *c, size_t line)
{
	make_room(c, line + MADE_OF_SAID);
}

static uint32_t
ms_between(uint64_t from_us, uint64_t to_us)
{
	uint64_t ms = to_us > from_us ? (to_us - from_us) / US_PER_MS : 0;

	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static void
head_fill(struct conversation *c)
{
	const struct contact *k = &c->contact;
	struct head *h = &c->record.head;
	uint64_t now_us = c->all->now_us;

	h->port_protocol = k->protocol;
	h->port = k->target.port;
	memcpy(h->addr, k->target.addr.b, sizeof h->addr);
	memcpy(h->source, k->source.b, sizeof h->source);
	h->time_us = c->greeting_us ? c->greeting_us : now_us;
	h->ttl = k->ttl;
	h->attempt = k->attempt;
	h->kind = k->kind;
	h->window = k->window;
	h->mss = k->mss;
	h->sport = k->sport;
	h->wscale = k->flags & HANDOFF_WSCALE ? k->wscale : UINT8_MAX;
	h->synack_options = k->synack_options;
	h->rtt_us = c->rtt_us;
	h->greeting_ms =
	    c->greeting_us ? ms_between(k->synack_us, c->greeting_us) : 0;
	h->duration_ms = ms_between(k->synack_us, now_us);
	if (!(k->flags & HANDOFF_CONNECT))
		h->flags |= HEAD_ADOPTED;
	if (k->flags & HANDOFF_CANARY)
		h->flags |= HEAD_CANARY;
}

/* Is the leaf good for a name that the server claims? */
static void
names_match(struct conversation *c)
{
	static const struct {
		enum tag tag;
		uint8_t bit; /* enum name_match */
	} claims[] = {
		{ TAG_GREETING_NAME, NAME_GREETING },
		{ TAG_EHLO_NAME, NAME_EHLO },
	};
	struct head *h = &c->record.head;
	struct field name;

	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
		if (facts_find(&c->dialog.facts, claims[i].tag, &name) &&
		    tls_names(c->tls, name.bytes, name.len)) {
			h->flags |= HEAD_NAME_MATCH;
			h->names |= claims[i].bit;
		}
}

void
conversation_conclude(struct conversation *c)
{
	conversation_room(c, MADE_AT_END / MADE_OF_LINE);
	head_fill(c);
	if (c->tls)
		tls_report(c->tls, &c->dialog.facts);
	dialog_conclude(&c->dialog);
	if (c->tls)
		names_match(c);
}
