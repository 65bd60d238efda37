/* view.h: an environment of LMDB, read in one transaction; store.c's own. */
#ifndef STORAGE_VIEW_H
#define STORAGE_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include <lmdb.h>

enum { NO_DBI = 0 };

/* All zero: closed. The transaction lasts as long as it is open. */
struct view {
	MDB_env *env;
	MDB_txn *txn;
};

/* 0, or what LMDB says. flags: MDB_NOSUBDIR, MDB_NOLOCK. */
int view_open(struct view *, const char *path, unsigned flags);
void view_close(struct view *);

/* NO_DBI where the environment has no such database. */
MDB_dbi view_dbi(struct view *, const char *name);
bool view_get(
    struct view *, MDB_dbi, const void *key, size_t len, MDB_val *value);

#endif
