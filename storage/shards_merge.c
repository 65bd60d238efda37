/* shards_merge.c: the shards of a sweep, walked together into one file. */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/book.h"
#include "storage/digest_set.h"
#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/seal_tables.h"
#include "storage/shards_own.h"
#include "storage/store_catalog.h"
#include "storage/view.h"

enum {
	SECOND_US = 1000000,
	ID_STAMP = 16, /* 20261121T020000Z */
	DIRECTORY_MODE = 0755,
	PATH_CAP = LAYOUT_PATH_MAX + 32
};

#define CERTS_MAP ((size_t)64 << 20)

/* One kind of rows: how it is walked, and when a row was seen. */
enum kind { HEADS, SILENT, GONE };

struct walk {
	struct store_scan *scan;
	struct target target;
	struct head head;
	uint64_t when_us;
	bool more;
};

struct merging {
	struct shards *shards;
	struct walk *walks; /* one a shard */
	struct sealed *out;
	struct sweep_info *info;
	struct digest_set certs; /* that the rows name */
	struct seal_tables tables;
	uint64_t twice; /* targets that more than one shard has */
};

static void
step(struct walk *w, enum kind kind)
{
	if (kind == SILENT) {
		w->more =
		    store_scan_silent_next(w->scan, &w->target, &w->when_us);
		return;
	}
	w->more = store_scan_next(w->scan, &w->target, &w->head);
	w->when_us = w->head.time_us;
}

static void
walks_end(struct merging *m)
{
	for (unsigned i = 0; i < m->shards->n; i++)
		store_scan_free(m->walks[i].scan);
	memset(m->walks, 0, m->shards->n * sizeof *m->walks);
}

static int
walks_begin(struct merging *m, enum kind kind)
{
	static struct store_scan *(*const scan[])(struct store *) = {
		[HEADS] = store_scan_new,
		[SILENT] = store_scan_silent,
		[GONE] = store_scan_gone,
	};

	for (unsigned i = 0; i < m->shards->n; i++) {
		struct walk *w = &m->walks[i];

		w->scan = scan[kind](m->shards->v[i]);
		if (w->scan == NULL) {
			errno = ENOMEM;
			return -1;
		}
		step(w, kind);
	}
	return 0;
}

/* Of the shards that stand on the lowest target, the one that saw it last. */
static struct walk *
lowest(struct merging *m, unsigned *have)
{
	struct walk *best = NULL;

	*have = 0;
	for (unsigned i = 0; i < m->shards->n; i++) {
		struct walk *w = &m->walks[i];
		int order = w->more && best
		    ? target_cmp(&w->target, &best->target)
		    : -1;

		if (!w->more || order > 0)
			continue;
		*have = order == 0 ? *have + 1 : 1;
		if (order < 0 || w->when_us > best->when_us)
			best = w;
	}
	return best;
}

static void
step_past(struct merging *m, const struct target *passed, enum kind kind)
{
	const struct target t = *passed;

	for (unsigned i = 0; i < m->shards->n; i++)
		if (m->walks[i].more &&
		    target_cmp(&m->walks[i].target, &t) == 0)
			step(&m->walks[i], kind);
}

/* Does any shard have a row of it? */
static bool
has_head(struct merging *m, const struct target *t)
{
	struct head h;
	const uint8_t *body;
	uint32_t len;

	for (unsigned i = 0; i < m->shards->n; i++)
		if (store_get(m->shards->v[i], t, &h, &body, &len))
			return true;
	return false;
}

/* The canary of one shard speaks for the network's targets in all. */
static bool
is_phantom(struct merging *m, const struct addr *a)
{
	for (unsigned i = 0; i < m->shards->n; i++)
		if (store_is_phantom(m->shards->v[i], a))
			return true;
	return false;
}

/* ---- rows ---------------------------------------------------------------- */

/* Certificates come along, those that are named. */
static int
keep_chain(struct merging *m, const struct row *r)
{
	struct field chain;

	if (r->body == NULL || !body_find(r->body, r->len, TAG_CHAIN, &chain))
		return 0;
	for (uint32_t at = 0; at + SHA256_LEN <= chain.len; at += SHA256_LEN)
		if (digest_set_add(&m->certs, chain.bytes + at) < 0)
			return -1;
	return 0;
}

