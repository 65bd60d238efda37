/* feed.c: which report types a row goes to, and how severe it is there. */
#include <string.h>

#include "storage/feed.h"
#include "storage/text.h"

const char *const severity_names[SEVERITY_COUNT] = { "info", "low", "medium",
	"high", "critical" };

/* clang-format off */
static const struct {
	const char *name[2]; /* IPv4, IPv6 */
	const char *title;
	enum severity severity;
} types[FEED_TYPES] = {
	[FEED_POP3] = { { "scan_pop3", "scan6_pop3" },
	    "Accessible POP3", SEVERITY_LOW },
	[FEED_POP3_VULNERABLE] =
	    { { "scan_pop3_vulnerable", "scan6_pop3_vulnerable" },
	    "Vulnerable POP3", SEVERITY_MEDIUM },
	[FEED_IMAP] = { { "scan_imap", "scan6_imap" },
	    "Accessible IMAP", SEVERITY_LOW },
	[FEED_IMAP_VULNERABLE] =
	    { { "scan_imap_vulnerable", "scan6_imap_vulnerable" },
	    "Vulnerable IMAP", SEVERITY_MEDIUM },
	[FEED_SMTP] = { { "scan_smtp", "scan6_smtp" },
	    "Accessible SMTP", SEVERITY_INFO },
	[FEED_SMTP_VULNERABLE] =
	    { { "scan_smtp_vulnerable", "scan6_smtp_vulnerable" },
	    "Vulnerable SMTP", SEVERITY_CRITICAL },
};
/* clang-format on */

const char *
feed_type_name(enum feed_type type, bool six)
{
	return types[type].name[six];
}

const char *
feed_type_title(enum feed_type type)
{
	return types[type].title;
}

/*
 * A password is asked for in clear and TLS cannot be had. not_offered holds
 * its own proof (the server's refusal); the others could be one bad moment and
 * count when a second connection saw them again. handshake_failed never does:
 * such a server speaks TLS.
 */
static bool
clear_login_only(const struct head *h)
{
	if (!head_has(h, FINDING_CLEARTEXT_LOGIN))
		return false;
	switch ((enum starttls)h->starttls) {
	case STARTTLS_NOT_OFFERED:
		return true;
	case STARTTLS_REFUSED:
	case STARTTLS_CLOSED:
	case STARTTLS_NOT_TLS:
		return h->confirmed > 0;
	default:
		return false;
	}
}

unsigned
feed_types(const struct head *h, bool holed)
{
	if (!head_had_dialog(h))
		return 0;
	switch ((enum protocol)h->protocol) {
	case PROTOCOL_POP3:
		return 1u << FEED_POP3 |
		    (unsigned)clear_login_only(h) << FEED_POP3_VULNERABLE;
	case PROTOCOL_IMAP:
		return 1u << FEED_IMAP |
		    (unsigned)(clear_login_only(h) ||
			head_has(h, FINDING_PREAUTH))
		    << FEED_IMAP_VULNERABLE;
	case PROTOCOL_SMTP:
		return 1u << FEED_SMTP |
		    (unsigned)holed << FEED_SMTP_VULNERABLE;
	case PROTOCOL_UNKNOWN:
	case PROTOCOL_COUNT:
		break;
	}
	return 0;
}

size_t
feed_holes(const struct row *r, const struct holes *holes,
    const struct hole *matched[HOLES_MATCHED_MAX])
{
	if (r->head.protocol != PROTOCOL_SMTP || !head_had_dialog(&r->head))
		return 0;
	return holes_match(holes, r, matched);
}

enum severity
feed_severity(enum feed_type type, const struct head *h)
{
	if (type == FEED_IMAP_VULNERABLE && head_has(h, FINDING_PREAUTH))
		return SEVERITY_CRITICAL;
	return types[type].severity;
}

static bool
field_hostname(
    const struct row *r, enum tag tag, const char **name, size_t *len)
{
	struct field f;

	if (!row_field(r, tag, &f))
		return false;
	*name = (const char *)f.bytes;
	*len = f.len;
	return text_is_hostname(*name, len);
}

bool
feed_hostname(const struct row *r, const struct cert_fields *cert,
    const char **name, size_t *len, const char **source)
{
	*source = "ptr";
	if (field_hostname(r, TAG_PTR, name, len))
		return true;
	*source = "banner";
	if (field_hostname(r, TAG_GREETING_NAME, name, len) ||
	    field_hostname(r, TAG_EHLO_NAME, name, len))
		return true;
	*source = "cert";
	return cert && cert_fields_hostname(cert, name, len);
}

/* STLS or STARTTLS, with an IMAP tag before it or not. */
static bool
asks_for_tls(const struct entry *e)
{
	return e->speaker == SPEAKER_CLIENT &&
	    (memmem(e->bytes, e->len, "STLS", 4) ||
		memmem(e->bytes, e->len, "STARTTLS", 8));
}

void
feed_evidence(const struct row *r, struct buf *b)
{
	struct field f, reply;
	struct entry e;
	uint32_t at = 0;

	if (!row_field(r, TAG_STARTTLS_REPLY, &reply))
		return;
	while (body_next(r->body, r->len, &at, &f))
		if (field_entry(&f, &e) && asks_for_tls(&e)) {
			text_add(b, e.bytes, e.len);
			buf_putc(b, '|');
			break;
		}
	text_add(b, reply.bytes, reply.len);
}
