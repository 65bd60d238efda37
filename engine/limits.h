/* limits.h: how many connections a network has with us now. */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/sweep.h"

/* A network: what one owner answers for. */
enum { NETWORK_BITS4 = 24, NETWORK_BITS6 = 48, NETWORK_LIMIT_MAX = 4095 };

struct limits;

/*
 * Counts for up to max connections at once, in a table of fixed size: 2.5
 * bytes a connection, 5 with a limit over 63, and a look at it is one line of
 * the cache, nearly always. The limit is at least 1 and is cut to
 * NETWORK_LIMIT_MAX. NULL with errno.
 */
struct limits *limits_new(
    uint32_t max, uint32_t per_network, const uint8_t key[SWEEP_KEY_LEN]);
void limits_free(struct limits *);

/* Bytes of its table. */
size_t limits_bytes(const struct limits *);

/* The network of an address, as the calls below take it. */
uint64_t limits_network(const struct limits *, const struct addr *);

/* It will be asked for soon: have it in the cache by then. */
void limits_ahead(const struct limits *, uint64_t network);

/* Count one more, or count nothing and say no. */
bool limits_take(struct limits *, uint64_t network);

/* One less; only for what was taken. */
void limits_give(struct limits *, uint64_t network);

#endif
