/* feed_match.c: which recipients a row goes to, all of them in one pass. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ranges.h"
#include "storage/feed_match.h"

enum { NAME_CAP = 256 };

/* One filter of a number: an AS, or a country as two bytes. */
struct by_number {
	uint32_t number;
	size_t recipient;
};

struct by_range {
	struct addr first, last;
	size_t recipient;
};

struct by_domain {
	uint64_t hash; /* from its end to its beginning */
	const char *domain;
	size_t recipient;
};

/*
 * Ranges are sorted by their first address. Rows come in address order too,
 * so a cursor walks along: `active` are the ranges that the last address was
 * in or that reach past it.
 */
struct match {
	struct by_number *numbers; /* AS and countries, apart by COUNTRY */
	size_t nnumbers;
	struct by_range *ranges;
	size_t nranges, next;
	size_t *active, nactive;
	struct addr at;
	struct by_domain *domains; /* sorted by hash */
	size_t ndomains;
	uint32_t *slots; /* of a hash: the first one's index + 1 */
	size_t nslots;
	size_t *all, nall; /* those without a filter */
	size_t *out, nout;
	uint64_t *stamp, row; /* stamp[r] == row: r is in out already */
	size_t n;
};

#define COUNTRY(cc) \
	(UINT32_MAX ^ ((uint32_t)(uint8_t)(cc)[0] << 8 | (uint8_t)(cc)[1]))

static int
compare_numbers(const void *a, const void *b)
{
	const struct by_number *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct by_range *x = a, *y = b;

	return addr_cmp(&x->first, &y->first);
}

