/* chain.c: what the certificates say, and whether they lead to an anchor. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "probes/chain.h"

enum { JUDGED_BUCKETS = 4096 };

struct chains {
	X509_STORE *anchors;
	struct digests *judged; /* digest of the digests -> judgement */
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
};

static void
digest(struct chains *c, const void *bytes, size_t len, uint8_t out[SHA256_LEN])
{
	if (EVP_DigestInit_ex(c->ctx, c->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(c->ctx, bytes, len) != 1 ||
	    EVP_DigestFinal_ex(c->ctx, out, NULL) != 1)
		abort(); /* a fetched digest over memory cannot fail */
}

static int
anchors_load(X509_STORE *store, const char *bundle)
{
	BIO *in = BIO_new_file(bundle, "r");
	X509 *x;
	int n = 0;

	if (!in)
		return -1;
	errno = 0;
	while ((x = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x);
		X509_free(x);
	}
	BIO_free(in);
	ERR_clear_error();
	if (n == 0)
		errno = EINVAL;
	return n == 0 ? -1 : 0;
}

struct chains *
chains_new(const char *bundle)
{
	struct chains *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->anchors = X509_STORE_new();
	c->judged = digests_new(JUDGED_BUCKETS, sizeof(struct judgement));
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	c->ctx = EVP_MD_CTX_new();
	tzset(); /* times of certificates would open /etc/localtime */
	if (c->anchors && c->judged && c->sha256 && c->ctx &&
	    anchors_load(c->anchors, bundle) == 0)
		return c;
	chains_free(c);
	return NULL;
}

void
chains_free(struct chains *c)
{
	int error = errno;

	if (!c)
		return;
	X509_STORE_free(c->anchors);
	digests_free(c->judged);
	EVP_MD_free(c->sha256);
	EVP_MD_CTX_free(c->ctx);
	free(c);
	errno = error;
}

static int64_t
seconds(const ASN1_TIME *t)
{
	static const int64_t day = 86400;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, rest = 0;

	if (!epoch || ASN1_TIME_diff(&days, &rest, epoch, t) != 1)
		days = rest = 0;
	ASN1_TIME_free(epoch);
	return days * day + rest;
}

static void
judge_key(struct judgement *j, X509 *leaf)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf);
	int bits;

	if (!key) {
		j->key_type = KEY_OTHER;
		return;
	}
	bits = EVP_PKEY_get_bits(key);
	j->key_bits = bits < 0  ? 0
	    : bits > UINT16_MAX ? UINT16_MAX
				: (uint16_t)bits;
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		j->key_type = KEY_RSA;
		break;
	case EVP_PKEY_EC:
		j->key_type = KEY_EC;
		break;
	case EVP_PKEY_ED25519:
		j->key_type = KEY_ED25519;
		break;
	case EVP_PKEY_DSA:
		j->key_type = KEY_DSA;
		break;
	default:
		j->key_type = KEY_OTHER;
	}
}

/* CA/Browser Forum, Baseline Requirements 7.1.6.1, EV Guidelines 9.2. */
static uint8_t
validation(X509 *leaf)
{
	static const struct {
		const char *oid;
		uint8_t level;
	} levels[] = {
		{ "2.23.140.1.2.1", 1 },
		{ "2.23.140.1.2.2", 2 },
		{ "2.23.140.1.2.3", 2 }, /* an individual */
		{ "2.23.140.1.1", 3 },
	};
	CERTIFICATEPOLICIES *p =
	    X509_get_ext_d2i(leaf, NID_certificate_policies, NULL, NULL);
	uint8_t level = 0;

	for (int i = 0; i < sk_POLICYINFO_num(p); i++) {
		char oid[64];

		OBJ_obj2txt(
		    oid, sizeof oid, sk_POLICYINFO_value(p, i)->policyid, 1);
		for (size_t k = 0; k < sizeof levels / sizeof *levels; k++)
			if (strcmp(oid, levels[k].oid) == 0 &&
			    levels[k].level > level)
				level = levels[k].level;
	}
	CERTIFICATEPOLICIES_free(p);
	return level;
}

