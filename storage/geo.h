/*
 * geo.h: where an address is, as far as an operator's file and the databases
 * say. The only user of libmaxminddb.
 */
#ifndef STORAGE_GEO_H
#define STORAGE_GEO_H

#include <stdint.h>

#include "engine/addr.h"
#include "engine/conf.h"
#include "storage/store.h"

enum { GEO_TEXT_MAX = 128 };

struct geo;

/* Empty text and zero: not known. Text is ASCII but for as_name and sector. */
struct geo_place {
	char country[3]; /* two capitals, or "??" */
	char region[GEO_TEXT_MAX], city[GEO_TEXT_MAX];
	char as_name[GEO_TEXT_MAX];
	char naics[GEO_TEXT_MAX], sector[GEO_TEXT_MAX];
	uint32_t asn;
};

/*
 * Open what the configuration names; all is read or mapped when it returns.
 * With nothing configured every place is unknown. A line that cannot be read
 * is an error: FILE:LINE, the word, what was expected. NULL, and why in error.
 */
struct geo *geo_open(const struct conf *, char error[STORE_ERROR_MAX]);
void geo_close(struct geo *);

/* The operator's file wins, field by field, where it says something. */
void geo_find(const struct geo *, const struct addr *, struct geo_place *);

/*
 * Each stretch of IPv4 addresses that the table of AS numbers has, at most a
 * /24: the place of its first address, and how many it has.
 */
void geo_each_announced(const struct geo *,
    void (*each)(const struct geo_place *, uint64_t n, void *), void *);

/* When the oldest of the databases was built, UTC; 0: there is none. */
uint64_t geo_build_us(const struct geo *);

#endif
