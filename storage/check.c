/* check.c: the rows of a sweep, one by one and against each other. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <lmdb.h>

#include "engine/cookie.h"
#include "storage/check.h"
#include "storage/info.h"
#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/rowsum.h"
#include "storage/texts.h"
#include "storage/trailer.h"
#include "storage/view.h"

enum {
	LINE_CAP = 512,
	PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32,
	PENDING_LEN = 16,
	QUEUE_KEY_LEN = 27,
	QUEUE_LEN = 5,
	NAME_MIN = 1, /* of a value: the flag before the name */
	KEY_SHOWN = 32
};

/* What is walked, and what was counted on the way. */
struct walk {
	struct check *check;
	struct view view, certs;
	MDB_dbi heads, texts, certs_dbi;
	const char *where; /* "live", "sealed/ID.mdb" */
	bool sealed, summed;
	uint64_t outcomes[OUTCOME_COUNT], changes[CHANGE_COUNT];
	uint64_t heads_n, silent_n;
};

/* What is wrong with a row; NULL: nothing. */
typedef const char *row_check(
    struct walk *, const uint8_t *key, const MDB_val *value);

struct table {
	const char *name;
	size_t key_len; /* 0: any */
	bool live, sealed;
	row_check *row;
};

void
check_wrong(struct check *c, const char *fmt, ...)
{
	char line[LINE_CAP];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	c->wrong++;
	c->tell(line, c->arg);
}

static const char *
head_row(struct walk *w, const uint8_t *key, const MDB_val *value, bool gone)
{
	struct target t = target_unpack(key);
	struct head h;

	if (value->mv_size != sizeof h)
		return "not the length of a head";
	memcpy(&h, value->mv_data, sizeof h);
	if (w->summed && !head_sum_agrees(key, &h))
		return "its sum does not agree";
	if (!head_check(&h))
		return "a value out of its range";
	if (h.port != t.port || memcmp(h.addr, t.addr.b, sizeof h.addr) != 0)
		return "the head of another target";
	if (w->sealed &&
	    ((h.change == CHANGE_NONE && !gone) ||
		h.first_seen_us > h.last_seen_us))
		return "a change, or times, that no seal writes";
	return NULL;
}

static bool
has_text(struct walk *w, const uint8_t *target, uint64_t number)
{
	uint8_t key[TEXT_KEY_LEN];
	MDB_val body;

	text_key_pack(number, target, key);
	return view_get(&w->view, w->texts, key, sizeof key, &body);
}

static const char *
heads_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	const char *what = head_row(w, key, value, false);
	struct head h;

	w->heads_n++;
	if (what)
		return what;
	memcpy(&h, value->mv_data, sizeof h);
	w->outcomes[h.outcome]++;
	w->changes[h.change]++;
	return w->sealed || h.first_seen_us == 0 ||
		has_text(w, key, h.first_seen_us)
	    ? NULL
	    : "its body is not there";
}

static const char *
gone_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	MDB_val here;

	if (view_get(&w->view, w->heads, key, TARGET_KEY_LEN, &here))
		return "gone, and there as well";
	return head_row(w, key, value, true);
}

/* Every certificate of the chain is kept, and the leaf is the head's. */
static const char *
chain_of(struct walk *w, const struct head *h, const struct field *chain)
{
	MDB_val der;

	if (chain->len % SHA256_LEN != 0 || chain->len / SHA256_LEN > CHAIN_MAX)
		return "a chain that is no list of SHA-256";
	for (uint32_t at = 0; at < chain->len; at += SHA256_LEN)
		if (!view_get(&w->certs, w->certs_dbi, chain->bytes + at,
			SHA256_LEN, &der))
			return "a certificate that is not kept";
	if (chain->len > 0 && memcmp(chain->bytes, h->leaf, SHA256_LEN) != 0)
		return "a chain that begins with another leaf";
	return NULL;
}

static const char *
fields_of(
    struct walk *w, const struct head *h, const uint8_t *body, uint32_t len)
{
	const char *what = NULL;
	struct field field;
	uint32_t at = 0;

	while (!what && body_next(body, len, &at, &field))
		if (field.tag == TAG_CHAIN)
			what = chain_of(w, h, &field);
	return what || at == len ? what : "fields that do not fill it";
}

static const char *
bodies_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	uint32_t len = (uint32_t)value->mv_size;
	struct head h;
	MDB_val head;

	if (value->mv_size > BODY_MAX + BODY_SUM_LEN)
		return "longer than any body";
	if (!body_sum_agrees(key, value->mv_data, &len)) {
		if (w->summed)
			return "its sum does not agree";
		len = (uint32_t)value->mv_size;
	}
	if (!view_get(&w->view, w->heads, key, TARGET_KEY_LEN, &head) ||
	    head.mv_size != sizeof h)
		return "a body without a head";
	memcpy(&h, head.mv_data, sizeof h);
	return fields_of(w, &h, value->mv_data, len);
}

