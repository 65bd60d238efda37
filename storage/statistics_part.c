/* statistics_part.c: what several processes have counted, made one. */
#include <string.h>

#include "storage/buf.h"
#include "storage/statistics_own.h"

/*
 * Sent by a process to the one that it was forked from, so that structures are
 * as they lie: the beginning, rows, groups, then names, each with its letters.
 */
struct beginning {
	struct headline headline;
	struct counts total, phantoms;
	size_t rows, groups, names;
};

struct as_letters {
	struct target from;
	uint32_t asn;
	size_t len;
};

/* Bytes that are left; what is more than these ends it. */
struct left {
	const uint8_t *at;
	size_t len;
};

static size_t
put_names(const struct as_names *names, struct buf *b)
{
	struct as_letters one = { .len = 0 };
	const char *name;
	size_t n = 0;

	while (names && (name = as_names_at(names, n, &one.asn, &one.from))) {
		one.len = strlen(name);
		buf_add(b, &one, sizeof one);
		buf_add(b, name, one.len);
		n++;
	}
	return n;
}

void
statistics_part(struct statistics *s, struct buf *b)
{
	struct buf names = { 0 };
	struct beginning begin = { .headline = *statistics_headline(s),
		.total = s->total.counts,
		.phantoms = s->phantoms.counts,
		.rows = s->rows.n,
		.groups = s->groups.n,
		.names = put_names(s->names, &names) };

	buf_add(b, &begin, sizeof begin);
	buf_add(b, s->rows.v, s->rows.n * sizeof *s->rows.v);
	buf_add(b, s->groups.v, s->groups.n * sizeof *s->groups.v);
	buf_add(b, names.s, names.len);
	buf_free(&names);
}

static bool
take(struct left *l, void *to, size_t len)
{
	if (l->len < len)
		return false;
	memcpy(to, l->at, len);
	l->at += len;
	l->len -= len;
	return true;
}

static bool
add_rows(struct table *t, size_t n, struct left *l)
{
	struct stat_row r;

	for (; n > 0; n--) {
		if (!take(l, &r, sizeof r))
			return false;
		counts_add(&statistics_table_row(t, r.key)->counts, &r.counts);
	}
	return true;
}

static bool
add_names(struct as_names *names, size_t n, struct left *l)
{
	struct as_letters one;

	for (; n > 0; n--) {
		if (!take(l, &one, sizeof one) || l->len < one.len || !names)
			return false;
		as_names_put(
		    names, one.asn, &one.from, (const char *)l->at, one.len);
		l->at += one.len;
		l->len -= one.len;
	}
	return l->len == 0;
}

_Static_assert(sizeof(struct headline) % sizeof(uint64_t) == 0, "all u64");

static void
add_headline(struct headline *to, const struct headline *from)
{
	uint64_t a[sizeof *to / sizeof(uint64_t)], b[sizeof a / sizeof *a];

	memcpy(a, to, sizeof a);
	memcpy(b, from, sizeof b);
	for (size_t i = 0; i < sizeof a / sizeof *a; i++)
		a[i] += b[i];
	memcpy(to, a, sizeof a);
}

bool
statistics_add_part(struct statistics *s, const uint8_t *bytes, size_t len)
{
	struct left l = { bytes, len };
	struct beginning begin;

	statistics_headline(s); /* its last address has passed */
	s->sorted = false;
	if (!take(&l, &begin, sizeof begin))
		return false;
	add_headline(&s->headline, &begin.headline);
	counts_add(&s->total.counts, &begin.total);
	counts_add(&s->phantoms.counts, &begin.phantoms);
	return add_rows(&s->rows, begin.rows, &l) &&
	    add_rows(&s->groups, begin.groups, &l) &&
	    add_names(s->names, begin.names, &l);
}