static int
merge_row(struct merging *m, const struct walk *w)
{
	struct row r = { .target = w->target, .head = w->head };

	if (!store_scan_body(w->scan, &r.body, &r.len))
		r.body = NULL;
	if (is_phantom(m, &w->target.addr)) {
		r.head.flags |= HEAD_CANARY;
		r.head.findings |= 1u << FINDING_PHANTOM;
	}
	m->info->changes[r.head.change]++;
	m->info->account.outcomes[r.head.outcome]++;
	m->info->account.rows++;
	seal_tables_add(&m->tables, &r);
	if (keep_chain(m, &r) != 0 ||
	    sealed_head(m->out, &r.target, &r.head) != 0)
		return -1;
	return r.body == NULL ? 0
			      : sealed_body(m->out, &r.target, r.body, r.len);
}

static int
merge_silent(struct merging *m, const struct walk *w)
{
	uint64_t since = w->when_us - m->info->sweep.start_us;

	if (has_head(m, &w->target)) {
		m->twice++;
		return 0;
	}
	m->info->account.rows++;
	m->info->account.outcomes[OUTCOME_SILENT]++;
	if (is_phantom(m, &w->target.addr))
		m->info->silent_phantoms++;
	return sealed_silent(m->out, &w->target, (uint32_t)(since / SECOND_US));
}

static int
merge_gone(struct merging *m, const struct walk *w)
{
	return has_head(m, &w->target)
	    ? 0
	    : sealed_gone(m->out, &w->target, &w->head);
}

static int
merge_rows(struct merging *m, enum kind kind,
    int (*put)(struct merging *, const struct walk *), bool count)
{
	struct walk *w;
	unsigned have;
	int rc = walks_begin(m, kind);

	while (rc == 0 && (w = lowest(m, &have)) != NULL) {
		rc = put(m, w);
		if (count)
			m->twice += have - 1;
		step_past(m, &w->target, kind);
	}
	walks_end(m);
	return rc;
}

struct keys {
	uint8_t (*v)[PHANTOM_KEY_LEN];
	size_t n, cap;
};

static bool
keep_key(const uint8_t *key, void *arg)
{
	struct keys *k = arg;
	void *more;

	if (k->n == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 1024;

		more = realloc(k->v, cap * sizeof k->v[0]);
		if (more == NULL)
			return false;
		k->v = more;
		k->cap = cap;
	}
	memcpy(k->v[k->n++], key, PHANTOM_KEY_LEN);
	return true;
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, PHANTOM_KEY_LEN);
}

static int
merge_phantoms(struct merging *m)
{
	struct keys k = { 0 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < m->shards->n; i++)
		rc = store_each_phantom(m->shards->v[i], keep_key, &k);
	if (k.n > 0)
		qsort(k.v, k.n, sizeof k.v[0], compare_keys);
	for (size_t i = 0; rc == 0 && i < k.n; i++)
		if (i == 0 || compare_keys(k.v[i - 1], k.v[i]) != 0)
			rc = sealed_phantom(m->out, k.v[i]);
	free(k.v);
	return rc;
}

/* ---- what is said of the sweep ------------------------------------------- */

static void
add_all(uint64_t *to, const uint64_t *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] += from[i];
}

static void
add_account(struct account *to, const struct account *from)
{
	add_all(to->events, from->events, STAT_COUNT);
	add_all(to->counted, from->counted, SEND_COUNTS);
	add_all(to->cut_off, from->cut_off, ACCOUNT_LINES);
	to->index_total += from->index_total;
	to->purged += from->purged;
	to->rows_new += from->rows_new;
	to->incarnations += from->incarnations;
}

static void
add_info(struct sweep_info *to, const struct sweep_info *from)
{
	add_account(&to->account, &from->account);
	to->rate += from->rate;
	to->gone += from->gone;
	if (from->sweep.start_us < to->sweep.start_us)
		to->sweep.start_us = from->sweep.start_us;
	if (from->end_us > to->end_us)
		to->end_us = from->end_us;
	if (from->geo_build_us < to->geo_build_us)
		to->geo_build_us = from->geo_build_us;
	if (strcmp(from->sweep.id, to->sweep.id) < 0)
		memcpy(to->sweep.id, from->sweep.id, sizeof to->sweep.id);
	if (strcmp(from->sensor, to->sensor) != 0)
		snprintf(to->sensor, sizeof to->sensor, "merged");
}