static int
compare_domains(const void *a, const void *b)
{
	const struct by_domain *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* FNV-1a, from right to left: all domains above a name in one walk. */
#define HASH_BEGIN ((uint64_t)0xcbf29ce484222325)

static uint64_t
hash_more(uint64_t h, char c)
{
	return (h ^ (uint8_t)tolower((uint8_t)c)) * 0x100000001b3;
}

static uint64_t
hash_of(const char *s)
{
	uint64_t h = HASH_BEGIN;

	for (size_t i = strlen(s); i > 0; i--)
		h = hash_more(h, s[i - 1]);
	return h;
}

static uint32_t *
slot_of(const struct match *m, uint64_t hash)
{
	size_t at = hash & (m->nslots - 1);

	while (m->slots[at] != 0 && m->domains[m->slots[at] - 1].hash != hash)
		at = (at + 1) & (m->nslots - 1);
	return &m->slots[at];
}

static void
index_domains(struct match *m)
{
	if (m->ndomains == 0)
		return;
	qsort(m->domains, m->ndomains, sizeof *m->domains, compare_domains);
	for (m->nslots = 2; m->nslots < 4 * m->ndomains;)
		m->nslots *= 2;
	m->slots = need_memory(m->nslots, sizeof *m->slots);
	for (size_t i = m->ndomains; i > 0; i--)
		*slot_of(m, m->domains[i - 1].hash) = (uint32_t)i;
}

static void
add_number(struct match *m, uint32_t number, size_t recipient)
{
	m->numbers = need_more(m->numbers, m->nnumbers + 1, sizeof *m->numbers);
	m->numbers[m->nnumbers++] = (struct by_number){ number, recipient };
}

static void
add_prefixes(struct match *m, const struct ranges *r, size_t recipient)
{
	size_t n = ranges_pieces(r);
	struct by_range *to;

	m->ranges = need_more(m->ranges, m->nranges + n + 1, sizeof *m->ranges);
	for (size_t i = 0; i < n; i++) {
		to = &m->ranges[m->nranges++];
		ranges_piece(r, i, &to->first, &to->last);
		to->recipient = recipient;
	}
}

static void
add_recipient(struct match *m, const struct recipient *r, size_t i)
{
	if (r->everything)
		m->all[m->nall++] = i;
	for (size_t k = 0; k < r->nasns; k++)
		add_number(m, r->asns[k], i);
	for (size_t k = 0; k < r->ncountries; k++)
		add_number(m, COUNTRY(r->countries[k]), i);
	if (r->prefixes)
		add_prefixes(m, r->prefixes, i);
	for (size_t k = 0; k < r->ndomains; k++) {
		m->domains =
		    need_more(m->domains, m->ndomains + 1, sizeof *m->domains);
		m->domains[m->ndomains++] =
		    (struct by_domain){ hash_of(r->domains[k]), r->domains[k],
			    i };
	}
}

struct match *
match_new(const struct recipients *all)
{
	struct match *m = need_memory(1, sizeof *m);

	m->n = all->n;
	m->all = need_memory(all->n, sizeof *m->all);
	m->out = need_memory(all->n, sizeof *m->out);
	m->stamp = need_memory(all->n, sizeof *m->stamp);
	for (size_t i = 0; i < all->n; i++)
		add_recipient(m, &all->v[i], i);
	m->active = need_memory(m->nranges, sizeof *m->active);
	if (m->nnumbers > 0)
		qsort(m->numbers, m->nnumbers, sizeof *m->numbers,
		    compare_numbers);
	if (m->nranges > 0)
		qsort(m->ranges, m->nranges, sizeof *m->ranges, compare_ranges);
	index_domains(m);
	return m;
}

void
match_free(struct match *m)
{
	if (!m)
		return;
	free(m->numbers);
	free(m->ranges);
	free(m->active);
	free(m->domains);
	free(m->slots);
	free(m->all);
	free(m->out);
	free(m->stamp);
	free(m);
}

bool
match_by_name(const struct match *m)
{
	return m->ndomains > 0;
}

static void
take(struct match *m, size_t recipient)
{
	if (m->stamp[recipient] == m->row)
		return;
	m->stamp[recipient] = m->row;
	m->out[m->nout++] = recipient;
}

static void
take_number(struct match *m, uint32_t number)
{
	size_t low = 0, high = m->nnumbers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->numbers[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < m->nnumbers && m->numbers[low].number == number; low++)
		take(m, m->numbers[low].recipient);
}

static void
take_prefixes(struct match *m, const struct addr *a)
{
	size_t kept = 0;

	if (addr_cmp(a, &m->at) < 0)
		m->next = m->nactive = 0;
	m->at = *a;
	while (
	    m->next < m->nranges && addr_cmp(&m->ranges[m->next].first, a) <= 0)
		m->active[m->nactive++] = m->next++;
	for (size_t i = 0; i < m->nactive; i++) {
		const struct by_range *r = &m->ranges[m->active[i]];

		if (addr_cmp(&r->last, a) < 0)
			continue;
		m->active[kept++] = m->active[i];
		take(m, r->recipient);
	}
	m->nactive = kept;
}

static void
take_suffix(struct match *m, uint64_t hash, const char *suffix, size_t len)
{
	size_t i = *slot_of(m, hash);

	for (; i > 0 && i <= m->ndomains && m->domains[i - 1].hash == hash; i++)
		if (strlen(m->domains[i - 1].domain) == len &&
		    strncasecmp(m->domains[i - 1].domain, suffix, len) == 0)
			take(m, m->domains[i - 1].recipient);
}

/* mail.example.net, example.net and net; a wildcard's star is a label. */
static void
take_name(struct match *m, const void *bytes, size_t len)
{
	const char *name = bytes;
	uint64_t hash = HASH_BEGIN;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len >= NAME_CAP)
		return;
	for (size_t i = len; i > 0; i--) {
		hash = hash_more(hash, name[i - 1]);
		if (i == 1 || name[i - 2] == '.')
			take_suffix(m, hash, name + i - 1, len - (i - 1));
	}
}

static void
take_names(struct match *m, const struct row *r, const struct cert_fields *cert)
{
	static const enum tag tags[] = { TAG_PTR, TAG_GREETING_NAME,
		TAG_EHLO_NAME };
	const void *last = "";
	struct field f;
	size_t len = 0;

	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
		if (!row_field(r, tags[i], &f) ||
		    (f.len == len && memcmp(f.bytes, last, len) == 0))
			continue;
		take_name(m, f.bytes, f.len);
		last = f.bytes;
		len = f.len;
	}
	for (size_t i = 0; cert && i < cert->nnames; i++)
		take_name(m, cert->names[i], strlen(cert->names[i]));
}

size_t
match_row(struct match *m, const struct row *r, const struct cert_fields *cert,
    const size_t **recipients)
{
	m->row++;
	m->nout = 0;
	for (size_t i = 0; i < m->nall; i++)
		take(m, m->all[i]);
	if (r->head.asn != 0)
		take_number(m, r->head.asn);
	take_number(m, COUNTRY(r->head.country));
	if (m->nranges > 0)
		take_prefixes(m, &r->target.addr);
	if (m->ndomains > 0)
		take_names(m, r, cert);
	*recipients = m->out;
	return m->nout;
}
