/* stats_rows.c: which rows of statistics are printed, and what rates are of. */
#include <string.h>

#include "storage/stats_print.h"

/* Rows of which the first key is not known never go into the rest. */
static bool
is_shown(const struct stats_view *v, const struct stat_row *r)
{
	return v->top == 0 || r->rank == 0 || r->rank <= v->top;
}

/* Sums of an earlier sweep close as well: what no row has is in the rest. */
static void
rest_of_before(const struct stats_view *v, struct stats_rest *rest)
{
	size_t n;
	const struct stat_row *rows = statistics_rows(v->before, &n), *now;

	for (size_t i = 0; i < n; i++) {
		now = statistics_find(v->statistics, v->before, &rows[i]);
		if (now && is_shown(v, now))
			continue;
		counts_add(&rest->before, &rows[i].counts);
		rest->any = true;
	}
}

void
stats_each(const struct stats_view *v, struct stats_rest *rest,
    void (*each)(const struct stats_view *, const struct stat_row *, void *),
    void *arg)
{
	size_t n;
	const struct stat_row *rows = statistics_rows(v->statistics, &n);

	*rest = (struct stats_rest){ 0 };
	if (v->before)
		rest_of_before(v, rest);
	for (size_t i = 0; i < n; i++) {
		if (is_shown(v, &rows[i])) {
			each(v, &rows[i], arg);
			continue;
		}
		rest->any = true;
		rest->groups += rows[i].key[0] != rows[i - 1].key[0];
		counts_add(&rest->now, &rows[i].counts);
	}
}

double
stats_share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

double
stats_rate(uint64_t part, uint64_t whole)
{
	return 10 * stats_share(part, whole);
}

double
stats_per_million(uint64_t part, uint64_t whole)
{
	return 1000 * stats_rate(part, whole);
}

/* Which cut the addresses are told apart by; CUTS_MAX: none, or by two. */
static unsigned
announced_cut(const struct stats_view *v)
{
	const enum cut *cuts = statistics_cuts(v->statistics);
	unsigned found = CUTS_MAX;

	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		if (cuts[i] != CUT_COUNTRY && cuts[i] != CUT_ASN)
			continue;
		if (found != CUTS_MAX && cuts[found] != cuts[i])
			return CUTS_MAX;
		found = i;
	}
	return found;
}

/* Of a part of what is announced nobody knows how much it is. */
static bool
is_all_of(const struct stats_view *v, const struct stat_row *r, unsigned which)
{
	return v->part == CUT_NONE ||
	    (r && statistics_cuts(v->statistics)[which] == v->part);
}

uint64_t
stats_announced(const struct stats_view *v, const struct stat_row *r)
{
	char key[CUT_LABEL_MAX + 2] = "total";
	unsigned which = announced_cut(v);
	bool as;

	if (!v->announced || (r && which == CUTS_MAX) ||
	    !is_all_of(v, r, which))
		return 0;
	if (r) {
		as = statistics_cuts(v->statistics)[which] == CUT_ASN;
		memcpy(key, "AS", sizeof "AS");
		statistics_label(v->statistics, r, which, key + (as ? 2 : 0));
	}
	return announced_of(v->announced, key);
}
