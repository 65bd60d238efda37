/* conclude.h: from facts to outcome, STARTTLS outcome and findings. */
#ifndef PROBES_CONCLUDE_H
#define PROBES_CONCLUDE_H

#include "probes/facts.h"
#include "probes/products.h"

/* The table may be missing: then nobody has a product. */
void conclude(struct facts *, const struct products *);

#endif
