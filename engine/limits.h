/* limits.h: how many connections a host and its network have with us now. */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/sweep.h"

/* A network: what one owner answers for. */
enum { NETWORK_BITS4 = 24, NETWORK_BITS6 = 48 };

struct limits;

/*
 * Counts for up to max connections at once, in a table of fixed size: 32 to 64
 * bytes a connection. Each limit is at least 1 and is cut to 65,535. NULL with
 * errno.
 */
struct limits *limits_new(uint32_t max, uint32_t per_host, uint32_t per_network,
    const uint8_t key[SWEEP_KEY_LEN]);
void limits_free(struct limits *);

/* Count one more for both, or count nothing and say no. */
bool limits_take(struct limits *, const struct addr *);

/* One less; only for what was taken. */
void limits_give(struct limits *, const struct addr *);

#endif
