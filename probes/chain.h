/*
 * chain.h: what the certificates say, and whether they lead to an anchor of
 * the configured bundle. Each distinct chain is judged once a process.
 */
#ifndef PROBES_CHAIN_H
#define PROBES_CHAIN_H

#include "probes/digests.h"
#include "probes/facts.h"
#include "probes/handshake.h"
#include "storage/record.h"

/* Facts of a chain; times are for the reader to compare. */
struct judgement {
	int64_t not_before, not_after; /* of the leaf, seconds since 1970 */
	uint16_t key_bits;
	uint8_t key_type; /* enum key_type */
	uint8_t chain; /* enum chain_verdict */
	uint8_t verify_error; /* X509_V_ERR_... */
	uint8_t validation; /* 0 ? 1 DV 2 OV 3 EV, by policy OID */
	uint8_t parsed; /* the leaf is X.509 */
	uint8_t weak_signature; /* MD5 or SHA-1 where it counts */
};

struct chains;

/*
 * Reads the bundle, one file of PEM, and warms up what OpenSSL would open
 * later. NULL: it cannot be read (errno), or holds no certificate (EINVAL).
 */
struct chains *chains_new(const char *bundle);
void chains_free(struct chains *);

/* The certificates that came, as TAG_CHAIN keeps them. */
struct chain {
	uint8_t sha256[CHAIN_MAX][SHA256_LEN];
	uint8_t n;
	struct judgement judgement;
};

/* Digests and judgement of certificates as they were sent, leaf first. */
void chain_judge(
    struct chains *, const struct der *, unsigned n, struct chain *);

/* Its place in the record: head, digests, and the signature's finding. */
void chain_report(const struct chain *, struct facts *);

#endif
