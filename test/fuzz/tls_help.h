/*
 * tls_help.h: what fuzz targets with TLS make once: a client's context, two
 * servers, and random numbers that are the same every time.
 */
#ifndef TEST_FUZZ_TLS_HELP_H
#define TEST_FUZZ_TLS_HELP_H

#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "probes/tls.h"

static struct tls_context *context;
static SSL_CTX *servers[2]; /* TLS 1.2, TLS 1.3 */

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the same numbers every time ----------------------------------------- */

static uint64_t drawn;

static int
draw(unsigned char *to, int n)
{
	for (int i = 0; i < n; i++) {
		drawn = drawn * 6364136223846793005u + 1442695040888963407u;
		to[i] = (uint8_t)(drawn >> 56);
	}
	return 1;
}

static int
ready(void)
{
	return 1;
}

static const RAND_METHOD same = {
	.bytes = draw, .pseudorand = draw, .status = ready
};

/* ---- what is made once --------------------------------------------------- */

static X509 *
leaf_make(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	must(x != NULL);
	X509_set_version(x, 2);
	ASN1_TIME_set_string(X509_getm_notBefore(x), "20260101000000Z");
	ASN1_TIME_set_string(X509_getm_notAfter(x), "20270101000000Z");
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const uint8_t *)"mail.example.org", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	must(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static SSL_CTX *
server_make(int version, X509 *leaf, EVP_PKEY *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	must(ctx != NULL);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	must(SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
	    SSL_CTX_use_certificate(ctx, leaf) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx, key) == 1);
	return ctx;
}

static void
make_all(void)
{
	char path[] = "/tmp/mailsweep-fuzz-XXXXXX";
	FILE *bundle = fdopen(mkstemp(path), "w");
	EVP_PKEY *key;
	X509 *leaf;

	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
	must(bundle != NULL && RAND_set_rand_method(&same) == 1);
	key = EVP_EC_gen("P-256");
	must(key != NULL);
	leaf = leaf_make(key);
	must(PEM_write_X509(bundle, leaf) == 1 && fclose(bundle) == 0);
	context = tls_context_new(path);
	must(unlink(path) == 0 && context != NULL);
	servers[0] = server_make(TLS1_2_VERSION, leaf, key);
	servers[1] = server_make(TLS1_3_VERSION, leaf, key);
	X509_free(leaf);
	EVP_PKEY_free(key);
}

#endif
