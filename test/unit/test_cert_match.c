/* test_cert_match.c: for which host a certificate is good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "storage/cert_match.h"

enum { NAMES_MAX = 4, DER_CAP = 65536 };

/* Bytes with a length, since a name may have a NUL in it. */
#define B(text)                       \
	{                             \
		text, sizeof text - 1 \
	}
struct bytes {
	const char *s;
	size_t len;
};

struct wanted {
	struct bytes dns[NAMES_MAX], cn[NAMES_MAX];
	const char *ip; /* 4 bytes of an iPAddress */
	const char *host;
	bool fits;
};

static EVP_PKEY *key;

static int
make_key(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return key == NULL;
}

static int
free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static void
add_general(
    GENERAL_NAMES *all, int type, ASN1_STRING *s, const void *bytes, size_t len)
{
	GENERAL_NAME *g = GENERAL_NAME_new();

	assert_true(g != NULL && s != NULL);
	assert_int_equal(ASN1_STRING_set(s, bytes, (int)len), 1);
	GENERAL_NAME_set0_value(g, type, s);
	assert_true(sk_GENERAL_NAME_push(all, g) > 0);
}

static void
add_names(X509 *x, const struct wanted *w)
{
	GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
	X509_NAME *subject = X509_get_subject_name(x);

	for (int i = 0; i < NAMES_MAX && w->cn[i].s; i++)
		assert_int_equal(
		    X509_NAME_add_entry_by_NID(subject, NID_commonName,
			V_ASN1_UTF8STRING, (const unsigned char *)w->cn[i].s,
			(int)w->cn[i].len, -1, 0),
		    1);
	for (int i = 0; i < NAMES_MAX && w->dns[i].s; i++)
		add_general(all, GEN_DNS, ASN1_IA5STRING_new(), w->dns[i].s,
		    w->dns[i].len);
	if (w->ip)
		add_general(all, GEN_IPADD, ASN1_OCTET_STRING_new(), w->ip, 4);
	if (sk_GENERAL_NAME_num(all) > 0)
		assert_int_equal(
		    X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0), 1);
	GENERAL_NAMES_free(all);
}

