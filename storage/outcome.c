/* outcome.c: an outcome on its way into the rows. */
#include <string.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "storage/merge.h"
#include "storage/outcome.h"
#include "storage/second.h"

/* Text that is known, as a field. */
static void
put_text(struct record *r, enum tag tag, const char *text)
{
	if (text[0] != '\0')
		record_put(r, tag, text, strlen(text));
}

/* Where it is, as the databases say today: a later one changes no old row. */
static void
annotate(const struct geo *geo, struct record *r)
{
	struct target t = head_target(&r->head);
	struct geo_place place;

	geo_find(geo, &t.addr, &place);
	memcpy(r->head.country, place.country, sizeof r->head.country);
	r->head.asn = place.asn;
	put_text(r, TAG_REGION, place.region);
	put_text(r, TAG_CITY, place.city);
	put_text(r, TAG_AS_NAME, place.as_name);
	put_text(r, TAG_NAICS, place.naics);
	put_text(r, TAG_SECTOR, place.sector);
}

/*
 * Only an address that somebody is told of is asked for its name: phantoms
 * come by the million.
 */
static void
want_name(struct batch_context *c, const struct target *t, uint32_t findings)
{
	if (c->args->conf->resolver_port != 0 &&
	    (findings & ~(1u << FINDING_PHANTOM)) != 0)
		live_name_want(c->live, &t->addr);
}

/* ---- a connection of kind plain ------------------------------------------ */

static void
put_row(struct batch_context *c, struct record *r)
{
	struct target t = head_target(&r->head);

	annotate(c->geo, r);
	want_name(c, &t, r->head.findings);
	if (live_put_row(c->live, &r->head, r->body, r->len))
		c->counts.added++;
	else
		c->counts.replaced++;
}

/*
 * The same that would be said of it again, on another connection: one bad
 * moment it was not. The first row stays, with its evidence.
 */
static bool
is_confirmed(const struct head *was, const struct head *now)
{
	return second_is_wanted(was) && second_is_wanted(now) &&
	    was->starttls == now->starttls && was->sport != now->sport &&
	    was->confirmed < UINT8_MAX;
}

static void
put_plain(struct batch_context *c, struct record *r, const struct pending *was)
{
	struct target t = head_target(&r->head);
	struct head old;
	bool had = live_head(c->live, &t, &old);

	if (had && is_confirmed(&old, &r->head)) {
		old.confirmed++;
		live_put_head(c->live, &old);
		c->counts.replaced++;
	} else {
		put_row(c, r);
	}
	second_after_row(c, had ? &old : NULL, &r->head, was);
}

static void
put_silent(struct batch_context *c, const struct target *t, uint64_t when_us)
{
	uint64_t since = when_us > c->start_us ? when_us - c->start_us : 0;

	if (live_put_silent(c->live, t, (uint32_t)(since / 1000000))) {
		c->counts.added++;
		second_after_silence(c, t);
	} else {
		c->counts.replaced++;
	}
}

/* ---- a second connection: what it adds to the row that is there ---------- */

/* It said something: TLS, clear text, anything. */
static bool
has_spoken(const struct head *h)
{
	switch ((enum outcome)h->outcome) {
	case OUTCOME_NONE:
	case OUTCOME_SILENT:
	case OUTCOME_RESET:
	case OUTCOME_CLOSED:
	case OUTCOME_LOST:
	case OUTCOME_DIAL_FAILED:
	case OUTCOME_LIMITED:
		return false;
	default:
		return true;
	}
}

/* Silent in clear, and to a ClientHello as well: silent it stays. */
static void
merge(struct batch_context *c, struct record *r)
{
	struct target t = head_target(&r->head);
	struct head old;
	enum live_row had = live_row(c->live, &t, &old);

	/* Nobody was asked a second time who was not asked once. */
	if (had == LIVE_NO_ROW) {
		c->counts.refused++;
		return;
	}
	if (r->head.kind == KIND_CLIENT_HELLO && had == LIVE_SILENT &&
	    has_spoken(&r->head)) {
		put_row(c, r);
		return;
	}
	c->counts.replaced++;
	if (r->head.kind == KIND_TLS_VERSION && had == LIVE_HEAD)
		merge_tls_version(c, &old, &r->head);
	if (r->head.kind == KIND_INJECTION && had == LIVE_HEAD) {
		merge_injection(c, &old, r);
		if (live_row(c->live, &t, &old) == LIVE_HEAD)
			want_name(c, &t, old.findings);
	}
}

/* ---- both ---------------------------------------------------------------- */

/* It is pending no more. What was known of it: all zero if it was not. */
static struct pending
settle(struct batch_context *c, const struct target *t, uint8_t kind)
{
	struct pending was;

	if (!live_pending_get(c->live, t, &was) || was.kind != kind)
		return (struct pending){ .kind = kind };
	live_pending_delete(c->live, t);
	return was;
}

void
outcome_record(struct batch_context *c, struct record *r)
{
	struct target t = head_target(&r->head);
	struct pending was = settle(c, &t, r->head.kind);

	c->counts.received++;
	if (r->head.kind != KIND_PLAIN)
		merge(c, r);
	else if (r->head.outcome == OUTCOME_SILENT)
		put_silent(c, &t, r->head.time_us);
	else
		put_plain(c, r, &was);
}

void
outcome_bare(struct batch_context *c, const struct contact *from,
    enum outcome outcome, uint64_t when_us)
{
	const struct conf_port *port =
	    conf_port(c->args->conf, from->target.port);
	uint8_t body[BODY_MAX - RECORD_MAX];
	struct record r;

	record_init(&r, body, sizeof body);
	r.head.outcome = (uint8_t)outcome;
	r.head.port_protocol = port != NULL ? port->protocol : 0;
	r.head.port = from->target.port;
	memcpy(r.head.addr, from->target.addr.b, sizeof r.head.addr);
	memcpy(r.head.source, from->source.b, sizeof r.head.source);
	r.head.time_us = when_us;
	r.head.sport = from->sport;
	r.head.kind = from->kind;
	r.head.attempt = from->attempt;
	r.head.ttl = from->ttl;
	r.head.window = from->window;
	r.head.mss = from->mss;
	r.head.synack_options = from->synack_options;
	if (from->flags & HANDOFF_WSCALE)
		r.head.wscale = from->wscale;
	if (port != NULL && port->implicit_tls)
		r.head.flags |= HEAD_IMPLICIT;
	if (from->flags & HANDOFF_CANARY) {
		r.head.flags |= HEAD_CANARY;
		record_find(&r, FINDING_PHANTOM);
	}
	outcome_record(c, &r);
}

void
batch_give_up(void *context, const struct target *t, const struct pending *p,
    enum outcome outcome)
{
	struct batch_context *c = context;
	struct contact contact = {
		.target = *t, .kind = p->kind, .attempt = p->attempt
	};
	struct head h;

	/* What it said at an earlier try stays. */
	if (live_row(c->live, t, &h) == LIVE_NO_ROW)
		outcome_bare(c, &contact, outcome, c->now_us);
}
