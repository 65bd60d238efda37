/* stats_print.h: statistics as text, CSV and JSON. */
#ifndef STORAGE_STATS_PRINT_H
#define STORAGE_STATS_PRINT_H

#include "storage/announced.h"
#include "storage/statistics.h"
#include "storage/store.h"

/* What is printed: the rows of the first `top` groups, the rest in one. */
struct stats_view {
	struct statistics *statistics;
	struct statistics *before; /* of an earlier sweep; NULL: none */
	const struct sweep_info *info, *before_info;
	uint64_t silent;
	uint64_t top; /* 0: all */
	const struct announced *announced; /* NULL: not known */
	/*
	 * Only rows of one country or one AS (that cut) were counted, or of
	 * another part of the addresses (CUT_COUNT); CUT_NONE: of all.
	 */
	enum cut part;
	/* One of several sweeps: each row says which; the first has heads. */
	bool series, is_first;
};

/* Percent, and per thousand; 0 of nothing. */
double stats_share(uint64_t part, uint64_t whole);
double stats_rate(uint64_t part, uint64_t whole);

double stats_per_million(uint64_t part, uint64_t whole);

/*
 * How many addresses are announced in the country or by the AS of a row, or in
 * all (NULL); 0: it is not known.
 */
uint64_t stats_announced(const struct stats_view *, const struct stat_row *);

void stats_text(const struct stats_view *);
void stats_csv(const struct stats_view *);
void stats_json(const struct stats_view *); /* of a series: a line a sweep */

/* What is in no row that is printed. */
struct stats_rest {
	bool any;
	uint64_t groups; /* of this sweep */
	struct counts now;
	/* Of the earlier one, what this one has no more as well. */
	struct counts before;
};

/* The rows to be printed: calls each in order, and adds up the others. */
void stats_each(const struct stats_view *, struct stats_rest *,
    void (*each)(const struct stats_view *, const struct stat_row *, void *),
    void *);

#endif
