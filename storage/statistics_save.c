/* statistics_save.c: tables that the seal counts, as bytes and back. */
#include <string.h>

#include <xxhash.h>

#include "storage/buf.h"
#include "storage/statistics_own.h"

enum { SUM_LEN = 8, NAME_MAX_LEN = 4096 };

/* clang-format off */
const enum cut sealed_tables[SEALED_TABLES][CUTS_MAX] = {
	{ CUT_COUNTRY, CUT_PROTOCOL },
	{ CUT_COUNTRY, CUT_CHANGE },
	{ CUT_COUNTRY },
	{ CUT_ASN },
	{ CUT_PORT },
	{ CUT_PROTOCOL },
	{ CUT_FINDING, CUT_PROTOCOL },
	{ CUT_TLS, CUT_PROTOCOL },
};
/* clang-format on */

/* Bytes that are being read. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

void
cuts_name(const enum cut cuts[CUTS_MAX], struct buf *b)
{
	for (unsigned i = 0; i < CUTS_MAX; i++)
		if (i == 0 || cuts[i] != CUT_NONE)
			buf_printf(b, i ? ",%s" : "%s", cut_names[cuts[i]]);
}

static void
put_number(struct buf *b, uint64_t n)
{
	buf_add(b, &n, sizeof n);
}

static void
save_names(const struct as_names *names, struct buf *b)
{
	uint32_t asn;
	const char *name;

	for (size_t i = 0; names && (name = as_names_at(names, i, &asn, NULL));
	     i++) {
		put_number(b, asn);
		put_number(b, strlen(name));
		buf_add(b, name, strlen(name));
	}
}

void
statistics_save(struct statistics *s, struct buf *b)
{
	const struct headline *h = statistics_headline(s);
	size_t from = b->len;

	put_number(b, sizeof *h / sizeof(uint64_t));
	put_number(b, sizeof s->total.counts / sizeof(uint64_t));
	put_number(b, s->ncuts);
	put_number(b, s->rows.n);
	buf_add(b, h, sizeof *h);
	buf_add(b, &s->total.counts, sizeof s->total.counts);
	buf_add(b, &s->phantoms.counts, sizeof s->phantoms.counts);
	for (size_t i = 0; i < s->rows.n; i++) {
		const struct stat_row *r = &s->rows.v[i];

		buf_add(b, r->key, s->ncuts * sizeof r->key[0]);
		buf_add(b, &r->counts, sizeof r->counts);
	}
	save_names(s->names, b);
	put_number(b, XXH3_64bits(b->s + from, b->len - from));
}

static void
get(struct cursor *c, void *to, size_t len)
{
	if (c->bad || c->left < len) {
		c->bad = true;
		memset(to, 0, len);
		return;
	}
	memcpy(to, c->at, len);
	c->at += len;
	c->left -= len;
}

static uint64_t
get_number(struct cursor *c)
{
	uint64_t n;

	get(c, &n, sizeof n);
	return n;
}

/* Of values that no cut has, names would be looked up past their tables. */
static bool
is_value(enum cut cut, uint64_t v)
{
	switch (cut) {
	case CUT_PROTOCOL:
		return v < PROTOCOL_COUNT;
	case CUT_FINDING:
		return v <= FINDING_COUNT;
	case CUT_CHANGE:
		return v < CHANGE_COUNT;
	case CUT_COUNTRY:
	case CUT_PORT:
	case CUT_TLS:
		return v <= UINT16_MAX;
	default:
		return cut == CUT_ASN && v <= UINT32_MAX;
	}
}

static void
load_row(struct statistics *s, struct cursor *c)
{
	uint64_t key[CUTS_MAX] = { 0 }, group[CUTS_MAX] = { 0 };
	struct counts counts;

	get(c, key, s->ncuts * sizeof key[0]);
	get(c, &counts, sizeof counts);
	for (unsigned i = 0; i < s->ncuts; i++)
		c->bad |= !is_value(s->cuts[i], key[i]);
	if (c->bad)
		return;
	statistics_table_row(&s->rows, key)->counts = counts;
	group[0] = key[0];
	if (s->ncuts > 1)
		counts_add(
		    &statistics_table_row(&s->groups, group)->counts, &counts);
}

static void
load_names(struct statistics *s, struct cursor *c)
{
	static const struct target unknown;

	while (s->names && !c->bad && c->left > 0) {
		uint64_t asn = get_number(c), len = get_number(c);

		c->bad |= len > NAME_MAX_LEN || len > c->left;
		if (c->bad)
			return;
		as_names_put(s->names, (uint32_t)asn, &unknown,
		    (const char *)c->at, (size_t)len);
		c->at += len;
		c->left -= (size_t)len;
	}
	c->bad |= c->left > 0;
}

/* The sizes are those of this program's structures. */
static bool
load(struct statistics *s, struct cursor *c)
{
	uint64_t nheadline = get_number(c), ncounts = get_number(c),
		 ncuts = get_number(c), nrows = get_number(c);

	if (nheadline != sizeof s->headline / sizeof(uint64_t) ||
	    ncounts != sizeof s->total.counts / sizeof(uint64_t) ||
	    ncuts != s->ncuts)
		return false;
	get(c, &s->headline, sizeof s->headline);
	get(c, &s->total.counts, sizeof s->total.counts);
	get(c, &s->phantoms.counts, sizeof s->phantoms.counts);
	for (uint64_t i = 0; i < nrows && !c->bad; i++)
		load_row(s, c);
	load_names(s, c);
	return !c->bad;
}

struct statistics *
statistics_load(const enum cut cuts[CUTS_MAX], const uint8_t *bytes, size_t len)
{
	struct statistics *s;
	struct cursor c = { bytes, len, false };
	uint64_t sum;

	if (len < SUM_LEN)
		return NULL;
	c.left -= SUM_LEN;
	memcpy(&sum, bytes + c.left, sizeof sum);
	if (sum != XXH3_64bits(bytes, c.left))
		return NULL;
	s = statistics_new(cuts);
	if (load(s, &c))
		return s;
	statistics_free(s);
	return NULL;
}
