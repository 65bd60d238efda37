/* book.c: an environment of LMDB with one writer. */
#include "storage/book.h"
#include "storage/layout.h"

enum { FILE_MODE = 0644 };

int
book_open(struct book *b, const char *path, unsigned flags, size_t map)
{
	MDB_envinfo info;
	int rc = mdb_env_create(&b->env);

	if (rc != 0)
		return rc;
	mdb_env_set_maxdbs(b->env, LAYOUT_DATABASES);
	mdb_env_set_mapsize(b->env, map);
	rc = mdb_env_open(b->env, path, flags, FILE_MODE);
	if (rc == 0)
		rc = mdb_env_info(b->env, &info);
	if (rc == 0)
		b->map = info.me_mapsize;
	return rc;
}

int
book_begin(struct book *b)
{
	int rc;

	/* One that was killed would keep all pages of its time for ever. */
	(void)mdb_reader_check(b->env, NULL);
	rc = mdb_txn_begin(b->env, NULL, 0, &b->txn);
	if (rc != 0)
		b->txn = NULL;
	return rc;
}

void
book_abort(struct book *b)
{
	if (b->txn != NULL)
		mdb_txn_abort(b->txn);
	b->txn = NULL;
}

int
book_commit(struct book *b)
{
	int rc = mdb_txn_commit(b->txn);

	b->txn = NULL;
	return rc;
}

void
book_close(struct book *b)
{
	book_abort(b);
	if (b->env != NULL)
		mdb_env_close(b->env);
}

int
book_grow(struct book *b)
{
	int rc = mdb_env_set_mapsize(b->env, b->map * 2);

	if (rc == 0)
		b->map *= 2;
	return rc;
}
