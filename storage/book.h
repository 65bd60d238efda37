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

/* Flags of an environment of its own file, and of the rows. */
enum {
	/* What is committed is on the disk: rows will name it. */
	BOOK_CERTS = MDB_NOSUBDIR,
	/*
	 * After a power cut the last transaction may be gone, as a whole.
	 * Nothing more than this flag: of 245 power cuts none was unreadable;
	 * with NOSYNC 65 of 90, and WRITEMAP makes SIGBUS of a full disk.
	 */
	BOOK_ROWS = MDB_NOMETASYNC
};

/* Each: 0, or what LMDB says. map: bytes, to begin with. */
int book_open(struct book *, const char *path, unsigned flags, size_t map);
/* Pages that only dead readers held are free again. */
int book_begin(struct book *);
int book_commit(struct book *);
int book_grow(struct book *); /* twice as much, outside a transaction */
void book_abort(struct book *);
void book_close(struct book *);

#endif
