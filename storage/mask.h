/*
 * mask.h: small counts taken out of a table, so that its sums still close and
 * a subtraction does not bring them back.
 */
#ifndef STORAGE_MASK_H
#define STORAGE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MASK_COLUMNS = 12 };

/*
 * Rows of counts. In each column the rows, with the rest, add up to the total,
 * unless it says otherwise (not_additive: rows share what they count). In each
 * row the columns parts_from to parts_to add up to column `sum`.
 */
struct mask_table {
	size_t rows;
	unsigned columns;
	uint64_t *v; /* [row * columns + column] */
	bool *hidden; /* the same; a hidden cell is not to be shown */
	uint64_t rest[MASK_COLUMNS]; /* of rows left out, then also of cells */
	uint64_t total[MASK_COLUMNS];
	bool total_hidden[MASK_COLUMNS]; /* and with it the rest */
	bool not_additive;
	bool parts;
	unsigned parts_from, parts_to, sum;
};

/* Rows of zeros, all to be shown. */
void mask_new(struct mask_table *, size_t rows, unsigned columns);
void mask_free(struct mask_table *);
uint64_t *mask_cell(struct mask_table *, size_t row, unsigned column);

/*
 * Hide every cell that is neither zero nor at least `below` (0, 1: none), and
 * as many others, the smallest first, as it takes that each rest is a sum of
 * two or more and itself not below, and that no hidden part is a row's only
 * one. What is hidden is added to the rest. The totals must be filled in.
 */
void mask_apply(struct mask_table *, uint64_t below);

uint64_t mask_value(const struct mask_table *, size_t row, unsigned column);
bool mask_is_hidden(const struct mask_table *, size_t row, unsigned column);
/* Is there nothing left of the row but zeros? */
bool mask_row_is_hidden(const struct mask_table *, size_t row);

#endif
