/*
 * naming.h: store's side of the names: which addresses resolve is asked for,
 * and how long the end of a sweep waits for it. What is wanted lies in live/,
 * so nothing here needs to outlive the process.
 */
#ifndef STORAGE_NAMING_H
#define STORAGE_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/wire.h"
#include "storage/store_write.h"

struct conf;

/* Embedded in store's own state; the fields are this module's. */
struct naming {
	bool on; /* a resolver is configured */
	struct addr at, next_at; /* the last one asked for */
	struct addr asks[NAMES_OPEN_MAX]; /* on disk, not yet on the wire */
	unsigned nasks, sent;
	bool fresh; /* fetched, and not yet known to be on disk */
	unsigned open; /* on the wire or with resolve */
	uint64_t wait_us, since_us; /* since: all else is done; 0: not yet */
	uint64_t wanted; /* on disk, at the last commit */
	bool said;
};

void naming_init(struct naming *, const struct conf *);

/* Inside a transaction, as often as it is tried: what is to be asked next. */
void naming_fetch(struct naming *, struct live *);

/* The transaction is on disk, or not; what is to be asked goes out then. */
void naming_commit(struct naming *, bool done);
void naming_send(struct naming *);

/* Outside a transaction: one answer has come. */
void naming_heard(struct naming *);

/*
 * Outside a transaction: a resolve has begun. What another one was asked for
 * died with it, so all that is wanted is asked for again.
 */
void naming_begun(struct naming *);

/*
 * All else of the sweep is done: is nobody waited for any more? Names that do
 * not come in the configured time are done without, which the log says.
 */
bool naming_is_over(struct naming *, uint64_t mono_us);

#endif
