/* report_own.h: what report*.c share. */
#ifndef STORAGE_REPORT_OWN_H
#define STORAGE_REPORT_OWN_H

#include "storage/mask.h"
#include "storage/report.h"

/* ---- report_table.c ------------------------------------------------------ */

/* The columns about hosts that countries and networks have. */
enum host_column {
	HOST_EXPOSED, /* any of the next three */
	HOST_POP3,
	HOST_IMAP,
	HOST_SMTP,
	HOST_MAIL, /* all hosts with a mail service */
	HOST_EXPOSED6, /* exposed, IPv6 */
	HOST_COLUMNS
};
void host_counts(struct mask_table *, size_t row, const struct counts *);
/* A host may be exposed in several protocols. */
void hosts_are_shared(struct mask_table *);

/* Of fewer mail hosts a rate says nothing; report.js has the number too. */
enum { RATE_HOSTS_MIN = 20 };

/* A table of counts, as it is printed. */
struct grid {
	const char *id, *caption; /* caption: HTML */
	const char *label; /* heading of the first column */
	const char *const *heads; /* of the others */
	struct mask_table m;
	struct buf *labels; /* HTML, one a row */
	char (*keys)[4]; /* NULL, or what the script knows the row by */
	const struct counts *phantoms; /* NULL, or a row below the total */
	uint64_t left_out; /* rows that are in the rest only */
	bool rates; /* a last column: exposed per 1,000 mail hosts */
	bool bars; /* in the first column of counts */
	bool is_long; /* the script shows the first rows only */
};
void grid_new(struct grid *, size_t rows, unsigned columns);
void grid_free(struct grid *);
/*
 * Its rows as a reader could sort them, by two columns and the label: their
 * order must tell no more than they show.
 */
void grid_order(struct grid *, unsigned first, unsigned second);
void grid_write(const struct report *, const struct grid *, struct buf *);

/* A count by itself: "fewer than 10" where it is masked. */
void count_write(const struct report *, struct buf *, uint64_t);
bool is_small(const struct report *, uint64_t);

/* ---- report_places.c ----------------------------------------------------- */

/* The English name, HTML; its code where it has none. */
void country_name(struct buf *, const char code[2]);
void countries_write(const struct report *, struct buf *);
void networks_write(const struct report *, struct buf *);

/* ---- report_map.c -------------------------------------------------------- */

/* The grid of countries, masked; keys are the codes. */
void map_write(const struct report *, const struct grid *, struct buf *);

/* ---- report_sums.c ------------------------------------------------------- */

enum {
	PROTOCOLS = 3, /* POP3, IMAP, SMTP */
	ALL = PROTOCOLS, /* the column of their sum */
	VERSIONS_MAX = 16
};

/* The tables about TLS: services by protocol. */
struct tls_tables {
	struct grid outcomes, versions, certificates, findings;
	uint64_t version[VERSIONS_MAX]; /* of its row */
	unsigned finding[FINDING_COUNT]; /* of its row */
};
/* Mask them, so that none gives away what another one hides. */
void tls_tables_mask(struct tls_tables *, uint64_t below);

/* ---- the other report_*.c ------------------------------------------------ */

void overlap_write(const struct report *, struct buf *);
void tls_tables_write(const struct report *, struct buf *);
void series_write(const struct report *, struct buf *);
void changes_write(const struct report *, struct buf *);
void about_write(const struct report *, struct buf *);
void headline_write(const struct report *, struct buf *);
void urgent_write(const struct report *, struct buf *);
void coverage_write(const struct report *, struct buf *);
void advice_write(const struct report *, struct buf *);

#endif
