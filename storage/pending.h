/*
 * pending.h: targets without an outcome yet: those that have answered, and
 * those that are to be asked again. All inside a transaction of live.
 */
#ifndef STORAGE_PENDING_H
#define STORAGE_PENDING_H

#include "engine/conf.h"
#include "storage/store_write.h"

/* A target over a limit of ours is asked so often before it is given up. */
enum { LIMITED_MAX = 64 };

struct pending_rules {
	uint64_t longest_us; /* any conversation, from the SYN-ACK to the end */
	uint64_t unanswered_us; /* ... and one that no SYN-ACK began */
	uint64_t retry_pause_us;
	uint32_t retries;
};

struct pending_rules pending_rules_of(const struct conf *);

/* packet: it has answered and is followed. */
void pending_answered(
    struct live *, const struct note_pending *, uint64_t now_us);

/* packet or probe: ask it again, not before a time. False: it is given up. */
bool pending_again(struct live *, const struct followup *);

/*
 * At a resume: what was pending when the last incarnation was cut off is
 * asked again. How many.
 */
unsigned pending_resume(struct live *, uint64_t not_before_us);

/* At each checkpoint: what the clock shows. */
void pending_clock(struct live *, uint64_t now_us);

/*
 * At a resume: a clock that shows less than at the last checkpoint was set
 * back, by that at least, and so is what the queue waits for. Microseconds.
 */
uint64_t pending_set_back(struct live *, uint64_t now_us);

/* What is given up: its last outcome, in a row that store makes itself. */
typedef void pending_end(
    void *, const struct target *, const struct pending *, enum outcome);

/*
 * Pending rows older than the longest conversation are lost: back into the
 * queue, or given up when that was done often enough, or when it was a second
 * connection: its row says what there is to say. It looks at no more
 * than cap rows past *from, which moves on, and is zero again at the end.
 */
void pending_expire(struct live *, const struct pending_rules *,
    uint64_t now_us, struct target *from, unsigned cap, pending_end *, void *);

/*
 * Queue rows that are due turn pending; up to cap of them in out. Rows whose
 * target is followed already, or has an outcome by now, go without; one that
 * is followed for another reason waits for the end of that.
 */
unsigned pending_due(
    struct live *, uint64_t now_us, struct followup *out, unsigned cap);

#endif
