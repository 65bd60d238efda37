/* cert_fields.c: a certificate as texts that people and feeds read. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "storage/buf.h"
#include "storage/cert_fields.h"
#include "storage/text.h"

enum { CERT_NAMES_MAX = 256 };

static const int name_nids[NAME_PARTS] = {
	[NAME_BUSINESS_CATEGORY] = NID_businessCategory,
	[NAME_COMMON_NAME] = NID_commonName,
	[NAME_COUNTRY] = NID_countryName,
	[NAME_EMAIL] = NID_pkcs9_emailAddress,
	[NAME_GIVEN_NAME] = NID_givenName,
	[NAME_LOCALITY] = NID_localityName,
	[NAME_ORGANIZATION] = NID_organizationName,
	[NAME_UNIT] = NID_organizationalUnitName,
	[NAME_POSTAL_CODE] = NID_postalCode,
	[NAME_SERIAL_NUMBER] = NID_serialNumber,
	[NAME_STATE] = NID_stateOrProvinceName,
	[NAME_STREET] = NID_streetAddress,
	[NAME_SURNAME] = NID_surname,
};

static char *
fingerprint(const EVP_MD *md, const uint8_t *der, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf text = { 0 };
	unsigned n;

	if (EVP_Digest(der, len, digest, &n, md, NULL) != 1)
		return NULL;
	text_hex_colons(&text, digest, n);
	return text.s;
}

/* An ASN.1 string of any kind, as mapped UTF-8; NULL when empty or broken. */
static char *
string_text(const ASN1_STRING *s)
{
	struct buf text = { 0 };
	unsigned char *utf8 = NULL;
	int n = s ? ASN1_STRING_to_UTF8(&utf8, s) : -1;

	if (n > 0)
		text_add(&text, utf8, (size_t)n);
	OPENSSL_free(utf8);
	return text.s;
}

static void
read_name(const X509_NAME *name, char *part[NAME_PARTS], char **line)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf text = { 0 };
	char *bytes;
	long n;

	for (int i = 0; i < NAME_PARTS; i++) {
		int at = X509_NAME_get_index_by_NID(name, name_nids[i], -1);

		if (at >= 0)
			part[i] = string_text(X509_NAME_ENTRY_get_data(
			    X509_NAME_get_entry(name, at)));
	}
	/* Not escaped by OpenSSL: the one mapping does that. */
	if (bio &&
	    X509_NAME_print_ex(bio, name, 0,
		ASN1_STRFLGS_UTF8_CONVERT | XN_FLAG_SEP_CPLUS_SPC |
		    XN_FLAG_FN_SN | XN_FLAG_DN_REV) >= 0 &&
	    (n = BIO_get_mem_data(bio, &bytes)) > 0)
		text_add(&text, bytes, (size_t)n);
	BIO_free(bio);
	*line = text.s;
}

static void
read_serial(struct cert_fields *f, const X509 *x)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL;

	if (hex)
		f->serial = need_copy(hex, strlen(hex));
	OPENSSL_free(hex);
	BN_free(bn);
}

static void
read_algorithms(struct cert_fields *f, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	ASN1_OBJECT *kind = NULL;

	if (X509_PUBKEY_get0_param(
		&kind, NULL, NULL, NULL, X509_get_X509_PUBKEY(x)) == 1)
		f->key_algorithm = OBJ_nid2ln(OBJ_obj2nid(kind));
	f->signature_algorithm = OBJ_nid2ln(X509_get_signature_nid(x));
	f->key_bits = key ? (unsigned)EVP_PKEY_get_bits(key) : 0;
}

static int64_t
read_time(const ASN1_TIME *when)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

static void
add_name(struct cert_fields *f, char *name)
{
	if (!name)
		return;
	f->names = need_more(f->names, f->nnames + 1, sizeof *f->names);
	f->names[f->nnames++] = name;
}

static bool
has_name(const struct cert_fields *f, const char *name)
{
	for (size_t i = 0; i < f->nnames; i++)
		if (strcasecmp(f->names[i], name) == 0)
			return true;
	return false;
}

static void
read_names(struct cert_fields *f, const X509 *x)
{
	GENERAL_NAMES *all =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	const char *cn = f->subject[NAME_COMMON_NAME];

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type == GEN_DNS && f->nnames < CERT_NAMES_MAX)
			add_name(f, string_text(g->d.dNSName));
	}
	GENERAL_NAMES_free(all);
	if (cn && !has_name(f, cn))
		add_name(f, need_copy(cn, strlen(cn)));
}

void
cert_fields_read(struct cert_fields *f, const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	X509 *x =
	    len > 0 && len < LONG_MAX ? d2i_X509(NULL, &at, (long)len) : NULL;

	*f = (struct cert_fields){ 0 };
	f->md5 = fingerprint(EVP_md5(), der, len);
	f->sha1 = fingerprint(EVP_sha1(), der, len);
	f->sha256 = fingerprint(EVP_sha256(), der, len);
	f->sha512 = fingerprint(EVP_sha512(), der, len);
	if (!x)
		return;
	f->parsed = true;
	f->version = (int)X509_get_version(x);
	f->not_before = read_time(X509_get0_notBefore(x));
	f->not_after = read_time(X509_get0_notAfter(x));
	read_name(X509_get_issuer_name(x), f->issuer, &f->issuer_line);
	read_name(X509_get_subject_name(x), f->subject, &f->subject_line);
	read_serial(f, x);
	read_algorithms(f, x);
	read_names(f, x);
	X509_free(x);
}

void
cert_fields_free(struct cert_fields *f)
{
	for (int i = 0; i < NAME_PARTS; i++) {
		free(f->issuer[i]);
		free(f->subject[i]);
	}
	for (size_t i = 0; i < f->nnames; i++)
		free(f->names[i]);
	free(f->names);
	free(f->md5);
	free(f->sha1);
	free(f->sha256);
	free(f->sha512);
	free(f->issuer_line);
	free(f->subject_line);
	free(f->serial);
	*f = (struct cert_fields){ 0 };
}

bool
cert_fields_hostname(
    const struct cert_fields *f, const char **name, size_t *len)
{
	for (size_t i = 0; i < f->nnames; i++) {
		*name = f->names[i];
		*len = strlen(*name);
		if (text_is_hostname(*name, len))
			return true;
	}
	return false;
}
