/* digests.h: bounded memories keyed by SHA-256: what was seen, and judged. */
#ifndef PROBES_DIGESTS_H
#define PROBES_DIGESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/record.h"

/*
 * A table of fixed size, four places a bucket; a full bucket forgets its
 * oldest. Who is forgotten is met as new once more, and that is harmless.
 */
struct digests;

/* buckets: a power of two. value_len: bytes kept with each key. NULL: errno. */
struct digests *digests_new(size_t buckets, size_t value_len);
void digests_free(struct digests *);

/* The value of a key, or NULL; it dies at the next digests_add. */
const void *digests_find(const struct digests *, const uint8_t[SHA256_LEN]);

/* A key with its value; one that is there keeps its place. */
void digests_add(struct digests *, const uint8_t[SHA256_LEN], const void *);

#endif
