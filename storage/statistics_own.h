/* statistics_own.h: what statistics*.c share. */
#ifndef STORAGE_STATISTICS_OWN_H
#define STORAGE_STATISTICS_OWN_H

#include "storage/as_names.h"
#include "storage/cut.h"

/* Rows by their keys: open addressing, at most half full. */
struct table {
	struct stat_row *v;
	size_t n, cap;
	uint32_t *slots; /* index + 1 */
	size_t nslots;
	uint32_t last; /* index + 1 of the row asked for last */
};

/* What is known of the address whose rows are passing by. */
struct passing {
	struct addr addr;
	uint32_t number; /* of the address, from 1 */
	bool any, service, pop3, imap, preauth;
};

struct statistics {
	enum cut cuts[CUTS_MAX];
	unsigned ncuts;
	bool sorted; /* rows; before the next one is added they are not */
	struct labels labels[CUTS_MAX];
	struct table rows, groups; /* groups: by the first key alone */
	struct stat_row total, phantoms;
	struct headline headline;
	struct passing passing;
	struct as_names *names; /* NULL: no cut by AS */
};

/* The row with a key, made when it is not there; until the next call. */
struct stat_row *statistics_table_row(
    struct table *, const uint64_t key[CUTS_MAX]);

#endif
