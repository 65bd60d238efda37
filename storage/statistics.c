/* statistics.c: mail services counted by country, protocol and other cuts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/cut.h"
#include "storage/feed.h"
#include "storage/text.h"

enum { FIRST_SLOTS = 1024 };

/* Rows by their keys: open addressing, at most half full. */
struct table {
	struct stat_row *v;
	size_t n, cap;
	uint32_t *slots; /* index + 1 */
	size_t nslots;
};

struct as_name {
	uint64_t asn;
	char *name;
};

/* What is known of the address whose rows are passing by. */
struct passing {
	struct addr addr;
	bool any, service, pop3, imap, preauth;
};

struct statistics {
	enum cut cuts[CUTS_MAX];
	struct labels labels[CUTS_MAX];
	struct table rows, groups; /* groups: by the first key alone */
	struct counts total;
	struct headline headline;
	struct passing passing;
	struct as_name *names; /* in the order of groups */
	size_t nnames;
};

static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;

	h = (h ^ h >> 29 ^ b) * 0x94d049bb133111eb;
	return h ^ h >> 32;
}

static uint32_t *
table_slot(const struct table *t, const uint64_t key[CUTS_MAX])
{
	size_t at = mix(key[0], key[1]) & (t->nslots - 1);

	while (t->slots[at] != 0 &&
	    memcmp(t->v[t->slots[at] - 1].key, key, sizeof t->v->key) != 0)
		at = (at + 1) & (t->nslots - 1);
	return &t->slots[at];
}

static void
table_grow(struct table *t)
{
	free(t->slots);
	t->nslots = t->nslots ? t->nslots * 2 : FIRST_SLOTS;
	t->slots = need_memory(t->nslots, sizeof *t->slots);
	for (size_t i = 0; i < t->n; i++)
		*table_slot(t, t->v[i].key) = (uint32_t)i + 1;
}

static struct counts *
table_counts(struct table *t, const uint64_t key[CUTS_MAX])
{
	uint32_t *slot;

	if (t->n * 2 >= t->nslots)
		table_grow(t);
	slot = table_slot(t, key);
	if (*slot == 0) {
		if (t->n == t->cap) {
			t->cap = t->cap ? t->cap * 2 : FIRST_SLOTS;
			t->v = need_more(t->v, t->cap, sizeof *t->v);
		}
		t->v[t->n] = (struct stat_row){ 0 };
		memcpy(t->v[t->n].key, key, sizeof t->v->key);
		*slot = (uint32_t)++t->n;
	}
	return &t->v[*slot - 1].counts;
}

struct statistics *
statistics_new(enum cut first, enum cut second)
{
	struct statistics *s = need_memory(1, sizeof *s);

	s->cuts[0] = first;
	s->cuts[1] = second;
	return s;
}

void
statistics_free(struct statistics *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nnames; i++)
		free(s->names[i].name);
	free(s->names);
	for (unsigned i = 0; i < CUTS_MAX; i++)
		labels_free(&s->labels[i]);
	free(s->rows.v);
	free(s->rows.slots);
	free(s->groups.v);
	free(s->groups.slots);
	free(s);
}

void
counts_add(struct counts *to, const struct counts *from)
{
	to->services += from->services;
	for (int i = 0; i < TLS_STATES; i++)
		to->tls[i] += from->tls[i];
	to->no_tls += from->no_tls;
	to->cleartext_login += from->cleartext_login;
	to->vulnerable += from->vulnerable;
	to->phantoms += from->phantoms;
	to->refused_us += from->refused_us;
}

static bool
is_type(unsigned types, enum feed_type type)
{
	return types >> type & 1;
}

static struct counts
count_head(const struct head *h, unsigned types)
{
	struct counts c = { .services = 1 };

	c.tls[head_tls_state(h)] = 1;
	c.no_tls = head_has(h, FINDING_NO_TLS);
	c.cleartext_login = head_has(h, FINDING_CLEARTEXT_LOGIN);
	c.vulnerable = is_type(types, FEED_POP3_VULNERABLE) ||
	    is_type(types, FEED_IMAP_VULNERABLE);
	c.phantoms = head_has(h, FINDING_PHANTOM);
	c.refused_us = head_has(h, FINDING_REFUSED_US);
	return c;
}

/* The rows of an address have passed. */
static void
close_address(struct statistics *s)
{
	const struct passing *p = &s->passing;
	struct headline *l = &s->headline;
	bool six = !addr_is4(&p->addr);

	if (!p->any)
		return;
	l->addresses[six] += p->service;
	l->pop3[six] += p->pop3;
	l->imap[six] += p->imap;
	l->both[six] += p->pop3 && p->imap;
	l->only_pop3[six] += p->pop3 && !p->imap;
	l->only_imap[six] += p->imap && !p->pop3;
	l->preauth[six] += p->preauth;
	s->passing = (struct passing){ 0 };
}

/*
 * scan_imap_vulnerable holds what lets in without a password as well, TLS or
 * not; that is counted apart.
 */
static bool
is_imap_without_tls(const struct head *h, unsigned types)
{
	struct head other = *h;

	if (!is_type(types, FEED_IMAP_VULNERABLE))
		return false;
	other.findings &= ~(1u << FINDING_PREAUTH);
	return is_type(feed_types(&other, false), FEED_IMAP_VULNERABLE);
}

