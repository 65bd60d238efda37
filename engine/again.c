/* again.c: which stretches of the index have to be sent a second time. */
#include <string.h>

#include "engine/again.h"

void
again_init(struct again *a, unsigned threads, uint64_t window_ms)
{
	memset(a, 0, sizeof *a);
	a->threads = threads;
	a->window_ms = window_ms;
	/* Twice as many places as a window needs. */
	a->spacing_ms = window_ms / (AGAIN_SAMPLES / 2) + 1;
}

void
again_window(struct again *a, uint64_t window_ms)
{
	a->window_ms = window_ms;
}

bool
again_open(const struct again *a)
{
	return a->state != AGAIN_NONE;
}

static void
sample(struct again *a, uint64_t now_ms, const uint64_t *position)
{
	unsigned last = (a->first + a->n - 1) % AGAIN_SAMPLES, at;

	if (a->n > 0 && now_ms - a->samples[last].ms < a->spacing_ms)
		return;
	if (a->n == AGAIN_SAMPLES) {
		a->first = (a->first + 1) % AGAIN_SAMPLES;
		a->n--;
	}
	at = (a->first + a->n++) % AGAIN_SAMPLES;
	a->samples[at].ms = now_ms;
	memcpy(
	    a->samples[at].position, position, sizeof a->samples[at].position);
}

/* The newest sample that is a window old; the oldest, if none is. */
static const uint64_t *
a_window_ago(const struct again *a, uint64_t now_ms)
{
	unsigned i = a->n - 1;

	while (i > 0 &&
	    now_ms - a->samples[(a->first + i) % AGAIN_SAMPLES].ms <
		a->window_ms)
		i--;
	return a->samples[(a->first + i) % AGAIN_SAMPLES].position;
}

/*
 * All that may have been on the way. What is being sent again belongs to it,
 * and what was a window ago, from its beginning.
 */
static void
collect(struct again *a, uint64_t now_ms, const uint64_t *position)
{
	const uint64_t *from = a_window_ago(a, now_ms);

	for (unsigned t = 0; t < a->threads; t++) {
		struct stretch *s = &a->open[t];

		if (a->state == AGAIN_NONE || from[t] < s->from)
			s->from = from[t];
		s->to = position[t];
	}
	a->state = AGAIN_TROUBLED;
	a->trouble_ms = now_ms;
}

static void
end(struct again *a)
{
	a->state = AGAIN_NONE;
	a->rounds = 0;
}

bool
again_turn(struct again *a, uint64_t now_ms,
    const uint64_t position[SWEEP_THREADS_MAX], uint64_t troubles,
    bool all_sent)
{
	sample(a, now_ms, position);
	if (troubles != a->troubles) {
		a->troubles = troubles;
		collect(a, now_ms, position);
		return false;
	}
	switch (a->state) {
	case AGAIN_TROUBLED:
		if (now_ms - a->trouble_ms < AGAIN_CALM_MS)
			return false;
		if (a->rounds == AGAIN_ROUNDS) {
			end(a);
			return false;
		}
		a->rounds++;
		a->state = AGAIN_SENDING;
		return true;
	case AGAIN_SENDING:
		if (all_sent) {
			a->state = AGAIN_ANSWERS;
			a->ended_ms = now_ms;
		}
		return false;
	case AGAIN_ANSWERS:
		if (now_ms - a->ended_ms >= a->window_ms)
			end(a);
		return false;
	case AGAIN_NONE:
	default:
		return false;
	}
}
