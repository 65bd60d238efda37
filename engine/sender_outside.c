/* sender_outside.c: a sending thread as others see it: start, ask, look, end. */
#include <errno.h>
#include <stdlib.h>

#include "engine/sender_state.h"

static int
init_lock(struct sender *s)
{
	pthread_condattr_t attr;
	int r;

	r = pthread_condattr_init(&attr);
	if (r != 0)
		return r;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (r != 0)
		return r;
	r = pthread_mutex_init(&s->lock, NULL);
	if (r != 0)
		pthread_cond_destroy(&s->changed);
	return r;
}

static void
free_memory(struct sender *s)
{
	sender_lots_free(s->lots);
	sender_lots_free(s->lots_again);
	sender_lots_free(s->lots_second);
	free(s);
}

static void
destroy(struct sender *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free_memory(s);
}

static struct sender *
make(const struct sender_plan *plan, unsigned thread, struct link *link)
{
	struct sender *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->lots = sender_lots_new(plan);
	s->lots_again = sender_lots_new(plan);
	s->lots_second = sender_lots_new(plan);
	if (s->lots_second != NULL)
		sender_lots_syn(s->lots_second, KIND_SECOND, 0);
	s->plan = plan;
	s->thread = thread;
	s->link = link;
	s->share = sweep_share(plan->sweep, thread);
	s->now.position = plan->sweep->position[thread];
	s->now.finished = s->now.position >= s->share;
	for (int i = 0; i < SEND_COUNTS; i++)
		s->now.counted[i] = plan->sweep->counted[thread][i];
	lead_init(&s->lead, s->now.position,
	    plan->conf->syn_probes > 1
		? plan->conf->probe_gap_ms * (uint64_t)1000000
		: 0);
	s->shown = s->now;
	pacer_init(&s->pacer, sender_now_ns());
	if (s->lots != NULL && s->lots_again != NULL && s->lots_second != NULL)
		return s;
	free_memory(s);
	return NULL;
}

struct sender *
sender_start(const struct sender_plan *plan, unsigned thread, struct link *link)
{
	struct sender *s = make(plan, thread, link);
	int r;

	if (s == NULL)
		return NULL;
	r = init_lock(s);
	if (r != 0) {
		free_memory(s);
	} else {
		r = pthread_create(&s->id, NULL, sender_run, s);
		if (r == 0)
			return s;
		destroy(s);
	}
	errno = r;
	return NULL;
}

/* With the lock held: have the thread look again. */
static void
wake(struct sender *s)
{
	s->news = true;
	pthread_cond_signal(&s->changed);
}

void
sender_rate(struct sender *s, uint64_t rate)
{
	pthread_mutex_lock(&s->lock);
	if (s->rate != rate) {
		s->rate = rate;
		wake(s);
	}
	pthread_mutex_unlock(&s->lock);
}

bool
sender_followup(struct sender *s, const struct followup *f)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->ndue < DUE_MAX;
	if (room) {
		s->due[(s->due_first + s->ndue++) % DUE_MAX] = *f;
		wake(s);
	}
	pthread_mutex_unlock(&s->lock);
	return room;
}

void
sender_again(struct sender *s, const struct stretch *stretch, uint32_t number)
{
	pthread_mutex_lock(&s->lock);
	s->again_asked = *stretch;
	s->again_number = number;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

void
sender_optouts(struct sender *s, const struct sender_optouts *optouts)
{
	pthread_mutex_lock(&s->lock);
	s->optouts_asked = *optouts;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

struct sender_progress
sender_progress(struct sender *s)
{
	struct sender_progress shown;

	pthread_mutex_lock(&s->lock);
	shown = s->shown;
	pthread_mutex_unlock(&s->lock);
	return shown;
}

void
sender_stop(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

struct sender_progress
sender_join(struct sender *s)
{
	struct sender_progress last;

	pthread_join(s->id, NULL);
	last = s->shown;
	destroy(s);
	return last;
}
