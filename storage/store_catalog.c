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

enum { PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32, FILE_MODE = 0644 };

#define CATALOG_MAP ((size_t)256 << 20) /* 5 KB a sweep: a century */
#define DAY_US      ((uint64_t)86400 * 1000000)

/* The catalog, open for one transaction on one of its databases. */
struct catalog {
	char path[PATH_CAP];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc; /* the first error */
};

static void
catalog_begin(struct catalog *c, const char *datadir, const char *name)
{
	memset(c, 0, sizeof *c);
	snprintf(c->path, sizeof c->path, "%s/" LAYOUT_CATALOG, datadir);
	c->rc = mdb_env_create(&c->env);
	if (c->rc == 0)
		c->rc = mdb_env_set_maxdbs(c->env, LAYOUT_DATABASES);
	if (c->rc == 0)
		c->rc = mdb_env_set_mapsize(c->env, CATALOG_MAP);
	if (c->rc == 0)
		c->rc = mdb_env_open(c->env, c->path, MDB_NOSUBDIR, FILE_MODE);
	if (c->rc == 0)
		c->rc = mdb_txn_begin(c->env, NULL, 0, &c->txn);
	if (c->rc == 0)
		c->rc = mdb_dbi_open(c->txn, name, MDB_CREATE, &c->dbi);
}

/* On disk when it returns 0; else nothing was changed, and why in error. */
static int
catalog_end(struct catalog *c, char error[STORE_ERROR_MAX])
{
	if (c->rc == 0) {
		c->rc = mdb_txn_commit(c->txn);
		c->txn = NULL;
	}
	if (c->txn != NULL)
		mdb_txn_abort(c->txn);
	if (c->env != NULL)
		mdb_env_close(c->env);
	if (c->rc == 0)
		return 0;
	store_say(error, "%s: %s", c->path, mdb_strerror(c->rc));
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

	struct catalog c;

	memcpy(id, info->sweep.id, sizeof id);
	catalog_begin(&c, datadir, DB_SWEEPS);
	if (c.rc == 0)
		c.rc = mdb_put(c.txn, c.dbi, &key, &value, 0);
	return catalog_end(&c, error);
}

static void
optout_key(const struct optout *o, uint8_t key[OPTOUT_KEY_LEN])
{
	memcpy(key, o->addr.b, sizeof o->addr.b);
	key[OPTOUT_KEY_LEN - 1] = (uint8_t)(o->bits > 128 ? 128 : o->bits);
}

/* 1: new, 0: it was there and stays as it was. */
static size_t
put_optout(struct catalog *c, const struct optout *o)
{
	uint8_t packed[OPTOUT_KEY_LEN],
	    bytes[sizeof o->when_us + OPTOUT_REASON_MAX];
	size_t len = strnlen(o->reason, sizeof o->reason);
	MDB_val key = { sizeof packed, packed };
	MDB_val value = { sizeof o->when_us + len, bytes };

	optout_key(o, packed);
	memcpy(bytes, &o->when_us, sizeof o->when_us);
	memcpy(bytes + sizeof o->when_us, o->reason, len);
	c->rc = mdb_put(c->txn, c->dbi, &key, &value, MDB_NOOVERWRITE);
	if (c->rc != MDB_KEYEXIST)
		return c->rc == 0;
	c->rc = 0;
	return 0;
}

int
catalog_optouts_add(const char *datadir, const struct optout *v, size_t n,
    size_t *added, char error[STORE_ERROR_MAX])
{
	struct catalog c;

	*added = 0;
	catalog_begin(&c, datadir, DB_OPTOUTS);
	for (size_t i = 0; c.rc == 0 && i < n; i++)
		*added += put_optout(&c, &v[i]);
	return catalog_end(&c, error);
}

int
catalog_optouts_remove(const char *datadir, const struct optout *v, size_t n,
    size_t *missing, char error[STORE_ERROR_MAX])
{
	struct catalog c;

	*missing = n;
	catalog_begin(&c, datadir, DB_OPTOUTS);
	for (size_t i = 0; c.rc == 0 && i < n; i++) {
		uint8_t packed[OPTOUT_KEY_LEN];
		MDB_val key = { sizeof packed, packed };

		optout_key(&v[i], packed);
		c.rc = mdb_del(c.txn, c.dbi, &key, NULL);
		if (c.rc == MDB_NOTFOUND)
			*missing = i;
	}
	return catalog_end(&c, error);
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
