/* seal_tables.c: the tables of a sealed file, counted as its rows are written. */
#include "storage/buf.h"
#include "storage/seal_tables.h"

void
seal_tables_begin(struct seal_tables *t)
{
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		t->v[i] = statistics_new(sealed_tables[i]);
	t->fixes = fixes_new();
}

void
seal_tables_end(struct seal_tables *t)
{
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		statistics_free(t->v[i]);
	fixes_free(t->fixes);
}

void
seal_tables_add(struct seal_tables *t, const struct row *r)
{
	statistics_add_all(t->v, SEALED_TABLES, r);
	fixes_add(t->fixes, &r->head);
}

int
seal_tables_put(struct seal_tables *t, struct sealed *to)
{
	struct buf name = { 0 }, bytes = { 0 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < SEALED_TABLES; i++) {
		buf_clear(&name);
		buf_clear(&bytes);
		cuts_name(sealed_tables[i], &name);
		statistics_save(t->v[i], &bytes);
		rc = sealed_table(to, name.s, bytes.s, bytes.len);
	}
	buf_clear(&bytes);
	fixes_save(t->fixes, &bytes);
	if (rc == 0)
		rc = sealed_table(to, FIXES_TABLE, bytes.s, bytes.len);
	buf_free(&name);
	buf_free(&bytes);
	return rc;
}
