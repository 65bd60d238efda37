/* test_cert_fields.c: certificates are read as OpenSSL itself reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "storage/cert_cache.h"

enum { DER_CAP = 4096 };

/* Two attributes, two alternative names. */
static size_t
make(EVP_PKEY *key, uint8_t der[DER_CAP])
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, "DNS:mx.example.net,DNS:*.example.net");
	unsigned char *at = der;
	const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
	int len;

	assert_non_null(names);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x0abc);
	ASN1_TIME_set(X509_getm_notBefore(x), 1790000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1890000000);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"mail.example.net", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
	    (const unsigned char *)"\xc3\x89tat", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_add_ext(x, names, -1);
	assert_true(X509_sign(x, key,
			digest ? EVP_get_digestbyname(digest) : NULL) > 0);
	len = i2d_X509(x, NULL);
	assert_in_range(len, 1, DER_CAP);
	i2d_X509(x, &at);
	X509_EXTENSION_free(names);
	X509_free(x);
	EVP_PKEY_free(key);
	return (size_t)len;
}

/* As it was read before: by way of a key that could be used. */
static void
compare(const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	X509 *x = d2i_X509(NULL, &at, (long)len);
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	ASN1_OBJECT *kind = NULL;
	struct cert_fields f;

	cert_fields_read(&f, der, len);
	assert_int_equal(f.parsed, x != NULL);
	if (x) {
		X509_PUBKEY_get0_param(
		    &kind, NULL, NULL, NULL, X509_get_X509_PUBKEY(x));
		assert_int_equal(f.key_bits, key ? EVP_PKEY_get_bits(key) : 0);
		assert_ptr_equal(
		    f.key_algorithm, OBJ_nid2ln(OBJ_obj2nid(kind)));
		assert_ptr_equal(f.signature_algorithm,
		    OBJ_nid2ln(X509_get_signature_nid(x)));
		assert_int_equal(f.version, X509_get_version(x));
	}
	cert_fields_free(&f);
	X509_free(x);
}

/* Whole, then with each of its bytes another one. */
static void
compare_broken(EVP_PKEY *key)
{
	uint8_t der[DER_CAP];
	size_t len;

	assert_non_null(key);
	len = make(key, der);
	compare(der, len);
	compare(der, len - 1);
	for (size_t i = 0; i < len; i++) {
		der[i] = (uint8_t)(der[i] ^ 1u << i % 8);
		compare(der, len);
		der[i] = (uint8_t)(der[i] ^ 1u << i % 8);
	}
}

static void
test_keys(void **state)
{
	(void)state;
	compare_broken(EVP_RSA_gen(1024));
	compare_broken(EVP_RSA_gen(1031));
	compare_broken(EVP_EC_gen("P-256"));
	compare_broken(EVP_EC_gen("P-384"));
	compare_broken(EVP_EC_gen("secp256k1"));
	compare_broken(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static void
test_fields(void **state)
{
	struct cert_fields f;
	uint8_t der[DER_CAP];
	size_t len = make(EVP_EC_gen("P-256"), der);

	(void)state;
	cert_fields_read(&f, der, len);
	assert_true(f.parsed);
	assert_int_equal(f.version, 2);
	assert_int_equal(f.not_before, 1790000000);
	assert_int_equal(f.not_after, 1890000000);
	assert_string_equal(f.serial, "0ABC");
	assert_string_equal(f.subject[NAME_COMMON_NAME], "mail.example.net");
	assert_string_equal(f.issuer[NAME_ORGANIZATION], "\xc3\x89tat");
	assert_string_equal(
	    f.subject_line, "O=\xc3\x89tat, CN=mail.example.net");
	assert_string_equal(f.key_algorithm, "id-ecPublicKey");
	assert_string_equal(f.signature_algorithm, "ecdsa-with-SHA256");
	assert_int_equal(f.key_bits, 256);
	assert_int_equal(f.nnames, 3);
	assert_string_equal(f.names[1], "*.example.net");
	assert_string_equal(f.names[2], "mail.example.net");
	cert_fields_free(&f);
}

/* Fingerprints are of any bytes. */
static void
test_garbage(void **state)
{
	struct cert_fields f;

	(void)state;
	cert_fields_read(&f, (const uint8_t *)"abc", 3);
	assert_false(f.parsed);
	assert_string_equal(
	    f.md5, "90:01:50:98:3C:D2:4F:B0:D6:96:3F:7D:28:E1:7F:72");
	assert_string_equal(f.sha1,
	    "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D");
	cert_fields_free(&f);
	compare((const uint8_t *)"", 0);
}

enum { PLACES = 16 }; /* for digests that begin alike */

static void
digest(int i, uint8_t sha256[SHA256_LEN])
{
	memset(sha256, 7, SHA256_LEN);
	sha256[SHA256_LEN - 1] = (uint8_t)i; /* all else is the same */
}

/* Of those that fall together, the one that was asked for longest ago goes. */
static void
test_cache(void **state)
{
	struct cert_cache *c = cert_cache_new();
	const struct cert_fields *first, *found;
	uint8_t sha256[SHA256_LEN], der[] = "0";

	(void)state;
	digest(0, sha256);
	assert_null(cert_cache_find(c, sha256));
	first = cert_cache_put(c, sha256, der, 1);
	for (int i = 1; i <= PLACES; i++) {
		digest(0, sha256);
		assert_ptr_equal(cert_cache_find(c, sha256), first);
		digest(i, sha256);
		der[0] = (uint8_t)('0' + i);
		found = cert_cache_put(c, sha256, der, 1);
		assert_ptr_not_equal(found, first);
		assert_ptr_equal(cert_cache_find(c, sha256), found);
	}
	digest(1, sha256);
	assert_null(cert_cache_find(c, sha256));
	digest(2, sha256);
	assert_non_null(cert_cache_find(c, sha256));
	digest(0, sha256);
	found = cert_cache_find(c, sha256);
	assert_ptr_equal(found, first);
	assert_string_equal(/* of "0" */
	    found->md5, "CF:CD:20:84:95:D5:65:EF:66:E7:DF:F9:F9:87:64:DA");
	cert_cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
