/* pending.c: targets without an outcome yet. */
#include <string.h>

#include "engine/cookie.h"
#include "storage/layout.h"
#include "storage/pending.h"

enum {
	SECOND_US = 1000000,
	MS_US = 1000,
	SLACK_MS = 30000,
	ON_THE_WAY =
	    2048 /* follow-ups between store and the network, at most */
};

struct pending_rules
pending_rules_of(const struct conf *c)
{
	uint64_t greeting = c->greeting_ms > c->greeting_smtp_ms
	    ? c->greeting_ms
	    : c->greeting_smtp_ms;
	struct pending_rules r = {
		.longest_us = (greeting + c->conversation_ms +
				  c->answer_window_ms + SLACK_MS) *
		    MS_US,
		.unanswered_us =
		    (uint64_t)(c->answer_window_ms + SLACK_MS) * MS_US +
		    ON_THE_WAY * (uint64_t)SECOND_US /
			(c->rate > 0 ? c->rate : 1),
		.retry_pause_us = (uint64_t)c->retry_pause_ms * MS_US,
		/* Each attempt has a slice of source ports of its own. */
		.retries =
		    c->retries < ATTEMPTS - 1 ? c->retries : ATTEMPTS - 1,
	};

	return r;
}

/*
 * The outcome travels another wire than the note that announced it and may be
 * here first: then nothing is pending. A second of grace, since the times were
 * taken by two processes.
 */
static bool
has_outcome(struct live *l, const struct note_pending *n)
{
	struct head h;

	return live_head(l, &n->target, &h) &&
	    h.time_us + SECOND_US >= n->synack_us;
}

void
pending_answered(struct live *l, const struct note_pending *n, uint64_t now_us)
{
	struct pending p = { 0 };

	if (has_outcome(l, n))
		return;
	/* What is known of earlier tries stays. */
	live_pending_get(l, &n->target, &p);
	p.kind = n->kind;
	p.attempt = n->attempt;
	p.protocol = n->protocol;
	p.answered = 1;
	p.since_us = now_us;
	live_pending_put(l, &n->target, &p);
}

bool
pending_again(struct live *l, const struct followup *f)
{
	struct queued q = { .target = f->target,
		.not_before_us = f->not_before_us };

	live_pending_get(l, &f->target, &q.as);
	live_pending_delete(l, &f->target);
	q.as.answered = 0;
	q.as.kind = f->kind;
	q.as.attempt = f->attempt;
	q.as.protocol = f->protocol;
	/* Why it is asked again at all, not why it has to wait. */
	if (q.as.why == OUTCOME_NONE || f->why != OUTCOME_LIMITED)
		q.as.why = f->why;
	if (f->why == OUTCOME_LIMITED && ++q.as.limited > LIMITED_MAX)
		return false;
	live_queue_put(l, &q);
	return true;
}

void
pending_clock(struct live *l, uint64_t now_us)
{
	live_meta_put(l, META_CLOCK, (const char *)&now_us, sizeof now_us);
}

uint64_t
pending_set_back(struct live *l, uint64_t now_us)
{
	struct queued q = { .not_before_us = 0 };
	uint64_t was_us = 0;

	if (live_meta_get(l, META_CLOCK, (char *)&was_us, sizeof was_us) !=
		sizeof was_us ||
	    was_us <= now_us)
		return 0;
	/* Each moves ahead of where the walk is. */
	while (live_queue_next(l, &q)) {
		struct queued earlier = q;

		live_queue_delete(l, &q);
		earlier.not_before_us = q.not_before_us > was_us - now_us
		    ? q.not_before_us - (was_us - now_us)
		    : 0;
		live_queue_put(l, &earlier);
	}
	return was_us - now_us;
}

unsigned
pending_resume(struct live *l, uint64_t not_before_us)
{
	struct queued q = { .not_before_us = not_before_us };
	struct target at = { .port = 0 };
	unsigned n = 0;

	/* No attempt counts: the new incarnation has ports of its own. */
	for (; live_pending_next(l, &at, &q.as); n++) {
		q.target = at;
		live_pending_delete(l, &at);
		live_queue_put(l, &q);
	}
	return n;
}

