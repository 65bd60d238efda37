/* flow.c: what a received segment means for us, and what it is answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/canary.h"
#include "engine/flow_state.h"
#include "engine/frame.h"
#include "engine/ranges.h"

/* A SYN-ACK is repeated for so long: 1 + 2 + 4 ... + 32 s (tcp(7)). */
enum { REPEATS_MS = 63000 };

struct flow *
flow_new(const struct role_args *args, const struct flow_actions *act,
    void *context, struct flow_time now)
{
	const struct conf *conf = args->conf;
	size_t n = ranges_pieces(args->targets);
	uint32_t timeouts_ms[QUEUE_COUNT];
	struct addr first, last = addr_from4(0);
	struct flow *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	if (n > 0)
		ranges_piece(args->targets, n - 1, &first, &last);
	f->args = args;
	f->conf = conf;
	f->act = *act;
	f->context = context;
	f->start = f->now = now;
	f->canary = canary_port(args->sweep->key, conf);
	f->connect = conf->follow == FOLLOW_CONNECT;
	f->strain.since_us = now.mono_us;
	throttle_init(&f->throttle, now.mono_us);
	flow_timeouts(conf, timeouts_ms);
	f->table = waiting_new(
	    conf->waiting_max, !addr_is4(&last), args->sweep->key, timeouts_ms);
	f->limits =
	    limits_new(conf->waiting_max, conf->per_network, args->sweep->key);
	f->turns = calloc(FLOW_BATCH, sizeof *f->turns);
	if (f->table == NULL || f->limits == NULL || f->turns == NULL ||
	    source_ports_init(&f->ports, conf->sport_first, conf->sport_last,
		sweep_slice(args->sweep)) < 0) {
		int error = errno;

		flow_free(f);
		errno = error;
		return NULL;
	}
	return f;
}

void
flow_free(struct flow *f)
{
	if (f == NULL)
		return;
	waiting_free(f->table);
	limits_free(f->limits);
	free(f->turns);
	free(f);
}

static bool
same_connection(const struct arrival *a, const struct entry *e)
{
	return e->sport == a->s->dport && e->source == a->source;
}

static struct entry *
find(struct flow *f, const struct arrival *a)
{
	if (!a->known_service)
		return NULL;
	return waiting_find_at(f->table, a->hash, &a->target.addr, a->service);
}

static void
refuse(struct flow *f, const struct arrival *a, enum stat_id why)
{
	flow_rst(f, a->source, a->s->dport, &a->target, a->s->ack);
	flow_count(f, why);
}

/* Put off: later the same again, from another slice of source ports. */
static void
refuse_limited(struct flow *f, const struct arrival *a, uint32_t pause_ms)
{
	struct syn syn = flow_syn(f, a->s->dport);

	refuse(f, a, STAT_PKT_REFUSED_LIMIT);
	/* Of a TLS version it is what says which. */
	if (syn.kind != KIND_TLS_VERSION && syn.attempt + 1 < ATTEMPTS)
		syn.attempt++;
	flow_note_followup(
	    f, &a->target, syn.kind, syn.attempt, OUTCOME_LIMITED, pause_ms);
}

/* Until the host may have another connection; 0: it may. */
static uint32_t
pause_left(const struct flow *f, const struct arrival *a)
{
	uint32_t pause_ms = f->conf->host_pause_ms;
	struct waiting_host h;
	int32_t passed_ms;

	if (pause_ms == 0)
		return 0;
	h = waiting_host(f->table, a->hash, &a->target.addr);
	passed_ms = (int32_t)(flow_now_ms(f) - h.last_ms);
	if (h.entries == 0 || passed_ms >= (int32_t)pause_ms)
		return 0;
	return passed_ms > 0 ? pause_ms - (uint32_t)passed_ms : pause_ms;
}

/*
 * Too early for the host. Its services come back one after the other, so that
 * those that answered together are not all too early again.
 */
static void
refuse_early(struct flow *f, const struct arrival *a, uint32_t left_ms)
{
	refuse_limited(f, a, left_ms + a->service * f->conf->host_pause_ms);
}

