/* purge.c: sealed sweeps give up what they hold of who has opted out. */
#include <sys/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/purge.h"
#include "storage/seal_tables.h"
#include "storage/store_catalog.h"
#include "storage/unfinished.h"
#include "storage/view.h"

enum { PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32, SECOND_US = 1000000 };

/* ---- is there anything? -------------------------------------------------- */

/* Of a phantom: all of its network, or the address. */
static struct addr
end_of(const MDB_val *key)
{
	const uint8_t *k = key->mv_data;
	struct addr end;

	memcpy(end.b, k, sizeof end.b);
	if (key->mv_size == PHANTOM_KEY_LEN)
		for (unsigned bit = k[PHANTOM_KEY_LEN - 1]; bit < 128; bit++)
			end.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return end;
}

static bool
holds_piece(MDB_cursor *c, struct addr first, const struct addr *last)
{
	MDB_val key = { sizeof first.b, first.b }, value;
	MDB_cursor_op op = MDB_SET_RANGE;

	for (; mdb_cursor_get(c, &key, &value, op) == 0; op = MDB_NEXT) {
		struct addr end;

		if (key.mv_size < sizeof end.b ||
		    memcmp(key.mv_data, last->b, sizeof last->b) > 0)
			return false;
		end = end_of(&key);
		if (addr_cmp(&end, last) <= 0)
			return true;
	}
	return false;
}

static bool
holds_any_in(struct view *v, const char *name, const struct ranges *set)
{
	MDB_dbi dbi = view_dbi(v, name);
	MDB_cursor *c;
	bool any = false;

	if (dbi == NO_DBI || mdb_cursor_open(v->txn, dbi, &c) != 0)
		return false;
	for (size_t i = 0; i < ranges_pieces(set) && !any; i++) {
		struct addr first, last;

		ranges_piece(set, i, &first, &last);
		any = holds_piece(c, first, &last);
	}
	mdb_cursor_close(c);
	return any;
}

static bool
holds_any(const char *datadir, const char *id, const struct ranges *set)
{
	static const char *const names[] = { DB_HEADS, DB_BODIES, DB_SILENT,
		DB_GONE, DB_PHANTOMS };
	char path[PATH_CAP];
	struct view v = { 0 };
	bool any = false;

	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX,
	    datadir, id);
	if (view_open(&v, path, MDB_NOSUBDIR | MDB_NOLOCK) != 0)
		return true; /* what is wrong with it is said when it is read */
	for (size_t i = 0; i < sizeof names / sizeof names[0] && !any; i++)
		any = holds_any_in(&v, names[i], set);
	view_close(&v);
	return any;
}

/* ---- written anew -------------------------------------------------------- */

struct rewriting {
	struct store *from; /* passes over who has opted out */
	struct sealed *to;
	struct sweep_info info;
	const struct ranges *set;
	struct seal_tables tables;
	int rc;
};

static int
copy_row(struct rewriting *r, struct store_scan *scan, struct row *row)
{
	row->body = NULL;
	row->len = 0;
	if (!store_scan_body(scan, &row->body, &row->len))
		row->body = NULL;
	r->info.account.rows++;
	r->info.account.outcomes[row->head.outcome]++;
	if (row->head.change < CHANGE_COUNT)
		r->info.changes[row->head.change]++;
	seal_tables_add(&r->tables, row);
	if (sealed_head(r->to, &row->target, &row->head) != 0)
		return -1;
	return row->body == NULL
	    ? 0
	    : sealed_body(r->to, &row->target, row->body, row->len);
}

static int
copy_heads(struct rewriting *r)
{
	struct store_scan *scan = store_scan_new(r->from);
	struct row row;
	int rc = scan == NULL ? -1 : 0;

	while (rc == 0 && store_scan_next(scan, &row.target, &row.head))
		rc = copy_row(r, scan, &row);
	store_scan_free(scan);
	return rc;
}

static int
copy_gone(struct rewriting *r)
{
	struct store_scan *scan = store_scan_gone(r->from);
	struct target t;
	struct head h;
	int rc = scan == NULL ? -1 : 0;

	while (rc == 0 && store_scan_next(scan, &t, &h))
		rc = sealed_gone(r->to, &t, &h);
	store_scan_free(scan);
	return rc;
}

static bool
copy_one_silent(const struct target *t, uint64_t when_us, void *arg)
{
	struct rewriting *r = arg;
	uint64_t since = when_us - r->info.sweep.start_us;

	r->info.account.rows++;
	r->info.account.outcomes[OUTCOME_SILENT]++;
	r->info.silent_phantoms += store_is_phantom(r->from, &t->addr);
	r->rc = sealed_silent(r->to, t, (uint32_t)(since / SECOND_US));
	return r->rc == 0;
}

