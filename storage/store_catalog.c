/* store_catalog.c: the list of sweeps, opt-outs, and how sweeps go. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "storage/info.h"
#include "storage/layout.h"
#include "storage/store_catalog.h"

enum {
	PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32,
	OPTOUT_KEY_LEN = 17,
	FILE_MODE = 0644
};

#define CATALOG_MAP ((size_t)256 << 20) /* 5 KB a sweep: a century */
#define DAY_US      ((uint64_t)86400 * 1000000)

static int
put(const char *datadir, const char *name, MDB_val *key, MDB_val *value,
    char error[STORE_ERROR_MAX])
{
	char path[PATH_CAP];
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	int rc = mdb_env_create(&env);

	snprintf(path, sizeof path, "%s/" LAYOUT_CATALOG, datadir);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, LAYOUT_DATABASES);
	if (rc == 0)
		rc = mdb_env_set_mapsize(env, CATALOG_MAP);
	if (rc == 0)
		rc = mdb_env_open(env, path, MDB_NOSUBDIR, FILE_MODE);
	if (rc == 0)
		rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, name, MDB_CREATE, &dbi);
	if (rc == 0)
		rc = mdb_put(txn, dbi, key, value, 0);
	if (rc == 0) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (env != NULL)
		mdb_env_close(env);
	if (rc == 0)
		return 0;
	store_say(error, "%s: %s", path, mdb_strerror(rc));
	return -1;
}

int
catalog_put(const char *datadir, const struct sweep_info *info,
    char error[STORE_ERROR_MAX])
{
	char text[INFO_TEXT_MAX];
	char id[SWEEP_ID_MAX];
	MDB_val key = { strnlen(info->sweep.id, sizeof id), id };
	MDB_val value = { info_write(info, false, text), text };

	memcpy(id, info->sweep.id, sizeof id);
	return put(datadir, DB_SWEEPS, &key, &value, error);
}

int
catalog_optout(const char *datadir, const struct addr *addr, unsigned bits,
    uint64_t when_us, char error[STORE_ERROR_MAX])
{
	uint8_t packed[OPTOUT_KEY_LEN];
	MDB_val key = { sizeof packed, packed };
	MDB_val value = { sizeof when_us, &when_us };

	memcpy(packed, addr->b, sizeof addr->b);
	packed[OPTOUT_KEY_LEN - 1] = (uint8_t)(bits > 128 ? 128 : bits);
	return put(datadir, DB_OPTOUTS, &key, &value, error);
}

/* The sweeps whose time has come, collected before the catalog is written. */
struct expiry {
	struct sweep_info *v;
	size_t n;
	uint64_t before_us;
	char newest[SWEEP_ID_MAX];
	bool no_memory;
};

static bool
collect(const struct sweep_info *info, void *arg)
{
	struct expiry *e = arg;
	struct sweep_info *more;

	if (info->removed || info->end_us == 0 ||
	    info->sweep.start_us >= e->before_us ||
	    strcmp(info->sweep.id, e->newest) == 0)
		return true;
	more = realloc(e->v, (e->n + 1) * sizeof *more);
	if (more == NULL) {
		e->no_memory = true;
		return false;
	}
	e->v = more;
	e->v[e->n++] = *info;
	return true;
}

/* The file first: a row without a file is a line of history, no more. */
static int
expire_one(
    const char *datadir, struct sweep_info *info, char error[STORE_ERROR_MAX])
{
	char path[PATH_CAP];

	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX,
	    datadir, info->sweep.id);
	if (unlink(path) != 0 && errno != ENOENT) {
		store_say(error, "%s: %s", path, strerror(errno));
		return -1;
	}
	info->removed = 1;
	return catalog_put(datadir, info, error);
}

int
catalog_expire(const char *datadir, uint32_t days, uint64_t now_us,
    char error[STORE_ERROR_MAX])
{
	struct expiry e = { 0 };
	int removed = 0;

	if (days == 0 || days * DAY_US > now_us ||
	    !store_newest(datadir, e.newest))
		return 0;
	e.before_us = now_us - days * DAY_US;
	if (store_sweeps(datadir, collect, &e, error) != 0)
		removed = -1;
	for (size_t i = 0; i < e.n && removed >= 0; i++)
		removed =
		    expire_one(datadir, &e.v[i], error) == 0 ? removed + 1 : -1;
	if (e.no_memory) {
		store_say(error, "%s", strerror(ENOMEM));
		removed = -1;
	}
	free(e.v);
	return removed;
}

int
directory_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}
