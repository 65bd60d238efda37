/*
 * handshake.h: the few handshake messages that we read ourselves, since
 * OpenSSL gives the bytes only here: certificates as sent, before anybody
 * parses them, and the signature algorithm. Bytes in, spans out; no OpenSSL.
 */
#ifndef PROBES_HANDSHAKE_H
#define PROBES_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/record.h"

enum { TLS_1_2 = 0x303, TLS_1_3 = 0x304 };

/* HandshakeType, RFC 8446 section 4 and RFC 5246 section 7.4. */
enum handshake_type {
	HANDSHAKE_NEW_SESSION_TICKET = 4,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_KEY_EXCHANGE = 12,
	HANDSHAKE_CERTIFICATE_VERIFY = 15
};

struct der {
	const uint8_t *bytes;
	size_t len;
};

/*
 * The certificates of a Certificate message (type and length included), leaf
 * first, at most CHAIN_MAX of them: how many. What is cut off or lies about
 * its length ends the list.
 */
unsigned handshake_certificates(const uint8_t *message, size_t len,
    uint16_t version, struct der[CHAIN_MAX]);

/* How ServerKeyExchange begins: by the key exchange of the suite. */
enum key_exchange { EXCHANGE_OTHER, EXCHANGE_DHE, EXCHANGE_ECDHE };

/*
 * The signature algorithm (IANA number) of a CertificateVerify, or of a
 * ServerKeyExchange of TLS 1.2; 0: none in it.
 */
uint16_t handshake_sigalg(
    const uint8_t *message, size_t len, uint16_t version, enum key_exchange);

#endif
