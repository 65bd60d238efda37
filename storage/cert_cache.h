/*
 * cert_cache.h: certificates that were read of late, by their SHA-256: the
 * ports of a host share theirs, and so do the hosts of a provider; reading one
 * takes longer than all the rest of a row.
 */
#ifndef STORAGE_CERT_CACHE_H
#define STORAGE_CERT_CACHE_H

#include "storage/cert_fields.h"
#include "storage/record.h"

/* Of 1.5 to 3 KB each, in each process. */
enum { CERT_CACHE_MAX = 32768 };

struct cert_cache;

struct cert_cache *cert_cache_new(void);
void cert_cache_free(struct cert_cache *);

/* NULL: not there. What comes of either lives until the next put. */
const struct cert_fields *cert_cache_find(
    struct cert_cache *, const uint8_t sha256[SHA256_LEN]);
/* Reads it. */
const struct cert_fields *cert_cache_put(struct cert_cache *,
    const uint8_t sha256[SHA256_LEN], const uint8_t *der, size_t len);

#endif
