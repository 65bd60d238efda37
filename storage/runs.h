/*
 * runs.h: bodies of a sweep that is running (texts.h), fetched in the order of
 * their targets. Each transaction has put its rows in that order, so they lie
 * in as many sorted runs; a cursor walks along each, and the next body is most
 * often the next row of one of them.
 */
#ifndef STORAGE_RUNS_H
#define STORAGE_RUNS_H

#include <stdbool.h>

#include <lmdb.h>

#include "storage/texts.h"

struct runs;

/* NULL: no memory. Before the transaction ends they are freed. */
struct runs *runs_new(MDB_txn *, MDB_dbi);
void runs_free(struct runs *);

/* False: it is not there. */
bool runs_get(struct runs *, const uint8_t key[TEXT_KEY_LEN], MDB_val *out);

#endif
