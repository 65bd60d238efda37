/* rowsum.c: the sum by which a row that was damaged on the disk is known. */
#include <string.h>

#include <xxhash.h>

#include "storage/rowsum.h"

enum { FIELD_HEAD = 6, SUM_LEN = 4 };
_Static_assert(FIELD_HEAD + SUM_LEN == BODY_SUM_LEN, "a field of one sum");

uint32_t
row_sum(const uint8_t key[TARGET_KEY_LEN], const void *bytes, size_t len)
{
	return (uint32_t)XXH3_64bits_withSeed(
	    bytes, len, XXH3_64bits(key, TARGET_KEY_LEN));
}

static uint32_t
head_sum(const uint8_t key[TARGET_KEY_LEN], const struct head *h)
{
	return row_sum(key, h, offsetof(struct head, sum));
}

void
head_sum_set(const uint8_t key[TARGET_KEY_LEN], struct head *h)
{
	h->sum = head_sum(key, h);
}

bool
head_sum_agrees(const uint8_t key[TARGET_KEY_LEN], const struct head *h)
{
	return h->sum == head_sum(key, h);
}

void
body_sum_write(const uint8_t key[TARGET_KEY_LEN], const uint8_t *body,
    uint32_t len, uint8_t *out)
{
	const uint16_t tag = TAG_SUM;
	const uint32_t sum_len = SUM_LEN, sum = row_sum(key, body, len);

	memcpy(out, body, len);
	memcpy(out + len, &tag, sizeof tag);
	memcpy(out + len + sizeof tag, &sum_len, sizeof sum_len);
	memcpy(out + len + FIELD_HEAD, &sum, sizeof sum);
}

bool
body_sum_agrees(
    const uint8_t key[TARGET_KEY_LEN], const uint8_t *stored, uint32_t *len)
{
	uint32_t at, sum_len, sum;
	uint16_t tag;

	if (*len < BODY_SUM_LEN)
		return false;
	at = *len - BODY_SUM_LEN;
	memcpy(&tag, stored + at, sizeof tag);
	memcpy(&sum_len, stored + at + sizeof tag, sizeof sum_len);
	memcpy(&sum, stored + at + FIELD_HEAD, sizeof sum);
	*len = at;
	return tag == TAG_SUM && sum_len == SUM_LEN &&
	    sum == row_sum(key, stored, at);
}

void
silent_write(const uint8_t key[TARGET_KEY_LEN], uint32_t seconds,
    uint8_t value[SILENT_VALUE_LEN])
{
	uint32_t sum = row_sum(key, &seconds, sizeof seconds);

	memcpy(value, &seconds, sizeof seconds);
	memcpy(value + sizeof seconds, &sum, sizeof sum);
}

bool
silent_read(const uint8_t key[TARGET_KEY_LEN], const uint8_t *value, size_t len,
    uint32_t *seconds)
{
	uint32_t sum;

	if (len != SILENT_VALUE_LEN)
		return false;
	memcpy(seconds, value, sizeof *seconds);
	memcpy(&sum, value + sizeof *seconds, sizeof sum);
	return sum == row_sum(key, seconds, sizeof *seconds);
}
