/* conclude.h: from facts to outcome, STARTTLS outcome and findings. */
#ifndef PROBES_CONCLUDE_H
#define PROBES_CONCLUDE_H

#include "probes/facts.h"

void conclude(struct facts *);

#endif
