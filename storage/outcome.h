/*
 * outcome.h: an outcome on its way into the rows: a first one, a better one,
 * or what a second connection adds to the row that is there.
 */
#ifndef STORAGE_OUTCOME_H
#define STORAGE_OUTCOME_H

#include "storage/batch.h"

/* A record of a probe, checked; its body has room for what store adds. */
void outcome_record(struct batch_context *, struct record *);

/* What packet says of a target that no probe ever saw. */
void outcome_bare(struct batch_context *, const struct contact *, enum outcome,
    uint64_t when_us);

#endif
