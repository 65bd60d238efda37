/* fuzz_segment.c: any bytes as a frame; data must stay inside them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct segment s;
	enum segment_result r = segment_parse(bytes, len, &s);

	if (r >= SEGMENT_RESULTS || segment_result_names[r] == NULL)
		abort();
	if (r != SEGMENT_TCP)
		return 0;
	if (s.data < bytes || s.len > len ||
	    (size_t)(s.data - bytes) > len - s.len)
		abort();
	if (s.wscale > WSCALE_MAX && s.wscale != WSCALE_NONE)
		abort();
	/* Read them all: a sanitizer sees the one too far. */
	if (s.len > 0 && memchr(s.data, s.data[0], s.len) == NULL)
		abort();
	return 0;
}
