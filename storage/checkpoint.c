/* checkpoint.c: how far the sweep is settled. */
#include <string.h>

#include "storage/checkpoint.h"

void
checkpoint_init(struct checkpoint *c, const struct sweep *s, uint64_t window_us)
{
	memset(c, 0, sizeof *c);
	c->threads =
	    s->threads < SWEEP_THREADS_MAX ? s->threads : SWEEP_THREADS_MAX;
	c->window_us = window_us;
	for (uint32_t t = 0; t < c->threads; t++) {
		c->settled[t].thread = t;
		c->settled[t].position = s->position[t];
		memcpy(c->settled[t].counted, s->counted[t],
		    sizeof c->settled[t].counted);
	}
}

int
checkpoint_position(
    struct checkpoint *c, uint64_t mono_us, const struct note_position *n)
{
	struct checkpoint_position *last;
	uint32_t have;

	if (n->thread >= c->threads ||
	    n->position < c->settled[n->thread].position)
		return -1;
	have = c->nkept[n->thread];
	if (have > 0) {
		last = &c->kept[n->thread][have - 1];
		if (n->position < last->note.position ||
		    mono_us < last->mono_us)
			return -1;
	}
	if (n->again)
		checkpoint_trouble(c, mono_us);
	/* Full (a long trouble): the newest gives way, the old ones count. */
	if (have == CHECKPOINT_KEEP)
		have--;
	c->kept[n->thread][have].mono_us = mono_us;
	c->kept[n->thread][have].note = *n;
	c->nkept[n->thread] = have + 1;
	return 0;
}

void
checkpoint_trouble(struct checkpoint *c, uint64_t mono_us)
{
	c->troubled = true;
	c->trouble_us = mono_us;
}

/* Take what a thread sent at or before a moment as settled. */
static void
settle(struct checkpoint *c, uint32_t thread, uint64_t until_us)
{
	struct checkpoint_position *kept = c->kept[thread];
	uint32_t n = 0;

	while (n < c->nkept[thread] && kept[n].mono_us <= until_us)
		n++;
	if (n == 0)
		return;
	c->settled[thread] = kept[n - 1].note;
	c->nkept[thread] -= n;
	memmove(kept, kept + n, c->nkept[thread] * sizeof kept[0]);
}

void
checkpoint_tick(
    struct checkpoint *c, uint64_t mono_us, const struct note_tick *tick)
{
	uint64_t dropped = c->ticked ? c->tick.dropped : 0;

	c->tick = *tick;
	c->tick_us = mono_us;
	c->ticked = true;
	if (!tick->link_up || tick->dropped != dropped)
		checkpoint_trouble(c, mono_us);
	if (c->troubled && mono_us < c->trouble_us + c->window_us)
		return;
	c->troubled = false;
	if (mono_us < c->window_us)
		return;
	for (uint32_t t = 0; t < c->threads; t++)
		settle(c, t, mono_us - c->window_us);
}

void
checkpoint_apply(const struct checkpoint *c, struct sweep *s)
{
	for (uint32_t t = 0; t < c->threads; t++) {
		s->position[t] = c->settled[t].position;
		memcpy(
		    s->counted[t], c->settled[t].counted, sizeof s->counted[t]);
	}
}

uint64_t
checkpoint_steps(const struct checkpoint *c)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < c->threads; t++)
		sum += c->settled[t].position;
	return sum;
}

bool
checkpoint_swept(const struct checkpoint *c)
{
	for (uint32_t t = 0; t < c->threads; t++)
		if (!c->settled[t].finished)
			return false;
	return c->ticked && c->tick.waiting == 0 && c->tick.open == 0;
}
