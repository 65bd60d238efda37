/* account.h: the account of a sweep: two ledgers that must agree. */
#ifndef STORAGE_ACCOUNT_H
#define STORAGE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/stats.h"
#include "storage/record.h"

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
	/* In flight when an incarnation was cut off; sent again since. */
	uint64_t cut_off;
	/* Stock. */
	uint64_t rows, purged, rows_new;
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t without_answer; /* sent - rows - purged */
	uint32_t incarnations;
	uint32_t spare;
};

/* One line of the account: both sides, and what they stand for. */
struct account_line {
	const char *name; /* "send: index passed" ... */
	uint64_t left, right;
	const char *terms; /* "excluded + opted_out + ..." */
};

enum { ACCOUNT_LINES_MAX = 16 };

/* Fill lines, return how many; the account balances when all agree. */
size_t account_lines(
    const struct account *, struct account_line[ACCOUNT_LINES_MAX]);
bool account_balances(const struct account *);

#endif
