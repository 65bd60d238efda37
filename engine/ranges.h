/* ranges.h: sorted sets of address ranges, addressed by index. */
#ifndef ENGINE_RANGES_H
#define ENGINE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"

struct ranges;

/* An empty set, or NULL with ENOMEM. The caller frees it. */
struct ranges *ranges_new(void);
void ranges_free(struct ranges *);

/* Both ends included. 0, or -1 with ENOMEM or EINVAL (first > last). */
int ranges_add(
    struct ranges *, const struct addr *first, const struct addr *last);

/*
 * Add "192.0.2.0/24", "192.0.2.1-192.0.2.9", "192.0.2.1", or the same of
 * IPv6. What is written as IPv6 never means IPv4: ::ffff:0:0/96 is cut out of
 * it (else "::/0", or that entry of the IANA registry, held all of IPv4).
 * 0, or -1: with EINVAL, *expected is a constant text that says what was
 * expected; with ENOMEM it is NULL.
 */
int ranges_add_text(struct ranges *, const char *, const char **expected);

/*
 * Sort and merge; must be called once after the last add, before the rest.
 * 0, or -1 with ENOMEM (or E2BIG for 2^32 pieces).
 */
int ranges_seal(struct ranges *);

/*
 * How many addresses; RANGES_MANY when there are more than RANGES_INDEX_MAX.
 * Exclusions may be that large (fe80::/10); targets may not, since such a set
 * has no indices: who reads targets refuses it.
 */
#define RANGES_INDEX_MAX ((uint64_t)1 << 48)
#define RANGES_MANY      UINT64_MAX
uint64_t ranges_count(const struct ranges *);
size_t ranges_pieces(const struct ranges *); /* disjoint ranges */
/* One of them, in ascending order; both ends included. */
void ranges_piece(
    const struct ranges *, size_t piece, struct addr *first, struct addr *last);

/* The lowest address of one family; false: there is none. */
bool ranges_first(const struct ranges *, bool four, struct addr *);

/* The address at an index below ranges_count (not RANGES_MANY), ascending. */
struct addr ranges_at(const struct ranges *, uint64_t index);
bool ranges_has(const struct ranges *, const struct addr *);

/* Addresses that are in both; RANGES_MANY as above. */
uint64_t ranges_common(const struct ranges *, const struct ranges *);

/*
 * The sealed set as flat bytes for another process, and back. ranges_save
 * returns malloc'd bytes and their number; ranges_load copies and returns NULL
 * with EINVAL for bytes that are not a sealed set.
 */
uint8_t *ranges_save(const struct ranges *, size_t *len);
struct ranges *ranges_load(const uint8_t *, size_t len);

#endif
