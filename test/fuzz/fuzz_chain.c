/*
 * fuzz_chain.c: Certificate, ServerKeyExchange and CertificateVerify messages
 * as servers send them, through to the judgement. First byte: TLS version and
 * key exchange; then the message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "probes/chain.h"

/* Anchors of one certificate, made here. */
static struct chains *
anchors_make(void)
{
	char path[] = "/tmp/mailsweep-fuzz-XXXXXX";
	FILE *out = fdopen(mkstemp(path), "w");
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	struct chains *c;

	if (!out || !key || !x)
		abort();
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	if (X509_sign(x, key, EVP_sha256()) == 0 || PEM_write_X509(out, x) != 1)
		abort();
	fclose(out);
	c = chains_new(path);
	unlink(path);
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct chains *chains;
	struct der ders[CHAIN_MAX];
	struct chain chain;
	uint16_t version;
	unsigned n;

	if (!chains && (chains = anchors_make()) == NULL)
		abort();
	if (len < 1)
		return 0;
	version = (uint16_t)(0x301 + bytes[0] % 4);
	handshake_sigalg(
	    bytes + 1, len - 1, version, (enum key_exchange)(bytes[0] / 4 % 3));
	n = handshake_certificates(bytes + 1, len - 1, version, ders);
	if (n > CHAIN_MAX)
		abort();
	for (unsigned i = 0; i < n; i++)
		if (ders[i].bytes < bytes ||
		    ders[i].bytes + ders[i].len > bytes + len)
			abort();
	chain_judge(chains, ders, n, &chain);
	if (chain.n != n || chain.judgement.chain >= CHAIN_COUNT ||
	    chain.judgement.key_type >= KEY_COUNT ||
	    chain.judgement.validation > 3)
		abort();
	return 0;
}
