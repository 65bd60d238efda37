/* optouts.c: the addresses whose owners want to be left out, for readers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "storage/layout.h"
#include "storage/store.h"
#include "storage/view.h"

enum { MAPPED_BITS = 96, PATH_CAP = LAYOUT_PATH_MAX + 32 };

/* The last address of a prefix. */
static struct addr
last_of(const struct addr *first, unsigned bits)
{
	struct addr last = *first;

	for (unsigned bit = bits; bit < 128; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return last;
}

/* What is written as IPv6 never means IPv4, as in ranges.h. */
static bool
add_around_mapped(
    struct ranges *set, const struct addr *first, const struct addr *last)
{
	struct addr before = addr_from4(0), behind = addr_from4(UINT32_MAX);

	before.b[11]--; /* of ::ffff:0.0.0.0: ::fffe:ffff:ffff */
	memset(before.b + 12, 0xff, 4);
	memset(behind.b + 10, 0, 6);
	behind.b[9] = 1; /* ::1:0:0:0 */
	/* ::/80 ends with the last of IPv4. */
	return ranges_add(set, first, &before) == 0 &&
	    (addr_cmp(&behind, last) > 0 ||
		ranges_add(set, &behind, last) == 0);
}

bool
optout_add(struct ranges *set, const struct optout *o)
{
	struct addr last = last_of(&o->addr, o->bits);
	struct addr mapped = addr_from4(0);

	if (o->bits < MAPPED_BITS && addr_cmp(&o->addr, &mapped) < 0 &&
	    addr_cmp(&mapped, &last) < 0)
		return add_around_mapped(set, &o->addr, &last);
	return ranges_add(set, &o->addr, &last) == 0;
}

static bool
optout_read(const MDB_val *key, const MDB_val *value, struct optout *o)
{
	const uint8_t *k = key->mv_data;
	size_t len;

	memset(o, 0, sizeof *o);
	if (key->mv_size != OPTOUT_KEY_LEN || k[OPTOUT_KEY_LEN - 1] > 128 ||
	    value->mv_size < sizeof o->when_us)
		return false;
	memcpy(o->addr.b, k, sizeof o->addr.b);
	o->bits = k[OPTOUT_KEY_LEN - 1];
	memcpy(&o->when_us, value->mv_data, sizeof o->when_us);
	len = value->mv_size - sizeof o->when_us;
	if (len >= sizeof o->reason)
		len = sizeof o->reason - 1;
	memcpy(o->reason, (const uint8_t *)value->mv_data + sizeof o->when_us,
	    len);
	return true;
}

static int
each_of(struct view *v, bool (*each)(const struct optout *, void *), void *arg)
{
	MDB_dbi dbi = view_dbi(v, DB_OPTOUTS);
	MDB_val key, value;
	MDB_cursor *c;
	int rc = 0;

	if (dbi == NO_DBI)
		return 0;
	if (mdb_cursor_open(v->txn, dbi, &c) != 0)
		return -1;
	while (rc == 0 && mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0) {
		struct optout o;

		/* One that cannot be read may be anybody's. */
		if (!optout_read(&key, &value, &o))
			rc = -1;
		else if (!each(&o, arg))
			break;
	}
	mdb_cursor_close(c);
	return rc;
}

int
store_each_optout(
    const char *datadir, bool (*each)(const struct optout *, void *), void *arg)
{
	char path[PATH_CAP];
	struct view v = { 0 };
	int rc;

	snprintf(path, sizeof path, "%s/" LAYOUT_CATALOG, datadir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (view_open(&v, path, MDB_NOSUBDIR) != 0)
		return -1;
	rc = each_of(&v, each, arg);
	view_close(&v);
	return rc;
}

struct adding {
	struct ranges *set;
	bool failed;
};

static bool
add_one(const struct optout *o, void *arg)
{
	struct adding *a = arg;

	a->failed = !optout_add(a->set, o);
	return !a->failed;
}

/* They are in the catalog, so that they hold for old sweeps as well. */
struct ranges *
store_optouts(const char *datadir)
{
	struct adding a = { .set = ranges_new() };

	if (a.set == NULL)
		return NULL;
	if (store_each_optout(datadir, add_one, &a) == 0 && !a.failed &&
	    ranges_seal(a.set) == 0)
		return a.set;
	ranges_free(a.set);
	return NULL;
}
