/*
 * pool_least.h: the least client that says what a probe says to a POP3 server:
 * a floor. No records, no caps, no deadlines; OpenSSL as it comes.
 */
#ifndef BENCH_POOL_LEAST_H
#define BENCH_POOL_LEAST_H

#include <stdbool.h>

#include <openssl/ssl.h>

enum { LEAST_LINE = 1024 };

/* Greeting, CAPA, STLS and TLS, CAPA, QUIT; or the same lines in clear. */
extern const char *const least_says_tls[], *const least_says_clear[];

struct least {
	const char *const *say; /* NULL: TLS begins; the last is "" */
	SSL_CTX *tls;
	SSL *ssl;
	int fd, step, heard;
	bool over, completed, shaking;
	char in[LEAST_LINE];
};

/* X25519 first, no verification beyond the handshake's own. */
SSL_CTX *least_tls(void);

/* On a socket that is connected or will be; it is closed at the end. */
void least_begin(struct least *, const char *const *say, int fd, SSL_CTX *);
void least_ready(struct least *);

#endif
