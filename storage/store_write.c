/* store_write.c: the sweep that is running, one writer. */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#include "engine/hostname.h"
#include "storage/layout.h"
#include "storage/live.h"
#include "storage/phantom.h"
#include "storage/rowsum.h"
#include "storage/texts.h"

enum {
	QUEUE_VALUE_LEN = 5,
	DIRECTORY_MODE = 0750 /* the key of the cookie lies in it */
};

#define CERTS_MAP      ((size_t)64 << 20) /* to begin with */
#define SPACE_IS_SHORT ((uint64_t)64 << 20)

_Static_assert(sizeof(struct pending) == 16, "pending rows are stored");

static const char *const names[KINDS] = { DB_HEADS, DB_BODIES, DB_TEXTS,
	DB_SILENT, DB_PENDING, DB_QUEUE, DB_WANTED, DB_NAMES, DB_PHANTOMS,
	DB_META };
static const char *const certs_name = DB_CERTS;

/*
 * One that an earlier version has begun lacks what is new, and where its map
 * is full to the last page there is no room to make it.
 */
static int
open_databases(
    struct book *b, const char *const *some, MDB_dbi *dbi, unsigned n)
{
	int rc;

	do {
		rc = book_begin(b);
		for (unsigned i = 0; rc == 0 && i < n; i++)
			rc = mdb_dbi_open(b->txn, some[i], MDB_CREATE, &dbi[i]);
		if (rc == 0)
			rc = book_commit(b);
		book_abort(b);
	} while (rc == MDB_MAP_FULL && (rc = book_grow(b)) == 0);
	return rc;
}

struct live *
live_open(const char *datadir, uint64_t map_size, char error[STORE_ERROR_MAX])
{
	struct live *l = calloc(1, sizeof *l);
	char certs[LIVE_PATH_CAP];
	int rc = ENAMETOOLONG;

	if (l == NULL || strlen(datadir) >= LAYOUT_PATH_MAX) {
		store_say(error, "%s: %s", datadir,
		    strerror(l == NULL ? ENOMEM : ENAMETOOLONG));
		free(l);
		return NULL;
	}
	snprintf(l->path, sizeof l->path, "%s/" LAYOUT_LIVE, datadir);
	snprintf(certs, sizeof certs, "%s/" LAYOUT_CERTS, datadir);
	rc = mkdir(l->path, DIRECTORY_MODE) == 0 || errno == EEXIST ? 0 : errno;
	if (rc == 0)
		rc = book_open(&l->rows, l->path, BOOK_ROWS, map_size);
	if (rc == 0)
		rc = book_open(&l->certs, certs, BOOK_CERTS, CERTS_MAP);
	if (rc == 0)
		rc = open_databases(&l->rows, names, l->dbi, KINDS);
	if (rc == 0)
		rc = open_databases(&l->certs, &certs_name, &l->certs_dbi, 1);
	if (rc == 0)
		return l;
	store_say(error, "%s: %s", l->path, mdb_strerror(rc));
	live_close(l);
	return NULL;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	book_close(&l->rows);
	book_close(&l->certs);
	free(l);
}

const char *
live_error(const struct live *l)
{
	return mdb_strerror(l->rc);
}

void
live_begin(struct live *l)
{
	l->certs_full = false;
	memset(l->cursors, 0, sizeof l->cursors);
	l->text = 0;
	l->rc = book_begin(&l->rows);
}

void
live_abort(struct live *l)
{
	book_abort(&l->certs);
	book_abort(&l->rows);
}

