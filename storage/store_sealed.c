/* store_sealed.c: writes the file of a finished sweep. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "storage/info.h"
#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/rowsum.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "storage/trailer.h"

enum {
	BATCH_BYTES = 16 << 20, /* of rows in a transaction */
	MAP_FIRST = 128 << 20,
	MAP_SPARE = 64 << 20, /* more than a batch can take */
	PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32,
	FILE_MODE = 0644
};

enum kind { HEADS, BODIES, SILENT, GONE, PHANTOMS, TABLES, META, KINDS };

static const char *const names[KINDS] = { DB_HEADS, DB_BODIES, DB_SILENT,
	DB_GONE, DB_PHANTOMS, DB_TABLES, DB_META };

struct sealed {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi[KINDS];
	size_t map, batch;
	char temporary[PATH_CAP], path[PATH_CAP], dir[PATH_CAP];
};

/* LMDB has errors of its own below zero; errno has none for them. */
static int
fail(int rc)
{
	errno = rc > 0 ? rc : rc == MDB_MAP_FULL ? ENOSPC : EIO;
	return -1;
}

/* Between two transactions the map may grow; within one it may not. */
static int
begin(struct sealed *s)
{
	MDB_envinfo info;
	MDB_stat st;
	int rc = mdb_env_info(s->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(s->env, &st);
	if (rc == 0 &&
	    (info.me_last_pgno + 1) * st.ms_psize + MAP_SPARE > s->map) {
		s->map *= 2;
		rc = mdb_env_set_mapsize(s->env, s->map);
	}
	s->batch = 0;
	return rc != 0 ? rc : mdb_txn_begin(s->env, NULL, 0, &s->txn);
}

static int
commit(struct sealed *s)
{
	int rc = mdb_txn_commit(s->txn);

	s->txn = NULL;
	return rc;
}

static int
open_all(struct sealed *s)
{
	int rc = mdb_env_create(&s->env);

	if (rc != 0)
		return rc;
	s->map = MAP_FIRST;
	mdb_env_set_maxdbs(s->env, LAYOUT_DATABASES);
	mdb_env_set_mapsize(s->env, s->map);
	/* Nobody else has it yet, and only what is synced is renamed. */
	rc = mdb_env_open(s->env, s->temporary,
	    MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, FILE_MODE);
	if (rc == 0)
		rc = begin(s);
	for (int i = 0; rc == 0 && i < KINDS; i++)
		rc = mdb_dbi_open(s->txn, names[i], MDB_CREATE, &s->dbi[i]);
	return rc;
}

struct sealed *
sealed_new(const char *datadir, const char *id, char error[STORE_ERROR_MAX])
{
	struct sealed *s = calloc(1, sizeof *s);
	int rc;

	if (s == NULL || strlen(datadir) >= LAYOUT_PATH_MAX ||
	    strlen(id) >= SWEEP_ID_MAX) {
		store_say(error, "%s: %s", id,
		    strerror(s == NULL ? ENOMEM : ENAMETOOLONG));
		free(s);
		return NULL;
	}
	snprintf(s->dir, sizeof s->dir, "%s/" LAYOUT_SEALED, datadir);
	snprintf(s->temporary, sizeof s->temporary, "%s/" LAYOUT_SEALED "/.%s",
	    datadir, id);
	snprintf(s->path, sizeof s->path,
	    "%s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX, datadir, id);
	/* Half a file of a seal that was cut off. */
	unlink(s->temporary);
	rc = open_all(s);
	if (rc == 0)
		return s;
	store_say(error, "%s: %s", s->temporary, mdb_strerror(rc));
	sealed_drop(s);
	return NULL;
}

static int
append_key(struct sealed *s, enum kind kind, const uint8_t *bytes_of_key,
    size_t key_len, const void *bytes, size_t len)
{
	MDB_val key = { key_len, (void *)(uintptr_t)bytes_of_key };
	MDB_val value = { len, (void *)(uintptr_t)bytes };
	int rc = 0;

	if (s->batch >= BATCH_BYTES) {
		rc = commit(s);
		if (rc == 0)
			rc = begin(s);
	}
	if (rc == 0)
		rc = mdb_put(s->txn, s->dbi[kind], &key, &value, MDB_APPEND);
	s->batch += key_len + len;
	return rc == 0 ? 0 : fail(rc);
}

static int
append_head(struct sealed *s, enum kind kind, const struct target *t,
    const struct head *h)
{
	uint8_t key[TARGET_KEY_LEN];
	struct head summed = *h;

	target_pack(t, key);
	head_sum_set(key, &summed);
	return append_key(s, kind, key, sizeof key, &summed, sizeof summed);
}

int
sealed_head(struct sealed *s, const struct target *t, const struct head *h)
{
	return append_head(s, HEADS, t, h);
}

int
sealed_gone(struct sealed *s, const struct target *t, const struct head *h)
{
	return append_head(s, GONE, t, h);
}

int
sealed_body(
    struct sealed *s, const struct target *t, const uint8_t *body, uint32_t len)
{
	uint8_t key[TARGET_KEY_LEN], stored[BODY_MAX + BODY_SUM_LEN];

	if (len == 0)
		return 0;
	if (len > BODY_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	target_pack(t, key);
	body_sum_write(key, body, len, stored);
	return append_key(
	    s, BODIES, key, sizeof key, stored, len + BODY_SUM_LEN);
}

int
sealed_silent(struct sealed *s, const struct target *t, uint32_t seconds)
{
	uint8_t key[TARGET_KEY_LEN], value[SILENT_VALUE_LEN];

	target_pack(t, key);
	silent_write(key, seconds, value);
	return append_key(s, SILENT, key, sizeof key, value, sizeof value);
}

int
sealed_phantom(struct sealed *s, const uint8_t *key)
{
	const uint8_t answered[PHANTOM_VALUE_LEN] = { PHANTOM_ANSWERED };

	return append_key(
	    s, PHANTOMS, key, PHANTOM_KEY_LEN, answered, sizeof answered);
}

/* In a transaction of its own, so that the map can grow for it. */
int
sealed_table(struct sealed *s, const char *name, const void *bytes, size_t len)
{
	MDB_val key = { strlen(name), (void *)(uintptr_t)name };
	MDB_val value = { len, (void *)(uintptr_t)bytes };
	int rc = commit(s);

	while (rc == 0 && s->map < len + MAP_SPARE)
		s->map *= 2;
	if (rc == 0)
		rc = begin(s);
	if (rc == 0)
		rc = mdb_put(s->txn, s->dbi[TABLES], &key, &value, 0);
	s->batch += len;
	return rc == 0 ? 0 : fail(rc);
}

static int
put_info(struct sealed *s, const struct sweep_info *info)
{
	char text[INFO_TEXT_MAX];
	MDB_val key = { sizeof META_INFO - 1, META_INFO }, value;

	value.mv_size = info_write(info, false, text);
	value.mv_data = text;
	if (value.mv_size == 0)
		return EMSGSIZE;
	return mdb_put(s->txn, s->dbi[META], &key, &value, 0);
}

int
sealed_finish(struct sealed *s, const struct sweep_info *info)
{
	int rc = put_info(s, info);

	if (rc == 0)
		rc = commit(s);
	if (rc == 0)
		rc = mdb_env_sync(s->env, 1);
	if (rc == 0 && trailer_write(s->temporary) != 0)
		rc = errno;
	if (rc == 0 && rename(s->temporary, s->path) != 0)
		rc = errno;
	if (rc == 0 && directory_sync(s->dir) != 0)
		rc = errno;
	sealed_drop(s);
	return rc == 0 ? 0 : fail(rc);
}

void
sealed_drop(struct sealed *s)
{
	if (s->txn != NULL)
		mdb_txn_abort(s->txn);
	if (s->env != NULL)
		mdb_env_close(s->env);
	unlink(s->temporary); /* after the rename there is none */
	free(s);
}
