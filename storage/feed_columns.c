/* feed_columns.c: the columns of a feed, in order, and what stands in each. */
#include <string.h>

#include "storage/csv.h"
#include "storage/feed_values.h"
#include "storage/text.h"

enum column_flag {
	NUMBER = 1, /* bare, not quoted */
	SMTP_ONLY = 2
};

/*
 * A server may send a name of 60 KB, which makes 500 KB of mapped text. At
 * CELL_MAX spreadsheets cut a cell; beyond READER_MAX the csv module of Python
 * refuses the whole file, and so would IntelMQ, for one row in it.
 */
enum { CELL_MAX = 32767, READER_MAX = 131072 };

struct column {
	const char *name;
	void (*put)(const struct feed_item *, int arg, struct buf *b);
	int arg;
	unsigned flags;
};

/* clang-format off */
static const struct column official[] = {
	{ "timestamp", column_timestamp, 0, 0 },
	{ "severity", column_severity, 0, 0 },
	{ "ip", column_ip, 0, 0 },
	{ "protocol", column_transport, 0, 0 },
	{ "port", column_port, 0, NUMBER },
	{ "hostname", column_hostname, 0, 0 },
	{ "tag", column_tag, 0, 0 },
	{ "asn", column_asn, 0, NUMBER },
	{ "geo", column_country, 0, 0 },
	{ "region", column_upper, TAG_REGION, 0 },
	{ "city", column_upper, TAG_CITY, 0 },
	{ "naics", column_digits, TAG_NAICS, NUMBER },
	{ "hostname_source", column_hostname, 1, 0 },
	{ "sector", column_field, TAG_SECTOR, 0 },
	{ "banner", column_banner, 0, 0 },
	{ "auth_ssl_response", column_nothing, 0, SMTP_ONLY },
	{ "auth_tls_response", column_field, TAG_STARTTLS_REPLY, SMTP_ONLY },
	{ "cert_expiration_date", column_cert_time, 1, 0 },
	{ "cert_expired", column_expired, 0, 0 },
	{ "cert_issue_date", column_cert_time, 0, 0 },
	{ "cert_length", column_cert_length, 0, NUMBER },
	{ "cert_serial_number", column_cert_text, CERT_SERIAL, 0 },
	{ "cert_valid", column_valid, 0, 0 },
	{ "cipher_suite", column_cipher, 0, 0 },
	{ "freak_cipher_suite", column_nothing, 0, SMTP_ONLY },
	{ "freak_vulnerable", column_nothing, 0, SMTP_ONLY },
	{ "handshake", column_handshake, 0, 0 },
	{ "issuer_business_category", column_issuer, NAME_BUSINESS_CATEGORY, 0 },
	{ "issuer_common_name", column_issuer, NAME_COMMON_NAME, 0 },
	{ "issuer_country", column_issuer, NAME_COUNTRY, 0 },
	{ "issuer_email_address", column_issuer, NAME_EMAIL, 0 },
	{ "issuer_given_name", column_issuer, NAME_GIVEN_NAME, 0 },
	{ "issuer_locality_name", column_issuer, NAME_LOCALITY, 0 },
	{ "issuer_organization_name", column_issuer, NAME_ORGANIZATION, 0 },
	{ "issuer_organization_unit_name", column_issuer, NAME_UNIT, 0 },
	{ "issuer_postal_code", column_issuer, NAME_POSTAL_CODE, 0 },
	{ "issuer_serial_number", column_issuer, NAME_SERIAL_NUMBER, 0 },
	{ "issuer_state_or_province_name", column_issuer, NAME_STATE, 0 },
	{ "issuer_street_address", column_issuer, NAME_STREET, 0 },
	{ "issuer_surname", column_issuer, NAME_SURNAME, 0 },
	{ "jarm", column_nothing, 0, 0 },
	{ "key_algorithm", column_cert_text, CERT_KEY, 0 },
	{ "md5_fingerprint", column_cert_text, CERT_MD5, 0 },
	{ "raw_cert", column_raw, 0, SMTP_ONLY },
	{ "raw_cert_chain", column_raw, 1, SMTP_ONLY },
	{ "self_signed", column_self_signed, 0, 0 },
	{ "sha1_fingerprint", column_cert_text, CERT_SHA1, 0 },
	{ "sha256_fingerprint", column_cert_text, CERT_SHA256, 0 },
	{ "sha512_fingerprint", column_cert_text, CERT_SHA512, 0 },
	{ "signature_algorithm", column_cert_text, CERT_SIGNATURE, 0 },
	{ "ssl_version", column_x509_version, 0, NUMBER },
	{ "sslv3_supported", column_nothing, 0, 0 },
	{ "subject_business_category", column_subject, NAME_BUSINESS_CATEGORY, 0 },
	{ "subject_common_name", column_subject, NAME_COMMON_NAME, 0 },
	{ "subject_country", column_subject, NAME_COUNTRY, 0 },
	{ "subject_email_address", column_subject, NAME_EMAIL, 0 },
	{ "subject_given_name", column_subject, NAME_GIVEN_NAME, 0 },
	{ "subject_locality_name", column_subject, NAME_LOCALITY, 0 },
	{ "subject_organization_name", column_subject, NAME_ORGANIZATION, 0 },
	{ "subject_organization_unit_name", column_subject, NAME_UNIT, 0 },
	{ "subject_postal_code", column_subject, NAME_POSTAL_CODE, 0 },
	{ "subject_serial_number", column_subject, NAME_SERIAL_NUMBER, 0 },
	{ "subject_state_or_province_name", column_subject, NAME_STATE, 0 },
	{ "subject_street_address", column_subject, NAME_STREET, 0 },
	{ "subject_surname", column_subject, NAME_SURNAME, 0 },
	{ "tlsv13_cipher", column_cipher, 1, SMTP_ONLY },
	{ "tlsv13_support", column_tlsv13, 0, SMTP_ONLY },
	{ "validation_level", column_validation, 0, 0 },
};
/* clang-format on */

