/* prefix.h: prefixes as people write them. */
#ifndef STORAGE_PREFIX_H
#define STORAGE_PREFIX_H

#include <stddef.h>

#include "storage/store.h"

enum { PREFIX_TEXT_MAX = ADDR_TEXT_MAX + 4, PREFIX_EXPECTED_MAX = 128 };

/*
 * "192.0.2.0/24", "192.0.2.1", or the same of IPv6, into addr and bits. 0, or
 * -1 and what was expected.
 */
int prefix_parse(
    const char *, struct optout *, char expected[PREFIX_EXPECTED_MAX]);

/* The same back, into buf, which is returned. */
const char *prefix_text(const struct optout *, char buf[PREFIX_TEXT_MAX]);

#endif