/* Into the queue once more; false: it is given up. */
static bool
retry(struct live *l, const struct pending_rules *r,
    const struct target *target, struct pending *p, uint64_t now_us)
{
	struct queued q = { .target = *target,
		.not_before_us = now_us + r->retry_pause_us,
		.as = *p };

	if (p->lost >= r->retries || p->kind != KIND_PLAIN)
		return false;
	q.as.answered = 0;
	q.as.lost++;
	if (q.as.attempt < ATTEMPTS - 1)
		q.as.attempt++;
	if (q.as.why == OUTCOME_NONE)
		q.as.why = OUTCOME_LOST;
	live_queue_put(l, &q);
	return true;
}

void
pending_expire(struct live *l, const struct pending_rules *r, uint64_t now_us,
    struct target *from, unsigned cap, pending_end *end, void *arg)
{
	struct pending p;

	for (; cap > 0; cap--) {
		if (!live_pending_next(l, from, &p)) {
			memset(from, 0, sizeof *from);
			return;
		}
		if (p.since_us +
			(p.answered ? r->longest_us : r->unanswered_us) >
		    now_us)
			continue;
		live_pending_delete(l, from);
		if (!retry(l, r, from, &p, now_us))
			end(arg, from, &p,
			    p.why == OUTCOME_NONE ? OUTCOME_LOST
						  : (enum outcome)p.why);
	}
}

/* Asked for the same reason, in the same way. */
static bool
is_same(const struct pending *a, const struct pending *b)
{
	return a->kind == b->kind &&
	    (a->kind != KIND_TLS_VERSION || a->attempt == b->attempt);
}

/*
 * It has an outcome by now. One that is asked again for the outcome that it
 * has is cured by a better one alone.
 */
static bool
is_cured(struct live *l, const struct queued *q)
{
	struct head h;

	if (q->as.kind != KIND_PLAIN)
		return false;
	switch (live_row(l, &q->target, &h)) {
	case LIVE_NO_ROW:
		return false;
	case LIVE_SILENT:
		return true;
	case LIVE_HEAD:
		break;
	}
	/* A row that says lost is a probe's own word, and no cure. */
	if (q->as.why == OUTCOME_LOST)
		return h.outcome != OUTCOME_LOST;
	return q->as.why == OUTCOME_NONE || q->as.why == OUTCOME_LIMITED ||
	    h.outcome > q->as.why;
}

/* May it be asked now? Else it is cured, or waits a little longer. */
static bool
is_its_turn(struct live *l, struct queued *q, uint64_t now_us)
{
	uint64_t late_us = now_us - q->not_before_us;
	struct pending p;

	if (q->as.kind == KIND_CANARY)
		return true;
	if (!live_pending_get(l, &q->target, &p))
		return !is_cured(l, q);
	if (is_same(&p, &q->as))
		return false;
	/* Whole seconds: rows that differ by less stay apart. */
	q->not_before_us += late_us - late_us % SECOND_US + SECOND_US;
	live_queue_put(l, q);
	return false;
}

unsigned
pending_due(struct live *l, uint64_t now_us, struct followup *out, unsigned cap)
{
	struct queued q;
	unsigned n = 0;

	while (
	    n < cap && live_queue_first(l, &q) && q.not_before_us <= now_us) {
		live_queue_delete(l, &q);
		if (!is_its_turn(l, &q, now_us))
			continue;
		q.as.since_us = now_us;
		/* Of a canary no answer is awaited. */
		if (q.as.kind != KIND_CANARY)
			live_pending_put(l, &q.target, &q.as);
		memset(&out[n], 0, sizeof out[n]);
		out[n].target = q.target;
		out[n].kind = q.as.kind;
		out[n].attempt = q.as.attempt;
		out[n].protocol = q.as.protocol;
		out[n].why = q.as.why;
		out[n].not_before_us = q.not_before_us;
		n++;
	}
	return n;
}
