/* tls.c: TLS from the client's side; the only user of OpenSSL's SSL. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "probes/heap.h"
#include "probes/tls_state.h"

enum {
	SENT_BUCKETS = 16384,
	DH_SECURITY_MIN =
	    80, /* bits of strength: 1024 of DH (NIST SP 800-57) */
	DH_BITS_MAX = 4096, /* of a prime that is no known group's */
	DH_GROUP_MAX = 8192, /* the largest named group, RFC 7919 */
	ALERT_FATAL = 2,
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_USER_CANCELED = 90,
	/* An honest server sends a dozen, and a few tickets. */
	MESSAGES_MAX = 128
};

/*
 * A server that never answered has seen nothing of ours but a ClientHello, and
 * making one is most of what it cost: the next one is greeted with the same.
 */
enum { UNHEARD_MAX = 128, HELLO_MAX = 2048 };

static int
no_verification(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	return 1;
}

/* In an unknown group the exponent is as long as the prime. */
static bool
costly(const EVP_PKEY *key)
{
	char name[64];
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1)
		return bits > DH_GROUP_MAX;
	return bits > DH_BITS_MAX;
}

/*
 * Level 0 as OpenSSL has it, but for DH that is there to cost us: a key of
 * 10,000 bits takes three seconds, in which nobody else is heard
 * (SSL_CTX_set_security_callback(3)).
 */
static int
security(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid,
    void *other, void *arg)
{
	(void)ssl;
	(void)ctx;
	(void)nid;
	(void)arg;
	if (op != SSL_SECOP_TMP_DH)
		return 1;
	return bits >= DH_SECURITY_MIN && (!other || !costly(other));
}

static void message(int, int, int, const void *, size_t, SSL *, void *);

static SSL_CTX *
context_make(OSSL_LIB_CTX *lib)
{
	/* Suites without certificate or encryption come last in our list. */
	static const char suites[] = "ALL:COMPLEMENTOFALL:+aNULL:+eNULL";
	/* Of TLS 1.3 all; SHA-256 before SHA-384, which costs us more. */
	static const char suites13[] =
	    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
	    "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:"
	    "TLS_AES_128_CCM_8_SHA256";
	SSL_CTX *ctx = SSL_CTX_new_ex(lib, NULL, TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_security_callback(ctx, security);
	/* One handshake a conversation: a server could ask for one a record. */
	SSL_CTX_set_options(ctx,
	    SSL_OP_ALL | SSL_OP_LEGACY_SERVER_CONNECT |
		SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cert_verify_callback(ctx, no_verification, NULL);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_msg_callback(ctx, message);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, suites) == 1 &&
	    SSL_CTX_set_ciphersuites(ctx, suites13) == 1 && tls_groups_set(ctx))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* Random numbers and a connection once, so that nothing is opened later. */
static bool
warm_up(const struct tls_context *c)
{
	OSSL_LIB_CTX *lib = narrow_lib(c->narrow);
	unsigned char b[16];
	SSL *ssl = SSL_new(c->ctx);
	bool warm = ssl && RAND_bytes(b, sizeof b) == 1 &&
	    RAND_priv_bytes(b, sizeof b) == 1 &&
	    RAND_bytes_ex(lib, b, sizeof b, 0) == 1 &&
	    RAND_priv_bytes_ex(lib, b, sizeof b, 0) == 1;

	SSL_free(ssl);
	return warm;
}

struct tls_context *
tls_context_new(const char *bundle)
{
	struct tls_context *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	heap_install();
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
		OPENSSL_INIT_LOAD_SSL_STRINGS |
		OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL);
	c->narrow = narrow_new();
	c->ctx = c->narrow ? context_make(narrow_lib(c->narrow)) : NULL;
	errno = c->ctx ? 0 : EPROTO;
	c->sent = c->ctx ? digests_new(SENT_BUCKETS, 0) : NULL;
	c->chains = c->sent ? chains_new(bundle) : NULL;
	c->deaf = BIO_new(BIO_s_mem());
	if (c->deaf)
		BIO_set_mem_eof_return(c->deaf, -1);
	if (c->chains && c->deaf && warm_up(c))
		return c;
	tls_context_free(c);
	return NULL;
}

static void
destroy(struct tls *t)
{
	while (t->held) {
		struct held *h = t->held;

		t->held = h->next;
		free(h);
	}
	SSL_free(t->ssl);
	free(t->hello);
	free(t);
}

void
tls_context_free(struct tls_context *c)
{
	int error = errno;

	if (!c)
		return;
	while (c->unheard) {
		struct tls *t = c->unheard;

		c->unheard = t->next;
		destroy(t);
	}
	SSL_CTX_free(c->ctx);
	narrow_free(c->narrow);
	BIO_free(c->deaf);
	chains_free(c->chains);
	digests_free(c->sent);
	free(c);
	errno = error;
}

