/* row.h: a stored row as the tool passes it around, and questions about it. */
#ifndef STORAGE_ROW_H
#define STORAGE_ROW_H

#include <stdbool.h>

#include "engine/addr.h"
#include "storage/buf.h"
#include "storage/record.h"

/* body is the store's and dies at the next step of its scan. */
struct row {
	struct target target;
	struct head head;
	const uint8_t *body;
	uint32_t len;
};

/* The TLS states of the statistics: each mail service is in exactly one. */
enum tls_state {
	TLS_COMPLETED, /* STARTTLS, and the handshake too */
	TLS_IMPLICIT, /* from the first byte */
	TLS_BROKEN, /* offered, then closed, clear text or failed */
	TLS_REFUSED, /* offered, and refused when asked */
	TLS_NOT_OFFERED,
	TLS_UNKNOWN, /* could not be asked, or no answer came */
	TLS_STATES
};
extern const char *const tls_state_names[TLS_STATES];

static inline bool
head_has(const struct head *h, enum finding f)
{
	return h->findings >> f & 1;
}

/* Greeted as POP3, IMAP or SMTP, willing or not. */
bool head_is_service(const struct head *);

/*
 * Let us through the dialog as far as what became of STARTTLS: a server that
 * says yes to STARTTLS and hangs up did, one that greets with 554 did not.
 */
bool head_had_dialog(const struct head *);

enum tls_state head_tls_state(const struct head *);
bool head_has_leaf(const struct head *);

/*
 * Names of a host that the row has, in enum name_match's order; what they are
 * called, and the bit of head.names that says whether the leaf is good for it.
 */
struct claimed_name {
	enum tag tag;
	uint8_t bit;
	const char *key, *label;
};
enum { CLAIMED_NAMES = 3 };
extern const struct claimed_name claimed_names[CLAIMED_NAMES];

bool row_field(const struct row *, enum tag, struct field *);
/* The field mapped (text.h) into b; nothing when there is none. */
void row_text(const struct row *, enum tag, struct buf *b);

/* "dovecot" as tags and tables have it: lower-case, of [a-z0-9._-]. */
void row_product(const struct row *, struct buf *b);

/* A transcript entry taken apart; false: not one. */
struct entry {
	enum speaker speaker;
	uint32_t ms;
	const uint8_t *bytes;
	size_t len;
};
bool field_entry(const struct field *, struct entry *);

#endif
