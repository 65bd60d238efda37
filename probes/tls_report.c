/* tls_report.c: what a handshake has shown, in words and in the record. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "probes/tls_state.h"

/* IANA TLS Supported Groups. X25519 first: ours is the one key share. */
static const struct group {
	int nid;
	uint16_t iana;
	const char *openssl, *name;
} groups[] = {
	{ NID_X25519, 29, "X25519", "X25519" },
	{ NID_X9_62_prime256v1, 23, "P-256", "secp256r1" },
	{ NID_secp384r1, 24, "P-384", "secp384r1" },
	{ NID_secp521r1, 25, "P-521", "secp521r1" },
	{ NID_X448, 30, "X448", "X448" },
	{ NID_ffdhe2048, 256, "ffdhe2048", "ffdhe2048" },
	{ NID_ffdhe3072, 257, "ffdhe3072", "ffdhe3072" },
	{ NID_ffdhe4096, 258, "ffdhe4096", "ffdhe4096" },
	{ NID_ffdhe6144, 259, "ffdhe6144", "ffdhe6144" },
	{ NID_ffdhe8192, 260, "ffdhe8192", "ffdhe8192" },
	{ NID_brainpoolP256r1, 26, "brainpoolP256r1", "brainpoolP256r1" },
	{ NID_brainpoolP384r1, 27, "brainpoolP384r1", "brainpoolP384r1" },
	{ NID_brainpoolP512r1, 28, "brainpoolP512r1", "brainpoolP512r1" },
	{ NID_secp256k1, 22, "secp256k1", "secp256k1" },
	{ NID_secp224r1, 21, "P-224", "secp224r1" },
	{ NID_X9_62_prime192v1, 19, "P-192", "secp192r1" },
};

static const struct group *
group_of(SSL *ssl)
{
	int nid = (int)SSL_get_negotiated_group(ssl);

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (groups[i].nid == nid)
			return &groups[i];
	return NULL;
}

bool
tls_groups_set(SSL_CTX *ctx)
{
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s",
		    i > 0 ? ":" : "", groups[i].openssl);
	return SSL_CTX_set1_groups_list(ctx, list) == 1;
}

void
tls_text(const struct tls *t, char text[TLS_TEXT_MAX])
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	const struct group *g = group_of(t->ssl);
	const char *suite = cipher ? SSL_CIPHER_standard_name(cipher) : NULL;

	snprintf(text, TLS_TEXT_MAX, "%s %s%s%s",
	    tls_version_name((uint16_t)SSL_version(t->ssl)),
	    suite ? suite : "unknown", g ? " " : "", g ? g->name : "");
}

void
tls_error(const struct tls *t, char text[TLS_TEXT_MAX])
{
	const char *reason = ERR_reason_error_string(t->error);
	const char *name = SSL_alert_desc_string_long(t->alert);

	if (t->alert_side == SIDE_THEIRS)
		snprintf(text, TLS_TEXT_MAX, "failed: alert %u (%s) received",
		    t->alert, name);
	else if (t->alert_side == SIDE_OURS)
		snprintf(text, TLS_TEXT_MAX, "failed: %s; alert %u (%s) sent",
		    reason ? reason : "unknown", t->alert, name);
	else
		snprintf(text, TLS_TEXT_MAX, "failed: %s",
		    reason ? reason : "the connection ended");
}

void
tls_report(const struct tls *t, struct facts *f)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	const struct group *g = group_of(t->ssl);
	EVP_PKEY *share = NULL;
	struct head *h = &f->record->head;

	h->alert = t->alert;
	h->alert_side = t->alert_side;
	h->peer_sigalg = t->sigalg;
	if (t->ticket)
		h->flags |= HEAD_TICKET;
	chain_report(&t->chain, f);
	if (!t->done)
		return;
	h->tls_version = (uint16_t)SSL_version(t->ssl);
	h->cipher = cipher ? SSL_CIPHER_get_protocol_id(cipher) : 0;
	h->group = g ? g->iana : 0;
	if (SSL_get_peer_tmp_key(t->ssl, &share) == 1) {
		h->group_bits = (uint16_t)EVP_PKEY_get_bits(share);
		EVP_PKEY_free(share);
	}
}

bool
tls_names(const struct tls *t, const void *name, size_t len)
{
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);
	bool is;

	ERR_clear_error();
	is = leaf &&
	    X509_check_host(leaf, name, len,
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
	ERR_clear_error();
	return is;
}
