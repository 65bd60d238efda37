/* show_chain.c: the certificates of a row, readable. */
#include <stdio.h>
#include <string.h>

#include "storage/cert_fields.h"
#include "storage/show.h"
#include "storage/text.h"

enum { NAMES_SHOWN = 20 };

static void
show_value(const char *label, const char *value)
{
	if (value)
		printf("    %-12s %s\n", label, value);
}

static void
show_cert(const struct cert_fields *c)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	show_value("SHA-256", c->sha256);
	if (!c->parsed) {
		show_value("", "cannot be read as X.509");
		return;
	}
	show_value("subject", c->subject_line ? c->subject_line : "(empty)");
	show_value("issuer", c->issuer_line ? c->issuer_line : "(empty)");
	show_value("serial", c->serial);
	printf("    %-12s %s to %s UTC\n", "valid",
	    text_seconds(c->not_before, from), text_seconds(c->not_after, to));
	printf("    %-12s %s, %u bits\n", "key",
	    c->key_algorithm ? c->key_algorithm : "unknown", c->key_bits);
	show_value("signature", c->signature_algorithm);
	for (size_t i = 0; i < c->nnames && i < NAMES_SHOWN; i++)
		show_value(i ? "" : "names", c->names[i]);
	if (c->nnames > NAMES_SHOWN)
		printf("    %-12s and %zu more\n", "", c->nnames - NAMES_SHOWN);
}

static void
show_one(const uint8_t sha256[SHA256_LEN], struct store *s)
{
	struct cert_fields c;
	const uint8_t *der;
	size_t len;

	if (!store_cert(s, sha256, &der, &len)) {
		struct buf text = { 0 };

		text_hex_colons(&text, sha256, SHA256_LEN);
		show_value("SHA-256", text.s);
		show_value("", "the certificate itself is not in the store");
		buf_free(&text);
		return;
	}
	cert_fields_read(&c, der, len);
	show_cert(&c);
	cert_fields_free(&c);
}

void
show_chain(const struct row *r, struct store *s)
{
	struct field f;

	if (!row_field(r, TAG_CHAIN, &f)) {
		if (!head_has_leaf(&r->head))
			return;
		f.bytes = r->head.leaf;
		f.len = SHA256_LEN;
	}
	for (uint32_t i = 0; i + SHA256_LEN <= f.len; i += SHA256_LEN) {
		printf("  certificate %u%s\n", i / SHA256_LEN + 1,
		    i == 0 ? " (leaf)" : "");
		show_one(f.bytes + i, s);
	}
}
