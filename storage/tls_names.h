/* tls_names.h: IANA's names for the numbers of TLS. */
#ifndef STORAGE_TLS_NAMES_H
#define STORAGE_TLS_NAMES_H

#include <stdint.h>

/*
 * "TLS_AES_128_GCM_SHA256"; NULL for a number that is not in the table, which
 * has all that an OpenSSL 3.0 can negotiate.
 */
const char *cipher_name(uint16_t);
const char *group_name(uint16_t); /* "x25519" */
const char *sigalg_name(uint16_t); /* "rsa_pss_rsae_sha256" */
const char *alert_name(uint8_t); /* "handshake_failure" */

#endif
