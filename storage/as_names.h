/* as_names.h: the names of autonomous systems by their numbers. */
#ifndef STORAGE_AS_NAMES_H
#define STORAGE_AS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"

struct as_names;

struct as_names *as_names_new(void);
void as_names_free(struct as_names *);

/*
 * Copied. Of several names that a number is given it has that of the lowest
 * target; of one target, the first.
 */
void as_names_put(struct as_names *, uint32_t asn, const struct target *,
    const char *, size_t len);

/* NULL: not put yet. */
const char *as_names_get(const struct as_names *, uint32_t asn);

/* All of them in the order of coming; NULL past the last. from may be NULL. */
const char *as_names_at(
    const struct as_names *, size_t, uint32_t *asn, struct target *from);

#endif
