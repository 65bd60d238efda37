/*
 * tls.h: TLS from the client's side, offering everything and judging later:
 * TLS 1.0 to 1.3, all suites, no verification in the handshake. No server is
 * named (SNI): we know an address, and a wrong name would change the answer.
 * tls.c alone knows OpenSSL's SSL.
 */
#ifndef PROBES_TLS_H
#define PROBES_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/chain.h"
#include "probes/facts.h"

struct tls_context;
struct tls;

enum { TLS_TEXT_MAX = 192 };

/*
 * Everything that OpenSSL opens or fetches is opened and fetched here, before
 * the sandbox. NULL: the bundle of anchors cannot be used (errno).
 */
struct tls_context *tls_context_new(const char *bundle);
void tls_context_free(struct tls_context *);

/* The certificates that store has been given; shared by all connections. */
struct digests *tls_sent(struct tls_context *);

/*
 * A connection on a non-blocking socket, which stays the caller's. highest: of
 * the versions offered, as 0x0303; 0: all. Once max bytes have come no more
 * are read: a handshake that never ends would be read, within one call, for as
 * long as bytes come.
 */
struct tls *tls_new(
    struct tls_context *, int fd, uint16_t highest, uint64_t max);
void tls_free(struct tls *);

enum tls_state {
	TLS_DONE,
	TLS_AGAIN, /* when the socket can be read or written */
	TLS_CLOSED,
	TLS_RESET,
	TLS_MUCH, /* over max bytes */
	TLS_FAILED /* alert, or bytes that make no sense */
};

/*
 * Until tls_listen the handshake says its ClientHello and hears nothing, so
 * that the caller can look at the first bytes: some servers speak in clear.
 */
enum tls_state tls_handshake(struct tls *);
void tls_listen(struct tls *);
enum tls_state tls_read(struct tls *, void *, size_t cap, size_t *n);
enum tls_state tls_write(struct tls *, const void *, size_t len);

/* The handshake's version is one where a refusal may come after it. */
bool tls_revocable(const struct tls *);

/* Tell the server that we close. */
void tls_goodbye(struct tls *);

/* Bytes that came in, TLS's own included. */
uint64_t tls_bytes(const struct tls *);

/* For the transcript: "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519"; or why not. */
void tls_text(const struct tls *, char text[TLS_TEXT_MAX]);
void tls_error(const struct tls *, char text[TLS_TEXT_MAX]);

/* Version, suite, group, alert, chain ... into the record. */
void tls_report(const struct tls *, struct facts *);

/* Is the leaf good for this host name? As storage/cert_match.h has it. */
bool tls_names(const struct tls *, const void *name, size_t len);

/* Certificates that came and were not in tls_sent() then; tls_free's own. */
struct held {
	struct held *next;
	uint8_t sha256[SHA256_LEN];
	uint32_t len;
	uint8_t der[];
};
const struct held *tls_held(const struct tls *);

#endif
