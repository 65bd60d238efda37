/*
 * fuzz_handoffs.c: a message of wire 1, whoever speaks in packet's place: what
 * is taken from it lies in it, one behind the other, and then nothing more.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/handoffs.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct handoffs m;
	static struct handoff h;
	enum handoffs_next next;
	size_t at = 0;

	if (len > sizeof m.bytes)
		return 0;
	memcpy(m.bytes, input, len);
	m.len = len;
	m.at = 0;
	m.taken = 0;
	while ((next = handoffs_next(&m, &h)) == HANDOFFS_GOT) {
		must(h.len <= HANDOFF_DATA_MAX);
		must(HANDOFF_HEAD + h.len <= len - at);
		must(memcmp(&h, input + at, HANDOFF_HEAD) == 0);
		must(memcmp(h.data, input + at + HANDOFF_HEAD, h.len) == 0);
		at += HANDOFF_HEAD + h.len;
	}
	must(next == HANDOFFS_BROKEN || at == len);
	must(m.taken <= HANDOFFS_MAX + (next == HANDOFFS_BROKEN));
	must(handoffs_next(&m, &h) == HANDOFFS_NO_MORE);
	return 0;
}
