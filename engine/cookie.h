/* cookie.h: what a SYN carries so that its answer can be known again. */
#ifndef ENGINE_COOKIE_H
#define ENGINE_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/sweep.h"

/* Why a SYN is sent. Travels in the source port, so the answer tells. */
enum syn_kind {
	KIND_PLAIN, /* first try, or a retry, of a target */
	KIND_CLIENT_HELLO, /* a ClientHello after silence on a clear port */
	KIND_CANARY,
	KIND_TLS_VERSION,
	KIND_INJECTION,
	KIND_AGAIN, /* as plain, where the first answer may have been dropped */
	KIND_SECOND, /* the other SYN of a first try, where there are two */
	KIND_COUNT = 8
};

/* Of a KIND_TLS_VERSION: the highest that is offered, TLS 1.0 for attempt 1. */
#define TLS_VERSION_OF_ATTEMPT(attempt) ((uint16_t)(0x0300 + (attempt)))

enum { ATTEMPTS = 4, INCARNATIONS = 4 }; /* per source-port range */

/*
 * The range of source ports, cut by incarnation of the daemon, attempt and
 * kind, so that a repeated SYN never meets an old connection (DESIGN.md 1.6):
 * offset = incarnation | attempt | kind | hash, most significant first.
 */
struct source_ports {
	uint16_t first; /* host order */
	uint8_t bits; /* the range holds 1 << bits ports */
	uint8_t incarnation; /* modulo INCARNATIONS */
	uint32_t slices; /* sweep_slice(), whole */
};

/*
 * The incarnation is sweep_slice(). bits is the largest that fits, at least
 * 10. 0, or -1 with EINVAL.
 */
int source_ports_init(
    struct source_ports *, uint16_t first, uint16_t last, uint32_t incarnation);

/* In the range at all? And of this incarnation? */
bool source_ports_has(const struct source_ports *, uint16_t port);
bool source_ports_current(const struct source_ports *, uint16_t port);

/* What a port of the range stands for. */
enum syn_kind source_ports_kind(const struct source_ports *, uint16_t port);
unsigned source_ports_attempt(const struct source_ports *, uint16_t);

/* SipHash-2-4 itself, also for packet's keyed tables. */
uint64_t cookie_hash(
    const uint8_t key[SWEEP_KEY_LEN], const uint8_t *, size_t len);

struct cookie {
	uint32_t isn; /* our initial sequence number */
	uint16_t sport; /* our source port */
};

/*
 * SipHash-2-4 (Aumasson, Bernstein 2012) under the sweep's key over both
 * addresses, the destination port, the slice and how often it was come round
 * to; the hash chooses the source
 * port within its slice and, with that port, the ISN. Who does not see our
 * SYNs has to guess 32 bits and the port.
 */
struct cookie cookie_make(const uint8_t key[SWEEP_KEY_LEN],
    const struct source_ports *, const struct addr *src, const struct target *,
    enum syn_kind, unsigned attempt);

/* All that the cookies from one source address, kind and attempt share. */
struct cookie_maker {
	uint64_t v[4]; /* the state of SipHash behind the source */
	uint64_t tail; /* of the last word: what is not the target */
	uint16_t first; /* port of the slice */
	uint16_t mask; /* of the hash in a port */
	bool four;
};

void cookie_maker_init(struct cookie_maker *, const uint8_t key[SWEEP_KEY_LEN],
    const struct source_ports *, const struct addr *src, enum syn_kind,
    unsigned attempt);

/* Targets of one family, and a cookie for each. */
enum { COOKIE_LOT = 64 };
struct cookie_lot {
	uint64_t hi[COOKIE_LOT], lo[COOKIE_LOT]; /* addresses as numbers */
	uint64_t port[COOKIE_LOT];
	uint64_t hash[COOKIE_LOT]; /* what cookie_make_many() gives */
	unsigned n;
};

/*
 * The same cookies, for all of a lot at once: several go through the wide
 * registers side by side where the processor has them. What lies behind n in
 * its arrays may be read and written.
 */
void cookie_make_many(const struct cookie_maker *, struct cookie_lot *);

static inline struct cookie
cookie_of_hash(const struct cookie_maker *m, uint64_t hash)
{
	return (struct cookie){ .isn = (uint32_t)(hash >> 32),
		.sport = (uint16_t)(m->first + ((unsigned)hash & m->mask)) };
}

/*
 * Does an answer to our port sport that acknowledges ack belong to a SYN of
 * ours to this target from this address, this incarnation or an earlier one?
 */
bool cookie_check(const uint8_t key[SWEEP_KEY_LEN], const struct source_ports *,
    const struct addr *src, const struct target *, uint16_t sport,
    uint32_t ack);

#endif
