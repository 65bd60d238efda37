/*
 * narrow.h: OpenSSL's default provider through a narrower window.
 *
 * For the key of every certificate OpenSSL 3 asks each decoder and each kind
 * of key that it knows whether it fits: about a quarter of what a handshake
 * costs. A TLS client needs few of them, and only they are seen here. The
 * algorithms themselves are the default provider's (provider(7)).
 */
#ifndef PROBES_NARROW_H
#define PROBES_NARROW_H

#include <openssl/types.h>

struct narrow;

/* NULL: no memory. */
struct narrow *narrow_new(void);
void narrow_free(struct narrow *);

/* For SSL_CTX_new_ex(3), which must be freed before it. */
OSSL_LIB_CTX *narrow_lib(const struct narrow *);

#endif
