/* fuzz_cert.c: a stranger's certificate as texts, and for which host it is. */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "storage/cert_fields.h"
#include "storage/cert_match.h"
#include "storage/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_mapped(const char *text)
{
	struct buf again = { 0 };

	if (!text)
		return;
	text_add(&again, text, strlen(text));
	if (strcmp(buf_text(&again), text) != 0)
		abort();
	buf_free(&again);
}

/* Whom our walk lets in, OpenSSL lets in as well, if it can read it at all. */
static void
check_match(const uint8_t *bytes, size_t len)
{
	static const char *const hosts[] = { "mail.example.net",
		"mx.example.net", "xn--mx-fka.example.net", "a.b.example.org" };
	const uint8_t *at = bytes;
	X509 *x = d2i_X509(NULL, &at, (long)len);

	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		size_t n = strlen(hosts[i]);

		if (cert_match(bytes, len, hosts[i], n) && x &&
		    X509_check_host(x, hosts[i], n,
			X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) != 1)
			abort();
	}
	X509_free(x);
}

/* Read without a key being made, it is what it is with one. */
static void
check_parsed(const struct cert_fields *f, const uint8_t *bytes, size_t len)
{
	const uint8_t *at = bytes;
	X509 *x = len > 0 ? d2i_X509(NULL, &at, (long)len) : NULL;
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	int bits = key ? EVP_PKEY_get_bits(key) : 0;

	if (f->parsed != (x != NULL) || (x && f->key_bits != (unsigned)bits))
		abort();
	X509_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct cert_fields f;
	const char *name;
	size_t n;

	cert_fields_read(&f, bytes, len);
	for (int i = 0; i < NAME_PARTS; i++) {
		check_mapped(f.issuer[i]);
		check_mapped(f.subject[i]);
	}
	for (size_t i = 0; i < f.nnames; i++)
		check_mapped(f.names[i]);
	check_mapped(f.issuer_line);
	check_mapped(f.subject_line);
	check_mapped(f.serial);
	if (cert_fields_hostname(&f, &name, &n) && n == 0)
		abort();
	check_parsed(&f, bytes, len);
	cert_fields_free(&f);
	check_match(bytes, len);
	return 0;
}
