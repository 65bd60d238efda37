/* count.h: statistics of a sealed sweep, counted from its heads. */
#ifndef STORAGE_COUNT_H
#define STORAGE_COUNT_H

#include "storage/filter.h"
#include "storage/statistics.h"
#include "storage/store.h"

/* All rows that pass. False: the store cannot be read. */
bool count_rows(struct store *, const struct filter *, struct statistics *to);

/*
 * The same of a sealed sweep, to the last byte, by so many processes: the
 * caller, and others that it starts and that end. No environment of LMDB may
 * be open. Of cuts without labels only (cut.h). *damaged: rows that were passed
 * over. False: why is in error.
 */
bool count_shared(const char *datadir, const char *sweep, const struct filter *,
    unsigned processes, struct statistics *to, uint64_t *damaged,
    char error[STORE_ERROR_MAX]);

/* How many processes are worth it for so many heads. */
unsigned count_processes(uint64_t heads);

#endif
