/* fuzz_prefix.c: prefixes of an opt-out, as people may write them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/prefix.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { TEXT_CAP = 256 };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* What was understood is what is written, and one range of addresses. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char text[TEXT_CAP], expected[PREFIX_EXPECTED_MAX] = "";
	char said[PREFIX_TEXT_MAX];
	struct optout o = { .when_us = 1 }, again = o;
	struct ranges *set;

	if (len >= sizeof text)
		return 0;
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (prefix_parse(text, &o, expected) < 0) {
		must(expected[0] != '\0');
		return 0;
	}
	must(o.bits <= 128);
	must(prefix_parse(prefix_text(&o, said), &again, expected) == 0);
	must(again.bits == o.bits && addr_cmp(&again.addr, &o.addr) == 0);
	set = ranges_new();
	must(set != NULL && optout_add(set, &o) && ranges_seal(set) == 0);
	must(ranges_has(set, &o.addr));
	ranges_free(set);
	return 0;
}
