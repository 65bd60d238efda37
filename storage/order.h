/*
 * order.h: what came in, put into the order of its addresses: one walk over
 * the pages of each database instead of a search for every key.
 */
#ifndef STORAGE_ORDER_H
#define STORAGE_ORDER_H

#include <stdint.h>

#include "engine/addr.h"

/* Where something lies, and the address by which it is sorted. */
struct place {
	uint64_t high, low; /* of the address, as numbers */
	uint32_t at;
};

struct place order_place(const struct addr *, uint32_t at);

/*
 * By address; of one address, what came first stays first. spare has room for
 * n as well. Returns the array that holds the result: one of the two. Merge
 * sort, and not qsort(3), which is not stable and asks the kernel how much
 * memory there is.
 */
struct place *order_sort(struct place *, struct place *spare, uint32_t n);

#endif