/*
 * Two SYNs went to each target: who has answered which tells how many get lost
 * on the way (loss.h). Repeats are not counted twice.
 */
static void
count_heard(struct flow *f, const struct arrival *a, struct entry *e)
{
	unsigned attempt = source_ports_attempt(&f->ports, a->s->dport);
	enum syn_kind kind = source_ports_kind(&f->ports, a->s->dport);
	unsigned which = kind == KIND_SECOND     ? 2
	    : kind == KIND_PLAIN && attempt == 0 ? 1
						 : 0;

	if (f->conf->syn_probes < 2 || which == 0 || (e->heard & which) != 0)
		return;
	e->heard = (e->heard | which) & 3u;
	flow_count(f, which == 1 ? STAT_PKT_FIRSTS : STAT_PKT_SECONDS);
	if (e->heard == 3)
		flow_count(f, STAT_PKT_BOTH);
}

/*
 * What is handed on at once is acknowledged when wire 1 has taken it: until
 * then the peer repeats its SYN-ACK, and so asks for us.
 */
static void
enter(struct flow *f, const struct arrival *a)
{
	bool smtp = f->conf->ports[a->service].protocol == PROTOCOL_SMTP;
	struct entry *e = waiting_add_at(f->table, a->hash, &a->target.addr,
	    a->service, smtp ? QUEUE_GREETING_SMTP : QUEUE_GREETING,
	    flow_captured_ms(f, a->captured_us));

	e->source = a->source & 15u;
	e->sport = a->s->dport;
	e->irs = a->s->seq;
	e->window = a->s->window;
	e->mss = a->s->mss;
	e->wscale = entry_wscale(a->s->wscale) & 15u;
	e->ttl = a->s->ttl;
	e->options = a->s->options;
	count_heard(f, a, e);
	flow_count(f, STAT_PKT_ENTERED);
	flow_note_pending(f, e);
	if (flow_early(f, e))
		flow_turn_get(f, e);
	else
		flow_ack_to(f, e, &a->target, a->s->ack, 0);
}

/* Wherever else a kind that is not followed answers, it is no canary. */
static void
refuse_kind(struct flow *f, const struct arrival *a)
{
	struct note_canary n = { .addr = a->target.addr };

	refuse(f, a, STAT_PKT_REFUSED_KIND);
	if (source_ports_kind(&f->ports, a->s->dport) != KIND_CANARY ||
	    a->target.port != f->canary)
		return;
	f->singers[waiting_hash(f->table, &n.addr) % SINGERS] = n.addr;
	f->act.note(f->context, NOTE_CANARY, &n, sizeof n);
}

static void
new_answer(struct flow *f, const struct arrival *a, uint32_t left_ms)
{
	enum syn_kind kind = flow_syn(f, a->s->dport).kind;

	if (!a->known_service || kind == KIND_CANARY || kind > KIND_INJECTION)
		refuse_kind(f, a);
	else if (ranges_has(f->args->excluded, &a->target.addr) ||
	    flow_opted_out(f, &a->target.addr))
		refuse(f, a, STAT_PKT_REFUSED_OPTOUT);
	else if (waiting_used(f->table) == waiting_max(f->table))
		flow_count(f, STAT_PKT_REFUSED_FULL); /* it will ask again */
	else if (left_ms > 0)
		refuse_early(f, a, left_ms);
	else if (waiting_host(f->table, a->hash, &a->target.addr).open >=
		f->conf->per_host ||
	    !limits_take(f->limits, a->network))
		refuse_limited(f, a, f->conf->limit_pause_ms);
	else
		enter(f, a);
}

/*
 * The same SYN-ACK again: our ACK was lost, or has crossed it. Any other from
 * a known target belongs to a second probe of it.
 */
static void
repeated_answer(struct flow *f, const struct arrival *a, struct entry *e)
{
	count_heard(f, a, e);
	if (!same_connection(a, e) || e->queue == QUEUE_DONE)
		refuse(f, a, STAT_PKT_REPEATS);
	else {
		flow_count(f, STAT_PKT_REPEATS);
		if (entry_waits(e) && flow_early(f, e))
			flow_turn_get(f, e);
		else
			flow_ack_to(f, e, &a->target, a->s->ack, 0);
	}
}

