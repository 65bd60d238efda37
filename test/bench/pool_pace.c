/*
 * pool_pace.c: how fast is this CPU just now? Twenty times a second a piece of
 * what a TLS client does: an X25519 key, a shared secret, an ECDSA P-256
 * signature checked; a line each: CPU us. Until it is killed.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <openssl/evp.h>

enum { EVERY_MS = 50, SIGNATURE_MAX = 128 };

static const unsigned char said[] = "what is signed";

static void
fail(const char *what)
{
	fprintf(stderr, "pool_pace: %s failed\n", what);
	exit(1);
}

static bool
agree(EVP_PKEY *theirs)
{
	EVP_PKEY *ours = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY_CTX *ctx = ours ? EVP_PKEY_CTX_new(ours, NULL) : NULL;
	unsigned char secret[32];
	size_t len = sizeof secret;
	bool agreed = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
	    EVP_PKEY_derive(ctx, secret, &len) == 1;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(ours);
	return agreed;
}

static bool
check(EVP_PKEY *key, const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, len, said, sizeof said) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

static bool
sign(EVP_PKEY *key, unsigned char *signature, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = ctx &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, len, said, sizeof said) == 1;

	EVP_MD_CTX_free(ctx);
	return done;
}

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int
main(void)
{
	EVP_PKEY *theirs = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof signature;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!theirs || !key || !sign(key, signature, &len))
		fail("OpenSSL");
	for (;;) {
		double begun = cpu_us();

		if (!agree(theirs) || !check(key, signature, len))
			fail("OpenSSL");
		printf("%.2f\n", cpu_us() - begun);
		fflush(stdout);
		poll(NULL, 0, EVERY_MS);
	}
}
