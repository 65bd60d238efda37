/* shards_own.h: what shards.c and shards_merge.c share. */
#ifndef STORAGE_SHARDS_OWN_H
#define STORAGE_SHARDS_OWN_H

#include "storage/shards.h"

struct shards {
	struct store *v[SHARDS_MAX];
	char *dirs[SHARDS_MAX]; /* the data directory of each */
	unsigned n;
};

#endif
