/* fuzz_counts.c: tables that the seal kept, as they are read back. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "storage/buf.h"
#include "storage/statistics.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
use(struct statistics *s)
{
	struct buf again = { 0 };
	const struct stat_row *rows;
	char label[CUT_LABEL_MAX];
	size_t n;

	rows = statistics_rows(s, &n);
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < statistics_cut_count(s); k++)
			statistics_label(s, &rows[i], k, label);
		if (statistics_find(s, s, &rows[i]) != &rows[i])
			abort();
		(void)statistics_group(s, &rows[i]);
		(void)statistics_as_name(s, rows[i].key[0]);
	}
	statistics_save(s, &again);
	buf_free(&again);
}

/* The sum is ours, so that what comes behind it is reached. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint64_t sum = XXH3_64bits(bytes, len);
	uint8_t *summed = need_memory(len + sizeof sum, 1);

	if (len > 0)
		memcpy(summed, bytes, len);
	memcpy(summed + len, &sum, sizeof sum);
	for (unsigned i = 0; i < SEALED_TABLES; i++) {
		struct statistics *s =
		    statistics_load(sealed_tables[i], summed, len + sizeof sum);

		if (s)
			use(s);
		statistics_free(s);
	}
	free(summed);
	return 0;
}
