/*
 * feed.h: Shadowserver-style notification feeds: which report types a row goes
 * to, how severe it is there, and the row itself.
 */
#ifndef STORAGE_FEED_H
#define STORAGE_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/buf.h"
#include "storage/cert_fields.h"
#include "storage/holes.h"
#include "storage/row.h"

/* Report types; each has a scan6_ twin for IPv6. */
enum feed_type {
	FEED_POP3,
	FEED_POP3_VULNERABLE,
	FEED_IMAP,
	FEED_IMAP_VULNERABLE,
	FEED_SMTP,
	FEED_SMTP_VULNERABLE,
	FEED_TYPES
};

enum severity {
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
	SEVERITY_COUNT
};
extern const char *const severity_names[SEVERITY_COUNT];

/* "scan_pop3", or "scan6_pop3" when six. */
const char *feed_type_name(enum feed_type, bool six);
const char *feed_type_title(enum feed_type); /* "Accessible POP3" */

/*
 * The types that a row belongs to, as bits 1 << type. holed: its version has
 * a known critical hole (holes.h).
 */
unsigned feed_types(const struct head *, bool holed);

/* The holes (holes.h) that an SMTP server's banner has, and how many. */
size_t feed_holes(const struct row *, const struct holes *,
    const struct hole *matched[HOLES_MATCHED_MAX]);
enum severity feed_severity(enum feed_type, const struct head *);

/*
 * All that one line of a feed is made of. cert is NULL without a certificate;
 * chain holds the base64 of the certificates after the leaf.
 */
struct feed_item {
	const struct row *row;
	enum feed_type type;
	const struct cert_fields *cert;
	const struct hole *const *holes;
	size_t nholes;
	const char *sweep_id;
	const char *raw_cert, *raw_chain; /* base64; NULL: not asked for */
};

/* The header line. extra: names of our own columns, after the official. */
void feed_header(struct buf *, enum feed_type, char *const *extra, size_t n);
/* One row with its line end, columns as in the header. */
void feed_line(
    struct buf *, const struct feed_item *, char *const *extra, size_t n);

/* Is there such a column of our own ("x_starttls" ...)? */
bool feed_has_extra(const char *name);
/* May a recipient ask for this name: an own column, raw_cert, raw_cert_chain */
bool feed_may_ask(const char *name);

/*
 * The host's name and where it was learnt ("banner", "cert"); false: none.
 * Not NUL-terminated.
 */
bool feed_hostname(const struct row *, const struct cert_fields *,
    const char **name, size_t *len, const char **source);

/* What the host said to STARTTLS, "STLS|-ERR no such command", mapped. */
void feed_evidence(const struct row *, struct buf *);

#endif
