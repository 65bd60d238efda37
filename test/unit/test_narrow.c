/* test_narrow.c: through the narrower window everything is still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "probes/narrow.h"

enum { TURNS = 10, KEYS = 8, YEAR_S = 31536000, PAIR = 65536 };

static struct narrow *narrow;

static SSL_CTX *
client(OSSL_LIB_CTX *lib)
{
	SSL_CTX *c = SSL_CTX_new_ex(lib, NULL, TLS_client_method());

	assert_non_null(c);
	SSL_CTX_set_security_level(c, 0);
	SSL_CTX_set_min_proto_version(c, TLS1_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(c, "ALL:COMPLEMENTOFALL"), 1);
	assert_int_equal(SSL_CTX_set_ciphersuites(c,
			     "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
			     "TLS_CHACHA20_POLY1305_SHA256:"
			     "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"),
	    1);
	return c;
}

/* The very suites, in the very order, that the whole provider allows. */
static void
suites(void **state)
{
	SSL_CTX *a = client(narrow_lib(narrow)), *b = client(NULL);
	STACK_OF(SSL_CIPHER) *mine = SSL_CTX_get_ciphers(a);
	STACK_OF(SSL_CIPHER) *whole = SSL_CTX_get_ciphers(b);

	(void)state;
	assert_in_range(sk_SSL_CIPHER_num(whole), 100, 300);
	assert_int_equal(sk_SSL_CIPHER_num(mine), sk_SSL_CIPHER_num(whole));
	for (int i = 0; i < sk_SSL_CIPHER_num(whole); i++)
		assert_string_equal(
		    SSL_CIPHER_get_name(sk_SSL_CIPHER_value(mine, i)),
		    SSL_CIPHER_get_name(sk_SSL_CIPHER_value(whole, i)));
	SSL_CTX_free(a);
	SSL_CTX_free(b);
}

static SSL_CTX *
server(EVP_PKEY *key, int version, const char *suite, const char *group)
{
	SSL_CTX *s = SSL_CTX_new(TLS_server_method());
	X509 *x = X509_new();
	X509_NAME *n = X509_get_subject_name(x);
	bool own = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");

	SSL_CTX_set_security_level(s, 0);
	SSL_CTX_set_min_proto_version(s, version);
	SSL_CTX_set_max_proto_version(s, version);
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), YEAR_S);
	X509_NAME_add_entry_by_txt(
	    n, "CN", MBSTRING_ASC, (const uint8_t *)"a.test", -1, -1, 0);
	X509_set_issuer_name(x, n);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, own ? NULL : EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(s, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s, key), 1);
	SSL_CTX_set_dh_auto(s, 1);
	if (suite)
		assert_int_equal(SSL_CTX_set_cipher_list(s, suite), 1);
	if (group)
		assert_int_equal(SSL_CTX_set1_groups_list(s, group), 1);
	X509_free(x);
	return s;
}

/* A handshake of the two in memory, and a byte each way. */
static bool
talk(SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
	SSL *c = SSL_new(client_ctx), *s = SSL_new(server_ctx);
	BIO *mine, *theirs;
	char b = 'x';
	int rc = 0, rs = 0;
	bool said;

	assert_int_equal(BIO_new_bio_pair(&mine, PAIR, &theirs, PAIR), 1);
	SSL_set_bio(c, mine, mine);
	SSL_set_bio(s, theirs, theirs);
	SSL_set_connect_state(c);
	SSL_set_accept_state(s);
	for (int i = 0; i < TURNS && (rc != 1 || rs != 1); i++) {
		if (rc != 1)
			rc = SSL_do_handshake(c);
		if (rs != 1)
			rs = SSL_do_handshake(s);
	}
	said = rc == 1 && rs == 1 && SSL_write(s, &b, 1) == 1 &&
	    SSL_read(c, &b, 1) == 1 && SSL_write(c, &b, 1) == 1 &&
	    SSL_read(s, &b, 1) == 1;
	if (!said)
		ERR_print_errors_fp(stderr);
	SSL_free(c);
	SSL_free(s);
	return said;
}

static void
accepted(EVP_PKEY *key, int version, const char *suite, const char *group)
{
	SSL_CTX *c = client(narrow_lib(narrow)),
		*s = server(key, version, suite, group);

	assert_non_null(key);
	if (!talk(c, s))
		fail_msg("%s, %x, %s, %s", EVP_PKEY_get0_type_name(key),
		    (unsigned)version, suite ? suite : "any suite",
		    group ? group : "any group");
	SSL_CTX_free(c);
	SSL_CTX_free(s);
}

static EVP_PKEY *
pss_key(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(c), 1);
	assert_int_equal(EVP_PKEY_keygen(c, &key), 1);
	EVP_PKEY_CTX_free(c);
	return key;
}

static EVP_PKEY *
dsa_key(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *parameters = NULL, *key = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(c), 1);
	assert_int_equal(EVP_PKEY_paramgen(c, &parameters), 1);
	EVP_PKEY_CTX_free(c);
	c = EVP_PKEY_CTX_new(parameters, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(c), 1);
	assert_int_equal(EVP_PKEY_keygen(c, &key), 1);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(parameters);
	return key;
}

static void
keys(void **state)
{
	EVP_PKEY *made[KEYS] = { EVP_RSA_gen(1024), EVP_RSA_gen(2048),
		pss_key(), EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
		EVP_EC_gen("P-521"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED448") };

	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		assert_non_null(made[i]);
		accepted(made[i], TLS1_3_VERSION, NULL, NULL);
		accepted(made[i], TLS1_2_VERSION, NULL, NULL);
		EVP_PKEY_free(made[i]);
	}
}

static void
old_versions(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *dsa = dsa_key();
	static const char *const suites_of[] = { "AES128-SHA@SECLEVEL=0",
		"DHE-RSA-AES256-SHA@SECLEVEL=0",
		"ECDHE-RSA-AES128-SHA@SECLEVEL=0", "CAMELLIA128-SHA@SECLEVEL=0",
		"NULL-SHA@SECLEVEL=0" };

	(void)state;
	for (size_t i = 0; i < sizeof suites_of / sizeof *suites_of; i++) {
		accepted(rsa, TLS1_VERSION, suites_of[i], NULL);
		accepted(rsa, TLS1_1_VERSION, suites_of[i], NULL);
		accepted(rsa, TLS1_2_VERSION, suites_of[i], NULL);
	}
	accepted(dsa, TLS1_2_VERSION, "DHE-DSS-AES128-SHA256@SECLEVEL=0", NULL);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(dsa);
}

static void
groups(void **state)
{
	static const char *const names[] = { "X25519", "P-256", "P-384",
		"P-521", "X448", "ffdhe2048" };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	SSL_CTX *c = client(narrow_lib(narrow));
	char all[128] = "";

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		SSL_CTX *s = server(key, TLS1_3_VERSION, NULL, names[i]);
		size_t n = strlen(all);

		assert_int_equal(SSL_CTX_set1_groups_list(c, names[i]), 1);
		assert_true(talk(c, s));
		SSL_CTX_free(s);
		snprintf(all + n, sizeof all - n, "%s%s", n > 0 ? ":" : "",
		    names[i]);
	}
	assert_int_equal(SSL_CTX_set1_groups_list(c, all), 1);
	SSL_CTX_free(c);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites),
		cmocka_unit_test(keys),
		cmocka_unit_test(old_versions),
		cmocka_unit_test(groups),
	};
	int failed;

	narrow = narrow_new();
	if (!narrow)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	narrow_free(narrow);
	return failed;
}
