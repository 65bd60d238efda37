/* tls_state.h: what tls.c and tls_report.c share; for nobody else. */
#ifndef PROBES_TLS_STATE_H
#define PROBES_TLS_STATE_H

#include <openssl/ssl.h>

#include "probes/narrow.h"
#include "probes/tls.h"

enum { SIDE_THEIRS = 1, SIDE_OURS = 2 };

struct tls_context {
	struct tls *unheard;
	unsigned nunheard;
	struct narrow *narrow;
	SSL_CTX *ctx;
	struct chains *chains;
	struct digests *sent;
	BIO *deaf; /* nothing ever comes out of it */
};

struct tls {
	struct tls *next; /* in unheard */
	struct tls_context *context;
	SSL *ssl;
	struct held *held;
	struct chain chain;
	unsigned long error; /* OpenSSL's, of a failure */
	uint16_t sigalg;
	uint8_t alert, alert_side;
	unsigned messages; /* of handshakes, from the server */
	uint64_t max; /* bytes to be read */
	uint8_t *hello; /* as it was sent, until we listen; else NULL */
	size_t hello_len;
	bool ticket, said, done, much; /* said: all of hello */
	bool second; /* hello is another's, still to be sent */
};

/* Every group that we know, in our order. False: OpenSSL lacks one. */
bool tls_groups_set(SSL_CTX *);

#endif
