/* report_sums.c: what the report's tables about TLS have in common. */
#include "storage/mask_sums.h"
#include "storage/report_own.h"

enum { TLS_1_2 = 0x0303 };

static void
part(struct mask_sums *s, struct grid *g, size_t row, unsigned column)
{
	mask_sums_part(
	    s, *mask_cell(&g->m, row, column), mask_hidden(&g->m, row, column));
}

static void
begin(struct mask_sums *s, struct grid *g, size_t row, unsigned column)
{
	mask_sums_begin(
	    s, *mask_cell(&g->m, row, column), mask_hidden(&g->m, row, column));
}

static void
begin_total(struct mask_sums *s, struct grid *g, unsigned column)
{
	mask_sums_begin(s, g->m.total[column], &g->m.total_hidden[column]);
}

/* Each row's parts, each column's rows, and the parts of the totals. */
static void
sums_of(struct mask_sums *s, struct grid *g)
{
	for (size_t row = 0; row < g->m.rows; row++) {
		begin(s, g, row, g->m.sum);
		for (unsigned c = g->m.parts_from; c <= g->m.parts_to; c++)
			part(s, g, row, c);
	}
	if (g->m.not_additive)
		return;
	for (unsigned c = 0; c < g->m.columns; c++) {
		begin_total(s, g, c);
		for (size_t row = 0; row < g->m.rows; row++)
			part(s, g, row, c);
	}
	begin_total(s, g, g->m.sum);
	for (unsigned c = g->m.parts_from; c <= g->m.parts_to; c++)
		mask_sums_part(s, g->m.total[c], &g->m.total_hidden[c]);
}

/* The services of each protocol are in both, and those without a version. */
static void
outcomes_and_versions(struct mask_sums *s, struct tls_tables *t)
{
	struct grid *o = &t->outcomes, *v = &t->versions;
	size_t none = v->m.rows - 1;

	begin_total(s, v, ALL);
	mask_sums_part(
	    s, o->m.total[TLS_STATES], &o->m.total_hidden[TLS_STATES]);
	for (unsigned p = 0; p < PROTOCOLS; p++) {
		begin_total(s, v, p);
		part(s, o, p, TLS_STATES);
		if (v->m.rows == 0 || t->version[none] != 0)
			continue;
		begin(s, v, none, p);
		for (unsigned i = 0; i < TLS_STATES; i++)
			if (i != TLS_COMPLETED && i != TLS_IMPLICIT)
				part(s, o, p, i);
	}
}

/* Findings that are outcomes, or versions, by another name. */
static void
findings_and_others(struct mask_sums *s, struct tls_tables *t)
{
	struct grid *f = &t->findings, *o = &t->outcomes, *v = &t->versions;

	for (size_t row = 0; row < f->m.rows; row++)
		for (unsigned p = 0; p < PROTOCOLS; p++) {
			unsigned finding = t->finding[row];

			begin(s, f, row, p);
			if (finding == FINDING_NO_TLS) {
				part(s, o, p, TLS_NOT_OFFERED);
			} else if (finding == FINDING_STARTTLS_BROKEN) {
				part(s, o, p, TLS_BROKEN);
				part(s, o, p, TLS_REFUSED);
			} else if (finding == FINDING_OBSOLETE_TLS) {
				for (size_t i = 0; i < v->m.rows; i++)
					if (t->version[i] > 0 &&
					    t->version[i] < TLS_1_2)
						part(s, v, i, p);
			}
		}
}

void
tls_tables_mask(struct tls_tables *t, uint64_t below)
{
	struct grid *g[] = { &t->outcomes, &t->versions, &t->certificates,
		&t->findings };
	enum { GRIDS = sizeof g / sizeof g[0] };
	struct mask_sums *s = mask_sums_new();
	bool more = below > 1;

	for (unsigned i = 0; i < GRIDS; i++)
		sums_of(s, g[i]);
	outcomes_and_versions(s, t);
	findings_and_others(s, t);
	while (more) {
		for (unsigned i = 0; i < GRIDS; i++)
			mask_hide(&g[i]->m, below);
		more = mask_sums_hide(s);
	}
	for (unsigned i = 0; i < GRIDS; i++)
		mask_close(&g[i]->m);
	mask_sums_free(s);
}
