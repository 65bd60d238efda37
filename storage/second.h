/*
 * second.h: which second connections a row asks for. They go into the queue
 * in the transaction that holds the row.
 */
#ifndef STORAGE_SECOND_H
#define STORAGE_SECOND_H

#include "storage/batch.h"

/* Silent on a cleartext port: does it speak TLS from the first byte? */
void second_after_silence(struct batch_context *, const struct target *);

#endif
