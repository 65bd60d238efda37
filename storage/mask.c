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

static void
hide_small(struct mask_table *t, uint64_t below)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		t->hidden[i] = t->v[i] > 0 && t->v[i] < below;
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

/* Whoever subtracts what is shown from the total gets the rest. */
static bool
close_column(struct mask_table *t, unsigned column, uint64_t below)
{
	uint64_t rest = t->rest[column];
	unsigned n = rest > 0, hidden = 0;
	size_t row;

	for (size_t r = 0; r < t->rows; r++)
		if (t->hidden[at(t, r, column)]) {
			rest += t->v[at(t, r, column)];
			hidden++;
		}
	n += hidden;
	if (n == 0 || (rest >= below && (hidden == 0 || n >= 2)))
		return false;
	row = smallest_row(t, column);
	if (row != NO_ROW)
		t->hidden[at(t, row, column)] = true;
	else if (t->total_hidden[column])
		return false;
	else
		t->total_hidden[column] = true;
	return true;
}

/* A part that is the only hidden one is the sum without the others. */
static bool
close_row(struct mask_table *t, size_t row)
{
	unsigned hidden = t->hidden[at(t, row, t->sum)];
	size_t best = NO_ROW;

	for (unsigned c = t->parts_from; c <= t->parts_to; c++) {
		size_t i = at(t, row, c);

		hidden += t->hidden[i];
		if (t->v[i] > 0 && !t->hidden[i] &&
		    (best == NO_ROW || t->v[i] < t->v[best]))
			best = i;
	}
	if (hidden != 1)
		return false;
	if (best == NO_ROW)
		best = at(t, row, t->sum);
	if (t->hidden[best])
		return false;
	t->hidden[best] = true;
	return true;
}

void
mask_apply(struct mask_table *t, uint64_t below)
{
	bool more = below > 1;

	if (!more)
		return;
	hide_small(t, below);
	while (more) {
		more = false;
		for (unsigned c = 0; !t->not_additive && c < t->columns; c++)
			more |= close_column(t, c, below);
		for (size_t r = 0; t->parts && r < t->rows; r++)
			more |= close_row(t, r);
	}
	for (unsigned c = 0; !t->not_additive && c < t->columns; c++)
		for (size_t r = 0; r < t->rows; r++)
			if (t->hidden[at(t, r, c)])
				t->rest[c] += t->v[at(t, r, c)];
}
