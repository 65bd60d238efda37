/* mask_sums.c: what the sums of several tables would give away together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "storage/buf.h"
#include "storage/mask_sums.h"

enum { COUNTS_MAX = 512, SUMS_MAX = 256 };
#define NONE        COUNTS_MAX
#define ALMOST_ZERO 1e-9

struct count {
	uint64_t n;
	bool *hidden;
};

struct mask_sums {
	struct count counts[COUNTS_MAX];
	unsigned ncounts;
	signed char in[SUMS_MAX][COUNTS_MAX]; /* 1: the sum, -1: a part */
	unsigned nsums;
	double m[SUMS_MAX][COUNTS_MAX]; /* to solve it */
};

struct mask_sums *
mask_sums_new(void)
{
	return need_memory(1, sizeof(struct mask_sums));
}

void
mask_sums_free(struct mask_sums *s)
{
	free(s);
}

static void
add(struct mask_sums *s, uint64_t n, bool *hidden, signed char sign)
{
	unsigned i = 0;

	while (i < s->ncounts && s->counts[i].hidden != hidden)
		i++;
	if (i == COUNTS_MAX)
		abort();
	if (i == s->ncounts)
		s->counts[s->ncounts++] = (struct count){ n, hidden };
	s->in[s->nsums - 1][i] = sign;
}

/* The last sum, if its parts do not add up, goes again. */
static void
settle(struct mask_sums *s)
{
	int64_t left = 0;

	if (s->nsums == 0)
		return;
	for (unsigned i = 0; i < s->ncounts; i++)
		left += s->in[s->nsums - 1][i] * (int64_t)s->counts[i].n;
	if (left != 0)
		memset(s->in[--s->nsums], 0, sizeof s->in[0]);
}

void
mask_sums_begin(struct mask_sums *s, uint64_t sum, bool *hidden)
{
	settle(s);
	if (s->nsums == SUMS_MAX)
		abort();
	s->nsums++;
	add(s, sum, hidden, 1);
}

void
mask_sums_part(struct mask_sums *s, uint64_t part, bool *hidden)
{
	add(s, part, hidden, -1);
}

/* ---- what can be worked out ---------------------------------------------- */

static void
subtract(double *from, const double *row, double times, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		from[i] -= times * row[i];
}

static unsigned
pivot_row(const struct mask_sums *s, unsigned from, unsigned column)
{
	unsigned best = from;

	for (unsigned r = from; r < s->nsums; r++)
		if (fabs(s->m[r][column]) > fabs(s->m[best][column]))
			best = r;
	return best;
}

static void
swap_rows(double *a, double *b)
{
	for (unsigned i = 0; i < COUNTS_MAX; i++) {
		double t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

/* The equations of the hidden counts, by Gauss and Jordan. */
static void
reduce(struct mask_sums *s)
{
	unsigned done = 0, n = s->ncounts;

	for (unsigned r = 0; r < s->nsums; r++)
		for (unsigned i = 0; i < n; i++)
			s->m[r][i] = *s->counts[i].hidden ? s->in[r][i] : 0;
	for (unsigned c = 0; c < n && done < s->nsums; c++) {
		unsigned best = pivot_row(s, done, c);
		double head = s->m[best][c];

		if (fabs(head) < ALMOST_ZERO)
			continue;
		swap_rows(s->m[best], s->m[done]);
		for (unsigned i = 0; i < n; i++)
			s->m[done][i] /= head;
		for (unsigned r = 0; r < s->nsums; r++)
			if (r != done && s->m[r][c] != 0)
				subtract(s->m[r], s->m[done], s->m[r][c], n);
		done++;
	}
}

/* A count that stands alone in an equation, or NONE. */
static unsigned
find_known(const struct mask_sums *s)
{
	for (unsigned r = 0; r < s->nsums; r++) {
		unsigned alone = NONE, n = 0;

		for (unsigned i = 0; i < s->ncounts; i++)
			if (fabs(s->m[r][i]) > ALMOST_ZERO) {
				alone = i;
				n++;
			}
		if (n == 1)
			return alone;
	}
	return NONE;
}

/* The smallest shown count of the sums that `of` is in; NONE: of any sum. */
static unsigned
smallest_beside(const struct mask_sums *s, unsigned of)
{
	unsigned best = NONE;

	for (unsigned r = 0; r < s->nsums; r++) {
		if (of != NONE && s->in[r][of] == 0)
			continue;
		for (unsigned i = 0; i < s->ncounts; i++)
			if (s->in[r][i] && s->counts[i].n > 0 &&
			    !*s->counts[i].hidden &&
			    (best == NONE ||
				s->counts[i].n < s->counts[best].n))
				best = i;
	}
	return best;
}

bool
mask_sums_hide(struct mask_sums *s)
{
	bool any = false;
	unsigned known, other;

	settle(s);
	for (;;) {
		reduce(s);
		known = find_known(s);
		if (known == NONE)
			return any;
		other = smallest_beside(s, known);
		if (other == NONE)
			other = smallest_beside(s, NONE);
		if (other == NONE) /* nothing is shown, so nothing is known */
			return any;
		any = *s->counts[other].hidden = true;
	}
}