static void
info_begin(struct merging *m)
{
	const struct sweep_info *first = store_info(m->shards->v[0]);
	struct sweep_info *info = m->info;
	unsigned shard, of;

	memset(info, 0, sizeof *info);
	info->version = STORE_VERSION;
	info->sweep = first->sweep;
	memset(info->sweep.position, 0, sizeof info->sweep.position);
	memset(info->sweep.counted, 0, sizeof info->sweep.counted);
	memset(info->sweep.key, 0, sizeof info->sweep.key);
	info->sweep.threads = 1;
	info->geo_build_us = first->geo_build_us;
	info->account.index_excluded = first->account.index_excluded;
	memcpy(info->sensor, first->sensor, sizeof info->sensor);
	for (unsigned i = 0; i < m->shards->n; i++)
		add_info(info, store_info(m->shards->v[i]));
	/* Whole again: what is excluded can be had by arithmetic. */
	if (!shards_missing(m->shards, &shard, &of)) {
		info->sweep.shard = 0;
		info->sweep.shards = 1;
		info->account.excluded_exact = 1;
		for (unsigned i = 0; i < m->shards->n; i++)
			if (store_info(m->shards->v[i])
				->account.index_excluded !=
			    info->account.index_excluded)
				info->account.excluded_exact = 0;
	}
	/* The time it began, and who: one sensor, or several. */
	snprintf(info->sweep.id + ID_STAMP, sizeof info->sweep.id - ID_STAMP,
	    "-%.31s", info->sensor);
}

static void
info_end(struct merging *m)
{
	struct account *a = &m->info->account;
	uint64_t sent = a->counted[SEND_SENT], all;

	/* The same target heard of twice: the later one replaced the other. */
	a->rows_new -= m->twice;
	a->events[STAT_STORE_NEW] -= m->twice;
	a->events[STAT_STORE_REPLACED] += m->twice;
	all = a->rows + a->purged;
	a->without_answer = sent > all ? sent - all : 0;
	m->info->balanced = account_balances(a);
}

/* ---- certificates -------------------------------------------------------- */

/* Those of one data directory, into the one that is written. */
static int
copy_certs(struct book *to, MDB_dbi to_dbi, const struct digest_set *wanted,
    const char *datadir)
{
	char path[PATH_CAP];
	struct view from = { 0 };
	MDB_dbi dbi;
	int rc;

	snprintf(path, sizeof path, "%s/" LAYOUT_CERTS, datadir);
	if (view_open(&from, path, MDB_NOSUBDIR) != 0)
		return 0; /* it has none */
	dbi = view_dbi(&from, DB_CERTS);
	rc = mdb_txn_begin(to->env, NULL, 0, &to->txn);
	for (size_t i = 0; rc == 0 && i < wanted->n; i++) {
		MDB_val key = { SHA256_LEN, wanted->v[i] }, der;

		if (!view_get(&from, dbi, wanted->v[i], SHA256_LEN, &der))
			continue;
		rc = mdb_put(to->txn, to_dbi, &key, &der, MDB_NOOVERWRITE);
		if (rc == MDB_KEYEXIST)
			rc = 0;
	}
	if (rc == 0)
		rc = book_commit(to);
	book_abort(to);
	view_close(&from);
	return rc;
}

static bool
is_first_of_dir(const struct shards *s, unsigned at)
{
	for (unsigned i = 0; i < at; i++)
		if (strcmp(s->dirs[i], s->dirs[at]) == 0)
			return false;
	return true;
}

static int
copy_all(struct merging *m, struct book *to, MDB_dbi dbi)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < m->shards->n; i++) {
		if (!is_first_of_dir(m->shards, i))
			continue;
		while ((rc = copy_certs(to, dbi, &m->certs,
			    m->shards->dirs[i])) == MDB_MAP_FULL)
			if ((rc = book_grow(to)) != 0)
				break;
	}
	return rc;
}

