/* check_files.c: the certificates, and the catalog against the files. */
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lmdb.h>
#include <openssl/sha.h>

#include "storage/check.h"
#include "storage/info.h"
#include "storage/layout.h"
#include "storage/view.h"

enum { PATH_CAP = LAYOUT_PATH_MAX + 32 };

static void
check_cert(struct check *c, const MDB_val *key, const MDB_val *der)
{
	uint8_t sum[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1] = "";
	const uint8_t *k = key->mv_data;

	if (key->mv_size == SHA256_LEN &&
	    SHA256(der->mv_data, der->mv_size, sum) &&
	    memcmp(sum, k, SHA256_LEN) == 0)
		return;
	for (size_t i = 0; i < key->mv_size && i < SHA256_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", k[i]);
	check_wrong(c,
	    LAYOUT_CERTS ": " DB_CERTS ": %s: another certificate than that",
	    hex);
}

static void
walk_certs(struct check *c, struct view *v)
{
	MDB_dbi dbi = view_dbi(v, DB_CERTS);
	MDB_val key, value;
	MDB_cursor *at;
	int rc;

	if (dbi == NO_DBI || mdb_cursor_open(v->txn, dbi, &at) != 0) {
		check_wrong(c, LAYOUT_CERTS ": " DB_CERTS ": no such database");
		return;
	}
	while ((rc = mdb_cursor_get(at, &key, &value, MDB_NEXT)) == 0) {
		c->rows++;
		check_cert(c, &key, &value);
	}
	mdb_cursor_close(at);
	if (rc != MDB_NOTFOUND)
		check_wrong(c, LAYOUT_CERTS ": %s", mdb_strerror(rc));
}

void
check_certs(struct check *c)
{
	char path[PATH_CAP];
	struct view v = { 0 };
	int rc;

	snprintf(path, sizeof path, "%s/" LAYOUT_CERTS, c->datadir);
	rc = view_open(&v, path, MDB_NOSUBDIR);
	if (rc == 0)
		walk_certs(c, &v);
	else if (rc != ENOENT) /* none is kept before the first has come */
		check_wrong(c, LAYOUT_CERTS ": %s", mdb_strerror(rc));
	view_close(&v);
}

/* Does the file say the same of itself? */
static void
compare_info(struct check *c, const struct sweep_info *row)
{
	char error[STORE_ERROR_MAX], ours[INFO_TEXT_MAX], its[INFO_TEXT_MAX];
	struct store *s = store_open(c->datadir, row->sweep.id, error);
	size_t n;

	if (!s) {
		check_wrong(c, LAYOUT_CATALOG ": %s: %s", row->sweep.id, error);
		return;
	}
	n = info_write(row, false, ours);
	if (n != info_write(store_info(s), false, its) ||
	    memcmp(ours, its, n) != 0)
		check_wrong(c, LAYOUT_CATALOG ": %s: its file says otherwise",
		    row->sweep.id);
	store_close(s);
}

/* Which row a file has; or that it has none. */
struct sought {
	const char *id;
	bool found;
};

static bool
is_sought(const struct sweep_info *row, void *arg)
{
	struct sought *s = arg;

	s->found = strcmp(row->sweep.id, s->id) == 0;
	return !s->found;
}

static bool
check_row(const struct sweep_info *row, void *arg)
{
	struct check *c = arg;

	c->rows++;
	if (row->end_us != 0 && !row->removed)
		compare_info(c, row);
	return true;
}

static void
check_file(struct check *c, const char *id)
{
	char error[STORE_ERROR_MAX];
	struct sought s = { .id = id };

	if (store_sweeps(c->datadir, is_sought, &s, error) == 0 && !s.found)
		check_wrong(c,
		    LAYOUT_SEALED "/%s" LAYOUT_SUFFIX ": not in the catalog",
		    id);
}

void
check_catalog(struct check *c)
{
	char path[PATH_CAP], error[STORE_ERROR_MAX], id[SWEEP_ID_MAX];
	struct dirent *entry;
	DIR *dir;

	if (store_sweeps(c->datadir, check_row, c, error) != 0)
		check_wrong(c, "%s", error);
	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED, c->datadir);
	dir = opendir(path);
	if (!dir) {
		check_wrong(c, LAYOUT_SEALED ": %s", strerror(errno));
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (store_name_id(entry->d_name, id))
			check_file(c, id);
	closedir(dir);
}
