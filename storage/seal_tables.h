/* seal_tables.h: the tables of a sealed file, counted as its rows are written. */
#ifndef STORAGE_SEAL_TABLES_H
#define STORAGE_SEAL_TABLES_H

#include "storage/fixes.h"
#include "storage/statistics.h"
#include "storage/store_sealed.h"

struct seal_tables {
	struct statistics *v[SEALED_TABLES];
	struct fixes *fixes;
};

void seal_tables_begin(struct seal_tables *);
void seal_tables_end(struct seal_tables *);

/* Rows come in key order, as they go into the file. */
void seal_tables_add(struct seal_tables *, const struct row *);

/* After the last row. 0, or -1 with errno. */
int seal_tables_put(struct seal_tables *, struct sealed *);

#endif
