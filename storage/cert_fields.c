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
#include "storage/cert_own.h"
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

/* Looked up once: EVP_md5() would be, each time it is used. */
enum digest { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGESTS };

static const EVP_MD *
algorithm(enum digest which)
{
	static const char *const names[DIGESTS] = { "MD5", "SHA1", "SHA256",
		"SHA512" };
	static EVP_MD *found[DIGESTS];

	if (!found[which])
		found[which] = EVP_MD_fetch(NULL, names[which], NULL);
	return found[which];
}

static char *
fingerprint(enum digest which, const uint8_t *der, size_t len)
{
	const EVP_MD *md = algorithm(which);
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf text = { 0 };
	unsigned n;

	if (!md || EVP_Digest(der, len, digest, &n, md, NULL) != 1)
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
read_serial(struct cert_fields *f, const ASN1_INTEGER *serial)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL;

	if (hex)
		f->serial = need_copy(hex, strlen(hex));
	OPENSSL_free(hex);
	BN_free(bn);
}

static const char *
algorithm_name(const X509_ALGOR *a)
{
	const ASN1_OBJECT *kind;

	X509_ALGOR_get0(&kind, NULL, NULL, a);
	return OBJ_nid2ln(OBJ_obj2nid(kind));
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
read_names(struct cert_fields *f, const STACK_OF(X509_EXTENSION) * extensions)
{
	GENERAL_NAMES *all =
	    X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
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

static void
read_parsed(struct cert_fields *f, const struct cert *c)
{
	const struct cert_signed *s = c->to_be_signed;

	f->parsed = true;
	f->version = (int)ASN1_INTEGER_get(s->version);
	f->not_before = read_time(s->validity->notBefore);
	f->not_after = read_time(s->validity->notAfter);
	read_name(s->issuer, f->issuer, &f->issuer_line);
	read_name(s->subject, f->subject, &f->subject_line);
	read_serial(f, s->serial);
	f->key_algorithm = algorithm_name(s->key->algorithm);
	f->key_bits = cert_key_bits(s->key);
	f->signature_algorithm = algorithm_name(c->algorithm);
	read_names(f, s->extensions);
}

void
cert_fields_read(struct cert_fields *f, const uint8_t *der, size_t len)
{
	struct cert *c = cert_new(der, len);

	*f = (struct cert_fields){ 0 };
	f->md5 = fingerprint(DIGEST_MD5, der, len);
	f->sha1 = fingerprint(DIGEST_SHA1, der, len);
	f->sha256 = fingerprint(DIGEST_SHA256, der, len);
	f->sha512 = fingerprint(DIGEST_SHA512, der, len);
	if (c)
		read_parsed(f, c);
	cert_free(c);
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
