/* flow_entry.c: what an entry stands for, and what is said of it. */
#include <string.h>

#include "engine/flow_state.h"
#include "engine/frame.h"

struct target
flow_target(const struct flow *f, const struct entry *e)
{
	return (struct target){ .addr = waiting_addr(f->table, e),
		.port = f->conf->ports[e->service].port };
}

uint32_t
flow_isn(const struct flow *f, const struct entry *e)
{
	struct target t = flow_target(f, e);

	return cookie_make(f->args->sweep->key, &f->ports,
	    &f->conf->sources[e->source], &t,
	    source_ports_kind(&f->ports, e->sport),
	    source_ports_attempt(&f->ports, e->sport))
	    .isn;
}

/* Nothing lies longer in a capture: somebody has set the clock. */
enum { CAPTURED_AGO_US = 10 * 1000 * 1000 };

uint32_t
flow_captured_ms(const struct flow *f, uint64_t captured_us)
{
	uint64_t ago_us = f->now.utc_us - captured_us;

	if (captured_us > f->now.utc_us || ago_us > CAPTURED_AGO_US)
		ago_us = 0;
	return (uint32_t)((f->now.mono_us - f->start.mono_us + CAPTURED_AGO_US -
			      ago_us) /
		   1000) -
	    CAPTURED_AGO_US / 1000;
}

/* UTC of when it came: to the millisecond, by the clock as it is set now. */
static uint64_t
synack_us(const struct flow *f, const struct entry *e)
{
	uint64_t begun_us = (f->now.mono_us - f->start.mono_us) % 1000;
	uint32_t ago_ms = flow_now_ms(f) - waiting_start(e);

	return f->now.utc_us - begun_us - ago_ms * (uint64_t)1000;
}

struct syn
flow_syn(const struct flow *f, uint16_t sport)
{
	struct syn syn = { source_ports_kind(&f->ports, sport),
		source_ports_attempt(&f->ports, sport) };

	return syn.kind == KIND_AGAIN || syn.kind == KIND_SECOND
	    ? (struct syn){ KIND_PLAIN, 0 }
	    : syn;
}

bool
flow_early(const struct flow *f, const struct entry *e)
{
	return f->connect || f->conf->ports[e->service].implicit_tls ||
	    source_ports_kind(&f->ports, e->sport) == KIND_CLIENT_HELLO;
}

static bool
is_singer(const struct flow *f, const struct addr *a)
{
	uint64_t place = waiting_hash(f->table, a) % SINGERS;

	return addr_cmp(&f->singers[place], a) == 0;
}

static uint16_t
contact_flags(const struct flow *f, const struct entry *e, const struct addr *a)
{
	unsigned flags = is_singer(f, a) ? HANDOFF_CANARY : 0;

	if (f->connect)
		flags |= HANDOFF_CONNECT;
	if (f->conf->ports[e->service].implicit_tls ||
	    source_ports_kind(&f->ports, e->sport) == KIND_CLIENT_HELLO)
		flags |= HANDOFF_TLS;
	if (e->options & OPTION_SACK_OK)
		flags |= HANDOFF_SACK;
	if (entry_scales(e))
		flags |= HANDOFF_WSCALE;
	return (uint16_t)flags;
}

struct contact
flow_contact(const struct flow *f, const struct entry *e)
{
	struct syn syn = flow_syn(f, e->sport);
	struct contact c;

	memset(&c, 0, sizeof c);
	c.target = flow_target(f, e);
	c.source = f->conf->sources[e->source];
	c.sport = e->sport;
	c.flags = contact_flags(f, e, &c.target.addr);
	c.protocol = f->conf->ports[e->service].protocol;
	c.kind = (uint8_t)syn.kind;
	c.attempt = (uint8_t)syn.attempt;
	c.ttl = e->ttl;
	c.window = e->window;
	c.mss = e->mss;
	c.wscale = entry_scales(e) ? e->wscale : 0;
	c.synack_options = e->options;
	c.synack_us = synack_us(f, e);
	return c;
}

/*
 * A conversation starts when it is handed on, and one handed on early waits
 * for its greeting first. Store retries a pending row after greeting,
 * conversation and the whole answer window: later than all of these.
 */
