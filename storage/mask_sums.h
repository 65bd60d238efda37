/*
 * mask_sums.h: counts of several tables that sums hold together. What one
 * table hides, others may give away; here they are looked at as one.
 */
#ifndef STORAGE_MASK_SUMS_H
#define STORAGE_MASK_SUMS_H

#include <stdbool.h>
#include <stdint.h>

struct mask_sums;

struct mask_sums *mask_sums_new(void);
void mask_sums_free(struct mask_sums *);

/*
 * A sum, and then each of its parts. A count is known by its `hidden`, which
 * must outlive this. A sum that is not what its parts add up to says nothing
 * and is left out.
 */
void mask_sums_begin(struct mask_sums *, uint64_t sum, bool *hidden);
void mask_sums_part(struct mask_sums *, uint64_t part, bool *hidden);

/*
 * Hide more of them, the smallest first, until none that is hidden is the
 * only solution of the equations with what is shown. Was there any?
 */
bool mask_sums_hide(struct mask_sums *);

#endif