/* The body of a row that names it, or else nobody's. */
static const char *
texts_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	const uint8_t *target = key + TEXT_NUMBER_LEN;
	struct head h;
	MDB_val head;

	if (!view_get(&w->view, w->heads, target, TARGET_KEY_LEN, &head) ||
	    head.mv_size != sizeof h)
		return "a body without a head";
	memcpy(&h, head.mv_data, sizeof h);
	if (h.first_seen_us != text_key_number(key))
		return "a body that its head does not name";
	return bodies_row(w, target, value);
}

static const char *
silent_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	uint32_t seconds;
	MDB_val head;

	w->silent_n++;
	w->outcomes[OUTCOME_SILENT]++;
	if (w->summed &&
	    !silent_read(key, value->mv_data, value->mv_size, &seconds))
		return "its sum does not agree";
	if (view_get(&w->view, w->heads, key, TARGET_KEY_LEN, &head))
		return "silent, and with a head as well";
	return NULL;
}

static const char *
pending_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	const uint8_t *v = value->mv_data;

	(void)w;
	(void)key;
	if (value->mv_size != PENDING_LEN)
		return "not the length of a pending row";
	return v[0] <= KIND_INJECTION && v[2] < PROTOCOL_COUNT &&
		v[3] < OUTCOME_COUNT && v[6] <= 1
	    ? NULL
	    : "a value out of its range";
}

static const char *
queue_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	const uint8_t *v = value->mv_data;

	(void)w;
	if (value->mv_size != QUEUE_LEN)
		return "not the length of a queued row";
	return key[QUEUE_KEY_LEN - 1] <= KIND_INJECTION &&
		v[1] < PROTOCOL_COUNT && v[2] < OUTCOME_COUNT
	    ? NULL
	    : "a value out of its range";
}

static const char *
phantom_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	const uint8_t *v = value->mv_data;

	(void)w;
	return key[PHANTOM_KEY_LEN - 1] <= 128 &&
		value->mv_size == PHANTOM_VALUE_LEN && *v <= PHANTOM_ANSWERED
	    ? NULL
	    : "not a phantom's row";
}

static const char *
name_row(struct walk *w, const uint8_t *key, const MDB_val *value)
{
	(void)w;
	(void)key;
	return value->mv_size >= NAME_MIN && value->mv_size <= HOSTNAME_CAP
	    ? NULL
	    : "not the length of a name";
}

static const struct table tables[] = {
	{ DB_HEADS, TARGET_KEY_LEN, true, true, heads_row },
	{ DB_BODIES, TARGET_KEY_LEN, true, true, bodies_row },
	{ DB_TEXTS, TEXT_KEY_LEN, true, false, texts_row },
	{ DB_SILENT, TARGET_KEY_LEN, true, true, silent_row },
	{ DB_GONE, TARGET_KEY_LEN, false, true, gone_row },
	{ DB_PHANTOMS, PHANTOM_KEY_LEN, true, true, phantom_row },
	{ DB_PENDING, TARGET_KEY_LEN, true, false, pending_row },
	{ DB_QUEUE, QUEUE_KEY_LEN, true, false, queue_row },
	{ DB_NAMES, sizeof(struct addr), true, false, name_row },
};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* A key as people know it. */
static const char *
key_text(const struct table *t, const MDB_val *key, char text[LINE_CAP])
{
	const uint8_t *k = key->mv_data;
	struct target target;
	struct addr a;

	if (key->mv_size == t->key_len && t->key_len == TARGET_KEY_LEN) {
		target = target_unpack(k);
		return target_text(&target, text);
	}
	if (key->mv_size == t->key_len && t->key_len == TEXT_KEY_LEN) {
		target = target_unpack(k + TEXT_NUMBER_LEN);
		return target_text(&target, text);
	}
	if (key->mv_size == t->key_len && t->key_len <= PHANTOM_KEY_LEN) {
		memcpy(a.b, k, sizeof a.b);
		return addr_text(&a, text);
	}
	for (size_t i = 0; i < key->mv_size && i < KEY_SHOWN; i++)
		snprintf(text + 2 * i, 3, "%02x", k[i]);
	return text;
}

static const char *
row_of(struct walk *w, const struct table *t, const MDB_val *key,
    const MDB_val *value, const uint8_t *last)
{
	if (t->key_len != 0 && key->mv_size != t->key_len)
		return "not the length of a key";
	if (last && t->key_len != 0 &&
	    memcmp(last, key->mv_data, t->key_len) >= 0)
		return "out of order";
	return t->row(w, key->mv_data, value);
}

