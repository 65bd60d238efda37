/* merge.h: what a second connection adds to the row that is there. */
#ifndef STORAGE_MERGE_H
#define STORAGE_MERGE_H

#include "storage/batch.h"

/*
 * A connection that offered less than all versions of TLS: was one accepted?
 * Then it joins the row's list, the negotiated one first.
 */
void merge_tls_version(
    struct batch_context *, const struct head *row, const struct head *second);

/*
 * One with a command behind STARTTLS: was it answered inside TLS? Then the row
 * says so, and that connection's transcript stands behind its own.
 */
void merge_injection(struct batch_context *, const struct head *row,
    const struct record *second);

#endif
