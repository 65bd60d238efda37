/*
 * builder.h: an environment of LMDB 0.9 made whole, from rows that come in the
 * order of their keys: each page is written once, in large pieces, and summed
 * on the way. LMDB itself only reads what comes of it. Several databases may
 * be filled at a time; the pages of each lie together in runs.
 */
#ifndef STORAGE_BUILDER_H
#define STORAGE_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "storage/trailer.h"

enum { BUILDER_TABLES_MAX = 16, BUILDER_KEY_MAX = 511 };

struct builder;
struct builder_table;

/* Into an empty file, which stays the caller's. NULL: no memory. */
struct builder *builder_new(int fd);
void builder_free(struct builder *);

/* A database with a name that outlives it. NULL: no memory, or too many. */
struct builder_table *builder_table(struct builder *, const char *name);

/*
 * Append a row. 0, or -1 with errno; EINVAL: its key is not greater than the
 * one before, or too long.
 */
int builder_put(struct builder_table *, const void *key, size_t key_len,
    const void *bytes, size_t len);

/*
 * Write what is left, and the pages that lead to all others; no sync. *sums,
 * of the file as it is then, live until builder_free(). 0, or -1 with errno.
 */
int builder_finish(struct builder *, struct trailer_sums *sums);

#endif
