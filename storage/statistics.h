/*
 * statistics.h: mail services counted by country, protocol and other cuts, in
 * one pass over the heads in key order.
 */
#ifndef STORAGE_STATISTICS_H
#define STORAGE_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/row.h"

/* What rows are told apart by. */
enum cut {
	CUT_NONE, /* one row for all */
	CUT_COUNTRY,
	CUT_ASN,
	CUT_PORT,
	CUT_PROTOCOL,
	CUT_FINDING, /* a service with two findings counts in both */
	CUT_TLS, /* negotiated version */
	CUT_STARTTLS,
	CUT_CIPHER,
	CUT_KEY,
	CUT_CHAIN,
	CUT_OUTCOME,
	CUT_FAMILY,
	CUT_CHANGE,
	CUT_PRODUCT, /* this and region read the bodies */
	CUT_REGION,
	CUT_COUNT
};
extern const char *const cut_names[CUT_COUNT];

enum { CUTS_MAX = 4, CUT_LABEL_MAX = 96, FAMILIES = 2 };

/*
 * Services are rows that spoke a mail protocol; the states sum to them. Hosts
 * are distinct addresses, [0] IPv4, [1] IPv6; one with services in two rows of
 * a table is a host of both. All members are uint64_t.
 */
struct counts {
	uint64_t services;
	uint64_t tls[TLS_STATES]; /* they sum to services */
	uint64_t no_tls, cleartext_login;
	uint64_t vulnerable; /* rows of a *_vulnerable report */
	uint64_t phantoms; /* of the services: answer on every port */
	uint64_t refused_us;
	/* Without phantoms that completed no dialog: what rates are of. */
	uint64_t hosts[FAMILIES];
	/* With a row in scan_pop3_vulnerable; the same of IMAP, without what
	 * is open without a password; SMTP without TLS. */
	uint64_t pop3[FAMILIES], imap[FAMILIES], smtp[FAMILIES];
	uint64_t both[FAMILIES]; /* of POP3 and IMAP */
	uint64_t exposed[FAMILIES]; /* with any of the three */
};

struct stat_row {
	uint64_t key[CUTS_MAX];
	struct counts counts;
	uint32_t host, had; /* the last address, and what it counted as */
	uint32_t rank; /* of its first key; 0: it is not known */
};

/* Distinct addresses, apart by family: [0] IPv4, [1] IPv6. */
struct headline {
	uint64_t addresses[2]; /* with a mail service */
	/* With a scan_..._vulnerable row for a login in clear without TLS. */
	uint64_t pop3[2], imap[2];
	uint64_t both[2], only_pop3[2], only_imap[2];
	uint64_t preauth[2]; /* IMAP open without a password */
	uint64_t rows, services; /* all rows; those that are services */
	uint64_t other; /* rows that spoke no mail protocol */
	uint64_t phantoms_silent; /* phantoms among these */
};

struct statistics;

/* Up to CUTS_MAX cuts, CUT_NONE behind the last. */
struct statistics *statistics_new(const enum cut cuts[CUTS_MAX]);
void statistics_free(struct statistics *);

/* Does the next row need its body (a cut by product or region, AS names)? */
bool statistics_wants_body(const struct statistics *, const struct head *);

/* Count a row; rows come in key order. */
void statistics_add(struct statistics *, const struct row *);
/* ... in several, which costs less than in one after the other. */
void statistics_add_all(
    struct statistics *const *, size_t n, const struct row *);

/* After the last row: the headline, and the totals over all services. */
const struct headline *statistics_headline(struct statistics *);
const struct counts *statistics_total(const struct statistics *);
/* Of the total: phantoms that completed a dialog. */
const struct counts *statistics_phantoms(const struct statistics *);

/*
 * The rows, most services first by the first cut and then by the others, with
 * their ranks; theirs until statistics_free. *n: how many.
 */
const struct stat_row *statistics_rows(struct statistics *, size_t *n);

/* The services that share a row's first key. */
uint64_t statistics_group(const struct statistics *, const struct stat_row *);

/* Is the row's first key not known? Such rows never go into a rest. */
bool statistics_is_unknown(const struct statistics *, const struct stat_row *);

/* What a row's key is called; returns label. */
const char *statistics_label(const struct statistics *, const struct stat_row *,
    unsigned which, char label[CUT_LABEL_MAX]);
const char *statistics_as_name(const struct statistics *, uint64_t asn);

/*
 * As bytes, and back; storage/FORMAT.md has them. Of cuts without labels only
 * (cut.h), and what is read back counts no further. NULL: not such bytes, of
 * other cuts, or damaged.
 */
struct buf;
void statistics_save(struct statistics *, struct buf *);
struct statistics *statistics_load(
    const enum cut cuts[CUTS_MAX], const uint8_t *, size_t len);

/*
 * What one process has counted of a sweep, as bytes for another of the same
 * program, which has counted other addresses: added it is as if one had counted
 * all. Without labels, as above. False: not such bytes.
 */
void statistics_part(struct statistics *, struct buf *);
bool statistics_add_part(struct statistics *, const uint8_t *, size_t len);

/* The tables that each seal makes, by these names: "country,protocol". */
enum { SEALED_TABLES = 8 };
extern const enum cut sealed_tables[SEALED_TABLES][CUTS_MAX];
void cuts_name(const enum cut cuts[CUTS_MAX], struct buf *);

const enum cut *statistics_cuts(const struct statistics *);
unsigned statistics_cut_count(const struct statistics *); /* at least 1 */

/* The row with the same labels; NULL: there is none. */
const struct stat_row *statistics_find(const struct statistics *,
    const struct statistics *of, const struct stat_row *);

void counts_add(struct counts *, const struct counts *);

#endif
