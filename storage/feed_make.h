/* feed_make.h: from the rows of a sweep to the files of its feeds. */
#ifndef STORAGE_FEED_MAKE_H
#define STORAGE_FEED_MAKE_H

#include "storage/cert_cache.h"
#include "storage/feed_files.h"
#include "storage/holes.h"
#include "storage/store.h"

struct feed_order {
	const struct recipients *recipients;
	const struct holes *holes; /* NULL: no scan_smtp_vulnerable */
	struct feed_files *files;
	enum feed_kind kind;
	uint64_t gone_after; /* sealed sweeps without an answer */
	unsigned protocols; /* a bit for each (enum protocol); 0: all */
};

/*
 * One pass over the sweep, for all recipients and types. *rows: how many were
 * written in all. 0, or -1 with errno when a file cannot be written.
 */
int feed_make(struct store *, const struct feed_order *, uint64_t *rows);

/* Does a recipient want rows of this type and severity? */
bool feed_wanted(
    const struct recipient *, enum feed_type, bool six, enum severity);

/* The row's certificate, or NULL. It lives until the next is read. */
const struct cert_fields *feed_cert(
    struct cert_cache *, struct store *, const struct head *);

/* Is the row new in a type since the last sealed sweep? */
bool feed_is_new(const struct head *, enum feed_type);

#endif
