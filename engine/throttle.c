/* throttle.c: SYNs a second, by what waits for the probes. */
#include "engine/throttle.h"

/* What may wait: seconds of work, and never fewer than this many. */
static const double waits_s = 0.3, waits_min = 64;
/*
 * What waits too much or too little is made up for in this time. It is well
 * above the time from a SYN to its greeting, else the rate would swing.
 */
static const double settle_s = 3;
/* At least this part of what is taken is let in, so that nothing stops. */
static const double floor_part = 0.25;
/* What is averaged: rates over a second, answers a SYN over more. */
static const double rates_s = 1, answers_s = 20;
/*
 * While nobody waits it grows by a part a second, and by more the longer that
 * lasts.
 */
static const double growth = 0.01, growth_max = 0.5;
/* With fewer in that while nobody knows what a SYN brings. */
static const double answers_min = 1e-3;
/* A full wire takes this off at each turn, as long as it is full. */
static const double full_part = 0.875;
/* Faster than any link. */
static const double most = 1e9;
/* A limit of which so much is not used for so long is none. */
static const double used_part = 0.9, spare_s = 3;

void
throttle_init(struct throttle *t, uint64_t now_us)
{
	*t = (struct throttle){ .us = now_us };
}

static double
grown(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) : 0;
}

static void
average(double *of, double value, double dt)
{
	*of += (value - *of) * dt / (dt + rates_s);
}

static void
measure(struct throttle *t, double dt, const struct throttle_seen *s)
{
	double fade = answers_s / (answers_s + dt);
	double syns = grown(s->syns, t->seen.syns);
	uint64_t taken = s->handed > s->ahead ? s->handed - s->ahead : 0;

	average(&t->take, grown(taken, t->taken) / dt, dt);
	average(&t->rate, syns / dt, dt);
	t->syns = t->syns * fade + syns;
	t->answers = t->answers * fade + grown(s->handed, t->seen.handed);
	if (taken > t->taken)
		t->taken = taken;
}

/* SYNs a second that bring what waits to where it should be. */
static double
wanted(const struct throttle *t, double waiting, double waits)
{
	double answers = t->take + (waits - waiting) / settle_s, each;

	if (answers < t->take * floor_part)
		answers = t->take * floor_part;
	each = t->syns / t->answers;
	/* No SYN has two: such are the answers of those before. */
	return answers * (each < 1 ? 1 : each);
}

static void
adjust(struct throttle *t, double dt, double want, bool full)
{
	double part = t->calm_s * growth;
	double grown =
	    t->limit * (1 + (part < growth_max ? part : growth_max) * dt);

	if (t->limit == 0)
		t->limit = want < t->rate ? want : t->rate;
	else if (full && want > t->limit * full_part)
		t->limit *= full_part;
	else if (want > t->limit)
		average(&t->limit, want, dt);
	else
		t->limit = want;
	if (t->calm_s > 0 && t->limit < grown)
		t->limit = grown;
	if (t->limit < 1)
		t->limit = 1;
	if (t->limit > most)
		t->limit = most;
}

/* Something else is slower: the configured rate, another pressure. */
static bool
is_spare(struct throttle *t, double dt, bool calm)
{
	if (calm && t->rate < t->limit * used_part)
		t->spare_s += dt;
	else
		t->spare_s = 0;
	return t->spare_s >= spare_s;
}

/* Of a batch that comes and goes nobody waits: the least of a few turns. */
static double
standing(struct throttle *t, uint64_t ahead)
{
	uint64_t least = ahead;

	for (unsigned i = THROTTLE_TURNS - 1; i > 0; i--) {
		t->ahead[i] = t->ahead[i - 1];
		least = t->ahead[i] < least ? t->ahead[i] : least;
	}
	t->ahead[0] = ahead;
	return (double)least;
}

uint64_t
throttle_turn(
    struct throttle *t, uint64_t now_us, const struct throttle_seen *s)
{
	double dt = grown(now_us, t->us) / 1e6, waiting;
	bool full = s->refused > t->seen.refused;
	double waits;
	bool known;

	if (dt == 0)
		return (uint64_t)t->limit;
	measure(t, dt, s);
	t->seen = *s;
	t->us = now_us;
	waiting = standing(t, s->ahead);
	waits = t->take * waits_s > waits_min ? t->take * waits_s : waits_min;
	t->calm_s = waiting < waits / 2 && !full ? t->calm_s + dt : 0;
	known = t->answers > answers_min && t->syns > 0;
	if (t->limit > 0 || (known && (full || waiting > waits)))
		adjust(
		    t, dt, known ? wanted(t, waiting, waits) : t->limit, full);
	if (t->limit > 0 && is_spare(t, dt, waiting < waits && !full))
		t->limit = 0;
	return (uint64_t)t->limit;
}
