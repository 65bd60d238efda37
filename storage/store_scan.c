/* store_scan.c: the rows of a sweep, one after the other or one of them. */
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#include "storage/rowsum.h"
#include "storage/store_own.h"
#include "storage/texts.h"

struct store_scan *
store_scan_over(struct store *s, MDB_dbi dbi)
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
	return store_scan_over(s, s->heads);
}

struct store_scan *
store_scan_from(struct store *s, const struct addr *from)
{
	static const struct addr greatest = { { 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff } };

	return store_scan_range(s, from, &greatest);
}

struct store_scan *
store_scan_range(
    struct store *s, const struct addr *first, const struct addr *last)
{
	struct store_scan *scan = store_scan_over(s, s->heads);
	struct target t = { .addr = *first, .port = 0 };

	if (scan != NULL) {
		target_pack(&t, scan->key);
		scan->next = MDB_SET_RANGE;
		scan->last = *last;
		scan->ends = true;
	}
	return scan;
}

struct store_scan *
store_scan_gone(struct store *s)
{
	return store_scan_over(s, s->gone);
}

/* What only a sweep that is running has in its heads, see texts.h. */
static uint64_t
take_text(const struct store *s, struct head *h)
{
	uint64_t text = s->running ? h->first_seen_us : 0;

	if (s->running)
		h->first_seen_us = 0;
	return text;
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

void
store_end(struct store *s, int rc)
{
	s->damaged += rc != 0 && rc != MDB_NOTFOUND;
}

/* What is damaged, or was never a row of ours, is passed over and counted. */
static bool
head_load(
    struct store *s, const MDB_val *key, const MDB_val *value, struct head *h)
{
	if (key->mv_size == TARGET_KEY_LEN && value->mv_size == sizeof *h) {
		memcpy(h, value->mv_data, sizeof *h);
		if (head_check(h) &&
		    (s->info.version < VERSION_SUMS ||
			head_sum_agrees(key->mv_data, h)))
			return true;
	}
	s->damaged++;
	return false;
}

/* What lies behind is for another scan, damaged or not. */
static bool
is_past(const struct store_scan *scan, const MDB_val *key)
{
	return scan->ends && key->mv_size == TARGET_KEY_LEN &&
	    memcmp(key->mv_data, scan->last.b, sizeof scan->last.b) > 0;
}

bool
store_scan_next(struct store_scan *scan, struct target *target, struct head *h)
{
	MDB_val key = { sizeof scan->key, scan->key }, value;
	int rc = MDB_NOTFOUND;

	while (scan->cursor != NULL &&
	    (rc = mdb_cursor_get(scan->cursor, &key, &value, scan->next)) ==
		0) {
		if (is_past(scan, &key))
			return false;
		scan->next = MDB_NEXT;
		if (!head_load(scan->store, &key, &value, h))
			continue;
		memcpy(scan->key, key.mv_data, sizeof scan->key);
		*target = target_unpack(scan->key);
		if (ranges_has(scan->store->optouts, &target->addr))
			continue;
		scan->text = take_text(scan->store, h);
		mark_phantom(scan->store, &target->addr, h);
		return true;
	}
	store_end(scan->store, rc);
	return false;
}

static bool
find_body(struct store *s, const uint8_t key[TARGET_KEY_LEN], uint64_t text,
    MDB_val *value)
{
	uint8_t at[TEXT_KEY_LEN];

	if (text == 0)
		return view_get(
		    &s->view, s->bodies, key, TARGET_KEY_LEN, value);
	if (s->texts == NO_DBI)
		return false;
	text_key_pack(text, key, at);
	if (s->runs == NULL)
		s->runs = runs_new(s->view.txn, s->texts);
	/* Without memory it takes longer. */
	return s->runs != NULL
	    ? runs_get(s->runs, at, value)
	    : view_get(&s->view, s->texts, at, sizeof at, value);
}

/* A row without fields has no body; NULL: it has none. */
static void
read_body(struct store *s, const uint8_t key[TARGET_KEY_LEN],
    const MDB_val *found, const uint8_t **body, uint32_t *len)
{
	MDB_val value;

	*body = NULL;
	*len = 0;
	if (found == NULL)
		return;
	value = *found;
	if (value.mv_size <= BODY_MAX + BODY_SUM_LEN) {
		*len = (uint32_t)value.mv_size;
		*body = value.mv_data;
		if (body_sum_agrees(key, *body, len))
			return;
		*len = (uint32_t)value.mv_size;
		if (s->info.version < VERSION_SUMS)
			return;
	}
	*body = NULL;
	*len = 0;
	s->damaged++;
}

static void
get_body(struct store *s, const uint8_t key[TARGET_KEY_LEN], uint64_t text,
    const uint8_t **body, uint32_t *len)
{
	MDB_val value;
	bool found = find_body(s, key, text, &value);

	s->damaged += text != 0 && !found;
	read_body(s, key, found ? &value : NULL, body, len);
}

/* Bodies of a sealed file lie in the order of the heads. */
static bool
next_body(struct store_scan *scan, MDB_val *value)
{
	struct store *s = scan->store;
	MDB_val key;
	int rc = 0;

	if (scan->body == NULL)
		rc = mdb_cursor_open(s->view.txn, s->bodies, &scan->body);
	if (rc != 0) {
		store_end(s, rc);
		return false;
	}
	if (mdb_cursor_get(scan->body, &key, value, MDB_NEXT) == 0 &&
	    key.mv_size == TARGET_KEY_LEN &&
	    memcmp(key.mv_data, scan->key, TARGET_KEY_LEN) == 0)
		return true;
	key = (MDB_val){ TARGET_KEY_LEN, scan->key };
	rc = mdb_cursor_get(scan->body, &key, value, MDB_SET_KEY);
	store_end(s, rc);
	return rc == 0;
}

bool
store_scan_body(struct store_scan *scan, const uint8_t **body, uint32_t *len)
{
	MDB_val value;
	bool found;

	if (scan->next != MDB_NEXT)
		return false;
	if (scan->store->running) {
		get_body(scan->store, scan->key, scan->text, body, len);
		return true;
	}
	found = next_body(scan, &value);
	read_body(scan->store, scan->key, found ? &value : NULL, body, len);
	return true;
}

void
store_scan_free(struct store_scan *scan)
{
	if (scan == NULL)
		return;
	if (scan->body != NULL)
		mdb_cursor_close(scan->body);
	if (scan->cursor != NULL)
		mdb_cursor_close(scan->cursor);
	free(scan);
}

bool
store_get(struct store *s, const struct target *target, struct head *h,
    const uint8_t **body, uint32_t *len)
{
	uint8_t packed[TARGET_KEY_LEN];
	MDB_val key = { sizeof packed, packed }, value;

	target_pack(target, packed);
	if (ranges_has(s->optouts, &target->addr) ||
	    !view_get(&s->view, s->heads, packed, sizeof packed, &value) ||
	    !head_load(s, &key, &value, h))
		return false;
	get_body(s, packed, take_text(s, h), body, len);
	mark_phantom(s, &target->addr, h);
	return true;
}
