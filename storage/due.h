/* due.h: follow-ups on their way from store's queue to send. */
#ifndef STORAGE_DUE_H
#define STORAGE_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/wire.h"
#include "storage/store_write.h"

enum { DUE_MAX = 1024 }; /* taken from the queue in a turn */

struct due {
	struct followup v[DUE_MAX]; /* pending on disk, not yet with send */
	unsigned n, at;
	uint64_t given; /* to send, since the start */
	uint64_t left_us; /* monotonic, all of these had left; 0: not yet */
	uint64_t canary_us; /* ... when the last one went to send */
};

/* Inside a transaction, when all before are sent: the next ones. */
void due_fetch(struct due *, struct live *, uint64_t now_us);

/* It was a transaction of which nothing is on disk. */
void due_forget(struct due *);

/* What is on disk goes out; send may be busy. */
void due_send(struct due *, uint64_t mono_us);

/* Is nothing left that would have to go to send? */
bool due_is_sent(const struct due *);

/* How many SYNs of follow-ups have left by now, as send counts them. */
void due_look(struct due *, uint64_t left, uint64_t mono_us);

/*
 * Has every answer had its time: heard_us is up to when all that came is
 * known. Where send has passed one over they are never seen to have left.
 */
bool due_is_answered(const struct due *, uint64_t window_us, uint64_t heard_us);

/* No row waits for the answers to canaries: only time does. */
bool due_is_over(const struct due *, uint64_t window_us, uint64_t mono_us);

#endif
