/* sender_state.h: what sender.c and sender_outside.c share; for nobody else. */
#ifndef ENGINE_SENDER_STATE_H
#define ENGINE_SENDER_STATE_H

#include <pthread.h>
#include <time.h>

#include "engine/lead.h"
#include "engine/pacer.h"
#include "engine/sender.h"

enum { DUE_MAX = 256 }; /* follow-ups queued in a thread */

/* Frames on their way to the kernel, and what holds when it has them all. */
struct batch {
	struct link_slot *slots[LINK_BATCH];
	unsigned room, n;
	unsigned burst; /* what leaves between two flushes */
	struct sender_progress after;
};

struct sender {
	const struct sender_plan *plan;
	struct link *link;
	unsigned thread;
	pthread_t id;

	/* Between the threads, under lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, news; /* news: wake and look again */
	uint64_t rate;
	struct followup due[DUE_MAX];
	unsigned due_first, ndue;
	struct stretch again_asked;
	uint32_t again_number;
	struct sender_optouts optouts_asked;
	struct sender_progress shown;

	/* The thread's own. */
	struct pacer pacer;
	uint64_t share;
	struct sender_progress now;
	struct stretch again; /* what is left of it */
	uint32_t again_taken; /* its number */
	struct batch batch;
	struct sender_lots *lots, *lots_again, *lots_second;
	const struct ranges *optouts; /* NULL: none */
	struct lead lead;
	bool failing;
};

static inline uint64_t
sender_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The thread; its argument is the sender. */
void *sender_run(void *);

#endif
