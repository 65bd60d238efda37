/* product.h: the server's product, where it says so itself. */
#ifndef PROBES_PRODUCT_H
#define PROBES_PRODUCT_H

#include "probes/facts.h"

/* From IMPLEMENTATION, ID and greeting; a product already there stays. */
void product_find(struct facts *);

#endif