static uint64_t
walk_rows(struct walk *w, const struct table *t, MDB_cursor *c)
{
	const uint8_t *last = NULL;
	uint64_t n = 0, wrong = 0;
	char text[LINE_CAP] = "";
	MDB_val key, value;
	const char *what;
	int rc;

	while ((rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0) {
		n++;
		what = row_of(w, t, &key, &value, last);
		last = key.mv_size == t->key_len ? key.mv_data : NULL;
		if (what && wrong++ < CHECK_TELL_MAX)
			check_wrong(w->check, "%s: %s: %s: %s", w->where,
			    t->name, key_text(t, &key, text), what);
	}
	if (wrong > CHECK_TELL_MAX)
		check_wrong(w->check, "%s: %s: %" PRIu64 " more of them",
		    w->where, t->name, wrong - CHECK_TELL_MAX);
	if (rc != MDB_NOTFOUND)
		check_wrong(w->check, "%s: %s: %s", w->where, t->name,
		    mdb_strerror(rc));
	return n;
}

static void
walk_table(struct walk *w, const struct table *t)
{
	MDB_dbi dbi = view_dbi(&w->view, t->name);
	MDB_cursor *c;
	uint64_t n;
	MDB_stat st;

	if (dbi == NO_DBI && t->row == texts_row)
		return; /* begun by an earlier version */
	if (dbi == NO_DBI || mdb_stat(w->view.txn, dbi, &st) != 0 ||
	    mdb_cursor_open(w->view.txn, dbi, &c) != 0) {
		check_wrong(w->check, "%s: %s: there is no such database",
		    w->where, t->name);
		return;
	}
	n = walk_rows(w, t, c);
	mdb_cursor_close(c);
	w->check->rows += n;
	if (n != st.ms_entries)
		check_wrong(w->check,
		    "%s: %s: %" PRIu64 " rows, and it counts %zu", w->where,
		    t->name, n, st.ms_entries);
}

static void
same(struct walk *w, const char *what, uint64_t said, uint64_t counted)
{
	if (said != counted)
		check_wrong(w->check,
		    "%s: %s: said to be %" PRIu64 ", counted %" PRIu64,
		    w->where, what, said, counted);
}

/* The counts that were sealed with the rows. */
static void
check_counts(struct walk *w, const struct sweep_info *info)
{
	const struct account *a = &info->account;
	char what[64];

	same(w, "account.rows", a->rows, w->heads_n + w->silent_n);
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		snprintf(what, sizeof what, "outcome.%s", outcome_names[i]);
		same(w, what, a->outcomes[i], w->outcomes[i]);
	}
	for (int i = CHANGE_NEW; i < CHANGE_COUNT; i++) {
		snprintf(what, sizeof what, "change.%s", change_names[i]);
		same(w, what, info->changes[i], w->changes[i]);
	}
	same(w, "balanced", info->balanced, account_balances(a));
}

static void
tell_offset(uint64_t offset, void *arg)
{
	struct walk *w = arg;

	check_wrong(w->check, "%s: the MiB from byte %" PRIu64 " is damaged",
	    w->where, offset);
}

/* False: what is there is not to be walked. */
static bool
check_trailer(struct walk *w, const char *path)
{
	switch (trailer_verify(path, tell_offset, w)) {
	case TRAILER_GOOD:
		return true;
	case TRAILER_NONE:
		/* One of before there were trailers; store_open() decides. */
		return true;
	case TRAILER_DAMAGED:
		check_wrong(w->check, "%s: not what was sealed", w->where);
		return false;
	case TRAILER_ERROR:
		break;
	}
	check_wrong(w->check, "%s: %s", w->where, strerror(errno));
	return false;
}

static void
walk_all(struct walk *w, const struct sweep_info *info, const char *path)
{
	char certs[PATH_CAP];

	snprintf(certs, sizeof certs, "%s/" LAYOUT_CERTS, w->check->datadir);
	w->summed = info->version >= VERSION_SUMS;
	if (view_open(&w->view, path,
		w->sealed ? MDB_NOSUBDIR | MDB_NOLOCK : 0) != 0) {
		check_wrong(w->check, "%s: cannot be opened", w->where);
		return;
	}
	/* None is kept before the first one has come. */
	if (view_open(&w->certs, certs, MDB_NOSUBDIR) == 0)
		w->certs_dbi = view_dbi(&w->certs, DB_CERTS);
	w->heads = view_dbi(&w->view, DB_HEADS);
	w->texts = view_dbi(&w->view, DB_TEXTS);
	for (int i = 0; i < TABLES; i++)
		if (w->sealed ? tables[i].sealed : tables[i].live)
			walk_table(w, &tables[i]);
	view_close(&w->certs);
	view_close(&w->view);
	if (w->sealed)
		check_counts(w, info);
}

void
check_sweep(struct check *c, const char *id)
{
	char path[PATH_CAP], where[SWEEP_ID_MAX + 32], error[STORE_ERROR_MAX];
	struct walk w = { .check = c, .where = where };
	struct sweep_info info;
	struct store *s;

	w.sealed = strcmp(id, LAYOUT_LIVE) != 0;
	if (w.sealed)
		snprintf(where, sizeof where,
		    LAYOUT_SEALED "/%.*s" LAYOUT_SUFFIX, SWEEP_ID_MAX, id);
	else
		snprintf(where, sizeof where, LAYOUT_LIVE);
	snprintf(path, sizeof path, "%s/%s", c->datadir, where);
	if (w.sealed && !check_trailer(&w, path))
		return;
	s = store_open(c->datadir, id, error);
	if (!s) {
		check_wrong(c, "%s", error);
		return;
	}
	info = *store_info(s);
	store_close(s);
	walk_all(&w, &info, path);
}
