/* optouts.c: the addresses whose owners want to be left out, for readers. */
#include <stdio.h>
#include <string.h>

#include <lmdb.h>

#include "storage/layout.h"
#include "storage/store.h"
#include "storage/view.h"

enum { OPTOUT_KEY_LEN = 17 };

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