static const struct column own[] = {
	{ "x_starttls", column_x_starttls, 0, 0 },
	{ "x_offered", column_x_offered, 0, 0 },
	{ "x_login_before", column_x_login, 0, 0 },
	{ "x_capabilities", column_x_capabilities, 0, 0 },
	{ "x_product", column_x_product, 0, 0 },
	{ "x_first_seen", column_x_first_seen, 0, 0 },
	{ "x_observations", column_x_observations, 0, 0 },
	{ "x_evidence", column_x_evidence, 0, 0 },
	{ "x_sweep", column_x_sweep, 0, 0 },
	{ "x_source_ip", column_x_source, 0, 0 },
};

enum {
	OFFICIAL = sizeof official / sizeof official[0],
	OWN = sizeof own / sizeof own[0]
};

static const struct column *
find_own(const char *name)
{
	for (int i = 0; i < OWN; i++)
		if (strcmp(own[i].name, name) == 0)
			return &own[i];
	return NULL;
}

bool
feed_has_extra(const char *name)
{
	return find_own(name) != NULL;
}

bool
feed_may_ask(const char *name)
{
	return feed_has_extra(name) || strcmp(name, "raw_cert") == 0 ||
	    strcmp(name, "raw_cert_chain") == 0;
}

static bool
is_column_of(const struct column *c, enum feed_type type)
{
	return type == FEED_SMTP || type == FEED_SMTP_VULNERABLE ||
	    !(c->flags & SMTP_ONLY);
}

void
feed_header(struct buf *b, enum feed_type type, char *const *extra, size_t n)
{
	struct csv csv = { b, 0 };

	for (int i = 0; i < OFFICIAL; i++)
		if (is_column_of(&official[i], type))
			csv_string(&csv, official[i].name);
	for (size_t i = 0; i < n; i++)
		if (feed_has_extra(extra[i]))
			csv_string(&csv, extra[i]);
	csv_end(&csv);
}

/* Certificates are whole or not there. */
static void
bound_value(const struct column *c, struct buf *value)
{
	if (c->put != column_raw)
		text_cut(value, CELL_MAX);
	else if (value->len > READER_MAX)
		buf_clear(value);
}

static void
put_value(struct csv *csv, const struct column *c, const struct feed_item *item,
    struct buf *value)
{
	buf_clear(value);
	c->put(item, c->arg, value);
	bound_value(c, value);
	if (value->len == 0)
		csv_missing(csv);
	else if (c->flags & NUMBER)
		csv_bare(csv, value->s);
	else
		csv_text(csv, value->s, value->len);
}

void
feed_line(
    struct buf *b, const struct feed_item *item, char *const *extra, size_t n)
{
	struct csv csv = { b, 0 };
	struct buf value = { 0 };
	const struct column *c;

	for (int i = 0; i < OFFICIAL; i++)
		if (is_column_of(&official[i], item->type))
			put_value(&csv, &official[i], item, &value);
	for (size_t i = 0; i < n; i++)
		if ((c = find_own(extra[i])))
			put_value(&csv, c, item, &value);
	csv_end(&csv);
	buf_free(&value);
}
