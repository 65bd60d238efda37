/* html.c: text and numbers as they stand in the report's page. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "storage/html.h"
#include "storage/text.h"

enum { DIGITS_MAX = 24 };

static const char *
reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void
html_text(struct buf *b, const void *bytes, size_t len)
{
	struct buf mapped = { 0 };

	text_add(&mapped, bytes, len);
	for (size_t i = 0; i < mapped.len; i++) {
		const char *instead = reference(mapped.s[i]);

		if (instead)
			buf_puts(b, instead);
		else
			buf_putc(b, mapped.s[i]);
	}
	buf_free(&mapped);
}

void
html_string(struct buf *b, const char *s)
{
	html_text(b, s, strlen(s));
}

void
html_number(struct buf *b, uint64_t n)
{
	char digits[DIGITS_MAX];
	size_t len;

	snprintf(digits, sizeof digits, "%" PRIu64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_putc(b, ',');
		buf_putc(b, digits[i]);
	}
}

void
html_share(struct buf *b, uint64_t part, uint64_t whole)
{
	if (whole == 0)
		buf_puts(b, "–");
	else
		buf_printf(b, "%.1f %%", 100.0 * (double)part / (double)whole);
}

void
html_hash(struct buf *b, const void *bytes, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(bytes, len, digest);
	buf_puts(b, "'sha256-");
	text_base64(b, digest, sizeof digest);
	buf_putc(b, '\'');
}