static void
note_address(struct statistics *s, const struct row *r, unsigned types)
{
	struct passing *p = &s->passing;

	if (p->any && addr_cmp(&p->addr, &r->target.addr) != 0)
		close_address(s);
	p->any = true;
	p->addr = r->target.addr;
	p->service |= head_is_service(&r->head);
	p->pop3 |= is_type(types, FEED_POP3_VULNERABLE);
	p->imap |= is_imap_without_tls(&r->head, types);
	p->preauth |= head_has(&r->head, FINDING_PREAUTH);
}

static size_t
name_place(const struct statistics *s, uint64_t asn)
{
	size_t low = 0, high = s->nnames;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->names[middle].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
name_known(const struct statistics *s, uint64_t asn)
{
	size_t at = name_place(s, asn);

	return at < s->nnames && s->names[at].asn == asn;
}

static void
keep_as_name(struct statistics *s, const struct row *r)
{
	size_t at = name_place(s, r->head.asn);
	struct buf text = { 0 };

	if (name_known(s, r->head.asn))
		return;
	row_text(r, TAG_AS_NAME, &text);
	s->names = need_more(s->names, s->nnames + 1, sizeof *s->names);
	memmove(&s->names[at + 1], &s->names[at],
	    (s->nnames - at) * sizeof *s->names);
	s->names[at].asn = r->head.asn;
	s->names[at].name = need_copy(buf_text(&text), text.len);
	s->nnames++;
	buf_free(&text);
}

bool
statistics_wants_body(const struct statistics *s, const struct head *h)
{
	if (!head_is_service(h))
		return false;
	return cut_reads_body(s->cuts[0]) || cut_reads_body(s->cuts[1]) ||
	    ((s->cuts[0] == CUT_ASN || s->cuts[1] == CUT_ASN) &&
		!name_known(s, h->asn));
}

/* Count under each value of both cuts (a finding cut has several). */
static void
count_cuts(struct statistics *s, const struct row *r, const struct counts *c)
{
	uint32_t more = 0, inner;

	do {
		uint64_t key[CUTS_MAX] = { 0 }, group[CUTS_MAX] = { 0 };

		key[0] = cut_value(s->cuts[0], r, &s->labels[0], &more);
		group[0] = key[0];
		counts_add(table_counts(&s->groups, group), c);
		inner = 0;
		do {
			key[1] =
			    cut_value(s->cuts[1], r, &s->labels[1], &inner);
			counts_add(table_counts(&s->rows, key), c);
		} while (inner != 0);
	} while (more != 0);
}

void
statistics_add(struct statistics *s, const struct row *r)
{
	unsigned types = feed_types(&r->head, false);
	struct counts c;

	s->headline.rows++;
	note_address(s, r, types);
	if (!head_is_service(&r->head)) {
		s->headline.other++;
		s->headline.phantoms_silent +=
		    head_has(&r->head, FINDING_PHANTOM);
		return;
	}
	s->headline.services++;
	if (s->cuts[0] == CUT_ASN || s->cuts[1] == CUT_ASN)
		keep_as_name(s, r);
	c = count_head(&r->head, types);
	counts_add(&s->total, &c);
	count_cuts(s, r, &c);
}

const struct headline *
statistics_headline(struct statistics *s)
{
	close_address(s);
	return &s->headline;
}

const struct counts *
statistics_total(const struct statistics *s)
{
	return &s->total;
}

uint64_t
statistics_group(const struct statistics *s, const struct stat_row *r)
{
	uint64_t key[CUTS_MAX] = { r->key[0], 0 };
	uint32_t slot = s->groups.nslots ? *table_slot(&s->groups, key) : 0;

	return slot ? s->groups.v[slot - 1].counts.services : 0;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Largest group first, inside it the largest row; keys settle a draw. */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	const struct statistics *s = arg;
	const struct stat_row *x = a, *y = b;
	int order =
	    compare_numbers(statistics_group(s, y), statistics_group(s, x));

	if (order == 0)
		order = compare_numbers(x->key[0], y->key[0]);
	if (order == 0)
		order = compare_numbers(y->counts.services, x->counts.services);
	return order ? order : compare_numbers(x->key[1], y->key[1]);
}

const struct stat_row *
statistics_rows(struct statistics *s, size_t *n)
{
	*n = s->rows.n;
	if (s->rows.n > 0 && s->rows.slots)
		qsort_r(
		    s->rows.v, s->rows.n, sizeof *s->rows.v, compare_rows, s);
	/* The slots point at where rows were before. */
	free(s->rows.slots);
	s->rows.slots = NULL;
	s->rows.nslots = 0;
	return s->rows.v;
}

bool
statistics_is_unknown(const struct statistics *s, const struct stat_row *r)
{
	return cut_is_unknown(s->cuts[0], &s->labels[0], r->key[0]);
}

const char *
statistics_label(const struct statistics *s, const struct stat_row *r,
    unsigned which, char label[CUT_LABEL_MAX])
{
	return cut_label(
	    s->cuts[which], &s->labels[which], r->key[which], label);
}

const char *
statistics_as_name(const struct statistics *s, uint64_t asn)
{
	return name_known(s, asn) ? s->names[name_place(s, asn)].name : "";
}