static int
merge_certs(struct merging *m, const char *datadir, char error[STORE_ERROR_MAX])
{
	char path[PATH_CAP];
	struct book to = { 0 };
	MDB_dbi dbi = 0;
	int rc;

	snprintf(path, sizeof path, "%s/" LAYOUT_CERTS, datadir);
	digest_set_settle(&m->certs);
	rc = book_open(&to, path, BOOK_CERTS, CERTS_MAP);
	if (rc == 0)
		rc = mdb_txn_begin(to.env, NULL, 0, &to.txn);
	if (rc == 0)
		rc = mdb_dbi_open(to.txn, DB_CERTS, MDB_CREATE, &dbi);
	if (rc == 0)
		rc = book_commit(&to);
	if (rc == 0)
		rc = copy_all(m, &to, dbi);
	book_close(&to);
	if (rc == 0)
		return 0;
	store_say(error, "%s: %s", path, mdb_strerror(rc));
	return -1;
}

/* ---- all of it ----------------------------------------------------------- */

static int
make_directory(const char *datadir, char error[STORE_ERROR_MAX])
{
	char sealed[PATH_CAP];

	snprintf(sealed, sizeof sealed, "%s/" LAYOUT_SEALED, datadir);
	if ((mkdir(datadir, DIRECTORY_MODE) == 0 || errno == EEXIST) &&
	    (mkdir(sealed, DIRECTORY_MODE) == 0 || errno == EEXIST))
		return 0;
	store_say(error, "%.400s: %s", datadir, strerror(errno));
	return -1;
}

/* It would be read and written at once. */
static bool
is_an_input(const struct shards *s, const char *datadir)
{
	char to[PATH_MAX], from[PATH_MAX];

	if (realpath(datadir, to) == NULL)
		return false;
	for (unsigned i = 0; i < s->n; i++)
		if (realpath(s->dirs[i], from) != NULL && strcmp(to, from) == 0)
			return true;
	return false;
}

static int
merge_all(struct merging *m)
{
	int rc = merge_rows(m, HEADS, merge_row, true);

	if (rc == 0)
		rc = merge_rows(m, GONE, merge_gone, false);
	if (rc == 0)
		rc = merge_rows(m, SILENT, merge_silent, true);
	if (rc == 0)
		rc = merge_phantoms(m);
	return rc == 0 ? seal_tables_put(&m->tables, m->out) : rc;
}

static int
write_file(struct merging *m, const char *datadir, char error[STORE_ERROR_MAX])
{
	m->out = sealed_new(datadir, m->info->sweep.id, error);
	if (m->out == NULL)
		return -1;
	if (merge_all(m) != 0) {
		store_say(error, "%s: %s", m->info->sweep.id, strerror(errno));
		sealed_drop(m->out);
		return -1;
	}
	info_end(m);
	/* A row may name only certificates that are there. */
	if (merge_certs(m, datadir, error) != 0) {
		sealed_drop(m->out);
		return -1;
	}
	if (sealed_finish(m->out, m->info) == 0)
		return catalog_put(datadir, m->info, error);
	store_say(error, "%s: %s", m->info->sweep.id, strerror(errno));
	return -1;
}

int
shards_merge(struct shards *s, const char *datadir, struct sweep_info *info,
    char error[STORE_ERROR_MAX])
{
	struct merging m = { .shards = s, .info = info };
	int rc = -1;

	if (s->n == 0 || strlen(datadir) >= LAYOUT_PATH_MAX) {
		store_say(error, s->n == 0 ? "no shards" : "a path too long");
		return -1;
	}
	if (is_an_input(s, datadir)) {
		store_say(error,
		    "%.400s: a shard lies there, merge into another directory",
		    datadir);
		return -1;
	}
	info_begin(&m);
	seal_tables_begin(&m.tables);
	m.walks = calloc(s->n, sizeof *m.walks);
	if (m.walks == NULL)
		store_say(error, "%s", strerror(ENOMEM));
	else if (make_directory(datadir, error) == 0)
		rc = write_file(&m, datadir, error);
	free(m.walks);
	seal_tables_end(&m.tables);
	digest_set_free(&m.certs);
	return rc;
}
