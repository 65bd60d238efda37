/* sender.c: one sending thread: indices and follow-ups in, frames out. */
#include <errno.h>
#include <string.h>

#include "engine/log.h"
#include "engine/sender_state.h"

enum { PASS_MAX = 4096 }; /* indices looked at for one batch */

/* Shorter waits are spun: a sleep would overshoot them. */
#define SPIN_NS         ((uint64_t)50000)
#define BUSY_FIRST_NS   ((uint64_t)50000)
#define BUSY_LONGEST_NS ((uint64_t)50000000)
#define LAG_NS          ((uint64_t)1000000)
#define FOREVER         UINT64_MAX

_Static_assert((int)PACER_BURST_MAX <= (int)LINK_BATCH, "a burst is a batch");

/* ---- batches ------------------------------------------------------------- */

/* From a step of the thread's to another, as far as there is room. */
static unsigned
fill_steps(struct sender *s, struct sender_lots *lots, uint64_t *from,
    uint64_t to, uint64_t counted[SEND_COUNTS])
{
	const struct sweep *sweep = s->plan->sweep;
	struct batch *b = &s->batch;
	unsigned before = b->n;

	for (int looked = 0; looked < PASS_MAX && b->n < b->room;) {
		uint64_t left = to - *from;
		unsigned n = b->room - b->n;

		if (left == 0)
			break;
		if (n > left)
			n = (unsigned)left;
		b->n += sender_fill(lots, sweep_index(sweep, s->thread, *from),
		    sweep_stride(sweep), n, b->slots + b->n, counted);
		*from += n;
		looked += (int)n;
	}
	b->after.packets += b->n - before;
	return b->n - before;
}

/*
 * Half of the room for each: so both keep their pace, half of the rate, from
 * the start. What becomes of a target is counted with its second SYN.
 */
static void
fill_two(struct sender *s)
{
	struct batch *b = &s->batch;
	struct sender_progress *after = &b->after;
	struct lead *l = &s->lead;
	uint64_t counted[SEND_COUNTS] = { 0 }, now = sender_now_ns(), due;
	unsigned room = b->room;

	if (l->step < s->share) {
		b->room = b->n + (room - b->n + l->odd) / 2;
		l->odd = !l->odd;
		fill_steps(s, s->lots, &l->step, s->share, counted);
		lead_mark(l, now, l->step == s->share);
		b->room = room;
	}
	due = lead_due(l, now);
	after->seconds += fill_steps(
	    s, s->lots_second, &after->position, due, after->counted);
}

static void
fill_indices(struct sender *s)
{
	struct sender_progress *after = &s->batch.after;

	if (s->lead.gap_ns > 0)
		fill_two(s);
	else
		fill_steps(
		    s, s->lots, &after->position, s->share, after->counted);
	after->finished = after->position >= s->share;
}

/* Each round has an attempt of its own, and so other source ports. */
static void
fill_again(struct sender *s)
{
	struct sender_progress *after = &s->batch.after;
	uint64_t counted[SEND_COUNTS] = { 0 }; /* they were the first time */

	if (s->again.from >= s->again.to) {
		after->again_done = s->again_taken;
		return;
	}
	sender_lots_syn(s->lots_again, KIND_AGAIN, s->again_taken % ATTEMPTS);
	after->again +=
	    fill_steps(s, s->lots_again, &s->again.from, s->again.to, counted);
	if (s->again.from >= s->again.to)
		after->again_done = s->again_taken;
}

/*
 * Follow-ups begin with what a probe said, and that may be in a stranger's
 * hands: nothing leaves the sweep's own targets through them.
 */
static bool
may_follow(const struct sender_plan *p, const struct followup *f)
{
	return f->kind < KIND_COUNT && f->attempt < ATTEMPTS &&
	    ranges_has(p->targets, &f->target.addr) &&
	    !ranges_has(p->excluded, &f->target.addr);
}

static void
add_followup(struct sender *s, const struct followup *f)
{
	struct batch *b = &s->batch;
	struct sender_progress *after = &b->after;

	/* Store may have asked for it before it heard of the opt-out. */
	if (s->optouts != NULL && ranges_has(s->optouts, &f->target.addr))
		return;
	if (!may_follow(s->plan, f) ||
	    !sender_fill_one(s->plan, &f->target, (enum syn_kind)f->kind,
		f->attempt, b->slots[b->n])) {
		after->errors++;
		return;
	}
	b->n++;
	after->packets++;
	if (f->kind == KIND_CANARY)
		after->canaries++;
	else
		after->followups++;
}

