/* plan.h: what would be swept, for `mailsweepd -n`. */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdio.h>

struct conf;
struct ranges;

void plan_print(FILE *, const struct conf *, const struct ranges *targets,
    const struct ranges *excluded);

#endif
