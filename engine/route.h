/* route.h: interface and source addresses that the file leaves open. */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

struct conf;
struct ranges;

/*
 * Fill conf->interface and conf->sources where they are empty, from the
 * kernel's route to the targets; nothing is sent. 0, or -1 after the log said
 * what is missing.
 */
int route_resolve(struct conf *, const struct ranges *targets);

#endif
