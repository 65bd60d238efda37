/* tables.c: several tables of a sweep at once. */
#include <stdlib.h>

#include "storage/buf.h"
#include "storage/tables.h"

static struct statistics *
read_sealed(struct store *s, const enum cut cuts[CUTS_MAX])
{
	struct statistics *found = NULL;
	struct buf name = { 0 };
	const uint8_t *bytes;
	size_t len;

	cuts_name(cuts, &name);
	if (store_table(s, name.s, &bytes, &len))
		found = statistics_load(cuts, bytes, len);
	buf_free(&name);
	return found;
}

static void
count_row(struct store_scan *scan, struct row *r, size_t n,
    struct statistics *out[], const bool counted[])
{
	bool body = false;

	for (size_t i = 0; i < n; i++)
		body |= counted[i] && statistics_wants_body(out[i], &r->head);
	r->body = NULL;
	r->len = 0;
	if (body)
		store_scan_body(scan, &r->body, &r->len);
	for (size_t i = 0; i < n; i++)
		if (counted[i])
			statistics_add(out[i], r);
}

bool
tables_read(struct store *s, const enum cut cuts[][CUTS_MAX], size_t n,
    struct statistics *out[])
{
	bool *counted = need_memory(n, sizeof *counted), any = false;
	struct store_scan *scan = NULL;
	struct row r = { 0 };

	for (size_t i = 0; i < n; i++) {
		out[i] = read_sealed(s, cuts[i]);
		counted[i] = out[i] == NULL;
		any |= counted[i];
		if (counted[i])
			out[i] = statistics_new(cuts[i]);
	}
	if (any)
		scan = store_scan_new(s);
	while (scan && store_scan_next(scan, &r.target, &r.head))
		count_row(scan, &r, n, out, counted);
	for (size_t i = 0; any && !scan && i < n; i++) {
		statistics_free(out[i]);
		out[i] = NULL;
	}
	store_scan_free(scan);
	free(counted);
	return !any || scan;
}
