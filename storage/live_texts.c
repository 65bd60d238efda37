/* live_texts.c: bodies of the sweep that is running, by number (texts.h). */
#include <string.h>

#include "storage/live.h"
#include "storage/rowsum.h"
#include "storage/texts.h"

/* One of before there were numbers lies under its target. */
static enum kind
database_of(const struct head *h)
{
	return h->first_seen_us != 0 ? TEXTS : BODIES;
}

static MDB_val
key_of(const uint8_t key[TARGET_KEY_LEN], const uint8_t text[TEXT_KEY_LEN],
    const struct head *h)
{
	if (database_of(h) == TEXTS)
		return (MDB_val){ TEXT_KEY_LEN, (void *)(uintptr_t)text };
	return (MDB_val){ TARGET_KEY_LEN, (void *)(uintptr_t)key };
}

/* After the last one that is there. */
static uint64_t
next_text(struct live *l)
{
	MDB_val key, value;
	MDB_cursor *c;
	int rc;

	if (l->text == 0 && l->rc == 0) {
		l->rc = mdb_cursor_open(l->rows.txn, l->dbi[TEXTS], &c);
		if (l->rc != 0)
			return 0;
		rc = mdb_cursor_get(c, &key, &value, MDB_LAST);
		if (rc == 0 && key.mv_size == TEXT_KEY_LEN)
			l->text = text_key_number(key.mv_data);
		else if (rc != 0 && rc != MDB_NOTFOUND)
			l->rc = rc;
		mdb_cursor_close(c);
	}
	return ++l->text;
}

/* Written where it will lie: a body is not copied twice. */
uint64_t
live_text_put(struct live *l, const uint8_t key[TARGET_KEY_LEN],
    const uint8_t *body, uint32_t len)
{
	uint8_t text[TEXT_KEY_LEN];
	MDB_val k = { sizeof text, text };
	MDB_val v = { len + BODY_SUM_LEN, NULL };
	uint64_t number = len > 0 ? next_text(l) : 0;

	if (number == 0)
		return 0;
	text_key_pack(number, key, text);
	if (l->rc == 0)
		l->rc = mdb_put(l->rows.txn, l->dbi[TEXTS], &k, &v,
		    MDB_RESERVE | MDB_APPEND);
	if (l->rc == 0)
		body_sum_write(key, body, len, v.mv_data);
	return number;
}

void
live_text_erase(
    struct live *l, const uint8_t key[TARGET_KEY_LEN], const struct head *h)
{
	uint8_t text[TEXT_KEY_LEN];

	MDB_val k;
	int rc;

	text_key_pack(h->first_seen_us, key, text);
	k = key_of(key, text, h);
	if (l->rc != 0)
		return;
	rc = mdb_del(l->rows.txn, l->dbi[database_of(h)], &k, NULL);
	if (rc != 0 && rc != MDB_NOTFOUND)
		l->rc = rc;
}

uint32_t
live_body(
    struct live *l, const struct target *target, uint8_t *body, uint32_t cap)
{
	uint8_t key[TARGET_KEY_LEN], text[TEXT_KEY_LEN];
	struct head h;
	MDB_val k, v;
	uint32_t len;
	int rc;

	if (live_row(l, target, &h) != LIVE_HEAD)
		return 0;
	target_pack(target, key);
	text_key_pack(h.first_seen_us, key, text);
	k = key_of(key, text, &h);
	rc = mdb_get(l->rows.txn, l->dbi[database_of(&h)], &k, &v);
	if (rc != 0 && rc != MDB_NOTFOUND)
		l->rc = rc;
	if (rc != 0 || v.mv_size > BODY_MAX + BODY_SUM_LEN)
		return 0;
	len = (uint32_t)v.mv_size;
	/* One of before there were sums has none. */
	if (!body_sum_agrees(key, v.mv_data, &len))
		len = (uint32_t)v.mv_size;
	if (len > cap)
		return 0;
	memcpy(body, v.mv_data, len);
	return len;
}
