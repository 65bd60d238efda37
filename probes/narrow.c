/* narrow.c: OpenSSL's default provider through a narrower window. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "probes/narrow.h"

enum { ALGORITHMS_MAX = 64, OPERATIONS_MAX = OSSL_OP__HIGHEST + 1 };

/* Of certificates, of key exchange, and of the MACs before TLS 1.3. */
#define KEYS                                                                  \
	{                                                                     \
		"RSA", "RSA-PSS", "EC", "DSA", "DH", "DHX", "X25519", "X448", \
		    "ED25519", "ED448", "HMAC"                                \
	}

/*
 * By their first names, which end in * where only the beginning counts; and
 * what else must stand in the properties. An operation that is not listed is
 * seen whole, one without names not at all.
 */
static const struct choice {
	int operation;
	const char *names[16];
	const char *properties[2];
} choices[] = {
	{ OSSL_OP_DIGEST,
	    { "MD5", "MD5-SHA1", "SHA1", "SHA2-224", "SHA2-256", "SHA2-384",
		"SHA2-512" },
	    { NULL } },
	{ OSSL_OP_CIPHER,
	    { "AES-128-CBC", "AES-256-CBC", "AES-128-CBC-HMAC-*",
		"AES-256-CBC-HMAC-*", "AES-128-GCM", "AES-256-GCM",
		"AES-128-CCM", "AES-256-CCM", "ARIA-128-GCM", "ARIA-256-GCM",
		"CAMELLIA-128-CBC", "CAMELLIA-256-CBC", "DES-EDE3-CBC",
		"ChaCha20-Poly1305", "NULL" },
	    { NULL } },
	{ OSSL_OP_MAC, { "HMAC" }, { NULL } },
	{ OSSL_OP_KDF, { "TLS13-KDF", "TLS1-PRF", "HKDF" }, { NULL } },
	{ OSSL_OP_RAND, { "CTR-DRBG", "SEED-SRC" }, { NULL } },
	{ OSSL_OP_KEYMGMT, KEYS, { NULL } },
	/* Of the public key in a certificate, and of nothing in a file. */
	{ OSSL_OP_DECODER, KEYS,
	    { "input=der", "structure=SubjectPublicKeyInfo" } },
	{ OSSL_OP_ENCODER, { NULL }, { NULL } },
	{ OSSL_OP_STORE, { NULL }, { NULL } },
};

/*
 * What is seen of the default provider. Filled once and never changed; the
 * algorithms are called with the default provider's own context, and so is
 * query, so that there is no other place for it.
 */
static struct window {
	OSSL_PROVIDER *provider; /* its lists last as long as it does */
	OSSL_ALGORITHM *seen[OPERATIONS_MAX]; /* NULL: the whole list */
} window;

/* Of an algorithm's names, with colons between, the first. */
static bool
is_named(const OSSL_ALGORITHM *a, const char *name)
{
	size_t n = strcspn(a->algorithm_names, ":"), len = strlen(name);

	if (name[len - 1] == '*')
		return n >= len - 1 &&
		    memcmp(a->algorithm_names, name, len - 1) == 0;
	return n == len && memcmp(a->algorithm_names, name, n) == 0;
}

static bool
is_chosen(const struct choice *c, const OSSL_ALGORITHM *a)
{
	for (int i = 0; i < 2 && c->properties[i]; i++)
		if (!strstr(a->property_definition, c->properties[i]))
			return false;
	for (int i = 0; c->names[i]; i++)
		if (is_named(a, c->names[i]))
			return true;
	return false;
}

/* Ends with an entry of zeros. */
static OSSL_ALGORITHM *
choose(const struct choice *c, const OSSL_ALGORITHM *from)
{
	OSSL_ALGORITHM *to = calloc(ALGORITHMS_MAX, sizeof *to);
	unsigned n = 0;

	for (; to && from && from->algorithm_names; from++)
		if (n < ALGORITHMS_MAX - 1 && is_chosen(c, from))
			to[n++] = *from;
	return to;
}

static const OSSL_ALGORITHM *
query(void *context, int operation, int *no_cache)
{
	unsigned which = (unsigned)operation;
	const OSSL_ALGORITHM *seen =
	    which < OPERATIONS_MAX ? window.seen[which] : NULL;

	(void)context;
	*no_cache = 0;
	return seen ? seen
		    : OSSL_PROVIDER_query_operation(
			  window.provider, operation, no_cache);
}

/* The groups of TLS, among others. */
static int
capabilities(
    void *context, const char *capability, OSSL_CALLBACK *each, void *arg)
{
	(void)context;
	return OSSL_PROVIDER_get_capabilities(
	    window.provider, capability, each, arg);
}

static int
init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **context)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ OSSL_FUNC_PROVIDER_GET_CAPABILITIES,
		    (void (*)(void))capabilities },
		{ 0, NULL },
	};

	(void)handle;
	(void)in;
	*out = functions;
	*context = OSSL_PROVIDER_get0_provider_ctx(window.provider);
	return 1;
}

static bool
window_open(void)
{
	if (!window.provider)
		window.provider = OSSL_PROVIDER_try_load(NULL, "default", 1);
	if (!window.provider)
		return false;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		OSSL_ALGORITHM **seen = &window.seen[choices[i].operation];
		int no_cache;

		if (!*seen)
			*seen = choose(&choices[i],
			    OSSL_PROVIDER_query_operation(window.provider,
				choices[i].operation, &no_cache));
		if (!*seen)
			return false;
	}
	return true;
}

struct narrow {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
};

struct narrow *
narrow_new(void)
{
	struct narrow *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->lib = window_open() ? OSSL_LIB_CTX_new() : NULL;
	if (n->lib && OSSL_PROVIDER_add_builtin(n->lib, "narrow", init) == 1)
		n->provider = OSSL_PROVIDER_load(n->lib, "narrow");
	if (n->provider)
		return n;
	narrow_free(n);
	return NULL;
}

void
narrow_free(struct narrow *n)
{
	if (!n)
		return;
	if (n->provider)
		OSSL_PROVIDER_unload(n->provider);
	OSSL_LIB_CTX_free(n->lib);
	free(n);
}

OSSL_LIB_CTX *
narrow_lib(const struct narrow *n)
{
	return n->lib;
}
