/* aim.h: which target an index of the sweep is, for many at a time. */
#ifndef ENGINE_AIM_H
#define ENGINE_AIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/ranges.h"

struct aims;

/* One of them. An address is two numbers; of IPv4 hi is 0, lo ::ffff:a.b.c.d */
struct aim {
	uint64_t hi, lo;
	uint16_t port;
	bool four, excluded, opted_out;
};

/*
 * All that indices 0 .. addresses x nports - 1 stand for: the sealed targets
 * cut at the exclusions and the opt-outs (NULL: none), so that one look-up
 * tells all. Copies what it needs; nports from 1 to 32. NULL with errno.
 */
struct aims *aims_new(const struct ranges *targets,
    const struct ranges *excluded, const struct ranges *optouts,
    const uint16_t *ports, unsigned nports);
void aims_free(struct aims *);

/* Of n indices, up to AIMS_MAX: what each is. */
enum { AIMS_MAX = 64 };
void aims_find(
    const struct aims *, const uint64_t *indices, unsigned n, struct aim *out);

struct addr aim_addr(const struct aim *);

/* The same struct of any target. */
struct aim aim_of(const struct target *);

#endif
