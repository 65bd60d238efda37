/* cert_cache.c: certificates that were read of late. */
#include <stdlib.h>
#include <string.h>

#include "storage/cert_cache.h"
#include "storage/buf.h"

/*
 * Sixteen places for each of so many beginnings of a digest: half as many
 * certificates as there are places lose next to none of themselves by chance.
 */
enum { WAYS = 16, SETS = CERT_CACHE_MAX / WAYS };

struct place {
	uint64_t used; /* when; 0: never */
	uint8_t sha256[SHA256_LEN];
	struct cert_fields cert;
};

/* marks: eight bytes of each digest, close to each other. */
struct set {
	uint64_t marks[WAYS];
	struct place v[WAYS];
};

struct cert_cache {
	uint64_t now;
	struct set sets[SETS];
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
			if (c->sets[i].v[k].used)
				cert_fields_free(&c->sets[i].v[k].cert);
	free(c);
}

static struct set *
set_of(struct cert_cache *c, const uint8_t sha256[SHA256_LEN])
{
	uint32_t bits;

	memcpy(&bits, sha256, sizeof bits);
	return &c->sets[bits % SETS];
}

static uint64_t
mark_of(const uint8_t sha256[SHA256_LEN])
{
	uint64_t mark;

	memcpy(&mark, sha256 + sizeof(uint32_t), sizeof mark);
	return mark;
}

const struct cert_fields *
cert_cache_find(struct cert_cache *c, const uint8_t sha256[SHA256_LEN])
{
	struct set *set = set_of(c, sha256);
	uint64_t mark = mark_of(sha256);

	for (int k = 0; k < WAYS; k++) {
		struct place *p = &set->v[k];

		if (set->marks[k] != mark || !p->used ||
		    memcmp(p->sha256, sha256, SHA256_LEN) != 0)
			continue;
		p->used = ++c->now;
		return &p->cert;
	}
	return NULL;
}

const struct cert_fields *
cert_cache_put(struct cert_cache *c, const uint8_t sha256[SHA256_LEN],
    const uint8_t *der, size_t len)
{
	struct set *set = set_of(c, sha256);
	struct place *p;
	int oldest = 0;

	for (int k = 1; k < WAYS; k++)
		if (set->v[k].used < set->v[oldest].used)
			oldest = k;
	p = &set->v[oldest];
	if (p->used)
		cert_fields_free(&p->cert);
	p->used = ++c->now;
	set->marks[oldest] = mark_of(sha256);
	memcpy(p->sha256, sha256, SHA256_LEN);
	cert_fields_read(&p->cert, der, len);
	return &p->cert;
}