static void
fill_followups(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	for (; s->ndue > 0 && s->batch.n < s->batch.room; s->ndue--) {
		add_followup(s, &s->due[s->due_first]);
		s->due_first = (s->due_first + 1) % DUE_MAX;
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- time ---------------------------------------------------------------- */

/* Until then, or until somebody has news for the thread. */
static void
wait_until(struct sender *s, uint64_t until_ns)
{
	struct timespec t = { .tv_sec = (time_t)(until_ns / 1000000000),
		.tv_nsec = (long)(until_ns % 1000000000) };
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->news && r != ETIMEDOUT)
		r = until_ns == FOREVER
		    ? pthread_cond_wait(&s->changed, &s->lock)
		    : pthread_cond_timedwait(&s->changed, &s->lock, &t);
	pthread_mutex_unlock(&s->lock);
}

static void
wait_for_credit(struct sender *s, uint64_t until_ns)
{
	if (until_ns != FOREVER && until_ns < sender_now_ns() + SPIN_NS) {
		while (sender_now_ns() < until_ns)
			;
		return;
	}
	wait_until(s, until_ns);
}

/* ---- the thread ---------------------------------------------------------- */

/*
 * With the lock held, between batches: what left before has left, and shows
 * the number from now on.
 */
static void
take_optouts(struct sender *s)
{
	const struct sender_optouts *to = &s->optouts_asked;

	if (s->now.optouts == to->number)
		return;
	sender_lots_aim(s->lots, to->aims);
	sender_lots_aim(s->lots_again, to->aims);
	sender_lots_aim(s->lots_second, to->aims);
	s->optouts = to->set;
	s->now.optouts = s->shown.optouts = to->number;
}

/* Show progress, take what has changed. False: it is time to end. */
static bool
exchange(struct sender *s, bool *idle)
{
	uint64_t rate;
	bool stop;

	pthread_mutex_lock(&s->lock);
	s->shown = s->now;
	s->news = false;
	rate = s->rate;
	stop = s->stop;
	if (s->again_taken != s->again_number) {
		s->again_taken = s->again_number;
		s->again = s->again_asked;
	}
	take_optouts(s);
	*idle = s->now.finished && s->ndue == 0 &&
	    s->now.again_done == s->again_taken;
	pthread_mutex_unlock(&s->lock);
	if (rate != s->pacer.rate)
		pacer_set(&s->pacer, sender_now_ns(), rate);
	return !stop;
}

static bool
stopping(struct sender *s)
{
	bool stop;

	pthread_mutex_lock(&s->lock);
	s->shown.errors = s->now.errors;
	s->news = false;
	stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return stop;
}

/* What went wrong is said once, and once when it is over. */
static void
note_link(struct sender *s, int sent)
{
	if (sent == -1) {
		int why = errno;

		s->now.errors++;
		s->batch.after.errors++;
		if (!s->failing)
			log_warn("sender %u: %s: waiting for the link",
			    s->thread, strerror(why));
		s->failing = true;
	} else if (sent > 0 && s->failing) {
		log_info("sender %u: the link is back", s->thread);
		s->failing = false;
	}
}

/* False: told to stop before the kernel took all of the batch. */
static bool
send_batch(struct sender *s)
{
	struct batch *b = &s->batch;
	uint64_t pause = BUSY_FIRST_NS;
	unsigned done = 0;

	while (done < b->n) {
		int sent = link_push(s->link, b->slots + done, b->n - done);

		note_link(s, sent);
		if (sent > 0) {
			done += (unsigned)sent;
			if (b->burst == (unsigned)LINK_BATCH)
				s->now.packets += (unsigned)sent;
			pause = BUSY_FIRST_NS;
			continue;
		}
		if (stopping(s))
			return false;
		wait_until(s, sender_now_ns() + pause);
		pause =
		    pause * 2 < BUSY_LONGEST_NS ? pause * 2 : BUSY_LONGEST_NS;
	}
	return true;
}

/* What leaves next, as far as there is room. False: nothing does now. */
static bool
fill(struct sender *s)
{
	struct batch *b = &s->batch;
	uint64_t before;

	b->n = 0;
	fill_followups(s);
	fill_again(s);
	before = b->after.position + s->lead.step;
	fill_indices(s);
	return b->n > 0 || b->after.position + s->lead.step != before;
}

/* What the seconds leave over at first is not the firsts'. */
static void
spend(struct sender *s)
{
	bool leads = s->lead.gap_ns > 0 && s->lead.step < s->share;

	pacer_spend(&s->pacer, leads ? s->batch.room : s->batch.n);
}

/*
 * Up to room frames, in batches, and the flush behind them. False: told to
 * stop before the kernel had them all.
 */
static bool
send_burst(struct sender *s, unsigned room)
{
	struct batch *b = &s->batch;

	b->after = s->now;
	while (room > 0) {
		b->room = link_take(s->link, b->slots,
		    room < (unsigned)LINK_BATCH ? room : (unsigned)LINK_BATCH);
		if (b->room == 0) {
			wait_until(s, sender_now_ns() + BUSY_FIRST_NS);
			break;
		}
		if (!fill(s)) {
			wait_until(
			    s, sender_now_ns() + LAG_NS); /* none is due */
			break;
		}
		spend(s);
		room -= b->room;
		if (!send_batch(s))
			return false;
	}
	return true;
}

/*
 * A burst that did not all leave is made again from where it began: a target
 * may be asked twice, none is left out.
 */
static bool
flush(struct sender *s, const struct lead *lead, const struct stretch *again)
{
	if (link_flush(s->link) == 0) {
		note_link(s, 1);
		s->now = s->batch.after;
		return true;
	}
	note_link(s, -1);
	s->lead = *lead;
	s->again = *again;
	if (stopping(s))
		return false;
	wait_until(s, sender_now_ns() + BUSY_LONGEST_NS);
	return true;
}

static bool
turn(struct sender *s, unsigned room)
{
	struct lead lead;
	struct stretch again = s->again;

	if (link_burst(s->link) == (unsigned)LINK_BATCH) {
		if (!send_burst(s, room))
			return false;
		s->now = s->batch.after;
		return true;
	}
	lead = s->lead;
	return send_burst(s, room) && flush(s, &lead, &again);
}

void *
sender_run(void *arg)
{
	struct sender *s = arg;
	bool idle;

	s->batch.burst = link_burst(s->link);
	pacer_bursts(&s->pacer, s->batch.burst);
	while (exchange(s, &idle)) {
		uint64_t until = FOREVER;
		unsigned room =
		    idle ? 0 : pacer_ready(&s->pacer, sender_now_ns(), &until);

		if (room == 0)
			wait_for_credit(s, until);
		else if (!turn(s, room))
			break;
	}
	exchange(s, &idle);
	return NULL;
}
