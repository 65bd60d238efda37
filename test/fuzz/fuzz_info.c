/* fuzz_info.c: what a stored file may say of its sweep. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/info.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static char text[INFO_TEXT_MAX], again_text[INFO_TEXT_MAX];
	struct sweep_info info, again;
	struct ledger ledger;
	size_t n;

	(void)ledger_parse((const char *)bytes, len, &ledger);
	if (info_read((const char *)bytes, len, &info) != 0)
		return 0;
	/* What was understood is what is written. */
	n = info_write(&info, true, text);
	if (n == 0 || info_read(text, n, &again) != 0 ||
	    info_write(&again, true, again_text) != n ||
	    memcmp(text, again_text, n) != 0)
		abort();
	return 0;
}
