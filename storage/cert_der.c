/* cert_der.c: a certificate by OpenSSL's templates, its key left as it is. */
#include <limits.h>
#include <stdbool.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "storage/cert_own.h"

/* clang-format off */
ASN1_SEQUENCE(cert_key) = {
	ASN1_SIMPLE(struct cert_key, algorithm, X509_ALGOR),
	ASN1_SIMPLE(struct cert_key, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct cert_key, cert_key)

ASN1_SEQUENCE(cert_signed) = {
	ASN1_EXP_OPT(struct cert_signed, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(struct cert_signed, serial, ASN1_INTEGER),
	ASN1_SIMPLE(struct cert_signed, algorithm, X509_ALGOR),
	ASN1_SIMPLE(struct cert_signed, issuer, X509_NAME),
	ASN1_SIMPLE(struct cert_signed, validity, X509_VAL),
	ASN1_SIMPLE(struct cert_signed, subject, X509_NAME),
	ASN1_SIMPLE(struct cert_signed, key, cert_key),
	ASN1_IMP_OPT(struct cert_signed, issuer_id, ASN1_BIT_STRING, 1),
	ASN1_IMP_OPT(struct cert_signed, subject_id, ASN1_BIT_STRING, 2),
	ASN1_EXP_SEQUENCE_OF_OPT(struct cert_signed, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_name(struct cert_signed, cert_signed)

ASN1_SEQUENCE(cert) = {
	ASN1_SIMPLE(struct cert, to_be_signed, cert_signed),
	ASN1_SIMPLE(struct cert, algorithm, X509_ALGOR),
	ASN1_SIMPLE(struct cert, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct cert, cert)
/* clang-format on */

struct cert *
cert_new(const uint8_t *der, size_t len)
{
	const unsigned char *at = der;

	if (len == 0 || len >= LONG_MAX)
		return NULL;
	return (struct cert *)ASN1_item_d2i(
	    NULL, &at, (long)len, ASN1_ITEM_rptr(cert));
}

void
cert_free(struct cert *c)
{
	ASN1_item_free((ASN1_VALUE *)c, ASN1_ITEM_rptr(cert));
}

/* ---- keys ---------------------------------------------------------------- */

/* The usual ones, by their bytes; RFC 8017, A.1.1. */
struct cert_rsa {
	ASN1_INTEGER *n, *e;
};

/* clang-format off */
ASN1_SEQUENCE(cert_rsa) = {
	ASN1_SIMPLE(struct cert_rsa, n, ASN1_INTEGER),
	ASN1_SIMPLE(struct cert_rsa, e, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END_name(struct cert_rsa, cert_rsa)
/* clang-format on */

/* 0: it is not so plain. */
static unsigned
rsa_bits(const ASN1_BIT_STRING *bits)
{
	const unsigned char *at = bits->data, *end = at + bits->length;
	struct cert_rsa *key = (struct cert_rsa *)ASN1_item_d2i(
	    NULL, &at, bits->length, ASN1_ITEM_rptr(cert_rsa));
	BIGNUM *n = key ? ASN1_INTEGER_to_BN(key->n, NULL) : NULL;
	unsigned found = 0;

	if (n && at == end && !BN_is_negative(n))
		found = (unsigned)BN_num_bits(n);
	BN_free(n);
	ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(cert_rsa));
	return found;
}

/* What is no point of the curve is for OpenSSL no key. */
static unsigned
ec_bits(const ASN1_BIT_STRING *bits)
{
	static EC_GROUP *p256;
	EC_POINT *point;
	unsigned found = 0;

	if (!p256)
		p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	point = p256 ? EC_POINT_new(p256) : NULL;
	if (point &&
	    EC_POINT_oct2point(
		p256, point, bits->data, (size_t)bits->length, NULL) == 1)
		found = (unsigned)EC_GROUP_order_bits(p256);
	EC_POINT_free(point);
	return found;
}

static bool
is_p256(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *kind;
	const void *curve;
	int type;

	X509_ALGOR_get0(&kind, &type, &curve, algorithm);
	return OBJ_obj2nid(kind) == NID_X9_62_id_ecPublicKey &&
	    type == V_ASN1_OBJECT && OBJ_obj2nid(curve) == NID_X9_62_prime256v1;
}

/* All others, and what is odd, by whatever decoder there is. */
static unsigned
other_bits(const struct cert_key *k)
{
	unsigned char *der = NULL;
	const unsigned char *at;
	int len = ASN1_item_i2d(
	    (const ASN1_VALUE *)k, &der, ASN1_ITEM_rptr(cert_key));
	EVP_PKEY *key;
	unsigned found = 0;

	if (len <= 0)
		return 0;
	at = der;
	key = d2i_PUBKEY(NULL, &at, len);
	if (key)
		found = (unsigned)EVP_PKEY_get_bits(key);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	return found;
}

unsigned
cert_key_bits(const struct cert_key *k)
{
	const ASN1_OBJECT *kind;
	unsigned found = 0;

	X509_ALGOR_get0(&kind, NULL, NULL, k->algorithm);
	if (OBJ_obj2nid(kind) == NID_rsaEncryption)
		found = rsa_bits(k->bits);
	else if (is_p256(k->algorithm))
		found = ec_bits(k->bits);
	return found ? found : other_bits(k);
}
