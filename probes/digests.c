/* digests.c: bounded memories keyed by SHA-256: what was seen, and judged. */
#include <stdlib.h>
#include <string.h>

#include "probes/digests.h"

enum { PLACES = 4 };

struct digests {
	size_t mask, value_len, size; /* size: of a place */
	uint8_t *oldest; /* of each bucket */
	uint8_t *used; /* places in use, from the first */
	uint8_t *places;
};

struct digests *
digests_new(size_t buckets, size_t value_len)
{
	struct digests *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->mask = buckets - 1;
	d->value_len = value_len;
	d->size = SHA256_LEN + value_len;
	d->oldest = calloc(buckets, 1);
	d->used = calloc(buckets, 1);
	d->places = calloc(buckets * PLACES, d->size);
	if (!d->oldest || !d->used || !d->places) {
		digests_free(d);
		return NULL;
	}
	return d;
}

void
digests_free(struct digests *d)
{
	if (!d)
		return;
	free(d->oldest);
	free(d->used);
	free(d->places);
	free(d);
}

/* A digest is as good as random: some of its bits choose the bucket. */
static size_t
bucket_of(const struct digests *d, const uint8_t key[SHA256_LEN])
{
	uint64_t bits;

	memcpy(&bits, key, sizeof bits);
	return bits & d->mask;
}

static uint8_t *
place_of(const struct digests *d, size_t bucket, unsigned i)
{
	return d->places + (bucket * PLACES + i) * d->size;
}

static uint8_t *
find(const struct digests *d, const uint8_t key[SHA256_LEN])
{
	size_t bucket = bucket_of(d, key);

	for (unsigned i = 0; i < d->used[bucket]; i++) {
		uint8_t *place = place_of(d, bucket, i);

		if (memcmp(place, key, SHA256_LEN) == 0)
			return place;
	}
	return NULL;
}

const void *
digests_find(const struct digests *d, const uint8_t key[SHA256_LEN])
{
	const uint8_t *place = find(d, key);

	return place ? place + SHA256_LEN : NULL;
}

void
digests_add(struct digests *d, const uint8_t key[SHA256_LEN], const void *value)
{
	uint8_t *place = find(d, key);
	size_t bucket = bucket_of(d, key);

	if (!place && d->used[bucket] < PLACES) {
		place = place_of(d, bucket, d->used[bucket]++);
	} else if (!place) {
		place = place_of(d, bucket, d->oldest[bucket]);
		d->oldest[bucket] = (uint8_t)((d->oldest[bucket] + 1) % PLACES);
	}
	memcpy(place, key, SHA256_LEN);
	if (d->value_len > 0)
		memcpy(place + SHA256_LEN, value, d->value_len);
}