/*
 * There are hosts that repeat their SYN-ACK for ever. While SYNs go out each
 * round of it is followed like a first answer; once the last SYN is so old
 * that nobody can be answering it, the sweep has to end.
 */
static bool
nobody_was_asked(const struct flow *f)
{
	uint64_t ms = f->conf->answer_window_ms + (uint64_t)REPEATS_MS;

	return f->syns > 0 && f->now.mono_us - f->syn_us > ms * 1000;
}

static void
on_synack(struct flow *f, const struct arrival *a)
{
	struct entry *e;
	uint32_t left_ms;

	if (!cookie_check(f->args->sweep->key, &f->ports,
		&f->conf->sources[a->source], &a->target, a->s->dport,
		a->s->ack)) {
		flow_count(f, STAT_PKT_BAD_COOKIE);
		flow_challenge(f, a, find(f, a));
		return;
	}
	flow_count(f, STAT_PKT_SYNACKS);
	if (!source_ports_current(&f->ports, a->s->dport)) {
		refuse(f, a, STAT_PKT_LATE);
		return;
	}
	e = find(f, a);
	left_ms = pause_left(f, a);
	if (e != NULL && flow_is_followup(f, a->s->dport, e)) {
		if (left_ms == 0)
			waiting_remove(f->table, e);
		e = NULL;
	}
	if (e != NULL)
		repeated_answer(f, a, e);
	else if (nobody_was_asked(f))
		refuse(f, a, STAT_PKT_LATE);
	else
		new_answer(f, a, left_ms);
}

static void
end_unheard(struct flow *f, struct entry *e, enum outcome outcome)
{
	struct turn *t = flow_turn_find(f, e);

	if (t != NULL)
		t->entry = NULL;
	flow_count(f, STAT_PKT_RESET);
	flow_note_outcome(f, e, outcome);
	flow_finish(f, e);
}

/*
 * One that comes behind a greeting in the same batch is left to the socket.
 * Else it must lie in our window (RFC 9293 section 3.10.7.4); what answers an
 * ACK of ours lies at its very start.
 */
static void
on_rst(struct flow *f, const struct arrival *a)
{
	struct entry *e = find(f, a);

	if (e != NULL && same_connection(a, e)) {
		struct turn *t = flow_turn_find(f, e);

		if (entry_waits(e) && (t == NULL || t->handoff.len == 0) &&
		    a->s->seq - (e->irs + 1) < SYN_WINDOW)
			end_unheard(f, e, OUTCOME_RESET);
	} else if ((a->s->flags & TCP_ACK) &&
	    cookie_check(f->args->sweep->key, &f->ports,
		&f->conf->sources[a->source], &a->target, a->s->dport,
		a->s->ack))
		flow_count(f, STAT_PKT_RST_IN);
}

static uint32_t
scaled(const struct entry *e, uint16_t window)
{
	return (uint32_t)window << (entry_scales(e) ? e->wscale : 0);
}

/*
 * What is in order joins the turn. What leaves a gap is dropped: it comes
 * again, since it was never acknowledged.
 */
static void
collect(struct flow *f, const struct arrival *a, struct entry *e)
{
	struct turn *t = flow_turn_find(f, e);
	uint32_t next = t != NULL ? t->next : e->irs + 1;
	uint32_t had = next - a->s->seq; /* bytes of it we have already */
	uint32_t n = a->s->len - had, room = HANDOFF_DATA_MAX;
	struct handoff *h;

	if (had > a->s->len)
		return;
	if (n == 0) {
		if (!(a->s->flags & TCP_FIN))
			return;
		if (t != NULL && t->handoff.len > 0) {
			t->handoff.contact.flags |= HANDOFF_FIN;
			return;
		}
		flow_rst(f, a->source, e->sport, &a->target, a->s->ack);
		end_unheard(f, e, OUTCOME_CLOSED);
		return;
	}
	t = flow_turn_get(f, e);
	h = &t->handoff;
	room -= h->len;
	if (a->s->flags & TCP_FIN && n <= room)
		h->contact.flags |= HANDOFF_FIN;
	if (n > room)
		n = room;
	memcpy(h->data + h->len, a->s->data + had, n);
	h->len += n;
	t->next += n;
	h->snd_wl1 = a->s->seq;
	h->snd_wnd = scaled(e, a->s->window);
	if (h->contact.greeting_us == 0)
		h->contact.greeting_us = a->captured_us;
}

