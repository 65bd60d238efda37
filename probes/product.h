/* product.h: the server's product, by what it said in a conversation. */
#ifndef PROBES_PRODUCT_H
#define PROBES_PRODUCT_H

#include "probes/facts.h"
#include "probes/products.h"

/* Into the record, when a pattern of the table fits. No table: nothing. */
void product_find(struct facts *, const struct products *);

#endif
