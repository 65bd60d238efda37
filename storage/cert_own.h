/*
 * cert_own.h: a certificate as cert_fields.c reads it: in OpenSSL's structures,
 * but for the key, of which d2i_X509 would make one that can be used. That asks
 * all decoders there are, and takes ten times as long as the rest.
 */
#ifndef STORAGE_CERT_OWN_H
#define STORAGE_CERT_OWN_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/asn1t.h>
#include <openssl/x509.h>

/* RFC 5280, 4.1. */
struct cert_key {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *bits;
};

struct cert_signed {
	ASN1_INTEGER *version; /* NULL: the first */
	ASN1_INTEGER *serial;
	X509_ALGOR *algorithm;
	X509_NAME *issuer, *subject;
	X509_VAL *validity;
	struct cert_key *key;
	ASN1_BIT_STRING *issuer_id, *subject_id;
	STACK_OF(X509_EXTENSION) * extensions;
};

struct cert {
	struct cert_signed *to_be_signed;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
};

/* What d2i_X509 reads, this does, and nothing else; NULL: it does not. */
struct cert *cert_new(const uint8_t *der, size_t len);
void cert_free(struct cert *);

/* As EVP_PKEY_get_bits has it; 0: no key comes of it. */
unsigned cert_key_bits(const struct cert_key *);

#endif