/* LMDB makes EIO of a short write: then the disk is full, not broken. */
static enum live_result
disk_verdict(const struct live *l)
{
	struct statvfs fs;

	if (l->rc == ENOSPC || l->rc == EDQUOT)
		return LIVE_NO_SPACE;
	if (l->rc == EIO && statvfs(l->path, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < SPACE_IS_SHORT)
		return LIVE_NO_SPACE;
	return LIVE_BROKEN;
}

/* Certificates first: a row may then name only what is there. */
static void
commit_both(struct live *l)
{
	if (l->rc == 0 && l->certs.txn != NULL) {
		l->rc = book_commit(&l->certs);
		l->certs_full = l->rc == MDB_MAP_FULL;
	}
	if (l->rc == 0)
		l->rc = book_commit(&l->rows);
}

enum live_result
live_commit(struct live *l)
{
	int rc;

	commit_both(l);
	if (l->rc == 0)
		return LIVE_DONE;
	live_abort(l);
	if (l->rc != MDB_MAP_FULL)
		return disk_verdict(l);
	rc = book_grow(l->certs_full ? &l->certs : &l->rows);
	if (rc == 0)
		return LIVE_AGAIN;
	l->rc = rc;
	return LIVE_BROKEN;
}

/* NULL: something has failed. */
static MDB_cursor *
cursor(struct live *l, enum kind kind)
{
	MDB_cursor **c = &l->cursors[kind];

	if (l->rc == 0 && *c == NULL)
		l->rc = mdb_cursor_open(l->rows.txn, l->dbi[kind], c);
	return l->rc == 0 ? *c : NULL;
}

static bool
get(struct live *l, enum kind kind, const void *key, size_t len, MDB_val *out)
{
	MDB_val k = { len, (void *)(uintptr_t)key };
	MDB_cursor *c = cursor(l, kind);
	int rc;

	if (c == NULL)
		return false;
	rc = mdb_cursor_get(c, &k, out, MDB_SET_KEY);
	if (rc != 0 && rc != MDB_NOTFOUND)
		l->rc = rc;
	return rc == 0;
}

static void
put(struct live *l, enum kind kind, const void *key, size_t keylen,
    const void *bytes, size_t len)
{
	MDB_val k = { keylen, (void *)(uintptr_t)key };
	MDB_val v = { len, (void *)(uintptr_t)bytes };
	MDB_cursor *c = cursor(l, kind);

	if (c != NULL)
		l->rc = mdb_cursor_put(c, &k, &v, 0);
}

/* Put in any case. True: it was not there, which one search tells. */
static bool
put_new(struct live *l, enum kind kind, const void *key, size_t keylen,
    const void *bytes, size_t len)
{
	MDB_val k = { keylen, (void *)(uintptr_t)key };
	MDB_val v = { len, (void *)(uintptr_t)bytes };
	MDB_cursor *c = cursor(l, kind);
	int rc;

	if (c == NULL)
		return false;
	rc = mdb_cursor_put(c, &k, &v, MDB_NOOVERWRITE);
	if (rc == MDB_KEYEXIST)
		put(l, kind, key, keylen, bytes, len);
	else
		l->rc = rc;
	return rc == 0;
}

/* True: it was there. */
static bool
erase(struct live *l, enum kind kind, const void *key, size_t len)
{
	MDB_val v;

	if (!get(l, kind, key, len, &v))
		return false;
	l->rc = mdb_cursor_del(cursor(l, kind), 0);
	return l->rc == 0;
}

static uint64_t
count(struct live *l, enum kind kind)
{
	MDB_stat st;

	if (l->rc == 0)
		l->rc = mdb_stat(l->rows.txn, l->dbi[kind], &st);
	return l->rc == 0 ? st.ms_entries : 0;
}

static bool
get_head(struct live *l, const uint8_t key[TARGET_KEY_LEN], struct head *h)
{
	MDB_val v;

	if (!get(l, HEADS, key, TARGET_KEY_LEN, &v) || v.mv_size != sizeof *h)
		return false;
	memcpy(h, v.mv_data, sizeof *h);
	return true;
}

static void
put_head(
    struct live *l, const uint8_t key[TARGET_KEY_LEN], const struct head *h)
{
	struct head summed = *h;

	head_sum_set(key, &summed);
	put(l, HEADS, key, TARGET_KEY_LEN, &summed, sizeof summed);
}

bool
live_put_row(
    struct live *l, const struct head *h, const uint8_t *body, uint32_t len)
{
	struct target target = head_target(h);
	uint8_t key[TARGET_KEY_LEN];
	struct head old, now = *h;
	bool had, silent;

	target_pack(&target, key);
	had = get_head(l, key, &old);
	if (had && !outcome_replaces(h->outcome, old.outcome))
		return false;
	silent = erase(l, SILENT, key, sizeof key);
	if (had)
		live_text_erase(l, key, &old);
	now.first_seen_us = live_text_put(l, key, body, len);
	put_head(l, key, &now);
	return !had && !silent;
}

void
live_put_head(struct live *l, const struct head *h)
{
	struct target target = head_target(h);
	uint8_t key[TARGET_KEY_LEN];

	target_pack(&target, key);
	put_head(l, key, h);
}

bool
live_put_silent(struct live *l, const struct target *target, uint32_t seconds)
{
	uint8_t key[TARGET_KEY_LEN], value[SILENT_VALUE_LEN];
	MDB_val v;

	target_pack(target, key);
	if (get(l, HEADS, key, sizeof key, &v))
		return false;
	silent_write(key, seconds, value);
	return put_new(l, SILENT, key, sizeof key, value, sizeof value);
}

bool
live_head(struct live *l, const struct target *target, struct head *h)
{
	uint8_t key[TARGET_KEY_LEN];

	target_pack(target, key);
	return get_head(l, key, h);
}

enum live_row
live_row(struct live *l, const struct target *target, struct head *h)
{
	uint8_t key[TARGET_KEY_LEN];
	MDB_val v;

	target_pack(target, key);
	if (get_head(l, key, h))
		return LIVE_HEAD;
	return get(l, SILENT, key, sizeof key, &v) ? LIVE_SILENT : LIVE_NO_ROW;
}

void
live_put_cert(struct live *l, const uint8_t sha256[SHA256_LEN],
    const uint8_t *der, size_t len)
{
	MDB_val k = { SHA256_LEN, (void *)(uintptr_t)sha256 };
	MDB_val v = { len, (void *)(uintptr_t)der };

	if (l->rc == 0 && l->certs.txn == NULL)
		l->rc = book_begin(&l->certs);
	if (l->rc != 0)
		return;
	l->rc = mdb_put(l->certs.txn, l->certs_dbi, &k, &v, MDB_NOOVERWRITE);
	l->certs_full = l->rc == MDB_MAP_FULL;
	if (l->rc == MDB_KEYEXIST)
		l->rc = 0;
}

void
live_pending_put(
    struct live *l, const struct target *target, const struct pending *p)
{
	uint8_t key[TARGET_KEY_LEN];

	target_pack(target, key);
	put(l, PENDING, key, sizeof key, p, sizeof *p);
}

bool
live_pending_get(struct live *l, const struct target *target, struct pending *p)
{
	uint8_t key[TARGET_KEY_LEN];
	MDB_val v;

	target_pack(target, key);
	if (!get(l, PENDING, key, sizeof key, &v) || v.mv_size != sizeof *p)
		return false;
	memcpy(p, v.mv_data, sizeof *p);
	return true;
}

void
live_pending_delete(struct live *l, const struct target *target)
{
	uint8_t key[TARGET_KEY_LEN];

	target_pack(target, key);
	erase(l, PENDING, key, sizeof key);
}

uint64_t
live_pending_count(struct live *l)
{
	return count(l, PENDING);
}

/* The first row at or past a key; past it when that is said. */
static bool
seek(struct live *l, enum kind kind, bool past, MDB_val *key, MDB_val *value)
{
	MDB_cursor *c = cursor(l, kind);
	MDB_val from = *key;
	int rc;

	if (c == NULL)
		return false;
	rc = mdb_cursor_get(c, key, value, MDB_SET_RANGE);
	if (rc == 0 && past && key->mv_size == from.mv_size &&
	    memcmp(key->mv_data, from.mv_data, from.mv_size) == 0)
		rc = mdb_cursor_get(c, key, value, MDB_NEXT);
	if (rc != 0 && rc != MDB_NOTFOUND)
		l->rc = rc;
	return rc == 0;
}

bool
live_pending_next(struct live *l, struct target *at, struct pending *p)
{
	uint8_t packed[TARGET_KEY_LEN];
	MDB_val key = { sizeof packed, packed }, v;

	target_pack(at, packed);
	if (!seek(l, PENDING, true, &key, &v) ||
	    key.mv_size != TARGET_KEY_LEN || v.mv_size != sizeof *p)
		return false;
	memcpy(packed, key.mv_data, sizeof packed);
	memcpy(p, v.mv_data, sizeof *p);
	*at = target_unpack(packed);
	return true;
}

static void
queue_key(const struct queued *q, uint8_t key[QUEUE_KEY_LEN])
{
	for (unsigned i = 0; i < 8; i++)
		key[i] = (uint8_t)(q->not_before_us >> (56 - 8 * i));
	target_pack(&q->target, key + 8);
	key[QUEUE_KEY_LEN - 1] = q->as.kind;
}

void
live_queue_put(struct live *l, const struct queued *q)
{
	uint8_t key[QUEUE_KEY_LEN];
	const uint8_t value[QUEUE_VALUE_LEN] = { q->as.attempt, q->as.protocol,
		q->as.why, q->as.lost, q->as.limited };

	queue_key(q, key);
	put(l, QUEUE, key, sizeof key, value, sizeof value);
}

static bool
queue_row(const MDB_val *key, const MDB_val *v, struct queued *q)
{
	const uint8_t *k = key->mv_data, *value = v->mv_data;

	if (key->mv_size != QUEUE_KEY_LEN || v->mv_size != QUEUE_VALUE_LEN)
		return false;
	memset(q, 0, sizeof *q);
	for (unsigned i = 0; i < 8; i++)
		q->not_before_us = q->not_before_us << 8 | k[i];
	q->target = target_unpack(k + 8);
	q->as.kind = k[QUEUE_KEY_LEN - 1];
	q->as.attempt = value[0];
	q->as.protocol = value[1];
	q->as.why = value[2];
	q->as.lost = value[3];
	q->as.limited = value[4];
	return true;
}

bool
live_queue_first(struct live *l, struct queued *q)
{
	uint8_t least[1] = { 0 };
	MDB_val key = { sizeof least, least }, v;

	return seek(l, QUEUE, false, &key, &v) && queue_row(&key, &v, q);
}

bool
live_queue_next(struct live *l, struct queued *q)
{
	uint8_t at[QUEUE_KEY_LEN];
	MDB_val key = { sizeof at, at }, v;

	queue_key(q, at);
	return seek(l, QUEUE, true, &key, &v) && queue_row(&key, &v, q);
}

void
live_queue_delete(struct live *l, const struct queued *q)
{
	uint8_t key[QUEUE_KEY_LEN];

	queue_key(q, key);
	erase(l, QUEUE, key, sizeof key);
}

uint64_t
live_queue_count(struct live *l)
{
	return count(l, QUEUE);
}

bool
live_canary_ask(struct live *l, const struct addr *a, enum phantom_scope scope)
{
	const uint8_t asked[PHANTOM_VALUE_LEN] = { PHANTOM_ASKED };
	uint8_t key[PHANTOM_KEY_LEN];
	MDB_val v;

	phantom_key(a, scope, key);
	if (get(l, PHANTOMS, key, sizeof key, &v))
		return false;
	put(l, PHANTOMS, key, sizeof key, asked, sizeof asked);
	return true;
}

void
live_canary_answered(struct live *l, const struct addr *a)
{
	const uint8_t answered[PHANTOM_VALUE_LEN] = { PHANTOM_ANSWERED };
	uint8_t key[PHANTOM_KEY_LEN];
	MDB_val v;

	for (int scope = 0; scope < PHANTOM_SCOPES; scope++) {
		phantom_key(a, (enum phantom_scope)scope, key);
		if (get(l, PHANTOMS, key, sizeof key, &v))
			put(l, PHANTOMS, key, sizeof key, answered,
			    sizeof answered);
	}
}

void
live_name_want(struct live *l, const struct addr *a)
{
	MDB_val v;

	if (!get(l, NAMES, a->b, sizeof a->b, &v))
		put(l, WANTED, a->b, sizeof a->b, "", 1);
}

uint64_t
live_name_wanted_count(struct live *l)
{
	return count(l, WANTED);
}

bool
live_name_wanted_next(struct live *l, struct addr *at)
{
	struct addr from = *at;
	MDB_val key = { sizeof from.b, from.b }, v;

	if (!seek(l, WANTED, true, &key, &v) || key.mv_size != sizeof at->b)
		return false;
	memcpy(at->b, key.mv_data, sizeof at->b);
	return true;
}

bool
live_name_put(
    struct live *l, const struct addr *a, const char *name, bool confirmed)
{
	uint8_t value[1 + HOSTNAME_CAP] = { confirmed };
	size_t len = strnlen(name, HOSTNAME_CAP - 1);

	if (!erase(l, WANTED, a->b, sizeof a->b))
		return false;
	memcpy(value + 1, name, len);
	put(l, NAMES, a->b, sizeof a->b, value, 1 + len);
	return true;
}

void
live_meta_put(struct live *l, const char *name, const char *text, size_t len)
{
	put(l, META, name, strlen(name), text, len);
}

size_t
live_meta_get(struct live *l, const char *name, char *text, size_t cap)
{
	MDB_val v;

	if (!get(l, META, name, strlen(name), &v) || v.mv_size > cap)
		return 0;
	memcpy(text, v.mv_data, v.mv_size);
	return v.mv_size;
}
