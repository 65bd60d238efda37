/* store.c: the data directory for readers. */
#include <sys/stat.h>

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
#include "storage/store_own.h"
#include "storage/texts.h"
#include "storage/trailer.h"
#include "storage/view.h"

/* Where the environment lies, and how it is opened. */
static int
find(const char *datadir, const char *id, char *path, size_t cap,
    unsigned *flags, char error[STORE_ERROR_MAX])
{
	char newest[SWEEP_ID_MAX];

	if (id == NULL) {
		if (!store_newest(datadir, newest)) {
			store_say(
			    error, "%s: no sealed sweep here (yet)", datadir);
			return -1;
		}
		id = newest;
	} else if (strcmp(id, LAYOUT_LIVE) == 0) {
		*flags = 0;
		snprintf(path, cap, "%s/" LAYOUT_LIVE, datadir);
		return 0;
	}
	if (strchr(id, '/') != NULL || strlen(id) >= SWEEP_ID_MAX) {
		store_say(error, "%s: not the id of a sweep", id);
		return -1;
	}
	/* Nobody writes a sealed file: it needs no lock. */
	*flags = MDB_NOSUBDIR | MDB_NOLOCK;
	snprintf(
	    path, cap, "%s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX, datadir, id);
	return 0;
}

static int
read_info(struct store *s, const char *path, char error[STORE_ERROR_MAX])
{
	MDB_val text;

	s->heads = view_dbi(&s->view, DB_HEADS);
	s->bodies = view_dbi(&s->view, DB_BODIES);
	s->texts = view_dbi(&s->view, DB_TEXTS);
	s->silent = view_dbi(&s->view, DB_SILENT);
	s->gone = view_dbi(&s->view, DB_GONE);
	s->names = view_dbi(&s->view, DB_NAMES);
	s->phantoms = view_dbi(&s->view, DB_PHANTOMS);
	s->tables = view_dbi(&s->view, DB_TABLES);
	s->meta = view_dbi(&s->view, DB_META);
	if (s->heads == NO_DBI || s->bodies == NO_DBI ||
	    !view_get(&s->view, s->meta, META_INFO, strlen(META_INFO), &text)) {
		store_say(error, "%s: there is no sweep in it", path);
		return -1;
	}
	if (info_read(text.mv_data, text.mv_size, &s->info) != 0) {
		store_say(
		    error, "%s: cannot read what it says of the sweep", path);
		return -1;
	}
	if (s->info.version > STORE_VERSION) {
		store_say(error,
		    "%s: written in format %u, this program reads %u", path,
		    s->info.version, STORE_VERSION);
		return -1;
	}
	return 0;
}

/* Every page that the environment counts as its own lies in the file. */
static bool
has_all_pages(const struct view *v, const char *path)
{
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;

	return mdb_env_info(v->env, &info) == 0 &&
	    mdb_env_stat(v->env, &st) == 0 && stat(path, &file) == 0 &&
	    (uint64_t)file.st_size / st.ms_psize > info.me_last_pgno;
}

static bool
not_whole(const char *path, char error[STORE_ERROR_MAX])
{
	store_say(error,
	    "%s: not whole: it was cut short, or is no sealed sweep", path);
	return false;
}

/*
 * A sealed file that was cut short, or whose leading pages are damaged, is not
 * read. One of before there were trailers has none: its pages are counted.
 */
static bool
open_sealed(struct store *s, const char *path, char error[STORE_ERROR_MAX])
{
	enum trailer trailer = trailer_glance(path);
	int rc;

	if (trailer == TRAILER_DAMAGED) {
		store_say(
		    error, "%s: damaged, `mailsweep check` says where", path);
		return false;
	}
	rc = trailer == TRAILER_ERROR
	    ? errno
	    : view_open(&s->view, path, MDB_NOSUBDIR | MDB_NOLOCK);
	if (rc != 0) {
		store_say(error, "%s: %s", path, mdb_strerror(rc));
		return false;
	}
	if (trailer == TRAILER_NONE && !has_all_pages(&s->view, path))
		return not_whole(path, error);
	if (read_info(s, path, error) != 0)
		return false;
	return trailer == TRAILER_GOOD || s->info.version < VERSION_SUMS ||
	    not_whole(path, error);
}

static bool
open_live(struct store *s, const char *path, char error[STORE_ERROR_MAX])
{
	int rc = view_open(&s->view, path, 0);

	if (rc != 0) {
		store_say(error, "%s: %s", path, mdb_strerror(rc));
		return false;
	}
	return read_info(s, path, error) == 0;
}

uint64_t
store_head_count(struct store *s)
{
	MDB_stat st;

	return mdb_stat(s->view.txn, s->heads, &st) == 0 ? st.ms_entries : 0;
}

/* One incarnation's counts; all zero where there are none. */
static void
add_ledger(struct store *s, uint32_t incarnation)
{
	struct ledger ledger = { .begin = 0 };
	char key[32];
	MDB_val text;
	int n = snprintf(key, sizeof key, META_LEDGER ".%u", incarnation);

	if (view_get(&s->view, s->meta, key, (size_t)n, &text) &&
	    ledger_parse(text.mv_data, text.mv_size, &ledger) != 0)
		memset(&ledger, 0, sizeof ledger);
	account_add(&s->info.account, &ledger,
	    incarnation == s->info.sweep.incarnation);
}

/* The account of a sweep that is running, as its last commit knew it. */
static void
read_ledgers(struct store *s)
{
	struct account *a = &s->info.account;

	for (uint32_t i = 0; i <= s->info.sweep.incarnation; i++)
		add_ledger(s, i);
	a->rows_new = a->events[STAT_STORE_NEW];
	a->rows = store_silent_count(s) + store_head_count(s);
}

struct store *
store_open(const char *datadir, const char *id, char error[STORE_ERROR_MAX])
{
	struct store *s = calloc(1, sizeof *s);
	char path[LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32];
	unsigned flags;

	if (s == NULL || strlen(datadir) >= sizeof s->datadir) {
		store_say(error, "%s: %s", datadir,
		    strerror(s == NULL ? ENOMEM : ENAMETOOLONG));
		goto fail;
	}
	memcpy(s->datadir, datadir, strlen(datadir) + 1);
	if (find(datadir, id, path, sizeof path, &flags, error) != 0)
		goto fail;
	s->running = flags == 0;
	if (s->running ? !open_live(s, path, error)
		       : !open_sealed(s, path, error))
		goto fail;
	if (s->running)
		read_ledgers(s);
	s->optouts = store_optouts(datadir);
	if (s->optouts != NULL)
		return s;
	store_say(error, "%s: cannot read the opt-outs", datadir);
fail:
	store_close(s);
	return NULL;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	runs_free(s->runs);
	view_close(&s->view);
	view_close(&s->certs);
	ranges_free(s->optouts);
	free(s);
}

const struct sweep_info *
store_info(const struct store *s)
{
	return &s->info;
}

static bool
is_answered(const MDB_val *value)
{
	return value->mv_size == PHANTOM_VALUE_LEN &&
	    *(const uint8_t *)value->mv_data == PHANTOM_ANSWERED;
}

bool
store_is_phantom(struct store *s, const struct addr *a)
{
	uint8_t key[PHANTOM_KEY_LEN];
	MDB_val value;

	for (int scope = 0; scope < PHANTOM_SCOPES; scope++) {
		phantom_key(a, (enum phantom_scope)scope, key);
		if (view_get(&s->view, s->phantoms, key, sizeof key, &value) &&
		    is_answered(&value))
			return true;
	}
	return false;
}

int
store_each_phantom(
    struct store *s, bool (*each)(const uint8_t *key, void *), void *arg)
{
	MDB_cursor *c;
	MDB_val key, value;

	if (s->phantoms == NO_DBI)
		return 0;
	if (mdb_cursor_open(s->view.txn, s->phantoms, &c) != 0)
		return -1;
	while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0)
		if (key.mv_size == PHANTOM_KEY_LEN && is_answered(&value) &&
		    !each(key.mv_data, arg))
			break;
	mdb_cursor_close(c);
	return 0;
}

