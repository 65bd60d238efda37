/* account.h: the account of a sweep: two ledgers that must agree. */
#ifndef STORAGE_ACCOUNT_H
#define STORAGE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/stats.h"
#include "storage/record.h"

/* The lines of the account, in order (DESIGN.md 6). */
enum account_line_id {
	LINE_INDEX,
	LINE_EXCLUDED,
	LINE_PASSED,
	LINE_PASSED_ALL,
	LINE_SYNACKS,
	LINE_ENTERED,
	LINE_HANDED_ON,
	LINE_ADOPTED,
	LINE_RECEIVED,
	LINE_ROWS,
	LINE_NEW,
	LINE_SENT,
	ACCOUNT_LINES
};

/* Words for them without blanks, as they are stored. */
extern const char *const account_line_names[ACCOUNT_LINES];

enum { ACCOUNT_LINES_MAX = 16 };

/*
 * Flat; stored with the sweep. `events` sums the shared page over slots and
 * over incarnations (gauges: as last seen). `stock` is counted by the sealing
 * pass from the rows themselves.
 */
struct account {
	uint64_t events[STAT_COUNT];
	/* Index arithmetic: what the configuration says there is. */
	uint64_t index_total, index_excluded;
	/* Settled index ledger, cumulative over incarnations. */
	uint64_t counted[4]; /* enum send_count */
	/* Stock. */
	uint64_t rows, purged, rows_new;
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t without_answer; /* sent - rows - purged */
	uint32_t incarnations;
	/* 0: a shard, or exclusions changed under way; index_excluded is not
	 * to be had by arithmetic. */
	uint32_t excluded_exact;
	/*
	 * For each line, what was in flight when an incarnation was cut off:
	 * counted on its left side, never on its right.
	 */
	uint64_t cut_off[ACCOUNT_LINES];
};

/* One line of the account: both sides, and what they stand for. */
struct account_line {
	const char *name; /* "send: index passed" ... */
	uint64_t left, right;
	const char *terms; /* "excluded + opted_out + ..." */
};

/* Fill lines, return how many; the account balances when all agree. */
size_t account_lines(
    const struct account *, struct account_line[ACCOUNT_LINES_MAX]);
bool account_balances(const struct account *);

/*
 * The event ledger of one incarnation: the page summed over its slots, and
 * the settled steps (positions, summed over threads) between which it ran.
 */
struct ledger {
	uint64_t events[STAT_COUNT];
	uint64_t begin, settled;
};

/* Set the events from the page. */
void ledger_read(struct ledger *, const struct stats *);

/*
 * Add one to the account. A last one ran to the end of the sweep: its gauges
 * are kept. Of any other, what each line lacks on its right was cut off.
 */
void account_add(struct account *, const struct ledger *, bool last);

#endif
