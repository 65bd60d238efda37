/* geo_table.h: address ranges, each with the number of a row; they may nest. */
#ifndef STORAGE_GEO_TABLE_H
#define STORAGE_GEO_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"

struct geo_range {
	struct addr first, last; /* both included */
	uint32_t row;
};

/* Zeroed is empty. */
struct geo_table {
	struct geo_range *v;
	size_t n, cap;
};

enum { GEO_NO_ROW = UINT32_MAX };

/* 0, or -1 with ENOMEM. */
int geo_table_add(struct geo_table *, const struct geo_range *);

/* Once, after the last one: cut into pieces that do not overlap. 0 or -1. */
int geo_table_seal(struct geo_table *);

/* The row of the smallest range around an address, or GEO_NO_ROW. */
uint32_t geo_table_find(const struct geo_table *, const struct addr *);
void geo_table_free(struct geo_table *);

#endif
