/* statistics.c: mail services counted by country, protocol and other cuts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/as_names.h"
#include "storage/cut.h"
#include "storage/feed.h"
#include "storage/statistics_own.h"
#include "storage/text.h"

enum { FIRST_SLOTS = 1024 };

/* What a host has counted as in a row. */
enum {
	HAD_HOST = 1,
	HAD_POP3 = 2,
	HAD_IMAP = 4,
	HAD_SMTP = 8,
	HAD_BOTH = HAD_POP3 | HAD_IMAP,
	HAD_ANY = HAD_POP3 | HAD_IMAP | HAD_SMTP
};

/* What a service adds to each row that it belongs to. */
struct service {
	enum tls_state state;
	bool no_tls, cleartext, vulnerable, phantom, refused, six;
	uint32_t host, as; /* which address; HAD_... */
};

static uint64_t
mix(const uint64_t key[CUTS_MAX])
{
	uint64_t h = 0;

	for (unsigned i = 0; i < CUTS_MAX; i++) {
		h = (h ^ key[i]) * 0xbf58476d1ce4e5b9;
		h ^= h >> 29;
	}
	return h ^ h >> 32;
}

static uint32_t *
table_slot(const struct table *t, const uint64_t key[CUTS_MAX])
{
	size_t at = mix(key) & (t->nslots - 1);

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

struct stat_row *
statistics_table_row(struct table *t, const uint64_t key[CUTS_MAX])
{
	uint32_t *slot;

	/* The services of a host are in one country and in one AS. */
	if (t->last != 0 &&
	    memcmp(t->v[t->last - 1].key, key, sizeof t->v->key) == 0)
		return &t->v[t->last - 1];
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
	t->last = *slot;
	return &t->v[*slot - 1];
}

struct statistics *
statistics_new(const enum cut cuts[CUTS_MAX])
{
	struct statistics *s = need_memory(1, sizeof *s);

	memcpy(s->cuts, cuts, sizeof s->cuts);
	s->ncuts = 1;
	for (unsigned i = 0; i < CUTS_MAX; i++) {
		if (cuts[i] != CUT_NONE)
			s->ncuts = i + 1;
		if (cuts[i] == CUT_ASN && !s->names)
			s->names = as_names_new();
	}
	return s;
}

void
statistics_free(struct statistics *s)
{
	if (!s)
		return;
	as_names_free(s->names);
	for (unsigned i = 0; i < CUTS_MAX; i++)
		labels_free(&s->labels[i]);
	free(s->rows.v);
	free(s->rows.slots);
	free(s->groups.v);
	free(s->groups.slots);
	free(s);
}

const enum cut *
statistics_cuts(const struct statistics *s)
{
	return s->cuts;
}

unsigned
statistics_cut_count(const struct statistics *s)
{
	return s->ncuts;
}

_Static_assert(sizeof(struct counts) % sizeof(uint64_t) == 0, "all u64");

void
counts_add(struct counts *to, const struct counts *from)
{
	uint64_t *a = (uint64_t *)to;
	const uint64_t *b = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof *to / sizeof *a; i++)
		a[i] += b[i];
}

