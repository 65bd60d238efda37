/* csv.h: rows in the dialect of the notification feeds. */
#ifndef STORAGE_CSV_H
#define STORAGE_CSV_H

#include <stdint.h>

#include "storage/buf.h"

/*
 * UTF-8, comma, LF, text quoted with "" inside, numbers bare, a missing value
 * is nothing between commas. csv_end ends the row.
 */
struct csv {
	struct buf *out;
	unsigned fields; /* of this row so far */
};

/* Already mapped text; of no length: a missing value. */
void csv_text(struct csv *, const char *, size_t len);
void csv_string(struct csv *, const char *); /* NUL-terminated */
void csv_bare(struct csv *, const char *); /* as it is, unquoted */
void csv_number(struct csv *, uint64_t);
void csv_missing(struct csv *);
void csv_end(struct csv *);

#endif
