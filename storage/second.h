/*
 * second.h: which second connections a row asks for. They go into the queue
 * in the transaction that holds the row.
 */
#ifndef STORAGE_SECOND_H
#define STORAGE_SECOND_H

#include "storage/batch.h"

/* It has answered: is it, or its network, one for the canary? */
void second_canary(struct batch_context *, const struct addr *);

/* Silent on a cleartext port: does it speak TLS from the first byte? */
void second_after_silence(struct batch_context *, const struct target *);

/*
 * Is it a verdict that a second connection is to confirm: a login in clear,
 * and TLS that was offered and did not come about?
 */
bool second_is_wanted(const struct head *);

/*
 * A connection of kind plain has ended, its row is put: what now? before: the
 * row until then, or NULL; was: what was known while it was pending.
 */
void second_after_row(struct batch_context *, const struct head *before,
    const struct head *ended, const struct pending *was);

#endif
