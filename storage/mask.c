/* mask.c: small counts taken out of a table. */
#include <stdlib.h>
#include <string.h>

#include "storage/buf.h"
#include "storage/mask.h"

#define NO_ROW SIZE_MAX

static size_t
at(const struct mask_table *t, size_t row, unsigned column)
{
	return row * t->columns + column;
}

void
mask_new(struct mask_table *t, size_t rows, unsigned columns)
{
	*t = (struct mask_table){ .rows = rows, .columns = columns };
	t->v = need_memory(rows * columns + 1, sizeof *t->v);
	t->hidden = need_memory(rows * columns + 1, sizeof *t->hidden);
}

void
mask_free(struct mask_table *t)
{
	free(t->v);
	free(t->hidden);
	*t = (struct mask_table){ 0 };
}

uint64_t *
mask_cell(struct mask_table *t, size_t row, unsigned column)
{
	return &t->v[at(t, row, column)];
}

bool *
mask_hidden(struct mask_table *t, size_t row, unsigned column)
{
	return &t->hidden[at(t, row, column)];
}

uint64_t
mask_value(const struct mask_table *t, size_t row, unsigned column)
{
	return t->v[at(t, row, column)];
}

bool
mask_is_hidden(const struct mask_table *t, size_t row, unsigned column)
{
	return t->hidden[at(t, row, column)];
}

bool
mask_row_is_hidden(const struct mask_table *t, size_t row)
{
	bool any = false;

	for (unsigned c = 0; c < t->columns; c++) {
		if (t->v[at(t, row, c)] > 0 && !t->hidden[at(t, row, c)])
			return false;
		any |= t->hidden[at(t, row, c)];
	}
	return any;
}

static bool
hide(bool *hidden)
{
	bool was = *hidden;

	*hidden = true;
	return !was;
}

static bool
hide_small(struct mask_table *t, uint64_t below)
{
	bool any = false;

	for (size_t i = 0; i < t->rows * t->columns; i++)
		if (t->v[i] > 0 && t->v[i] < below)
			any |= hide(&t->hidden[i]);
	return any;
}

/* The row with the smallest count that a column still shows. */
static size_t
smallest_row(const struct mask_table *t, unsigned column)
{
	size_t best = NO_ROW;

	for (size_t r = 0; r < t->rows; r++) {
		size_t i = at(t, r, column);

		if (t->v[i] > 0 && !t->hidden[i] &&
		    (best == NO_ROW || t->v[i] < t->v[at(t, best, column)]))
			best = r;
	}
	return best;
}

/* The smallest part that a row still shows: its index, or NO_ROW. */
static size_t
smallest_part(const struct mask_table *t, size_t row)
{
	size_t best = NO_ROW;

	for (unsigned c = t->parts_from; c <= t->parts_to; c++) {
		size_t i = at(t, row, c);

		if (t->v[i] > 0 && !t->hidden[i] &&
		    (best == NO_ROW || t->v[i] < t->v[best]))
			best = i;
	}
	return best;
}

/* Whoever subtracts what is shown from the total gets the rest. */
static bool
close_column(struct mask_table *t, unsigned column, uint64_t below)
{
	uint64_t rest = t->rest[column];
	bool left_out = rest > 0, plain, few;
	unsigned n = 0;
	size_t row;

	for (size_t r = 0; r < t->rows; r++)
		if (t->hidden[at(t, r, column)]) {
			rest += t->v[at(t, r, column)];
			n++;
		}
	if (n + left_out == 0)
		return false;
	/* As many as there are cells: each is 1. And so at the other end. */
	plain = !left_out && (rest == n || rest == n * (below - 1));
	few = rest < below || (n == 1 && !left_out);
	if (!few && !plain)
		return false;
	row = smallest_row(t, column);
	if (row != NO_ROW)
		return hide(&t->hidden[at(t, row, column)]);
	return few && hide(&t->total_hidden[column]);
}

/* A part that is the only hidden one is the sum without the others. */
static bool
close_row(struct mask_table *t, size_t row)
{
	size_t sum = at(t, row, t->sum), best;
	unsigned hidden = t->hidden[sum];

	for (unsigned c = t->parts_from; c <= t->parts_to; c++)
		hidden += t->hidden[at(t, row, c)];
	if (hidden != 1)
		return false;
	best = smallest_part(t, row);
	return hide(&t->hidden[best == NO_ROW ? sum : best]);
}

/*
 * What the sum and the other parts leave to a hidden one: of a small one no
 * more may be known than that it is there, of another one not to within below.
 */
static bool
gives_away(const uint64_t *v, const bool *hidden, const struct mask_table *t,
    uint64_t below)
{
	uint64_t sum = v[t->sum], most[MASK_COLUMNS] = { 0 }, all = 0;

	for (unsigned c = t->parts_from; c <= t->parts_to; c++) {
		most[c] = !hidden[c] ? v[c] : v[c] < below ? below - 1 : sum;
		all += most[c];
	}
	for (unsigned c = t->parts_from; c <= t->parts_to; c++) {
		uint64_t others = all - most[c];
		uint64_t least = sum > others ? sum - others : 0;

		if (hidden[c] && v[c] > 0 &&
		    (v[c] < below ? least > 1 : least + below - 1 > sum))
			return true;
	}
	return false;
}

static bool
close_shared(struct mask_table *t, size_t row, uint64_t below)
{
	const uint64_t *v = &t->v[row * t->columns];
	bool *hidden = &t->hidden[row * t->columns];
	bool any = false;
	size_t best;

	/* No part is more than the sum; one alone is the sum. */
	if (hidden[t->sum]) {
		while ((best = smallest_part(t, row)) != NO_ROW)
			any |= hide(&t->hidden[best]);
		return any;
	}
	if (!gives_away(v, hidden, t, below))
		return false;
	best = smallest_part(t, row);
	return hide(&t->hidden[best == NO_ROW ? at(t, row, t->sum) : best]);
}

static bool
close_once(struct mask_table *t, uint64_t below)
{
	bool more = false;

	for (unsigned c = 0; !t->not_additive && c < t->columns; c++)
		more |= close_column(t, c, below);
	for (size_t r = 0; t->parts && r < t->rows; r++)
		more |= t->shared ? close_shared(t, r, below) : close_row(t, r);
	if (t->shared && !t->total_hidden[t->sum] &&
	    gives_away(t->total, t->total_hidden, t, below))
		more |= hide(&t->total_hidden[t->sum]);
	return more;
}

bool
mask_hide(struct mask_table *t, uint64_t below)
{
	bool any = false;

	if (below < 2)
		return false;
	any = hide_small(t, below);
	while (close_once(t, below))
		any = true;
	return any;
}

void
mask_close(struct mask_table *t)
{
	for (unsigned c = 0; !t->not_additive && c < t->columns; c++)
		for (size_t r = 0; r < t->rows; r++)
			if (t->hidden[at(t, r, c)])
				t->rest[c] += t->v[at(t, r, c)];
}

void
mask_apply(struct mask_table *t, uint64_t below)
{
	mask_hide(t, below);
	mask_close(t);
}
