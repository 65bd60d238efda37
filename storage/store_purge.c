/* store_purge.c: nothing is kept of those who want to be left out. */
#include <string.h>

#include "storage/live.h"

/*
 * What would become a row goes before the rows. All keys but those of the
 * queue begin with the address.
 */
static const enum kind order[] = { QUEUE, PENDING, HEADS, SILENT, BODIES,
	WANTED, NAMES, PHANTOMS };
enum {
	ORDER = sizeof order / sizeof order[0],
	TEXT_COST = 10 /* rows looked at: a body lies on any page, alone */
};

struct purging {
	struct live *live;
	const struct ranges *set;
	struct purge_at *at;
	MDB_cursor *cursor;
	enum kind kind;
	unsigned left; /* rows that may still be looked at */
	uint64_t *rows;
};

static size_t
address_at(enum kind kind)
{
	return kind == QUEUE ? QUEUE_TIME_LEN : 0;
}

/* The first piece that ends at or behind an address; their number: none. */
static size_t
piece_from(const struct ranges *set, const struct addr *a)
{
	size_t low = 0, high = ranges_pieces(set);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct addr first, last;

		ranges_piece(set, middle, &first, &last);
		if (addr_cmp(&last, a) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A network that only a part of has opted out stays what it is. */
static bool
is_whole(const struct purging *p, const MDB_val *key, const struct addr *last)
{
	const uint8_t *k = key->mv_data;
	struct addr end;

	if (p->kind != PHANTOMS)
		return true;
	memcpy(end.b, k, sizeof end.b);
	for (unsigned bit = k[PHANTOM_KEY_LEN - 1]; bit < 128; bit++)
		end.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return addr_cmp(&end, last) <= 0;
}

static void
erase(struct purging *p, const MDB_val *key, const MDB_val *value)
{
	struct head h;

	if (p->kind == HEADS && key->mv_size == TARGET_KEY_LEN &&
	    value->mv_size == sizeof h) {
		memcpy(&h, value->mv_data, sizeof h);
		live_text_erase(p->live, key->mv_data, &h);
		p->left -= p->left < TEXT_COST ? p->left : TEXT_COST;
	}
	if (p->live->rc != 0)
		return;
	p->live->rc = mdb_cursor_del(p->cursor, 0);
	if (p->kind == HEADS || p->kind == SILENT)
		++*p->rows;
}

/*
 * What to do at a key: erase it, or go to where the next address of the set
 * may be. False: there is none behind it.
 */
static bool
deal_with(struct purging *p, MDB_val *key, MDB_val *value, int *rc)
{
	size_t off = address_at(p->kind), piece;
	struct addr a, first, last;

	memcpy(a.b, (const uint8_t *)key->mv_data + off, sizeof a.b);
	piece = piece_from(p->set, &a);
	*rc = MDB_NOTFOUND;
	if (piece == ranges_pieces(p->set) && off == 0)
		return false;
	if (piece < ranges_pieces(p->set)) {
		ranges_piece(p->set, piece, &first, &last);
		if (addr_cmp(&first, &a) <= 0) {
			if (is_whole(p, key, &last))
				erase(p, key, value);
		} else if (off == 0) {
			key->mv_data = first.b;
			key->mv_size = sizeof first.b;
			*rc = mdb_cursor_get(
			    p->cursor, key, value, MDB_SET_RANGE);
			return true;
		}
	}
	*rc = mdb_cursor_get(p->cursor, key, value, MDB_NEXT);
	return true;
}

/* One database, from where it stood. */
static void
walk(struct purging *p)
{
	struct purge_at *at = p->at;
	MDB_val key = { at->len, at->key }, value;
	size_t least = address_at(p->kind) + sizeof(struct addr);
	int rc = mdb_cursor_get(
	    p->cursor, &key, &value, at->len > 0 ? MDB_SET_RANGE : MDB_FIRST);

	while (rc == 0 && p->left > 0 && p->live->rc == 0) {
		p->left--;
		if (key.mv_size < least)
			rc = mdb_cursor_get(p->cursor, &key, &value, MDB_NEXT);
		else if (!deal_with(p, &key, &value, &rc))
			break;
	}
	/* The first error says what to do: a full map grows. */
	if (rc != 0 && rc != MDB_NOTFOUND && p->live->rc == 0)
		p->live->rc = rc;
	at->len = 0;
	if (rc == 0 && p->left == 0 && key.mv_size <= sizeof at->key) {
		at->len = (unsigned)key.mv_size;
		memcpy(at->key, key.mv_data, key.mv_size);
	}
}

bool
live_purge_is_over(const struct purge_at *at)
{
	return at->kind == ORDER;
}

bool
live_purge(struct live *l, const struct ranges *set, struct purge_at *at,
    unsigned cap, uint64_t *rows)
{
	struct purging p = {
		.live = l, .set = set, .at = at, .left = cap, .rows = rows
	};

	*rows = 0;
	if (ranges_pieces(set) == 0)
		at->kind = ORDER;
	while (at->kind < ORDER && p.left > 0 && l->rc == 0) {
		p.kind = order[at->kind];
		l->rc = mdb_cursor_open(l->rows.txn, l->dbi[p.kind], &p.cursor);
		if (l->rc != 0)
			break;
		walk(&p);
		mdb_cursor_close(p.cursor);
		if (at->len == 0)
			at->kind++;
	}
	return live_purge_is_over(at);
}
