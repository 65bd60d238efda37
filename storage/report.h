/*
 * report.h: a page of HTML about a sweep that stands alone: map, tables and
 * figures, for the public or for those who act on it.
 */
#ifndef STORAGE_REPORT_H
#define STORAGE_REPORT_H

#include "storage/advice.h"
#include "storage/buf.h"
#include "storage/fixes.h"
#include "storage/statistics.h"
#include "storage/store.h"

enum {
	REPORT_SERIES_MAX = 400,
	REPORT_HOSTS_MAX = 50,
	REPORT_PLACES = 1 << 16 /* country codes as numbers, CUT_COUNTRY */
};

enum report_table_id {
	REPORT_COUNTRY,
	REPORT_CHANGE, /* by country */
	REPORT_ASN,
	REPORT_PROTOCOL,
	REPORT_TLS,
	REPORT_FINDING,
	REPORT_TABLES
};

/* A sealed sweep in the series. */
struct report_point {
	char id[SWEEP_ID_MAX];
	uint64_t start_us;
	uint64_t pop3, imap, smtp, hosts; /* IPv4, as the headline */
};

/* Services of a country that have no row any more. */
struct report_gone {
	uint64_t not_seen, gone; /* since less than GONE_AFTER sweeps; now so */
};

/* A host that lets in without a password. */
struct report_host {
	struct target target;
	struct head head;
};

struct report {
	const char *datadir;
	uint64_t mask_below; /* 0: nothing is masked */
	bool for_public; /* nothing that names a host */
	const struct advices *advices; /* NULL: none */
	struct buf attribution; /* lines */
	const char *publisher, *contact; /* "": not said */
	/* Read by report_read. */
	const struct sweep_info *info;
	uint64_t silent;
	struct statistics *tables[REPORT_TABLES];
	struct report_point *series; /* oldest first, this sweep the last */
	size_t nseries;
	uint64_t damaged; /* rows of the earlier ones that were passed over */
	struct fixes *fixes; /* of all of them */
	struct report_gone *gone; /* REPORT_PLACES of them */
	struct report_host *urgent; /* as many as there is room for */
	size_t nurgent;
};

/* All that the page says. False: it cannot be read, why in error. */
bool report_read(struct report *, struct store *, char error[STORE_ERROR_MAX]);
void report_free(struct report *);

/* The page. */
void report_write(const struct report *, struct buf *);

#endif