static bool
is_type(unsigned types, enum feed_type type)
{
	return types >> type & 1;
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
	s->passing = (struct passing){ .number = p->number };
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

/* What feeds say of a row, asked once for all tables. */
struct judged {
	unsigned types;
	bool imap; /* without TLS */
};

static void
note_address(struct statistics *s, const struct row *r, const struct judged *j)
{
	struct passing *p = &s->passing;

	if (p->any && addr_cmp(&p->addr, &r->target.addr) != 0)
		close_address(s);
	p->number += !p->any;
	p->any = true;
	p->addr = r->target.addr;
	p->service |= head_is_service(&r->head);
	p->pop3 |= is_type(j->types, FEED_POP3_VULNERABLE);
	p->imap |= j->imap;
	p->preauth |= head_has(&r->head, FINDING_PREAUTH);
}

static void
keep_as_name(struct statistics *s, const struct row *r)
{
	struct buf text = { 0 };

	if (as_names_get(s->names, r->head.asn))
		return;
	row_text(r, TAG_AS_NAME, &text);
	as_names_put(
	    s->names, r->head.asn, &r->target, buf_text(&text), text.len);
	buf_free(&text);
}

bool
statistics_wants_body(const struct statistics *s, const struct head *h)
{
	if (!head_is_service(h))
		return false;
	for (unsigned i = 0; i < s->ncuts; i++)
		if (cut_reads_body(s->cuts[i]))
			return true;
	return s->names && !as_names_get(s->names, h->asn);
}

static struct service
service_of(
    const struct statistics *s, const struct head *h, const struct judged *j)
{
	struct service v = { .state = head_tls_state(h),
		.no_tls = head_has(h, FINDING_NO_TLS),
		.cleartext = head_has(h, FINDING_CLEARTEXT_LOGIN),
		.vulnerable = is_type(j->types, FEED_POP3_VULNERABLE) ||
		    is_type(j->types, FEED_IMAP_VULNERABLE),
		.phantom = head_has(h, FINDING_PHANTOM),
		.refused = head_has(h, FINDING_REFUSED_US),
		.six = !addr_is4(&s->passing.addr),
		.host = s->passing.number };

	if (!v.phantom || head_had_dialog(h))
		v.as |= HAD_HOST;
	if (is_type(j->types, FEED_POP3_VULNERABLE))
		v.as |= HAD_POP3;
	if (j->imap)
		v.as |= HAD_IMAP;
	if (v.no_tls && h->protocol == PROTOCOL_SMTP)
		v.as |= HAD_SMTP;
	return v;
}

/* Of an address only what it had not counted as yet. */
static void
count_host(struct stat_row *r, const struct service *v)
{
	struct counts *c = &r->counts;
	uint32_t first;

	if (r->host != v->host)
		r->had = 0;
	r->host = v->host;
	first = v->as & ~r->had;
	c->exposed[v->six] += (first & HAD_ANY) && !(r->had & HAD_ANY);
	r->had |= v->as;
	c->both[v->six] +=
	    (first & HAD_BOTH) && (r->had & HAD_BOTH) == HAD_BOTH;
	c->hosts[v->six] += (first & HAD_HOST) != 0;
	c->pop3[v->six] += (first & HAD_POP3) != 0;
	c->imap[v->six] += (first & HAD_IMAP) != 0;
	c->smtp[v->six] += (first & HAD_SMTP) != 0;
}

static void
count_service(struct stat_row *r, const struct service *v)
{
	struct counts *c = &r->counts;

	c->services++;
	c->tls[v->state]++;
	c->no_tls += v->no_tls;
	c->cleartext_login += v->cleartext;
	c->vulnerable += v->vulnerable;
	c->phantoms += v->phantom;
	c->refused_us += v->refused;
	if (v->as)
		count_host(r, v);
}

/* Count under each value of every cut (a finding cut has several). */
static void
count_cuts(struct statistics *s, const struct row *r, const struct service *v,
    uint64_t key[CUTS_MAX], unsigned at)
{
	uint64_t group[CUTS_MAX] = { 0 };
	uint32_t more = 0;

	do {
		key[at] = cut_value(s->cuts[at], r, &s->labels[at], &more);
		group[0] = key[0];
		if (at == 0 && s->ncuts > 1)
			statistics_table_row(&s->groups, group)
			    ->counts.services++;
		if (at + 1 < s->ncuts)
			count_cuts(s, r, v, key, at + 1);
		else
			count_service(statistics_table_row(&s->rows, key), v);
	} while (more != 0);
}

static void
add(struct statistics *s, const struct row *r, const struct judged *j)
{
	uint64_t key[CUTS_MAX] = { 0 };
	struct service v;

	s->headline.rows++;
	note_address(s, r, j);
	if (!head_is_service(&r->head)) {
		s->headline.other++;
		s->headline.phantoms_silent +=
		    head_has(&r->head, FINDING_PHANTOM);
		return;
	}
	s->headline.services++;
	s->sorted = false;
	if (s->names)
		keep_as_name(s, r);
	v = service_of(s, &r->head, j);
	count_service(&s->total, &v);
	if (v.phantom && (v.as & HAD_HOST))
		count_service(&s->phantoms, &v);
	count_cuts(s, r, &v, key, 0);
}

void
statistics_add_all(struct statistics *const *s, size_t n, const struct row *r)
{
	struct judged j = { .types = feed_types(&r->head, false) };

	j.imap = is_imap_without_tls(&r->head, j.types);
	for (size_t i = 0; i < n; i++)
		add(s[i], r, &j);
}

void
statistics_add(struct statistics *s, const struct row *r)
{
	statistics_add_all(&s, 1, r);
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
	return &s->total.counts;
}

uint64_t
statistics_group(const struct statistics *s, const struct stat_row *r)
{
	uint64_t key[CUTS_MAX] = { r->key[0] };
	uint32_t slot;

	if (s->ncuts == 1)
		return r->counts.services;
	slot = s->groups.nslots ? *table_slot(&s->groups, key) : 0;
	return slot ? s->groups.v[slot - 1].counts.services : 0;
}

const struct counts *
statistics_phantoms(const struct statistics *s)
{
	return &s->phantoms.counts;
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
	for (unsigned i = 1; order == 0 && i < s->ncuts; i++)
		order = compare_numbers(x->key[i], y->key[i]);
	return order;
}

static void
set_ranks(struct statistics *s)
{
	struct stat_row *v = s->rows.v;
	uint32_t rank = 0;

	for (size_t i = 0; i < s->rows.n; i++) {
		bool known = !statistics_is_unknown(s, &v[i]);

		rank += known && (i == 0 || v[i].key[0] != v[i - 1].key[0]);
		v[i].rank = known ? rank : 0;
	}
}

const struct stat_row *
statistics_rows(struct statistics *s, size_t *n)
{
	*n = s->rows.n;
	if (s->sorted || s->rows.n == 0)
		return s->rows.v;
	qsort_r(s->rows.v, s->rows.n, sizeof *s->rows.v, compare_rows, s);
	/* What points at where rows were before. */
	s->rows.last = 0;
	memset(s->rows.slots, 0, s->rows.nslots * sizeof *s->rows.slots);
	for (size_t i = 0; i < s->rows.n; i++)
		*table_slot(&s->rows, s->rows.v[i].key) = (uint32_t)i + 1;
	set_ranks(s);
	s->sorted = true;
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
	const char *name =
	    s->names ? as_names_get(s->names, (uint32_t)asn) : NULL;

	return name ? name : "";
}

const struct stat_row *
statistics_find(const struct statistics *s, const struct statistics *of,
    const struct stat_row *r)
{
	uint64_t key[CUTS_MAX] = { 0 };
	uint32_t slot;

	for (unsigned i = 0; i < s->ncuts; i++)
		if (!labels_same(&s->labels[i], &of->labels[i],
			cut_has_labels(s->cuts[i]), r->key[i], &key[i]))
			return NULL;
	slot = s->rows.nslots ? *table_slot(&s->rows, key) : 0;
	return slot ? &s->rows.v[slot - 1] : NULL;
}
