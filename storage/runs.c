/* runs.c: bodies of a sweep that is running, in the order of their targets. */
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include "storage/runs.h"

enum {
	RUNS_MAX = 8192,
	SLOTS = 1 << 16, /* runs by what they expect; one takes another's */
	NEARBY = 3, /* rows of one host are in no order of their ports */
	BLOCK = 128 << 10, /* bytes that are asked for ahead */
	BLOCKS = 1 << 20
};

struct run {
	MDB_cursor *cursor;
	uint64_t expected; /* number of its next row */
};

struct runs {
	MDB_txn *txn;
	MDB_dbi dbi;
	unsigned n, oldest;
	struct run v[RUNS_MAX];
	uint16_t slots[SLOTS]; /* index + 1 */
	uint8_t asked[BLOCKS / 8]; /* a bit a block, once each */
};

struct runs *
runs_new(MDB_txn *txn, MDB_dbi dbi)
{
	struct runs *r = calloc(1, sizeof *r);

	if (r != NULL) {
		r->txn = txn;
		r->dbi = dbi;
	}
	return r;
}

void
runs_free(struct runs *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < r->n; i++)
		mdb_cursor_close(r->v[i].cursor);
	free(r);
}

static uint16_t *
slot_of(struct runs *r, uint64_t number)
{
	return &r->slots[(number * 0x9e3779b97f4a7c15) >> 48];
}

/* The run that expects a number; NULL: none. */
static struct run *
find(struct runs *r, uint64_t number)
{
	uint16_t i = *slot_of(r, number);

	return i != 0 && r->v[i - 1].expected == number ? &r->v[i - 1] : NULL;
}

/* A new one, or else the one that has been there for longest. */
static struct run *
begin(struct runs *r)
{
	if (r->n < RUNS_MAX) {
		struct run *run = &r->v[r->n];

		if (mdb_cursor_open(r->txn, r->dbi, &run->cursor) != 0)
			return NULL;
		r->n++;
		return run;
	}
	return &r->v[r->oldest++ % RUNS_MAX];
}

static struct run *
find_near(struct runs *r, uint64_t number)
{
	struct run *run = NULL;

	for (uint64_t i = 1; run == NULL && i <= NEARBY; i++) {
		run = find(r, number + i);
		if (run == NULL && number > i)
			run = find(r, number - i);
	}
	return run != NULL ? run : begin(r);
}

/* The disk fetches what comes next while this is dealt with. */
static void
look_ahead(struct runs *r, const MDB_val *value)
{
	uintptr_t block = (uintptr_t)value->mv_data / BLOCK + 1;
	uint8_t bit = (uint8_t)(1u << block % 8);
	uint8_t *at = &r->asked[block % BLOCKS / 8];

	if (*at & bit)
		return;
	*at |= bit;
	(void)madvise((void *)(block * BLOCK), BLOCK, MADV_WILLNEED);
}

static bool
is_key(const MDB_val *key, const uint8_t wanted[TEXT_KEY_LEN])
{
	return key->mv_size == TEXT_KEY_LEN &&
	    memcmp(key->mv_data, wanted, TEXT_KEY_LEN) == 0;
}

bool
runs_get(struct runs *r, const uint8_t key[TEXT_KEY_LEN], MDB_val *out)
{
	uint64_t number = text_key_number(key);
	struct run *run = find(r, number);
	MDB_val k = { TEXT_KEY_LEN, (void *)(uintptr_t)key };
	bool found = run != NULL &&
	    mdb_cursor_get(run->cursor, &k, out, MDB_NEXT) == 0 &&
	    is_key(&k, key);

	if (!found) {
		if (run == NULL)
			run = find_near(r, number);
		k.mv_size = TEXT_KEY_LEN;
		k.mv_data = (void *)(uintptr_t)key;
		if (run == NULL ||
		    mdb_cursor_get(run->cursor, &k, out, MDB_SET_KEY) != 0)
			return false;
	}
	run->expected = number + 1;
	*slot_of(r, number + 1) = (uint16_t)(run - r->v + 1);
	look_ahead(r, out);
	return true;
}
