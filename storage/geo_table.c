/* geo_table.c: address ranges that may nest, looked up by bisection. */
#include <stdlib.h>
#include <string.h>

#include "storage/geo_table.h"

enum { FIRST_CAP = 64 };

int
geo_table_add(struct geo_table *t, const struct geo_range *r)
{
	size_t cap = t->cap > 0 ? t->cap * 2 : FIRST_CAP;
	struct geo_range *more;

	if (t->n == t->cap) {
		more = realloc(t->v, cap * sizeof *more);
		if (more == NULL)
			return -1;
		t->v = more;
		t->cap = cap;
	}
	t->v[t->n++] = *r;
	return 0;
}

/* By first address; of two that begin together the wider one first. */
static int
compare(const void *a, const void *b)
{
	const struct geo_range *x = a, *y = b;
	int c = addr_cmp(&x->first, &y->first);

	if (c == 0)
		c = addr_cmp(&y->last, &x->last);
	/* The same range twice: the later line of the file is the inner. */
	return c != 0 ? c : (x->row > y->row) - (x->row < y->row);
}

static struct addr
neighbour(const struct addr *a, int step)
{
	struct addr n = *a;

	for (int i = 15; i >= 0; i--) {
		int sum = n.b[i] + step;

		n.b[i] = (uint8_t)sum;
		if (sum >= 0 && sum <= 255)
			break;
	}
	return n;
}

/* The pieces made so far, and the ranges that are open, widest first. */
struct cutter {
	struct geo_table out;
	const struct geo_range *all;
	size_t *open; /* of all */
	size_t depth;
	struct addr from; /* nothing before it is left to do */
};

/* What the innermost open range covers from `from` up to an end. */
static int
cut(struct cutter *c, const struct addr *last)
{
	struct geo_range piece = { .first = c->from,
		.last = *last,
		.row = c->all[c->open[c->depth - 1]].row };

	if (addr_cmp(&piece.first, &piece.last) > 0)
		return 0;
	c->from = neighbour(last, 1);
	return geo_table_add(&c->out, &piece);
}

/* Close what ends before an address; NULL: all. */
static int
close_before(struct cutter *c, const struct addr *before)
{
	while (c->depth > 0) {
		const struct addr *last = &c->all[c->open[c->depth - 1]].last;

		if (before != NULL && addr_cmp(last, before) >= 0)
			break;
		if (cut(c, last) != 0)
			return -1;
		c->depth--;
	}
	return 0;
}

static int
open_range(struct cutter *c, size_t which)
{
	const struct geo_range *r = &c->all[which];
	struct addr end;

	if (close_before(c, &r->first) != 0)
		return -1;
	if (c->depth > 0 && addr_cmp(&c->from, &r->first) < 0) {
		end = neighbour(&r->first, -1);
		if (cut(c, &end) != 0)
			return -1;
	}
	c->from = r->first;
	c->open[c->depth++] = which;
	return 0;
}

int
geo_table_seal(struct geo_table *t)
{
	struct cutter c = { .all = t->v };
	int rc = 0;

	if (t->n == 0)
		return 0;
	qsort(t->v, t->n, sizeof t->v[0], compare);
	c.open = calloc(t->n, sizeof *c.open);
	if (c.open == NULL)
		return -1;
	for (size_t i = 0; i < t->n && rc == 0; i++)
		rc = open_range(&c, i);
	if (rc == 0)
		rc = close_before(&c, NULL);
	free(c.open);
	free(t->v);
	*t = c.out;
	return rc;
}

uint32_t
geo_table_find(const struct geo_table *t, const struct addr *a)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_cmp(&t->v[middle].last, a) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == t->n || addr_cmp(&t->v[low].first, a) > 0)
		return GEO_NO_ROW;
	return t->v[low].row;
}

void
geo_table_free(struct geo_table *t)
{
	free(t->v);
	memset(t, 0, sizeof *t);
}
