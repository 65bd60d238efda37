/* book.h: an environment of LMDB with one writer; store_write.c's own. */
#ifndef STORAGE_BOOK_H
#define STORAGE_BOOK_H

#include <stddef.h>

#include <lmdb.h>

/* An environment with one writer, and the transaction that is under way. */
struct book {
	MDB_env *env;
	MDB_txn *txn;
	size_t map;
};

/* Each: 0, or what LMDB says. map: bytes, to begin with. */
int book_open(struct book *, const char *path, unsigned flags, size_t map);
int book_commit(struct book *);
int book_grow(struct book *); /* twice as much, outside a transaction */
void book_abort(struct book *);
void book_close(struct book *);

#endif
