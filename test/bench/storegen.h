/*
 * storegen.h: a population of mail services that the same seed makes again:
 * 200 countries, 50,000 autonomous systems, bodies of a realistic length.
 */
#ifndef TEST_BENCH_STOREGEN_H
#define TEST_BENCH_STOREGEN_H

#include "storage/record.h"

enum { GEN_COUNTRIES = 200, GEN_ASNS = 50000, GEN_CERTS = 20000 };

struct population {
	uint64_t seed;
	uint64_t most; /* rows there may be; beyond 19 of 20 it is IPv6 */
	uint64_t start_us; /* of the night */
	unsigned night; /* a fiftieth of the hosts changes each night */
	uint8_t (*leaves)[SHA256_LEN]; /* GEN_CERTS of them; NULL: none */
};

/*
 * Row k; in the order of k they are in key order. The record has a body of
 * its owner with room for BODY_MAX bytes.
 */
void population_row(
    const struct population *, uint64_t k, struct target *, struct record *);

uint32_t population_asn(const struct population *, uint64_t host);
const char *population_country(const struct population *, uint32_t asn);
/* The address of a host. */
struct addr population_addr(const struct population *, uint64_t host);
uint64_t population_hosts(const struct population *); /* for `most` rows */

#endif
