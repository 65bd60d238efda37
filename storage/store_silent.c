/* store_silent.c: targets that answered and said nothing, for readers. */
#include <string.h>

#include "storage/rowsum.h"
#include "storage/store_own.h"

enum { SECONDS_LEN = 4 }; /* of a silent row before there were sums */

uint64_t
store_silent_count(struct store *s)
{
	MDB_stat st;

	if (s->silent == NO_DBI || mdb_stat(s->view.txn, s->silent, &st) != 0)
		return 0;
	return st.ms_entries;
}

/* A row of silence; its seconds since the sweep began, as time UTC. */
static bool
silent_load(struct store *s, const MDB_val *key, const MDB_val *value,
    uint64_t *when_us)
{
	uint32_t seconds = 0;
	bool good = key->mv_size == TARGET_KEY_LEN &&
	    silent_read(key->mv_data, value->mv_data, value->mv_size, &seconds);

	if (!good && s->info.version < VERSION_SUMS &&
	    key->mv_size == TARGET_KEY_LEN && value->mv_size >= SECONDS_LEN) {
		memcpy(&seconds, value->mv_data, sizeof seconds);
		good = true;
	}
	*when_us = s->info.sweep.start_us + (uint64_t)seconds * 1000000;
	s->damaged += !good;
	return good;
}

bool
store_is_silent(struct store *s, const struct target *target, uint64_t *when_us)
{
	uint8_t packed[TARGET_KEY_LEN];
	MDB_val key = { sizeof packed, packed }, value;

	target_pack(target, packed);
	return !ranges_has(s->optouts, &target->addr) &&
	    view_get(&s->view, s->silent, packed, sizeof packed, &value) &&
	    silent_load(s, &key, &value, when_us);
}

struct store_scan *
store_scan_silent(struct store *s)
{
	return store_scan_over(s, s->silent);
}

bool
store_scan_silent_next(
    struct store_scan *scan, struct target *target, uint64_t *when_us)
{
	MDB_val key, value;
	int rc = MDB_NOTFOUND;

	while (scan->cursor != NULL &&
	    (rc = mdb_cursor_get(scan->cursor, &key, &value, MDB_NEXT)) == 0) {
		if (!silent_load(scan->store, &key, &value, when_us))
			continue;
		*target = target_unpack(key.mv_data);
		if (!ranges_has(scan->store->optouts, &target->addr))
			return true;
	}
	store_end(scan->store, rc);
	return false;
}

int
store_each_silent(struct store *s,
    bool (*each)(const struct target *, uint64_t when_us, void *), void *arg)
{
	struct store_scan *scan = store_scan_silent(s);
	struct target target;
	uint64_t when_us;

	if (scan == NULL)
		return -1;
	while (store_scan_silent_next(scan, &target, &when_us) &&
	    each(&target, when_us, arg))
		;
	store_scan_free(scan);
	return 0;
}
