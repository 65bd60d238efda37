/* view.c: an environment of LMDB, read in one transaction. */
#include <errno.h>
#include <stdint.h>

#include "storage/layout.h"
#include "storage/view.h"

enum { FILE_MODE = 0644 };

void
view_close(struct view *v)
{
	if (v->txn != NULL)
		mdb_txn_abort(v->txn);
	if (v->env != NULL)
		mdb_env_close(v->env);
	v->txn = NULL;
	v->env = NULL;
}

static int
view_try(struct view *v, const char *path, unsigned flags)
{
	int rc = mdb_env_create(&v->env);

	if (rc != 0) {
		v->env = NULL;
		return rc;
	}
	mdb_env_set_maxdbs(v->env, LAYOUT_DATABASES);
	rc = mdb_env_open(
	    v->env, path, flags | MDB_RDONLY | MDB_NOTLS, FILE_MODE);
	while (rc == 0 &&
	    (rc = mdb_txn_begin(v->env, NULL, MDB_RDONLY, &v->txn)) ==
		MDB_MAP_RESIZED)
		rc = mdb_env_set_mapsize(v->env, 0);
	if (rc != 0) {
		v->txn = NULL;
		view_close(v);
	}
	return rc;
}

/*
 * The catalog and the certificates have a lock file that an ordinary user may
 * read but not write. They change seldom and only grow, so a short reader
 * goes without.
 */
int
view_open(struct view *v, const char *path, unsigned flags)
{
	int rc = view_try(v, path, flags);

	if ((rc == EACCES || rc == EROFS) && (flags & MDB_NOSUBDIR) != 0)
		rc = view_try(v, path, flags | MDB_NOLOCK);
	return rc;
}

MDB_dbi
view_dbi(struct view *v, const char *name)
{
	MDB_dbi dbi;

	return mdb_dbi_open(v->txn, name, 0, &dbi) == 0 ? dbi : NO_DBI;
}

bool
view_get(struct view *v, MDB_dbi dbi, const void *key, size_t len, MDB_val *out)
{
	MDB_val k = { len, (void *)(uintptr_t)key };

	return dbi != NO_DBI && mdb_get(v->txn, dbi, &k, out) == 0;
}
