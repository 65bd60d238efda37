/* store_own.h: what store*.c for readers share; for nobody else. */
#ifndef STORAGE_STORE_OWN_H
#define STORAGE_STORE_OWN_H

#include <lmdb.h>

#include "storage/layout.h"
#include "storage/runs.h"
#include "storage/store.h"
#include "storage/view.h"

struct store {
	struct view view, certs;
	MDB_dbi heads, bodies, texts, silent, gone, names, phantoms, tables,
	    meta, certs_dbi;
	struct runs *runs; /* to its bodies; NULL: none was asked for */
	bool running; /* its heads know nothing of phantoms yet */
	uint64_t damaged; /* rows passed over */
	char datadir[LAYOUT_PATH_MAX];
	struct sweep_info info;
	struct ranges *optouts; /* NULL: none */
};

struct store_scan {
	struct store *store;
	MDB_cursor *cursor, *body; /* body: where the last one lay */
	MDB_cursor_op next;
	uint8_t key[TARGET_KEY_LEN];
	struct addr last; /* where it ends, if it does */
	bool ends;
	uint64_t text; /* number of its body, of a sweep that is running */
};

/*
 * A walk or a search has ended so: what follows a page that cannot be read is
 * damage, of nobody knows how many rows.
 */
void store_end(struct store *, int rc);

/* Over a database, which may be NO_DBI. NULL: no memory. */
struct store_scan *store_scan_over(struct store *, MDB_dbi);

#endif