static bool
signed_weakly(X509 *x)
{
	int hash = NID_undef;

	X509_get_signature_info(x, &hash, NULL, NULL, NULL);
	return hash == NID_md5 || hash == NID_sha1 || hash == NID_md5_sha1 ||
	    hash == NID_md4 || hash == NID_md2;
}

static void
judge_leaf(struct judgement *j, X509 *leaf)
{
	j->parsed = 1;
	j->not_before = seconds(X509_get0_notBefore(leaf));
	j->not_after = seconds(X509_get0_notAfter(leaf));
	judge_key(j, leaf);
	j->validation = validation(leaf);
	j->weak_signature = signed_weakly(leaf);
}

/* Does it lead to an anchor? Times do not matter here, nor do names. */
static void
judge_chain(
    struct judgement *j, X509_STORE *anchors, X509 *leaf, STACK_OF(X509) * rest)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;
	bool led = false;

	if (v && X509_STORE_CTX_init(v, anchors, leaf, rest) == 1) {
		X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(v),
		    X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
		led = X509_verify_cert(v) == 1;
		error = X509_STORE_CTX_get_error(v);
	}
	X509_STORE_CTX_free(v);
	if (led) {
		j->chain = CHAIN_TRUSTED;
		return;
	}
	j->verify_error =
	    error > 0 && error <= UINT8_MAX ? (uint8_t)error : UINT8_MAX;
	j->chain = X509_self_signed(leaf, 1) == 1 ? CHAIN_SELF_SIGNED
						  : CHAIN_UNTRUSTED;
}

static X509 *
parse(const struct der *der)
{
	const uint8_t *at = der->bytes;

	return der->len > LONG_MAX ? NULL : d2i_X509(NULL, &at, (long)der->len);
}

static struct judgement
judge(struct chains *c, const struct der *ders, unsigned n)
{
	struct judgement j = { .chain = CHAIN_UNPARSED };
	STACK_OF(X509) *rest = sk_X509_new_null();
	X509 *leaf = parse(&ders[0]);

	for (unsigned i = 1; leaf && rest && i < n; i++) {
		X509 *x = parse(&ders[i]);

		if (!x)
			continue;
		/* A root's own signature proves nothing to anybody. */
		if (X509_self_signed(x, 0) != 1 && signed_weakly(x))
			j.weak_signature = 1;
		if (sk_X509_push(rest, x) == 0)
			X509_free(x);
	}
	if (leaf && rest) {
		uint8_t weak = j.weak_signature;

		judge_leaf(&j, leaf);
		j.weak_signature |= weak;
		judge_chain(&j, c->anchors, leaf, rest);
	}
	sk_X509_pop_free(rest, X509_free);
	X509_free(leaf);
	ERR_clear_error();
	return j;
}

void
chain_judge(
    struct chains *c, const struct der *ders, unsigned n, struct chain *out)
{
	uint8_t key[SHA256_LEN];
	const void *known;

	memset(out, 0, sizeof *out);
	if (n == 0)
		return;
	out->n = (uint8_t)n;
	for (unsigned i = 0; i < n; i++)
		digest(c, ders[i].bytes, ders[i].len, out->sha256[i]);
	digest(c, out->sha256, (size_t)n * SHA256_LEN, key);
	known = digests_find(c->judged, key);
	if (known) {
		memcpy(&out->judgement, known, sizeof out->judgement);
		return;
	}
	out->judgement = judge(c, ders, n);
	digests_add(c->judged, key, &out->judgement);
}

void
chain_report(const struct chain *c, struct facts *f)
{
	const struct judgement *j = &c->judgement;
	struct head *h = &f->record->head;

	if (c->n == 0)
		return;
	memcpy(h->leaf, c->sha256[0], SHA256_LEN);
	h->chain_len = c->n;
	h->chain = j->chain;
	h->verify_error = j->verify_error;
	h->validation = j->validation;
	h->key_type = j->key_type;
	h->key_bits = j->key_bits;
	h->not_before = j->not_before;
	h->not_after = j->not_after;
	if (j->parsed)
		h->flags |= HEAD_CHAIN_PARSED;
	if (j->weak_signature)
		record_find(f->record, FINDING_WEAK_SIGNATURE);
	facts_put(f, TAG_CHAIN, c->sha256, (size_t)c->n * SHA256_LEN);
}