uint64_t
store_damaged(const struct store *s)
{
	return s->damaged;
}

bool
store_name(struct store *s, const struct addr *a, char name[HOSTNAME_CAP],
    bool *confirmed)
{
	MDB_val value;
	const char *bytes;

	if (!view_get(&s->view, s->names, a->b, sizeof a->b, &value) ||
	    value.mv_size < 2 || value.mv_size > HOSTNAME_CAP)
		return false;
	bytes = value.mv_data;
	*confirmed = bytes[0] != 0;
	memcpy(name, bytes + 1, value.mv_size - 1);
	name[value.mv_size - 1] = '\0';
	return true;
}

/* Has it a head from first to last? */
static bool
has_head(struct store *s, const struct addr *first, const struct addr *last)
{
	struct target t = { .addr = *first, .port = 0 };
	uint8_t from[TARGET_KEY_LEN];
	MDB_val key = { sizeof from, from }, value;
	MDB_cursor *c;
	int rc = mdb_cursor_open(s->view.txn, s->heads, &c);

	if (rc != 0)
		return true;
	target_pack(&t, from);
	rc = mdb_cursor_get(c, &key, &value, MDB_SET_RANGE);
	mdb_cursor_close(c);
	return rc == 0 && memcmp(key.mv_data, last->b, sizeof last->b) <= 0;
}

bool
store_table(
    struct store *s, const char *name, const uint8_t **bytes, size_t *len)
{
	struct addr first, last;
	MDB_val value;

	for (size_t i = 0; i < ranges_pieces(s->optouts); i++) {
		ranges_piece(s->optouts, i, &first, &last);
		if (has_head(s, &first, &last))
			return false;
	}
	if (!view_get(&s->view, s->tables, name, strlen(name), &value))
		return false;
	*bytes = value.mv_data;
	*len = value.mv_size;
	return true;
}

bool
store_cert(struct store *s, const uint8_t sha256[SHA256_LEN],
    const uint8_t **der, size_t *len)
{
	char path[LAYOUT_PATH_MAX + 32];
	MDB_val value;

	if (s->certs.env == NULL) {
		snprintf(path, sizeof path, "%s/" LAYOUT_CERTS, s->datadir);
		if (view_open(&s->certs, path, MDB_NOSUBDIR) != 0)
			return false;
		s->certs_dbi = view_dbi(&s->certs, DB_CERTS);
	}
	if (!view_get(&s->certs, s->certs_dbi, sha256, SHA256_LEN, &value))
		return false;
	*der = value.mv_data;
	*len = value.mv_size;
	return true;
}
