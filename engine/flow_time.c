/* flow_time.c: what ends without a segment: notes and time that passes. */
#include <errno.h>

#include "engine/flow_state.h"

enum { STRAIN_WINDOW_US = 100 * 1000 };
/* Before the next attempt, where our own kernel was in the way. */
enum { ELSEWHERE_MS = 1000 };
enum { STRAIN_FULL = 1000 };
/* Pressure from limits only slows: most of a lot of answers were refused. */
enum { LIMITS_ANSWERS_MIN = 32, LIMITS_STRAIN = 300 };
/* Pressure from the table: from half full (0) to nineteen twentieths. */
enum { FILL_FROM = 500, FILL_TO = 950 };

static struct entry *
find_open(struct flow *f, const struct target *target, uint16_t sport)
{
	const struct conf_port *port = conf_port(f->conf, target->port);
	struct entry *e;

	if (port == NULL)
		return NULL;
	e = waiting_find(
	    f->table, &target->addr, (uint8_t)(port - f->conf->ports));
	return e != NULL && entry_open(e) && e->sport == sport ? e : NULL;
}

/*
 * It was given up, having waited on the wires for longer than the slack of its
 * budget, and has ended by itself: reported, or failed, and not lost.
 */
static void
take_back_lost(struct flow *f)
{
	if (flow_counted(f, STAT_PKT_LOST) > 0)
		stats_add(f->args->stats, f->args->slot, STAT_PKT_LOST,
		    UINT64_MAX); /* one less */
}

void
flow_done(struct flow *f, const struct done_note *n, struct flow_time now)
{
	struct entry *e = find_open(f, &n->target, n->sport);

	f->now = now;
	if (e == NULL) {
		take_back_lost(f);
		return;
	}
	flow_count(f, STAT_PKT_DONE);
	flow_finish(f, e);
}

/*
 * Our own kernel still holds an old connection of these addresses and ports:
 * the next attempt leaves from others. The row stays pending.
 */
static bool
ask_from_elsewhere(
    struct flow *f, const struct entry *e, const struct dial_note *n)
{
	struct syn syn = flow_syn(f, e->sport);

	if (n->error != EADDRNOTAVAIL || syn.kind == KIND_TLS_VERSION ||
	    syn.attempt + 1 >= ATTEMPTS)
		return false;
	flow_note_followup(f, &n->target, syn.kind, syn.attempt + 1,
	    OUTCOME_DIAL_FAILED, ELSEWHERE_MS);
	return true;
}

/* One that was withdrawn has no row any more that could have an outcome. */
void
flow_dial_failed(
    struct flow *f, const struct dial_note *n, struct flow_time now)
{
	struct entry *e = find_open(f, &n->target, n->sport);

	f->now = now;
	if (e == NULL) {
		take_back_lost(f);
		return;
	}
	if (n->withdrawn != DIAL_ABORTED)
		flow_rst(f, e->source, e->sport, &n->target, n->snd_nxt);
	if (n->withdrawn == DIAL_NOT_WITHDRAWN && !ask_from_elsewhere(f, e, n))
		flow_note_outcome(f, e, OUTCOME_DIAL_FAILED);
	flow_finish(f, e);
}

void
flow_rst_entry(struct flow *f, const struct entry *e)
{
	struct target t = flow_target(f, e);

	flow_rst(f, e->source, e->sport, &t, flow_isn(f, e) + 1);
}

void
flow_give_up(struct flow *f, struct entry *e, enum stat_id as)
{
	flow_count(f, as);
	if (f->conf->host_pause_ms > 0) {
		flow_finish(f, e);
		return;
	}
	flow_give(f, e);
	waiting_remove(f->table, e);
}

static void
end_due(struct flow *f, struct entry *e)
{
	switch (e->queue) {
	case QUEUE_GREETING:
	case QUEUE_GREETING_SMTP:
		flow_rst_entry(f, e);
		flow_count(f, STAT_PKT_SILENT);
		flow_note_outcome(f, e, OUTCOME_SILENT);
		flow_finish(f, e);
		break;
	case QUEUE_BLOCKED:
		/* Not its fault: no outcome, the row stays pending. */
		flow_rst_entry(f, e);
		flow_give_up(f, e, STAT_PKT_WITHDRAWN);
		break;
	case QUEUE_DONE:
		waiting_remove(f->table, e);
		break;
	default:
		flow_give_up(f, e, STAT_PKT_LOST);
		break;
	}
}

/*
 * While a stretch of the index is sent again its targets are still known, so
 * that none is followed twice; as long as others have room.
 */
