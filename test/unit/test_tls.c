/* test_tls.c: the TLS driver against servers that mean it ill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "probes/tls.h"

enum { MESSAGE_CAP = 8192, ROUNDS = 12, ALERT_HANDSHAKE_FAILURE = 40 };

static struct tls_context *context;
static X509 *leaf;
static EVP_PKEY *key;

static int
set_up(void **state)
{
	char path[] = "/tmp/mailsweep-unit-XXXXXX";
	FILE *bundle = fdopen(mkstemp(path), "w");

	(void)state;
	key = EVP_EC_gen("P-256");
	leaf = X509_new();
	assert_true(bundle && key && leaf);
	X509_set_version(leaf, 2);
	X509_gmtime_adj(X509_getm_notBefore(leaf), 0);
	X509_gmtime_adj(X509_getm_notAfter(leaf), 86400);
	X509_set_pubkey(leaf, key);
	assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(bundle, leaf), 1);
	fclose(bundle);
	context = tls_context_new(path);
	unlink(path);
	return context ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_context_free(context);
	X509_free(leaf);
	EVP_PKEY_free(key);
	return 0;
}

static struct tls *
client(int fds[2])
{
	struct tls *t;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	t = tls_new(context, fds[0], 0, 1 << 18);
	assert_non_null(t);
	assert_int_equal(tls_handshake(t), TLS_AGAIN);
	tls_listen(t);
	return t;
}

static void
end(struct tls *t, int fds[2])
{
	tls_free(t);
	close(fds[0]);
	close(fds[1]);
}

/* ---- messages made by hand ---------------------------------------------- */

struct message {
	uint8_t bytes[MESSAGE_CAP];
	size_t len;
};

static void
add(struct message *m, const void *bytes, size_t len)
{
	assert_true(len <= sizeof m->bytes - m->len);
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void
add_number(struct message *m, size_t n, unsigned bytes)
{
	while (bytes-- > 0) {
		uint8_t byte = (uint8_t)(n >> 8 * bytes);

		add(m, &byte, 1);
	}
}

/* A handshake message of a TLS 1.2 server in a record of its own. */
static void
say(int fd, uint8_t type, const struct message *body)
{
	struct message m = { .len = 0 };

	add_number(&m, 22, 1);
	add_number(&m, 0x303, 2);
	add_number(&m, body->len + 4, 2);
	add_number(&m, type, 1);
	add_number(&m, body->len, 3);
	add(&m, body->bytes, body->len);
	assert_int_equal(send(fd, m.bytes, m.len, 0), m.len);
}

/* TLS_DH_anon_WITH_AES_128_CBC_SHA: nobody has to sign for the key. */
static void
say_anonymous_dh(int fd, size_t bits)
{
	static const uint8_t random[32], two = 2;
	uint8_t p[2048];
	struct message hello = { .len = 0 }, kx = { .len = 0 };
	struct message done = { .len = 0 };

	memset(p, 0xff, sizeof p);
	add_number(&hello, 0x303, 2);
	add(&hello, random, sizeof random);
	add_number(&hello, 0, 1);
	add_number(&hello, 0x0034, 2);
	add_number(&hello, 0, 1);
	say(fd, 2, &hello);
	add_number(&kx, bits / 8, 2);
	add(&kx, p, bits / 8);
	add_number(&kx, sizeof two, 2);
	add(&kx, &two, sizeof two);
	p[0] = 0x40;
	add_number(&kx, bits / 8, 2);
	add(&kx, p, bits / 8);
	say(fd, 12, &kx);
	say(fd, 14, &done);
}

/* ---- tests -------------------------------------------------------------- */

/* Found by reading: corpus/tls/found-dh-of-10000-bits; three seconds each. */
static void
dh_that_is_there_to_cost_is_refused(void **state)
{
	static uint8_t body[1024];
	struct record r;
	struct facts f;
	struct tls *t;
	int fds[2];

	(void)state;
	t = client(fds);
	say_anonymous_dh(fds[1], 8200);
	assert_int_equal(tls_handshake(t), TLS_FAILED);
	record_init(&r, body, sizeof body);
	facts_init(&f, &r);
	tls_report(t, &f);
	assert_int_equal(r.head.alert, ALERT_HANDSHAKE_FAILURE);
	end(t, fds);
	/* Odd, but there are such: they are followed. */
	t = client(fds);
	say_anonymous_dh(fds[1], 2048);
	assert_int_equal(tls_handshake(t), TLS_AGAIN);
	end(t, fds);
}

static SSL *
server(int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *s;

	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_use_certificate(ctx, leaf);
	SSL_CTX_use_PrivateKey(ctx, key);
	s = SSL_new(ctx);
	SSL_CTX_free(ctx);
	assert_int_equal(SSL_set_fd(s, fd), 1);
	SSL_set_accept_state(s);
	return s;
}

/* Else a server asks for handshake upon handshake, in one conversation. */
static void
there_is_one_handshake(void **state)
{
	int fds[2];
	struct tls *t = client(fds);
	SSL *s = server(fds[1]);
	enum tls_state state_now = TLS_AGAIN;
	uint8_t byte;
	size_t n;

	(void)state;
	for (int i = 0; i < ROUNDS && state_now == TLS_AGAIN; i++) {
		(void)SSL_do_handshake(s);
		state_now = tls_handshake(t);
	}
	assert_int_equal(state_now, TLS_DONE);
	(void)SSL_do_handshake(s);
	assert_int_equal(SSL_renegotiate(s), 1);
	(void)SSL_do_handshake(s);
	assert_int_equal(tls_read(t, &byte, 1, &n), TLS_AGAIN);
	ERR_clear_error();
	assert_int_equal(SSL_read(s, &byte, 1), -1);
	assert_int_equal(
	    ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	SSL_free(s);
	end(t, fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dh_that_is_there_to_cost_is_refused),
		cmocka_unit_test(there_is_one_handshake),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
