/* backoff.c: how fast this machine and the wire let us send. */
#include "engine/backoff.h"

enum {
	START_PART = 10, /* of the rate, at first */
	STEPS_PER_S = 1000 / BACKOFF_STEP_MS,
	RISE_PART = 20 * STEPS_PER_S, /* of what was reached, each step */
	SPEED_MS = 1000,
	LEAST_PART = 1000 /* never less: somebody has to find out */
};

const char *const backoff_why_names[BACKOFF_WHYS] = {
	[BACKOFF_NONE] = "nothing",
	[BACKOFF_DROPS] = "the capture drops answers",
	[BACKOFF_ERRORS] = "frames cannot be sent",
	[BACKOFF_WIRE] = "answers are not followed as fast as they come",
};

void
backoff_init(
    struct backoff *b, uint64_t now_ms, const struct backoff_seen *seen)
{
	*b = (struct backoff){ .step_ms = now_ms,
		.seen = *seen,
		.starting = true,
		.sent = seen->sent,
		.sent_ms = now_ms };
}

static uint64_t
part_of(uint64_t rate, unsigned part)
{
	return rate / part > 0 ? rate / part : rate > 0;
}

static void
begin_rate(struct backoff *b, uint64_t now_ms, uint64_t rate)
{
	uint64_t start = part_of(rate, START_PART);

	b->starting = rate > b->allowed;
	if (b->allowed < start)
		b->allowed = start;
	if (b->allowed > rate)
		b->allowed = rate;
	b->rate = rate;
	b->step_ms = now_ms;
	b->why = BACKOFF_NONE;
}

static enum backoff_why
new_trouble(struct backoff *b, const struct backoff_seen *seen)
{
	enum backoff_why why = BACKOFF_NONE;

	for (unsigned i = BACKOFF_WHYS; i-- > BACKOFF_NONE + 1;)
		if (seen->n[i] != b->seen.n[i])
			why = (enum backoff_why)i;
	b->seen = *seen;
	return why;
}

static void
measure(struct backoff *b, uint64_t now_ms, uint64_t sent)
{
	uint64_t ms = now_ms - b->sent_ms;

	if (ms < SPEED_MS)
		return;
	b->speeds[b->nspeeds++ % BACKOFF_SPEEDS] = (sent - b->sent) * 1000 / ms;
	b->sent = sent;
	b->sent_ms = now_ms;
}

/* The best of the last seconds, or what was allowed, while nobody knows. */
static uint64_t
reached(const struct backoff *b)
{
	uint64_t best = 0;

	for (unsigned i = 0; i < BACKOFF_SPEEDS && i < b->nspeeds; i++)
		if (b->speeds[i] > best)
			best = b->speeds[i];
	return b->nspeeds > 0 && best < b->allowed ? best : b->allowed;
}

static enum backoff_say
cut(struct backoff *b, uint64_t now_ms, enum backoff_why why)
{
	uint64_t least = part_of(b->rate, LEAST_PART);
	bool first = b->why == BACKOFF_NONE;

	/* What is in the way now was sent before the last cut. */
	if (b->cut_ms != 0 && now_ms - b->cut_ms < BACKOFF_CUT_MS)
		return BACKOFF_QUIET;
	b->cut_ms = b->step_ms = now_ms;
	b->cuts++;
	b->starting = false;
	b->why = why;
	b->reached = reached(b);
	if (why != BACKOFF_WIRE)
		b->allowed = b->reached / 2 > least ? b->reached / 2 : least;
	if (!first && now_ms - b->said_ms < BACKOFF_SAY_MS)
		return BACKOFF_QUIET;
	b->said_ms = now_ms;
	return BACKOFF_SLOWER;
}

static enum backoff_say
rise(struct backoff *b, uint64_t now_ms)
{
	uint64_t most = b->reached > b->allowed ? b->reached : b->allowed;
	uint64_t more = part_of(most, RISE_PART);
	bool was_cut = b->why != BACKOFF_NONE;

	if ((b->allowed == b->rate && !was_cut) ||
	    now_ms - b->step_ms < BACKOFF_STEP_MS ||
	    (was_cut && now_ms - b->cut_ms < BACKOFF_WAIT_MS))
		return BACKOFF_QUIET;
	b->step_ms = now_ms;
	if (b->starting)
		more = b->allowed;
	b->allowed = b->rate - b->allowed > more ? b->allowed + more : b->rate;
	if (b->allowed != b->rate)
		return BACKOFF_QUIET;
	b->starting = false;
	b->why = BACKOFF_NONE;
	return was_cut ? BACKOFF_RECOVERED : BACKOFF_QUIET;
}

enum backoff_say
backoff_turn(struct backoff *b, uint64_t now_ms, uint64_t rate,
    const struct backoff_seen *seen)
{
	enum backoff_why why = new_trouble(b, seen);

	measure(b, now_ms, seen->sent);
	if (rate != b->rate)
		begin_rate(b, now_ms, rate);
	if (rate == 0)
		return BACKOFF_QUIET;
	return why != BACKOFF_NONE ? cut(b, now_ms, why) : rise(b, now_ms);
}