/* Into der; twice: with the extension a second time. */
static size_t
make(const struct wanted *w, bool twice, uint8_t der[DER_CAP])
{
	X509 *x = X509_new();
	uint8_t *at = der;
	int len;

	assert_non_null(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	add_names(x, w);
	if (twice)
		assert_int_equal(X509_add_ext(x, X509_get_ext(x, 0), -1), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, NULL);
	assert_true(len > 0 && len <= DER_CAP);
	i2d_X509(x, &at);
	X509_free(x);
	return (size_t)len;
}

/* What the probe says of it. */
static bool
openssl_says(const uint8_t *der, size_t len, const char *host)
{
	X509 *x = d2i_X509(NULL, &der, (long)len);
	bool fits;

	assert_non_null(x);
	fits = X509_check_host(x, host, strlen(host),
		   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
	X509_free(x);
	return fits;
}

/* clang-format off */
static const struct wanted names[] = {
	{ { B("mx.example.net") }, { { 0 } }, NULL, "mx.example.net", true },
	{ { B("MX.Example.NET") }, { { 0 } }, NULL, "mx.eXample.net", true },
	{ { B("a.example"), B("b.example"), B("mx.example.net") }, { { 0 } },
	    NULL, "mx.example.net", true },
	{ { B("example.net") }, { { 0 } }, NULL, "mx.example.net", false },
	{ { B("mx.example.net.evil.test") }, { { 0 } }, NULL,
	    "mx.example.net", false },
	{ { B("") }, { { 0 } }, NULL, "mx.example.net", false },
	/* A star is one whole label, the left-most one. */
	{ { B("*.example.net") }, { { 0 } }, NULL, "mx.example.net", true },
	{ { B("*.example.net") }, { { 0 } }, NULL, "a.mx.example.net", false },
	{ { B("*.example.net") }, { { 0 } }, NULL, "example.net", false },
	{ { B("m*.example.net") }, { { 0 } }, NULL, "mx.example.net", false },
	{ { B("*x.example.net") }, { { 0 } }, NULL, "mx.example.net", false },
	{ { B("mx.*.net") }, { { 0 } }, NULL, "mx.example.net", false },
	{ { B("*.*.net") }, { { 0 } }, NULL, "mx.example.net", false },
	{ { B("*.net") }, { { 0 } }, NULL, "example.net", false },
	{ { B("*") }, { { 0 } }, NULL, "example.net", false },
	{ { B("*.") }, { { 0 } }, NULL, "example.net", false },
	{ { B("*.example.net") }, { { 0 } }, NULL, "_imap.example.net",
	    false },
	/* A-labels are compared as they are. */
	{ { B("xn--mx-fka.example.net") }, { { 0 } }, NULL,
	    "XN--MX-FKA.example.net", true },
	{ { B("*.xn--exmple-cua.net") }, { { 0 } }, NULL,
	    "mx.xn--exmple-cua.net", true },
	{ { B("xn--*.example.net") }, { { 0 } }, NULL,
	    "xn--mx-fka.example.net", false },
	{ { B("m\xc3\xbc.example.net") }, { { 0 } }, NULL,
	    "xn--m-xka.example.net", false },
	/* What would end a C string ends no name. */
	{ { B("mx.example.net\0.evil.test") }, { { 0 } }, NULL,
	    "mx.example.net", false },
	{ { B("mx.example.net\0") }, { { 0 } }, NULL, "mx.example.net",
	    false },
	{ { { 0 } }, { B("mx.example.net\0.evil.test") }, NULL,
	    "mx.example.net", false },
	/* The common name counts where there is no DNS name, and only there. */
	{ { { 0 } }, { B("mx.example.net") }, NULL, "mx.example.net", true },
	{ { { 0 } }, { B("*.example.net") }, NULL, "mx.example.net", true },
	{ { { 0 } }, { B("Example"), B("mx.example.net") }, NULL,
	    "mx.example.net", true },
	{ { B("other.example") }, { B("mx.example.net") }, NULL,
	    "mx.example.net", false },
	{ { { 0 } }, { B("mx.example.net") }, "\xc0\0\2\1", "mx.example.net",
	    true },
	/* No name of a host: an address, a number at the end, no label. */
	{ { B("192.0.2.1") }, { { 0 } }, "\xc0\0\2\1", "192.0.2.1", false },
	{ { B("*.0.2.1") }, { { 0 } }, NULL, "192.0.2.1", false },
	{ { { 0 } }, { B("192.0.2.1") }, NULL, "192.0.2.1", false },
	{ { B("2001:db8::1") }, { { 0 } }, NULL, "2001:db8::1", false },
	{ { B("a..example") }, { { 0 } }, NULL, "a..example", false },
	{ { B(".example.net") }, { { 0 } }, NULL, "mx.example.net", false },
	{ { B("*.example.net") }, { { 0 } }, NULL, "*.example.net", false },
	{ { B("mx.example.net") }, { { 0 } }, NULL, "mx.example.net.", false },
	{ { { 0 } }, { { 0 } }, NULL, "mx.example.net", false },
};
/* clang-format on */

static bool
is_address(const char *host)
{
	return strspn(host, "0123456789.:") == strlen(host) ||
	    strchr(host, ':') != NULL;
}

static void
each_name(void **state)
{
	static uint8_t der[DER_CAP];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct wanted *w = &names[i];
		size_t len = make(w, false, der);

		if (cert_match(der, len, w->host, strlen(w->host)) != w->fits)
			fail_msg(
			    "row %zu, %s: expected %d", i, w->host, w->fits);
		/* The probe judges by OpenSSL: both say the same of hosts. */
		if (!is_address(w->host) && w->host[0] != '*' &&
		    !strstr(w->host, "..") &&
		    openssl_says(der, len, w->host) != w->fits)
			fail_msg(
			    "row %zu, %s: OpenSSL does not agree", i, w->host);
	}
}

/* A certificate that ends early is none, nor is one with a byte that lies. */
static void
cut_short(void **state)
{
	static uint8_t der[DER_CAP];
	size_t len = make(&names[2], false, der);
	uint8_t *exact;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, der, n);
		assert_false(
		    cert_match(exact, n, names[2].host, strlen(names[2].host)));
		free(exact);
	}
}

/* Any byte changed: no answer is asked for but that there is one. */
static void
any_byte(void **state)
{
	static uint8_t der[DER_CAP];
	size_t len = make(&names[2], false, der), matched = 0;
	uint8_t *exact = malloc(len);

	(void)state;
	assert_non_null(exact);
	for (size_t at = 0; at < len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(exact, der, len);
			exact[at] ^= (uint8_t)(1u << bit);
			matched += cert_match(
			    exact, len, names[2].host, strlen(names[2].host));
		}
	assert_true(matched > 0 && matched < len * 8);
	free(exact);
}

static void
extension_twice(void **state)
{
	static uint8_t der[DER_CAP];
	size_t len = make(&names[0], true, der);

	(void)state;
	assert_false(
	    cert_match(der, len, names[0].host, strlen(names[0].host)));
}

static void
very_long(void **state)
{
	static char name[60000];
	static uint8_t der[DER_CAP];
	struct wanted w = { .dns = {
				{ name, sizeof name }, B("mx.example.net") } };
	size_t len;

	(void)state;
	memset(name, 'a', sizeof name);
	memcpy(name + sizeof name - 12, ".example.net", 12);
	len = make(&w, false, der);
	assert_true(cert_match(der, len, "mx.example.net", 14));
	assert_false(cert_match(der, len, name, sizeof name));
	assert_false(cert_match(der, len, "mx.example.net\0", 15));
	assert_false(cert_match(der, len, "", 0));
	assert_false(cert_match(der, 0, "mx.example.net", 14));
	assert_false(cert_match((const uint8_t *)"junk", 4, "a.example", 9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(any_byte),
		cmocka_unit_test(extension_twice),
		cmocka_unit_test(very_long),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
