/* cert_cache.c: certificates that were read of late. */
#include <stdlib.h>
#include <string.h>

#include "storage/cert_cache.h"
#include "storage/buf.h"

/* Four places for each of so many beginnings of a digest. */
enum { WAYS = 4, SETS = CERT_CACHE_MAX / WAYS };

struct place {
	uint64_t used; /* when; 0: never */
	uint8_t sha256[SHA256_LEN];
	struct cert_fields cert;
};

struct cert_cache {
	uint64_t now;
	struct place v[SETS][WAYS];
};

struct cert_cache *
cert_cache_new(void)
{
	return need_memory(1, sizeof(struct cert_cache));
}

void
cert_cache_free(struct cert_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (int k = 0; k < WAYS; k++)
			if (c->v[i][k].used)
				cert_fields_free(&c->v[i][k].cert);
	free(c);
}

static struct place *
set_of(struct cert_cache *c, const uint8_t sha256[SHA256_LEN])
{
	uint32_t bits;

	memcpy(&bits, sha256, sizeof bits);
	return c->v[bits % SETS];
}

const struct cert_fields *
cert_cache_find(struct cert_cache *c, const uint8_t sha256[SHA256_LEN])
{
	struct place *set = set_of(c, sha256);

	for (int k = 0; k < WAYS; k++)
		if (set[k].used &&
		    memcmp(set[k].sha256, sha256, SHA256_LEN) == 0) {
			set[k].used = ++c->now;
			return &set[k].cert;
		}
	return NULL;
}

const struct cert_fields *
cert_cache_put(struct cert_cache *c, const uint8_t sha256[SHA256_LEN],
    const uint8_t *der, size_t len)
{
	struct place *set = set_of(c, sha256), *oldest = set;

	for (int k = 1; k < WAYS; k++)
		if (set[k].used < oldest->used)
			oldest = &set[k];
	if (oldest->used)
		cert_fields_free(&oldest->cert);
	oldest->used = ++c->now;
	memcpy(oldest->sha256, sha256, SHA256_LEN);
	cert_fields_read(&oldest->cert, der, len);
	return &oldest->cert;
}