static bool
copy_one_phantom(const uint8_t *bytes, void *arg)
{
	struct rewriting *r = arg;
	MDB_val key = { PHANTOM_KEY_LEN, (void *)(uintptr_t)bytes };
	struct addr end = end_of(&key), first;

	memcpy(first.b, bytes, sizeof first.b);
	/* In one piece, since the set's pieces do not touch. */
	for (size_t i = 0; i < ranges_pieces(r->set); i++) {
		struct addr from, to;

		ranges_piece(r->set, i, &from, &to);
		if (addr_cmp(&from, &first) <= 0 && addr_cmp(&end, &to) <= 0)
			return true;
	}
	r->rc = sealed_phantom(r->to, bytes);
	return r->rc == 0;
}

static int
copy_rows(struct rewriting *r)
{
	if (copy_heads(r) != 0 || copy_gone(r) != 0 ||
	    store_each_silent(r->from, copy_one_silent, r) != 0 || r->rc != 0 ||
	    store_each_phantom(r->from, copy_one_phantom, r) != 0 || r->rc != 0)
		return -1;
	return seal_tables_put(&r->tables, r->to);
}

/* How many of the last sweep were gone is what was counted then. */
static void
counts_begin(struct rewriting *r)
{
	struct account *a = &r->info.account;

	r->info = *store_info(r->from);
	r->info.version = STORE_VERSION;
	r->info.silent_phantoms = 0;
	memset(r->info.changes, 0, sizeof r->info.changes);
	a->rows = 0;
	memset(a->outcomes, 0, sizeof a->outcomes);
}

static int
rewrite(struct rewriting *r, const char *datadir, struct purged *p,
    char error[STORE_ERROR_MAX])
{
	const struct sweep_info *was = store_info(r->from);
	struct sealed *to = sealed_new(datadir, was->sweep.id, error);
	uint64_t rows;

	if (to == NULL)
		return -1;
	r->to = to;
	counts_begin(r);
	if (copy_rows(r) != 0 || store_damaged(r->from) > 0) {
		store_say(error, "%s: %s", was->sweep.id,
		    store_damaged(r->from) > 0
			? "damaged rows would be lost: not purged"
			: strerror(errno));
		sealed_drop(to);
		return -1;
	}
	rows = was->account.rows - r->info.account.rows;
	r->info.account.purged += rows;
	r->info.balanced = account_balances(&r->info.account);
	if (catalog_put(datadir, &r->info, error) != 0) {
		sealed_drop(to);
		return -1;
	}
	if (sealed_finish(to, &r->info) != 0) {
		store_say(error, "%s: %s", was->sweep.id, strerror(errno));
		return -1;
	}
	p->files++;
	p->rows += rows;
	return 0;
}

static int
purge_one(const char *datadir, const char *id, const struct ranges *set,
    struct purged *p, char error[STORE_ERROR_MAX])
{
	struct rewriting r = { .set = set };
	int rc;

	if (!holds_any(datadir, id, set))
		return 0;
	r.from = store_open(datadir, id, error);
	if (r.from == NULL)
		return -1;
	seal_tables_begin(&r.tables);
	rc = rewrite(&r, datadir, p, error);
	seal_tables_end(&r.tables);
	store_close(r.from);
	return rc;
}

/* The directory grows new names while it is read: its list comes first. */
static size_t
list_sealed(DIR *dir, char (**ids)[SWEEP_ID_MAX])
{
	struct dirent *entry;
	size_t n = 0;

	*ids = NULL;
	while ((entry = readdir(dir)) != NULL) {
		char id[SWEEP_ID_MAX];
		void *more;

		if (!store_name_id(entry->d_name, id))
			continue;
		more = reallocarray(*ids, n + 1, sizeof **ids);
		if (more == NULL)
			break;
		*ids = more;
		memcpy((*ids)[n++], id, sizeof id);
	}
	return n;
}

/* The directory of sealed sweeps, ours alone as long as it is open. */
static DIR *
hold_sealed(const char *datadir, purge_say *say)
{
	char path[PATH_CAP], text[PATH_CAP + 64];
	DIR *dir;

	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED, datadir);
	dir = opendir(path);
	if (dir != NULL && flock(dirfd(dir), LOCK_EX) == 0)
		return dir;
	snprintf(text, sizeof text, "%s: %s", path, strerror(errno));
	say(text);
	if (dir != NULL)
		closedir(dir);
	return NULL;
}

static void
purge_each(const char *datadir, DIR *dir, const struct ranges *set,
    struct purged *p, purge_say *say)
{
	char error[STORE_ERROR_MAX], (*ids)[SWEEP_ID_MAX];
	size_t n = list_sealed(dir, &ids);

	for (size_t i = 0; i < n; i++)
		if (purge_one(datadir, ids[i], set, p, error) != 0) {
			p->failed++;
			say(error);
		}
	free(ids);
}

int
purge_sealed(const char *datadir, struct purged *p, purge_say *say)
{
	struct ranges *set = store_optouts(datadir);
	DIR *dir;

	memset(p, 0, sizeof *p);
	if (set == NULL) {
		say("the opt-outs cannot be read");
		return -1;
	}
	dir = hold_sealed(datadir, say);
	if (dir != NULL) {
		purge_each(datadir, dir, set, p, say);
		unfinished_purge(datadir, set, p, say);
		closedir(dir);
	}
	ranges_free(set);
	return dir == NULL || p->failed > 0 ? -1 : 0;
}
