/* fuzz_counts.c: tables that the seal kept, as they are read back. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "storage/fixes.h"
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

static void
use_fixes(struct fixes *f)
{
	const struct fixes_of all = { .country = NULL };
	struct fix_times t = fixes_times(f, &all);
	struct buf again = { 0 };
	struct fixes *same;
	char country[3];

	if (t.n > 0 && (t.days[0] > t.days[1] || t.days[1] > t.days[2]))
		abort();
	for (size_t i = 0; fixes_country(f, i, country); i++) {
		const struct fixes_of one = { .country = country };

		if (fixes_times(f, &one).n == 0)
			abort();
	}
	fixes_save(f, &again);
	same = fixes_load((const uint8_t *)again.s, again.len);
	if (!same || fixes_times(same, &all).n != t.n)
		abort();
	fixes_free(same);
	buf_free(&again);
}

/* The sum is ours, so that what comes behind it is reached. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint64_t sum = XXH3_64bits(bytes, len);
	uint8_t *summed = need_memory(len + sizeof sum, 1);
	struct fixes *fixes;

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
	fixes = fixes_load(summed, len + sizeof sum);
	if (fixes)
		use_fixes(fixes);
	fixes_free(fixes);
	free(summed);
	return 0;
}