/* Nothing has been said by us, so only our ISN + 1 can be acknowledged. */
static void
on_other(struct flow *f, const struct arrival *a)
{
	struct entry *e = find(f, a);

	if (e == NULL || !same_connection(a, e))
		flow_stray(f, a, e);
	else if (entry_waits(e) && (a->s->flags & TCP_ACK) &&
	    a->s->ack == flow_isn(f, e) + 1)
		collect(f, a, e);
}

static bool
find_source(const struct conf *conf, const struct addr *a, unsigned *source)
{
	for (unsigned i = 0; i < conf->nsources; i++)
		if (addr_cmp(&conf->sources[i], a) == 0) {
			*source = i;
			return true;
		}
	return false;
}

void
flow_begin(struct flow *f, struct flow_time now)
{
	uint64_t syns = stats_get(f->args->stats, ROLE_SEND, STAT_SEND_PACKETS);

	f->now = now;
	if (syns == f->syns)
		return;
	f->syns = syns;
	f->syn_us = now.mono_us;
}

static void
handle(struct flow *f, const struct arrival *a)
{
	if (a->s->flags & TCP_RST)
		on_rst(f, a);
	else if (!(a->s->flags & TCP_SYN))
		on_other(f, a);
	else if (a->s->flags & TCP_ACK)
		on_synack(f, a);
}

static void
handle_first(struct flow *f)
{
	struct ahead *first = &f->ahead[f->ahead_first];

	f->ahead_first = (f->ahead_first + 1) % AHEAD;
	f->nahead--;
	handle(f, &first->a);
}

static void
handle_all(struct flow *f)
{
	while (f->nahead > 0)
		handle_first(f);
}

/* Behind the others; its bucket is asked for now, its entry half way. */
static void
queue(struct flow *f, const struct arrival *a)
{
	struct ahead *last;

	if (f->nahead == AHEAD)
		handle_first(f);
	last = &f->ahead[(f->ahead_first + f->nahead++) % AHEAD];
	last->s = *a->s;
	last->a = *a;
	last->a.s = &last->s;
	waiting_ahead(f->table, a->hash);
	if (a->s->flags & TCP_SYN)
		limits_ahead(f->limits, a->network);
	if (f->nahead > AHEAD / 2)
		waiting_ahead_entry(f->table,
		    f->ahead[(f->ahead_first + f->nahead - AHEAD / 2 - 1) %
			 AHEAD]
			.a.hash);
}

void
flow_segment(struct flow *f, const struct segment *s, uint64_t captured_us)
{
	const struct conf_port *port = conf_port(f->conf, s->sport);
	struct arrival a = { .s = s,
		.target = { .addr = s->src, .port = s->sport },
		.captured_us = captured_us };

	if (!find_source(f->conf, &s->dst, &a.source) ||
	    addr_is4(&s->src) != addr_is4(&s->dst))
		return;
	a.known_service = port != NULL;
	if (port != NULL)
		a.service = (uint8_t)(port - f->conf->ports);
	a.hash = waiting_hash(f->table, &a.target.addr);
	if (s->flags & TCP_SYN)
		a.network = limits_network(f->limits, &a.target.addr);
	if (s->len > 0 || !(s->flags & (TCP_SYN | TCP_RST))) {
		handle_all(f);
		handle(f, &a);
		return;
	}
	queue(f, &a);
}

void
flow_end(struct flow *f)
{
	handle_all(f);
	flow_hand_on(f);
}
