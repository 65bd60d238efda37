/*
 * spread.h: the list of opt-outs on its way: read by store, kept by the parent
 * as it came, and given to each child that sends, hears or talks.
 */
#ifndef ENGINE_SPREAD_H
#define ENGINE_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/proc.h"
#include "engine/wire.h"

struct chunks {
	struct control_optouts *v;
	size_t n, cap;
};

/* All zero at first. */
struct spread {
	struct chunks whole, coming;
	uint32_t number; /* of the whole one; 0: there is none yet */
	uint32_t asked, told; /* last number wanted, and said to store */
};

void spread_free(struct spread *);

/* Store is to read the list anew. Its number, from 1 on. */
uint32_t spread_ask(struct spread *);

/* A chunk from store. -1: not what comes next, or no memory. */
int spread_take(struct spread *, const struct control *);

/* Tell the children what their wires take; never blocks. */
void spread_turn(struct spread *, struct procs *);

/* Has it something for this child, as soon as its wire can be written? */
bool spread_wants(
    const struct spread *, const struct procs *, const struct proc *);

/* Is a list of that number, or a later one, in force in every child? */
bool spread_in_force(const struct spread *, const struct procs *, uint32_t);

#endif
