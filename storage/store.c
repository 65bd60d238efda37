/* store.c: the data directory for readers. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "storage/info.h"
#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/store.h"
#include "storage/view.h"

enum { SECONDS_LEN = 4, OPTOUT_KEY_LEN = 17 };

struct store {
	struct view view, certs;
	MDB_dbi heads, bodies, silent, gone, names, phantoms, meta, certs_dbi;
	bool running; /* its heads know nothing of phantoms yet */
	char datadir[LAYOUT_PATH_MAX];
	struct sweep_info info;
	struct ranges *optouts; /* NULL: none */
};

struct store_scan {
	struct store *store;
	MDB_cursor *cursor;
	MDB_cursor_op next;
	uint8_t key[TARGET_KEY_LEN];
};

void
store_say(char error[STORE_ERROR_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, STORE_ERROR_MAX, fmt, ap);
	va_end(ap);
}

/* A prefix as first and last address into a set. */
static void
optout_add(struct ranges *set, const uint8_t key[OPTOUT_KEY_LEN])
{
	struct addr first, last;
	unsigned bits = key[OPTOUT_KEY_LEN - 1];

	memcpy(first.b, key, sizeof first.b);
	last = first;
	for (unsigned bit = bits; bit < 128; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	if (bits <= 128)
		ranges_add(set, &first, &last);
}

static void
optouts_read(struct ranges *set, const char *path)
{
	struct view v = { 0 };
	MDB_cursor *c;
	MDB_val key, value;
	MDB_dbi dbi;

	if (view_open(&v, path, MDB_NOSUBDIR) != 0)
		return;
	dbi = view_dbi(&v, DB_OPTOUTS);
	if (dbi != NO_DBI && mdb_cursor_open(v.txn, dbi, &c) == 0) {
		while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0)
			if (key.mv_size == OPTOUT_KEY_LEN)
				optout_add(set, key.mv_data);
		mdb_cursor_close(c);
	}
	view_close(&v);
}

/* They are in the catalog, so that they hold for old sweeps as well. */
struct ranges *
store_optouts(const char *datadir)
{
	struct ranges *set = ranges_new();
	char path[LAYOUT_PATH_MAX + 32];

	if (set == NULL)
		return NULL;
	snprintf(path, sizeof path, "%s/" LAYOUT_CATALOG, datadir);
	optouts_read(set, path);
	if (ranges_seal(set) == 0)
		return set;
	ranges_free(set);
	return NULL;
}

/* An id, from the name of a sealed file; false: it is another file. */
static bool
name_id(const char *name, char id[SWEEP_ID_MAX])
{
	size_t n = strlen(name), suffix = sizeof LAYOUT_SUFFIX - 1;

	if (name[0] == '.' || n <= suffix || n - suffix >= SWEEP_ID_MAX ||
	    memcmp(name + n - suffix, LAYOUT_SUFFIX, suffix) != 0)
		return false;
	memcpy(id, name, n - suffix);
	id[n - suffix] = '\0';
	return true;
}

bool
store_newest(const char *datadir, char id[SWEEP_ID_MAX])
{
	char path[LAYOUT_PATH_MAX + 32], each[SWEEP_ID_MAX];
	struct dirent *entry;
	DIR *dir;

	id[0] = '\0';
	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED, datadir);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	/* An id begins with its time, so the newest is the greatest. */
	while ((entry = readdir(dir)) != NULL)
		if (name_id(entry->d_name, each) && strcmp(each, id) > 0)
			memcpy(id, each, sizeof each);
	closedir(dir);
	return id[0] != '\0';
}

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
	s->silent = view_dbi(&s->view, DB_SILENT);
	s->gone = view_dbi(&s->view, DB_GONE);
	s->names = view_dbi(&s->view, DB_NAMES);
	s->phantoms = view_dbi(&s->view, DB_PHANTOMS);
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
	MDB_stat st;

	for (uint32_t i = 0; i <= s->info.sweep.incarnation; i++)
		add_ledger(s, i);
	a->rows_new = a->events[STAT_STORE_NEW];
	a->rows = store_silent_count(s);
	if (mdb_stat(s->view.txn, s->heads, &st) == 0)
		a->rows += st.ms_entries;
}