struct digests *
tls_sent(struct tls_context *c)
{
	return c->sent;
}

/* Keep a certificate that store has not been given. */
static void
hold(struct tls *t, const struct der *der, const uint8_t sha256[SHA256_LEN])
{
	struct held *h;

	if (digests_find(t->context->sent, sha256))
		return;
	h = malloc(sizeof *h + der->len);
	if (!h)
		return; /* it will be new to the next connection, too */
	memcpy(h->sha256, sha256, SHA256_LEN);
	h->len = (uint32_t)der->len;
	memcpy(h->der, der->bytes, der->len);
	h->next = t->held;
	t->held = h;
}

static void
certificates(struct tls *t, const void *bytes, size_t len, int version)
{
	struct der ders[CHAIN_MAX];
	unsigned n;

	if (t->chain.n > 0)
		return; /* renegotiated: the first chain is the one */
	n = handshake_certificates(bytes, len, (uint16_t)version, ders);
	chain_judge(t->context->chains, ders, n, &t->chain);
	for (unsigned i = 0; i < n; i++)
		hold(t, &ders[i], t->chain.sha256[i]);
}

static enum key_exchange
exchange_of(SSL *ssl)
{
	const SSL_CIPHER *cipher = SSL_get_pending_cipher(ssl);

	switch (cipher ? SSL_CIPHER_get_kx_nid(cipher) : NID_undef) {
	case NID_kx_dhe:
		return EXCHANGE_DHE;
	case NID_kx_ecdhe:
		return EXCHANGE_ECDHE;
	default:
		return EXCHANGE_OTHER;
	}
}

static void
alert(struct tls *t, bool ours, int version, const uint8_t *bytes)
{
	bool fatal = version >= TLS1_3_VERSION
	    ? bytes[1] != ALERT_CLOSE_NOTIFY && bytes[1] != ALERT_USER_CANCELED
	    : bytes[0] == ALERT_FATAL;

	if (!fatal || t->alert_side != 0)
		return;
	t->alert = bytes[1];
	t->alert_side = ours ? SIDE_OURS : SIDE_THEIRS;
}

/* Every message, in clear, as it passes (SSL_set_msg_callback(3)). */
static void
message(int sent, int version, int type, const void *bytes, size_t len,
    SSL *ssl, void *arg)
{
	struct tls *t = arg;
	uint16_t sigalg;

	if (!t || len == 0)
		return;
	if (type == SSL3_RT_ALERT && len >= 2)
		alert(t, sent, version, bytes);
	if (sent || type != SSL3_RT_HANDSHAKE)
		return;
	/* Each KeyUpdate costs us more than it costs them. */
	if (++t->messages > MESSAGES_MAX)
		t->much = true;
	switch (*(const uint8_t *)bytes) {
	case HANDSHAKE_CERTIFICATE:
		certificates(t, bytes, len, version);
		break;
	case HANDSHAKE_NEW_SESSION_TICKET:
		t->ticket = true;
		break;
	case HANDSHAKE_SERVER_KEY_EXCHANGE:
	case HANDSHAKE_CERTIFICATE_VERIFY:
		sigalg = handshake_sigalg(
		    bytes, len, (uint16_t)version, exchange_of(ssl));
		if (sigalg != 0)
			t->sigalg = sigalg;
		break;
	default:
		break;
	}
}

/* What went out of the ClientHello; without memory it is not used again. */
static void
hello_keep(struct tls *t, const char *bytes, size_t len)
{
	if (!t->hello || len > HELLO_MAX - t->hello_len) {
		free(t->hello);
		t->hello = NULL;
		return;
	}
	memcpy(t->hello + t->hello_len, bytes, len);
	t->hello_len += len;
}

/* Before each read of the socket, and behind each write (BIO_set_callback_ex(3)). */
static long
on_socket(BIO *io, int what, const char *buf, size_t len, int argi, long argl,
    int result, size_t *processed)
{
	struct tls *t = (void *)BIO_get_callback_arg(io);

	(void)len;
	(void)argi;
	(void)argl;
	if (what == (BIO_CB_WRITE | BIO_CB_RETURN) && t->hello && !t->second &&
	    result > 0)
		hello_keep(t, buf, *processed);
	if (what != BIO_CB_READ || (!t->much && BIO_number_read(io) < t->max))
		return result;
	t->much = true;
	BIO_clear_retry_flags(io);
	return 0;
}

/* Writes go to the socket, reads to where nothing comes from. */
static bool
attach(struct tls *t, int fd)
{
	BIO *out = BIO_new_socket(fd, BIO_NOCLOSE);

	if (!out)
		return false;
	BIO_set_callback_ex(out, on_socket);
	BIO_set_callback_arg(out, (char *)t);
	BIO_up_ref(t->context->deaf);
	SSL_set0_rbio(t->ssl, t->context->deaf);
	SSL_set0_wbio(t->ssl, out);
	return true;
}

