/* live.h: what store_write.c, live_texts.c and store_purge.c share; for nobody else. */
#ifndef STORAGE_LIVE_H
#define STORAGE_LIVE_H

#include <lmdb.h>

#include "storage/book.h"
#include "storage/layout.h"
#include "storage/store_write.h"

enum {
	LIVE_PATH_CAP = LAYOUT_PATH_MAX + 32,
	/* When it is due, the target, its kind. */
	QUEUE_TIME_LEN = 8,
	QUEUE_KEY_LEN = QUEUE_TIME_LEN + TARGET_KEY_LEN + 1
};

enum kind {
	HEADS,
	BODIES, /* of before there were texts */
	TEXTS,
	SILENT,
	PENDING,
	QUEUE,
	WANTED,
	NAMES,
	PHANTOMS,
	META,
	KINDS
};

struct live {
	struct book rows, certs;
	MDB_dbi dbi[KINDS], certs_dbi;
	/*
	 * One for each database, as the transaction has first needed it: what
	 * comes in the order of its keys mostly lies where the last one lay,
	 * and is not searched for from the root. They end with it.
	 */
	MDB_cursor *cursors[KINDS];
	uint64_t text; /* number of the last, in this transaction; 0: ? */
	int rc; /* the first error since live_begin() */
	bool certs_full; /* ... came from there */
	char path[LIVE_PATH_CAP];
};

/* live_texts.c: a new body; its number, 0 when it is empty. */
uint64_t live_text_put(struct live *, const uint8_t key[TARGET_KEY_LEN],
    const uint8_t *body, uint32_t len);
/* The body that a head names. */
void live_text_erase(
    struct live *, const uint8_t key[TARGET_KEY_LEN], const struct head *);

#endif
