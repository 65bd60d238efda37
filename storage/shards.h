/*
 * shards.h: the sealed shards of one sweep become one sealed sweep. All are
 * walked together in key order, once; a target that is in more than one keeps
 * the row that was seen last. Accounts add up. Certificates come along.
 */
#ifndef STORAGE_SHARDS_H
#define STORAGE_SHARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/store.h"

enum { SHARDS_MAX = 1024 };

struct shards;

/* An empty set; NULL: no memory. The caller frees it, which closes them. */
struct shards *shards_new(void);
void shards_free(struct shards *);

/*
 * Add one: a data directory (its newest sealed sweep), or the path of a file
 * sealed/ID.mdb in one. 0, or -1 with why in error: it cannot be read, is of
 * another sweep (seed, targets, ports or number of shards differ), or that
 * shard is there already.
 */
int shards_add(struct shards *, const char *path, char error[STORE_ERROR_MAX]);

/* The first shard that is missing; false: all are there. */
bool shards_missing(const struct shards *, unsigned *shard, unsigned *of);

/*
 * Write the sweep into a data directory, which is made when it is not there,
 * with its row in the catalog. *info: what was written. 0, or -1 with why in
 * error, and nothing is left behind.
 */
int shards_merge(struct shards *, const char *datadir, struct sweep_info *info,
    char error[STORE_ERROR_MAX]);

#endif