static struct tls *
fresh(struct tls_context *c, int fd, uint16_t highest)
{
	struct tls *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->context = c;
	t->ssl = SSL_new(c->ctx);
	if (!t->ssl || !attach(t, fd) ||
	    (highest != 0 && SSL_set_max_proto_version(t->ssl, highest) != 1)) {
		destroy(t);
		ERR_clear_error();
		return NULL;
	}
	t->hello = highest == 0 ? malloc(HELLO_MAX) : NULL;
	SSL_set_msg_callback_arg(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	return t;
}

/* One that has said its ClientHello to somebody who was silent. */
static struct tls *
unheard(struct tls_context *c, int fd, uint16_t highest)
{
	struct tls *t = c->unheard;

	if (!t || highest != 0 || !attach(t, fd))
		return NULL;
	c->unheard = t->next;
	c->nunheard--;
	t->second = true;
	return t;
}

struct tls *
tls_new(struct tls_context *c, int fd, uint16_t highest, uint64_t max)
{
	struct tls *t = unheard(c, fd, highest);

	if (!t)
		t = fresh(c, fd, highest);
	if (t)
		t->max = max;
	return t;
}

void
tls_listen(struct tls *t)
{
	BIO *socket = SSL_get_wbio(t->ssl);

	free(t->hello);
	t->hello = NULL;
	BIO_up_ref(socket);
	SSL_set0_rbio(t->ssl, socket);
}

void
tls_free(struct tls *t)
{
	struct tls_context *c;

	if (!t)
		return;
	c = t->context;
	if (!t->hello || !t->said || c->nunheard == UNHEARD_MAX) {
		destroy(t);
		return;
	}
	t->next = c->unheard;
	c->unheard = t;
	c->nunheard++;
}

/* The whole of it, or the connection is of no use: its buffer is empty. */
static enum tls_state
hello_again(struct tls *t)
{
	BIO *out = SSL_get_wbio(t->ssl);
	int n = BIO_write(out, t->hello, (int)t->hello_len);

	t->second = false;
	return n > 0 && (size_t)n == t->hello_len ? TLS_AGAIN : TLS_RESET;
}

/*
 * Longer than OpenSSL takes in (100 KiB of certificates): a cap of ours, not
 * the server's doing, unless it is the very first message that makes no sense.
 */
static bool
is_over_cap(const struct tls *t)
{
	return t->messages > 0 &&
	    ERR_GET_REASON(t->error) == SSL_R_EXCESSIVE_MESSAGE_SIZE;
}

/* What a call that did not succeed means. */
static enum tls_state
state(struct tls *t, int r)
{
	int error = errno;

	if (r <= 0 && t->much)
		return TLS_MUCH;
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_NONE:
		return TLS_DONE;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		return error == 0 ? TLS_CLOSED : TLS_RESET;
	default:
		t->error = ERR_peek_error();
		return is_over_cap(t) ? TLS_MUCH : TLS_FAILED;
	}
}

static void
begin(void)
{
	ERR_clear_error();
	errno = 0;
}

enum tls_state
tls_handshake(struct tls *t)
{
	enum tls_state s;

	begin();
	if (t->second)
		return hello_again(t);
	s = state(t, SSL_do_handshake(t->ssl));
	t->said = t->said || SSL_want_read(t->ssl);
	t->done = t->done || s == TLS_DONE;
	return s;
}

enum tls_state
tls_read(struct tls *t, void *buf, size_t cap, size_t *n)
{
	enum tls_state s;

	*n = 0;
	begin();
	s = state(t, SSL_read_ex(t->ssl, buf, cap, n));
	/*
	 * Reading a ticket takes a buffer for writing, 16 KiB, that would stay
	 * until something is written (SSL_MODE_RELEASE_BUFFERS).
	 */
	if (s == TLS_AGAIN)
		SSL_free_buffers(t->ssl);
	return s;
}

enum tls_state
tls_write(struct tls *t, const void *bytes, size_t len)
{
	size_t n;

	begin();
	return state(t, SSL_write_ex(t->ssl, bytes, len, &n));
}

bool
tls_revocable(const struct tls *t)
{
	return t->done && SSL_version(t->ssl) >= TLS1_3_VERSION;
}

void
tls_goodbye(struct tls *t)
{
	begin();
	if (t->done && SSL_get_shutdown(t->ssl) == 0)
		(void)SSL_shutdown(t->ssl);
}

uint64_t
tls_bytes(const struct tls *t)
{
	return BIO_number_read(SSL_get_rbio(t->ssl));
}

const struct held *
tls_held(const struct tls *t)
{
	return t->held;
}