struct store *
store_open(const char *datadir, const char *id, char error[STORE_ERROR_MAX])
{
	struct store *s = calloc(1, sizeof *s);
	char path[LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32];
	unsigned flags;
	int rc;

	if (s == NULL || strlen(datadir) >= sizeof s->datadir) {
		store_say(error, "%s: %s", datadir,
		    strerror(s == NULL ? ENOMEM : ENAMETOOLONG));
		goto fail;
	}
	memcpy(s->datadir, datadir, strlen(datadir) + 1);
	if (find(datadir, id, path, sizeof path, &flags, error) != 0)
		goto fail;
	rc = view_open(&s->view, path, flags);
	if (rc != 0) {
		store_say(error, "%s: %s", path, mdb_strerror(rc));
		goto fail;
	}
	if (read_info(s, path, error) != 0)
		goto fail;
	s->running = flags == 0;
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

static struct store_scan *
scan_new(struct store *s, MDB_dbi dbi)
{
	struct store_scan *scan = calloc(1, sizeof *scan);

	if (scan == NULL)
		return NULL;
	scan->store = s;
	scan->next = MDB_FIRST;
	if (dbi != NO_DBI &&
	    mdb_cursor_open(s->view.txn, dbi, &scan->cursor) != 0) {
		free(scan);
		return NULL;
	}
	return scan;
}

struct store_scan *
store_scan_new(struct store *s)
{
	return scan_new(s, s->heads);
}

struct store_scan *
store_scan_from(struct store *s, const struct addr *from)
{
	struct store_scan *scan = scan_new(s, s->heads);
	struct target t = { .addr = *from, .port = 0 };

	if (scan != NULL) {
		target_pack(&t, scan->key);
		scan->next = MDB_SET_RANGE;
	}
	return scan;
}

struct store_scan *
store_scan_gone(struct store *s)
{
	return scan_new(s, s->gone);
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

/* While a sweep runs, its canaries may be answered after the row is there. */
static void
mark_phantom(struct store *s, const struct addr *a, struct head *h)
{
	if (!s->running || !store_is_phantom(s, a))
		return;
	h->flags |= HEAD_CANARY;
	h->findings |= 1u << FINDING_PHANTOM;
}

bool
store_scan_next(struct store_scan *scan, struct target *target, struct head *h)
{
	MDB_val key = { sizeof scan->key, scan->key }, value;

	while (scan->cursor != NULL &&
	    mdb_cursor_get(scan->cursor, &key, &value, scan->next) == 0) {
		scan->next = MDB_NEXT;
		if (key.mv_size != TARGET_KEY_LEN || value.mv_size != sizeof *h)
			continue;
		memcpy(h, value.mv_data, sizeof *h);
		memcpy(scan->key, key.mv_data, sizeof scan->key);
		*target = target_unpack(scan->key);
		if (!head_check(h) ||
		    ranges_has(scan->store->optouts, &target->addr))
			continue;
		mark_phantom(scan->store, &target->addr, h);
		return true;
	}
	return false;
}

/* A row without fields has no body. */
static void
get_body(struct store *s, const uint8_t key[TARGET_KEY_LEN],
    const uint8_t **body, uint32_t *len)
{
	MDB_val value;

	*body = NULL;
	*len = 0;
	if (view_get(&s->view, s->bodies, key, TARGET_KEY_LEN, &value) &&
	    value.mv_size <= BODY_MAX) {
		*body = value.mv_data;
		*len = (uint32_t)value.mv_size;
	}
}

bool
store_scan_body(struct store_scan *scan, const uint8_t **body, uint32_t *len)
{
	if (scan->next != MDB_NEXT)
		return false;
	get_body(scan->store, scan->key, body, len);
	return true;
}

void
store_scan_free(struct store_scan *scan)
{
	if (scan == NULL)
		return;
	if (scan->cursor != NULL)
		mdb_cursor_close(scan->cursor);
	free(scan);
}

uint64_t
store_silent_count(struct store *s)
{
	MDB_stat st;

	if (s->silent == NO_DBI || mdb_stat(s->view.txn, s->silent, &st) != 0)
		return 0;
	return st.ms_entries;
}

/* Seconds since the sweep began, to microseconds since 1970. */
static uint64_t
silent_when(const struct store *s, const MDB_val *value)
{
	uint32_t seconds = 0;

	if (value->mv_size == SECONDS_LEN)
		memcpy(&seconds, value->mv_data, sizeof seconds);
	return s->info.sweep.start_us + (uint64_t)seconds * 1000000;
}

bool
store_is_silent(struct store *s, const struct target *target, uint64_t *when_us)
{
	uint8_t key[TARGET_KEY_LEN];
	MDB_val value;

	target_pack(target, key);
	if (ranges_has(s->optouts, &target->addr) ||
	    !view_get(&s->view, s->silent, key, sizeof key, &value))
		return false;
	*when_us = silent_when(s, &value);
	return true;
}

int
store_each_silent(struct store *s,
    bool (*each)(const struct target *, uint64_t when_us, void *), void *arg)
{
	MDB_cursor *c;
	MDB_val key, value;
	struct target target;

	if (s->silent == NO_DBI)
		return 0;
	if (mdb_cursor_open(s->view.txn, s->silent, &c) != 0)
		return -1;
	while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0) {
		if (key.mv_size != TARGET_KEY_LEN)
			continue;
		target = target_unpack(key.mv_data);
		if (ranges_has(s->optouts, &target.addr))
			continue;
		if (!each(&target, silent_when(s, &value), arg))
			break;
	}
	mdb_cursor_close(c);
	return 0;
}

bool
store_get(struct store *s, const struct target *target, struct head *h,
    const uint8_t **body, uint32_t *len)
{
	uint8_t key[TARGET_KEY_LEN];
	MDB_val value;

	target_pack(target, key);
	if (ranges_has(s->optouts, &target->addr) ||
	    !view_get(&s->view, s->heads, key, sizeof key, &value) ||
	    value.mv_size != sizeof *h)
		return false;
	memcpy(h, value.mv_data, sizeof *h);
	get_body(s, key, body, len);
	mark_phantom(s, &target->addr, h);
	return head_check(h);
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

int
store_sweeps(const char *datadir,
    bool (*each)(const struct sweep_info *, void *), void *arg,
    char error[STORE_ERROR_MAX])
{
	char path[LAYOUT_PATH_MAX + 32];
	struct sweep_info info;
	struct view v = { 0 };
	MDB_cursor *c;
	MDB_val key, value;
	MDB_dbi dbi;
	int rc;

	snprintf(path, sizeof path, "%s/" LAYOUT_CATALOG, datadir);
	rc = view_open(&v, path, MDB_NOSUBDIR);
	if (rc == ENOENT && access(datadir, F_OK) == 0)
		return 0; /* none has ended yet */
	if (rc != 0) {
		store_say(error, "%s: %s", path, mdb_strerror(rc));
		return -1;
	}
	dbi = view_dbi(&v, DB_SWEEPS);
	if (dbi != NO_DBI && mdb_cursor_open(v.txn, dbi, &c) == 0) {
		while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0)
			if (info_read(value.mv_data, value.mv_size, &info) ==
				0 &&
			    !each(&info, arg))
				break;
		mdb_cursor_close(c);
	}
	view_close(&v);
	return 0;
}
