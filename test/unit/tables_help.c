/* tables_help.c: the tables of a sealed file against its rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "storage/fixes.h"
#include "storage/statistics.h"
#include "test/unit/tables_help.h"

static struct statistics *
count_by(struct store *s, const enum cut cuts[CUTS_MAX])
{
	struct statistics *counted = statistics_new(cuts);
	struct store_scan *scan = store_scan_new(s);
	struct row r = { 0 };

	while (store_scan_next(scan, &r.target, &r.head)) {
		if (!store_scan_body(scan, &r.body, &r.len))
			r.body = NULL;
		statistics_add(counted, &r);
	}
	store_scan_free(scan);
	return counted;
}

/* What the seal counted is what a pass over the rows counts. */
static void
assert_table(struct store *s, const enum cut cuts[CUTS_MAX])
{
	struct statistics *counted = count_by(s, cuts), *loaded;
	const struct stat_row *a, *b;
	struct buf name = { 0 };
	const uint8_t *bytes;
	size_t len, n, m;

	cuts_name(cuts, &name);
	assert_true(store_table(s, name.s, &bytes, &len));
	loaded = statistics_load(cuts, bytes, len);
	assert_non_null(loaded);
	a = statistics_rows(counted, &n);
	b = statistics_rows(loaded, &m);
	assert_int_equal(n, m);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(a[i].key, b[i].key, sizeof a->key);
		assert_memory_equal(
		    &a[i].counts, &b[i].counts, sizeof a->counts);
		assert_int_equal(a[i].rank, b[i].rank);
		assert_int_equal(statistics_group(counted, &a[i]),
		    statistics_group(loaded, &b[i]));
	}
	assert_memory_equal(statistics_headline(counted),
	    statistics_headline(loaded), sizeof(struct headline));
	assert_memory_equal(statistics_total(counted), statistics_total(loaded),
	    sizeof(struct counts));
	statistics_free(counted);
	statistics_free(loaded);
	buf_free(&name);
}

static void
assert_fixes(struct store *s)
{
	struct store_scan *scan = store_scan_new(s);
	struct fixes *counted = fixes_new();
	struct buf wanted = { 0 };
	struct target t;
	const uint8_t *bytes;
	struct head h;
	size_t len;

	while (store_scan_next(scan, &t, &h))
		fixes_add(counted, &h);
	store_scan_free(scan);
	fixes_save(counted, &wanted);
	assert_true(store_table(s, FIXES_TABLE, &bytes, &len));
	assert_int_equal(len, wanted.len);
	assert_memory_equal(bytes, wanted.s, len);
	fixes_free(counted);
	buf_free(&wanted);
}

void
assert_sealed_tables(struct store *s)
{
	assert_fixes(s);
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		assert_table(s, sealed_tables[i]);
}
