/* feed_values.h: what stands in each column of a feed. */
#ifndef STORAGE_FEED_VALUES_H
#define STORAGE_FEED_VALUES_H

#include "storage/feed.h"

enum cert_text {
	CERT_SERIAL,
	CERT_KEY,
	CERT_SIGNATURE,
	CERT_MD5,
	CERT_SHA1,
	CERT_SHA256,
	CERT_SHA512,
	CERT_TEXTS
};

static inline const struct head *
item_head(const struct feed_item *i)
{
	return &i->row->head;
}

static inline void
put_yes_no(struct buf *b, bool yes)
{
	buf_putc(b, yes ? 'Y' : 'N');
}

/*
 * Each adds its column's value to b, mapped, or nothing where it was not
 * measured. arg chooses among columns of one kind (feed_columns.c).
 */
#define VALUE(name) \
	void column_##name(const struct feed_item *, int arg, struct buf *b)
VALUE(timestamp);
VALUE(severity);
VALUE(ip);
VALUE(transport);
VALUE(port);
VALUE(hostname);
VALUE(tag);
VALUE(asn);
VALUE(country);
VALUE(upper);
VALUE(digits);
VALUE(field);
VALUE(banner);
VALUE(nothing);
VALUE(cert_time);
VALUE(expired);
VALUE(cert_length);
VALUE(cert_text);
VALUE(valid);
VALUE(cipher);
VALUE(handshake);
VALUE(issuer);
VALUE(raw);
VALUE(self_signed);
VALUE(x509_version);
VALUE(subject);
VALUE(tlsv13);
VALUE(validation);
VALUE(x_starttls);
VALUE(x_offered);
VALUE(x_login);
VALUE(x_capabilities);
VALUE(x_product);
VALUE(x_first_seen);
VALUE(x_observations);
VALUE(x_evidence);
VALUE(x_sweep);
VALUE(x_source);
#undef VALUE

#endif
