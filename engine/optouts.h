/*
 * optouts.h: the list of those who want to be left out, as it goes from store
 * by way of the parent to the others: a sealed set in numbered chunks.
 */
#ifndef ENGINE_OPTOUTS_H
#define ENGINE_OPTOUTS_H

#include <stdint.h>

#include "engine/ranges.h"
#include "engine/wire.h"

/* A list that is coming in; all zero at first. */
struct optouts {
	struct ranges *coming;
	uint32_t number; /* of the last one that was complete */
};

/*
 * One CTL_OPTOUT_LIST: the whole set, the caller's, when that was its last
 * chunk; else NULL. Fatal when it is not what optouts_tell() sends: without
 * the list nothing may go on.
 */
struct ranges *optouts_take(struct optouts *, const struct control *);

/* Send a set on a control wire, waiting while it is full. 0, or -1 (errno). */
int optouts_tell(int fd, const struct ranges *, uint32_t number);

/* A role to the parent: it is in force here. Waits as well. 0 or -1. */
int optouts_done(int fd, uint32_t number);

#endif
