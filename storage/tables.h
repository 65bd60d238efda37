/* tables.h: several tables of a sweep at once. */
#ifndef STORAGE_TABLES_H
#define STORAGE_TABLES_H

#include "storage/statistics.h"
#include "storage/store.h"

/*
 * What the seal has counted is read; what it has not, or what opt-outs have
 * overtaken, is counted in one pass over the heads, all of it together. The
 * caller frees each. False: the store cannot be read, and all are NULL.
 */
bool tables_read(struct store *, const enum cut cuts[][CUTS_MAX], size_t n,
    struct statistics *out[]);

#endif
