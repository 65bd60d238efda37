/* fuzz_record.c: bytes that a probe might send for a record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/record.h"

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

/* Every field lies inside; they end with the body, or before bad bytes. */
static uint32_t
walk(const uint8_t *body, uint32_t len)
{
	struct field f, first;
	uint32_t at = 0, before = 0;

	while (body_next(body, len, &at, &f)) {
		promise(at > before && at <= len);
		promise(f.bytes >= body && f.bytes + f.len <= body + len);
		promise(f.tag > 0 && f.tag < TAG_COUNT);
		promise(body_find(body, len, f.tag, &first));
		promise(first.bytes <= f.bytes);
		before = at;
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static uint8_t body[RECORD_MAX], again[RECORD_MAX];
	struct record r;

	walk(bytes, len > UINT32_MAX ? UINT32_MAX : (uint32_t)len);
	if (!record_check(bytes, len))
		return 0;
	record_init(&r, body, sizeof body);
	memcpy(&r.head, bytes, sizeof r.head);
	memcpy(&r.len, bytes + HEAD_SIZE, sizeof r.len);
	promise(r.len == len - HEAD_SIZE - sizeof r.len);
	memcpy(body, bytes + HEAD_SIZE + sizeof r.len, r.len);
	promise(walk(body, r.len) == r.len);
	promise(record_flatten(&r, again, sizeof again) == len);
	promise(memcmp(again, bytes, len) == 0);
	return 0;
}
