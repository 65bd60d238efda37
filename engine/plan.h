/* plan.h: what would be swept, for `mailsweepd -n`. */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdio.h>

struct conf;
struct conf_port;
struct ranges;

/* "pop3", "pop3s" ...: as the configuration has it. */
const char *plan_protocol(const struct conf_port *);

void plan_print(FILE *, const struct conf *, const struct ranges *targets,
    const struct ranges *excluded);

/*
 * What the configuration says of who we are and what we send, as one JSON
 * object; of the targets only how many addresses they are. 0 or -1.
 */
int plan_json(FILE *, const struct conf *, const struct ranges *targets,
    const struct ranges *excluded);

#endif
