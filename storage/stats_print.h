/* stats_print.h: statistics as text, CSV and JSON. */
#ifndef STORAGE_STATS_PRINT_H
#define STORAGE_STATS_PRINT_H

#include "storage/statistics.h"
#include "storage/store.h"

/* What is printed: the rows of the first `top` groups, the rest in one. */
struct stats_view {
	struct statistics *statistics;
	struct statistics *before; /* of an earlier sweep; NULL: none */
	const struct sweep_info *info, *before_info;
	uint64_t silent;
	uint64_t top; /* 0: all */
	/* One of several sweeps: each row says which; the first has heads. */
	bool series, is_first;
};

/* Per thousand; 0 of nothing. */
double stats_rate(uint64_t part, uint64_t whole);

void stats_text(const struct stats_view *);
void stats_csv(const struct stats_view *);
void stats_json(const struct stats_view *); /* of a series: a line a sweep */

/*
 * The rows to be printed, the rest (a copy of sums) not among them: calls
 * each in order. Returns how many groups are in *rest.
 */
uint64_t stats_each(const struct stats_view *, struct counts *rest,
    void (*each)(const struct stats_view *, const struct stat_row *, void *),
    void *);

#endif