static bool
keep_done(const struct flow *f)
{
	return stats_get(f->args->stats, ROLE_SEND, STAT_SEND_AGAIN_OPEN) !=
	    0 &&
	    waiting_used(f->table) < waiting_max(f->table) / 2;
}

static void
end_all_due(struct flow *f, unsigned room)
{
	uint32_t now = flow_now_ms(f);
	struct entry *e;

	waiting_hold_done(f->table, keep_done(f), now);
	for (; room > 0 && (e = waiting_due(f->table, now)) != NULL; room--)
		end_due(f, e);
}

/*
 * With connect(2) no segment will come to remind us of those that found the
 * wire full: our kernel has refused them.
 */
static void
retry_blocked(struct flow *f)
{
	struct entry *e;

	while ((e = waiting_any(f->table, QUEUE_BLOCKED)) != NULL) {
		flow_turn_get(f, e);
		flow_end(f);
		if (e->queue == QUEUE_BLOCKED)
			return;
	}
}

/* What was handed on and no probe has begun yet slows the SYNs. */
static void
throttle(struct flow *f)
{
	const struct stats *stats = f->args->stats;
	uint64_t handed = flow_counted(f, STAT_PKT_HANDED_ON);
	uint64_t dialed = stats_get(stats, ROLE_DIAL, STAT_DIAL_RECEIVED);
	struct throttle_seen seen = {
		.syns = stats_get(stats, ROLE_SEND, STAT_SEND_PACKETS),
		.handed = handed,
		.refused = flow_counted(f, STAT_PKT_WIRE_FULL),
		.ahead = (handed > dialed ? handed - dialed : 0) +
		    stats_get(stats, ROLE_DIAL, STAT_DIAL_AHEAD),
	};

	stats_set(f->args->stats, f->args->slot, STAT_PKT_SYN_LIMIT,
	    throttle_turn(&f->throttle, f->now.mono_us, &seen));
}

static void
measure_strain(struct flow *f)
{
	struct strain *s = &f->strain;
	uint64_t limited = flow_counted(f, STAT_PKT_REFUSED_LIMIT);
	uint64_t synacks = flow_counted(f, STAT_PKT_SYNACKS);

	if (f->now.mono_us - s->since_us < STRAIN_WINDOW_US)
		return;
	throttle(f);
	s->limits = 0;
	if (synacks - s->synacks >= LIMITS_ANSWERS_MIN &&
	    (limited - s->limited) * 2 > synacks - s->synacks)
		s->limits = LIMITS_STRAIN;
	s->limited = limited;
	s->synacks = synacks;
	s->since_us = f->now.mono_us;
	f->challenges = 0;
}

static uint64_t
pressure(const struct flow *f)
{
	uint64_t fill =
	    waiting_used(f->table) * (uint64_t)1000 / waiting_max(f->table);
	uint64_t p = 0;

	if (fill >= FILL_TO)
		return STRAIN_FULL;
	if (fill > FILL_FROM)
		p = (fill - FILL_FROM) * STRAIN_FULL / (FILL_TO - FILL_FROM);
	return f->strain.limits > p ? f->strain.limits : p;
}

uint32_t
flow_waiting(const struct flow *f)
{
	return waiting_count(f->table, QUEUE_GREETING) +
	    waiting_count(f->table, QUEUE_GREETING_SMTP) +
	    waiting_count(f->table, QUEUE_BLOCKED);
}

uint32_t
flow_open(const struct flow *f)
{
	return waiting_count(f->table, QUEUE_HANDED) +
	    waiting_count(f->table, QUEUE_HANDED_EARLY) +
	    waiting_count(f->table, QUEUE_HANDED_EARLY_SMTP);
}

void
flow_pass_time(struct flow *f, struct flow_time now, unsigned room)
{
	const struct role_args *a = f->args;

	f->now = now;
	end_all_due(f, room);
	if (f->connect)
		retry_blocked(f);
	measure_strain(f);
	stats_set(a->stats, a->slot, STAT_PKT_WAITING, flow_waiting(f));
	stats_set(a->stats, a->slot, STAT_PKT_OPEN, flow_open(f));
	stats_set(a->stats, a->slot, STAT_PKT_PRESSURE, pressure(f));
}

void
flow_leave(struct flow *f)
{
	for (unsigned q = 0; q <= QUEUE_BLOCKED; q++) {
		struct entry *e;

		while ((e = waiting_any(f->table, (enum waiting_queue)q)) !=
		    NULL) {
			flow_rst_entry(f, e);
			waiting_remove(f->table, e);
		}
	}
}
