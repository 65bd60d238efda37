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
 * row the columns parts_from to parts_to add up to column `sum`, or share what
 * they count, and `sum` is how much it is in all.
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
	bool shared; /* the parts share what they count */
	unsigned parts_from, parts_to, sum;
};

/* Rows of zeros, all to be shown. */
void mask_new(struct mask_table *, size_t rows, unsigned columns);
void mask_free(struct mask_table *);
uint64_t *mask_cell(struct mask_table *, size_t row, unsigned column);

/*
 * Hide every cell that is neither zero nor at least `below` (0, 1: none), and
 * as many others, the smallest first, as it takes that
 *   each rest is a sum of two or more, itself not below, and neither so low
 *   nor so high that each of them is known;
 *   no hidden part of a row is what its sum lacks.
 * What is hidden is added to the rest. The totals must be filled in.
 */
void mask_apply(struct mask_table *, uint64_t below);
/* The two halves of it, for tables that have more in common. */
bool mask_hide(struct mask_table *, uint64_t below); /* was there any? */
void mask_close(struct mask_table *);

/* Where it is said whether a cell is hidden. */
bool *mask_hidden(struct mask_table *, size_t row, unsigned column);
uint64_t mask_value(const struct mask_table *, size_t row, unsigned column);
bool mask_is_hidden(const struct mask_table *, size_t row, unsigned column);
/* Is there nothing left of the row but zeros? */
bool mask_row_is_hidden(const struct mask_table *, size_t row);

#endif
