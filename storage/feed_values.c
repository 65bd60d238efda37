/* feed_values.c: what stands in the official columns of a feed. */
#include <inttypes.h>

#include "storage/feed_values.h"
#include "storage/text.h"
#include "storage/tls_names.h"

void
column_nothing(const struct feed_item *i, int arg, struct buf *b)
{
	(void)i;
	(void)arg;
	(void)b;
}

void
column_timestamp(const struct feed_item *i, int arg, struct buf *b)
{
	char text[TIME_TEXT_MAX];

	(void)arg;
	buf_puts(b, text_time(item_head(i)->time_us, text));
}

void
column_severity(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	buf_puts(b, severity_names[feed_severity(i->type, item_head(i))]);
}

void
column_ip(const struct feed_item *i, int arg, struct buf *b)
{
	char text[ADDR_TEXT_MAX];

	(void)arg;
	buf_puts(b, addr_text(&i->row->target.addr, text));
}

void
column_transport(const struct feed_item *i, int arg, struct buf *b)
{
	(void)i;
	(void)arg;
	buf_puts(b, "tcp");
}

void
column_port(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	buf_printf(b, "%u", i->row->target.port);
}

void
column_hostname(const struct feed_item *i, int source_wanted, struct buf *b)
{
	const char *name, *source;
	size_t len;

	if (!feed_hostname(i->row, i->cert, &name, &len, &source))
		return;
	if (source_wanted)
		buf_puts(b, source);
	else
		buf_add(b, name, len);
}

/* protocol, findings, product, holes; joined by ';' */
void
column_tag(const struct feed_item *i, int arg, struct buf *b)
{
	size_t before;

	(void)arg;
	buf_puts(b, protocol_names[item_head(i)->protocol]);
	for (int f = 0; f < FINDING_COUNT; f++) {
		if (!head_has(item_head(i), (enum finding)f))
			continue;
		buf_putc(b, ';');
		before = b->len;
		buf_puts(b, finding_names[f]);
		for (char *c = b->s + before; *c; c++)
			if (*c == '_')
				*c = '-';
	}
	before = b->len;
	buf_putc(b, ';');
	row_product(i->row, b);
	if (b->len == before + 1)
		b->s[b->len = before] = '\0';
	for (size_t n = 0; n < i->nholes; n++)
		buf_printf(b, ";%s", i->holes[n]->cve);
	if (i->nholes > 0)
		buf_puts(b, ";banner-version");
}

void
column_asn(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (item_head(i)->asn != 0)
		buf_printf(b, "%" PRIu32, item_head(i)->asn);
}

void
column_country(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (item_head(i)->country[0] != '?')
		text_upper(
		    b, item_head(i)->country, sizeof item_head(i)->country);
}

void
column_upper(const struct feed_item *i, int tag, struct buf *b)
{
	struct field f;

	if (row_field(i->row, (enum tag)tag, &f))
		text_upper(b, f.bytes, f.len);
}

void
column_field(const struct feed_item *i, int tag, struct buf *b)
{
	row_text(i->row, (enum tag)tag, b);
}

/* A column of numbers stays one, whatever the operator's file says. */
void
column_digits(const struct feed_item *i, int tag, struct buf *b)
{
	struct field f;

	if (!row_field(i->row, (enum tag)tag, &f))
		return;
	for (uint32_t n = 0; n < f.len; n++)
		if (f.bytes[n] < '0' || f.bytes[n] > '9')
			return;
	buf_add(b, f.bytes, f.len);
}

void
column_banner(const struct feed_item *i, int arg, struct buf *b)
{
	struct field f;

	(void)arg;
	if (row_field(i->row, TAG_GREETING, &f))
		text_map(b, f.bytes, f.len, BANNER_MAX);
}

/* TLS was spoken and a certificate came with it. */
static bool
has_cert(const struct feed_item *i)
{
	return item_head(i)->tls_version != 0 && head_has_leaf(item_head(i));
}

static bool
has_parsed(const struct feed_item *i)
{
	return has_cert(i) && i->cert && i->cert->parsed;
}

void
column_cert_time(const struct feed_item *i, int end, struct buf *b)
{
	char text[TIME_TEXT_MAX];

	if (has_parsed(i))
		buf_puts(b,
		    text_seconds(
			end ? i->cert->not_after : i->cert->not_before, text));
}

void
column_expired(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (has_parsed(i))
		put_yes_no(b, head_has(item_head(i), FINDING_EXPIRED));
}

void
column_cert_length(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (has_parsed(i) && i->cert->key_bits > 0)
		buf_printf(b, "%u", i->cert->key_bits);
}

/* The verdict leaves times aside (record.h); a valid certificate is in time. */
void
column_valid(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (has_cert(i) && item_head(i)->chain != CHAIN_NONE)
		put_yes_no(b,
		    item_head(i)->chain == CHAIN_TRUSTED &&
			!head_has(item_head(i), FINDING_EXPIRED) &&
			!head_has(item_head(i), FINDING_NOT_YET_VALID));
}

void
column_self_signed(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (has_parsed(i))
		put_yes_no(b, head_has(item_head(i), FINDING_SELF_SIGNED));
}

void
column_cipher(const struct feed_item *i, int only_13, struct buf *b)
{
	const char *name = cipher_name(item_head(i)->cipher);

	if (item_head(i)->tls_version != 0 && name &&
	    (!only_13 || item_head(i)->tls_version == 0x304))
		buf_puts(b, name);
}

void
column_handshake(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	buf_puts(b, tls_version_name(item_head(i)->tls_version));
}

void
column_tlsv13(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (item_head(i)->tls_version != 0)
		put_yes_no(b, item_head(i)->tls_version == 0x304);
}

void
column_issuer(const struct feed_item *i, int part, struct buf *b)
{
	if (has_parsed(i) && i->cert->issuer[part])
		buf_puts(b, i->cert->issuer[part]);
}

void
column_subject(const struct feed_item *i, int part, struct buf *b)
{
	if (has_parsed(i) && i->cert->subject[part])
		buf_puts(b, i->cert->subject[part]);
}

void
column_cert_text(const struct feed_item *i, int which, struct buf *b)
{
	const struct cert_fields *c = i->cert;
	const char *text[CERT_TEXTS] = { 0 };

	if (!has_cert(i))
		return;
	if (c) {
		text[CERT_SERIAL] = c->serial;
		text[CERT_KEY] = c->key_algorithm;
		text[CERT_SIGNATURE] = c->signature_algorithm;
		text[CERT_MD5] = c->md5;
		text[CERT_SHA1] = c->sha1;
		text[CERT_SHA256] = c->sha256;
		text[CERT_SHA512] = c->sha512;
	}
	if (text[which])
		buf_puts(b, text[which]);
	else if (which == CERT_SHA256)
		text_hex_colons(b, item_head(i)->leaf, SHA256_LEN);
}

void
column_x509_version(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (has_parsed(i))
		buf_printf(b, "%d", i->cert->version);
}

void
column_validation(const struct feed_item *i, int arg, struct buf *b)
{
	static const char *const names[] = { "unknown", "DV", "OV", "EV" };

	(void)arg;
	if (has_parsed(i) && item_head(i)->validation < 4)
		buf_puts(b, names[item_head(i)->validation]);
}

void
column_raw(const struct feed_item *i, int chain, struct buf *b)
{
	const char *base64 = chain ? i->raw_chain : i->raw_cert;

	if (has_cert(i) && base64)
		buf_puts(b, base64);
}