void
flow_timeouts(const struct conf *conf, uint32_t timeouts_ms[QUEUE_COUNT])
{
	uint32_t talk = conf->conversation_ms + conf->answer_window_ms / 2;

	timeouts_ms[QUEUE_GREETING] = conf->greeting_ms;
	timeouts_ms[QUEUE_GREETING_SMTP] = conf->greeting_smtp_ms;
	timeouts_ms[QUEUE_BLOCKED] = conf->greeting_smtp_ms;
	timeouts_ms[QUEUE_HANDED] = talk;
	timeouts_ms[QUEUE_HANDED_EARLY] = conf->greeting_ms + talk;
	timeouts_ms[QUEUE_HANDED_EARLY_SMTP] = conf->greeting_smtp_ms + talk;
	timeouts_ms[QUEUE_DONE] = conf->answer_window_ms +
	    (conf->syn_probes > 1 ? conf->probe_gap_ms : 0);
	/* What is known of a host's last connection is known from these. */
	if (timeouts_ms[QUEUE_DONE] < conf->host_pause_ms)
		timeouts_ms[QUEUE_DONE] = conf->host_pause_ms;
}

/* The window is that of our SYN, shifted once scaling is agreed upon. */
void
flow_ack_to(struct flow *f, const struct entry *e, const struct target *t,
    uint32_t seq, uint32_t bytes)
{
	unsigned shift = entry_scales(e) ? SYN_WSCALE : 0;

	if (f->connect || flow_opted_out(f, &t->addr))
		return;
	f->act.segment(f->context, e->source, e->sport, t, seq,
	    e->irs + 1 + bytes, TCP_ACK,
	    (uint16_t)((unsigned)SYN_WINDOW >> shift));
	flow_count(f, STAT_PKT_ACKS_SENT);
}

void
flow_ack(struct flow *f, const struct entry *e, uint32_t bytes)
{
	struct target t = flow_target(f, e);

	flow_ack_to(f, e, &t, flow_isn(f, e) + 1, bytes);
}

/* With connect(2) our kernel answers by itself what it does not know. */
void
flow_rst(struct flow *f, unsigned source, uint16_t sport,
    const struct target *t, uint32_t seq)
{
	if (f->connect || flow_hushed(f, &t->addr))
		return;
	f->act.segment(f->context, source, sport, t, seq, 0, TCP_RST, 0);
	flow_count(f, STAT_PKT_RSTS_SENT);
}

void
flow_note_pending(struct flow *f, const struct entry *e)
{
	struct syn syn = flow_syn(f, e->sport);
	struct note_pending n;

	memset(&n, 0, sizeof n);
	n.target = flow_target(f, e);
	n.kind = (uint8_t)syn.kind;
	n.attempt = (uint8_t)syn.attempt;
	n.protocol = f->conf->ports[e->service].protocol;
	n.synack_us = synack_us(f, e);
	f->act.note(f->context, NOTE_PENDING, &n, sizeof n);
}

void
flow_note_outcome(struct flow *f, const struct entry *e, enum outcome outcome)
{
	struct note_outcome n;

	memset(&n, 0, sizeof n);
	n.contact = flow_contact(f, e);
	n.outcome = (uint8_t)outcome;
	n.when_us = f->now.utc_us;
	f->act.note(f->context, NOTE_OUTCOME, &n, sizeof n);
}

void
flow_note_followup(struct flow *f, const struct target *t, enum syn_kind kind,
    unsigned attempt, enum outcome why, uint32_t pause_ms)
{
	struct followup n;

	memset(&n, 0, sizeof n);
	n.target = *t;
	n.kind = (uint8_t)kind;
	n.attempt = (uint8_t)attempt;
	n.protocol = conf_port(f->conf, t->port)->protocol;
	n.why = (uint8_t)why;
	n.not_before_us = f->now.utc_us + pause_ms * (uint64_t)1000;
	f->act.note(f->context, NOTE_FOLLOWUP, &n, sizeof n);
	flow_count(f, STAT_PKT_FOLLOWUPS);
}

bool
flow_is_followup(const struct flow *f, uint16_t sport, const struct entry *e)
{
	struct syn was = flow_syn(f, e->sport), is = flow_syn(f, sport);

	return e->queue == QUEUE_DONE &&
	    source_ports_kind(&f->ports, sport) < KIND_AGAIN &&
	    (was.kind != is.kind || was.attempt < is.attempt);
}

void
flow_give(struct flow *f, const struct entry *e)
{
	struct addr a = waiting_addr(f->table, e);

	limits_give(f->limits, limits_network(f->limits, &a));
}

void
flow_finish(struct flow *f, struct entry *e)
{
	flow_give(f, e);
	waiting_move(f->table, e, QUEUE_DONE, flow_now_ms(f));
}
