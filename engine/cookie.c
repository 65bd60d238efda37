/* cookie.c: what a SYN carries so that its answer can be known again. */
#include <errno.h>
#include <string.h>

#include "engine/cookie.h"
#include "engine/siphash.h"

/* Bits of a port's offset: incarnation, attempt, kind; the rest is hash. */
enum {
	INCARNATION_BITS = 2,
	ATTEMPT_BITS = 2,
	KIND_BITS = 3,
	SLICE_BITS = INCARNATION_BITS + ATTEMPT_BITS + KIND_BITS,
	RANGE_BITS_MIN = 10
};

_Static_assert(INCARNATIONS == 1 << INCARNATION_BITS, "incarnations");
_Static_assert(ATTEMPTS == 1 << ATTEMPT_BITS, "attempts");
_Static_assert(KIND_COUNT == 1 << KIND_BITS, "kinds");

uint64_t
cookie_hash(const uint8_t key[SWEEP_KEY_LEN], const uint8_t *p, size_t len)
{
	struct sip s = sip_start(key);
	size_t whole = len / SIP_WORD * SIP_WORD;
	uint8_t rest[SIP_WORD] = { 0 };

	for (size_t i = 0; i < whole; i += SIP_WORD)
		sip_word(&s, sip_word_le(p + i));
	memcpy(rest, p + whole, len - whole);
	sip_word(&s, (uint64_t)len << 56 | sip_word_le(rest));
	return sip_finish(&s);
}

/*
 * The message: the source and what it shares with others first, so that its
 * state is made once. IPv4: source 4 bytes, slice 2, round 2; target 4, port 2.
 * IPv6: source 16; target 16, port 2, slice 2, round 2. Addresses as numbers:
 * nobody else reads it. The slice (incarnation, attempt, kind) is hashed too,
 * so that the SYNs of two attempts share nothing, and so is the round: with
 * one port and one ISN again, a peer in TIME_WAIT would take the SYN of the
 * fifth start for an old one of the first.
 */
enum { MESSAGE4_LEN = 8 + 4 + 2, MESSAGE6_LEN = 16 + 16 + 2 + 2 + 2 };

/* How often the incarnation of a slice had come round when it was the last. */
static uint16_t
round_of(const struct source_ports *p, unsigned slice)
{
	unsigned incarnation = slice >> (ATTEMPT_BITS + KIND_BITS);
	unsigned ago = (p->incarnation - incarnation) % INCARNATIONS;

	return (uint16_t)((p->slices - ago) / INCARNATIONS);
}

static void
maker_init(struct cookie_maker *m, const uint8_t key[SWEEP_KEY_LEN],
    const struct source_ports *p, const struct addr *src, unsigned slice)
{
	unsigned hash_bits = p->bits - (unsigned)SLICE_BITS;
	uint64_t round = round_of(p, slice);
	struct sip s = sip_start(key);

	m->first = (uint16_t)(p->first + (slice << hash_bits));
	m->mask = (uint16_t)((1u << hash_bits) - 1);
	m->four = addr_is4(src);
	if (m->four) {
		sip_word(
		    &s, addr_to4(src) | (uint64_t)slice << 32 | round << 48);
		m->tail = (uint64_t)MESSAGE4_LEN << 56;
	} else {
		sip_word(&s, sip_word_be(src->b));
		sip_word(&s, sip_word_be(src->b + SIP_WORD));
		m->tail = (uint64_t)MESSAGE6_LEN << 56 | round << 32 |
		    (uint64_t)slice << 16;
	}
	m->v[0] = s.v0;
	m->v[1] = s.v1;
	m->v[2] = s.v2;
	m->v[3] = s.v3;
}

static inline uint64_t
hash_one(const struct cookie_maker *m, uint64_t hi, uint64_t lo, uint64_t port)
{
	struct sip s = { m->v[0], m->v[1], m->v[2], m->v[3] };

	if (m->four) {
		sip_word(&s, m->tail | port << 32 | (uint32_t)lo);
	} else {
		sip_word(&s, hi);
		sip_word(&s, lo);
		sip_word(&s, m->tail | port);
	}
	return sip_finish(&s);
}

static struct cookie
cookie_of(const uint8_t key[SWEEP_KEY_LEN], const struct source_ports *p,
    const struct addr *src, const struct target *t, unsigned slice)
{
	struct cookie_maker m;

	maker_init(&m, key, p, src, slice);
	return cookie_of_hash(&m,
	    hash_one(&m, sip_word_be(t->addr.b),
		sip_word_be(t->addr.b + SIP_WORD), t->port));
}

/* ---- several at once ----------------------------------------------------- */

#if defined(__x86_64__)
/*
 * Four side by side in registers of 256 bits. A macro, since a function that
 * is inlined has its vectors taken apart before it is known for which
 * processor it is.
 */
enum { LANES = 4 };
typedef uint64_t lanes __attribute__((vector_size(8 * LANES), may_alias));

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))
#define ROUND                             \
	do {                              \
		v0 += v1, v2 += v3;       \
		v1 = ROTATE(v1, 13) ^ v0; \
		v3 = ROTATE(v3, 16) ^ v2; \
		v0 = ROTATE(v0, 32);      \
		v2 += v1, v0 += v3;       \
		v1 = ROTATE(v1, 17) ^ v2; \
		v3 = ROTATE(v3, 21) ^ v0; \
		v2 = ROTATE(v2, 32);      \
	} while (0)
#define WORD(w)            \
	do {               \
		v3 ^= (w); \
		ROUND;     \
		ROUND;     \
		v0 ^= (w); \
	} while (0)
#define HASH_LOT(name, isa)                                                    \
	__attribute__((target(isa))) static void name(                         \
	    const struct cookie_maker *m, struct cookie_lot *lot)              \
	{                                                                      \
		for (unsigned i = 0; i < lot->n; i += LANES) {                 \
			lanes v0 = (lanes){ 0 } + m->v[0];                     \
			lanes v1 = (lanes){ 0 } + m->v[1];                     \
			lanes v2 = (lanes){ 0 } + m->v[2];                     \
			lanes v3 = (lanes){ 0 } + m->v[3];                     \
			lanes hi, lo, port, hash;                              \
			memcpy(&hi, lot->hi + i, sizeof hi);                   \
			memcpy(&lo, lot->lo + i, sizeof lo);                   \
			memcpy(&port, lot->port + i, sizeof port);             \
			if (m->four) {                                         \
				WORD(                                          \
				    m->tail | port << 32 | (lo & UINT32_MAX)); \
			} else {                                               \
				WORD(hi);                                      \
				WORD(lo);                                      \
				WORD(m->tail | port);                          \
			}                                                      \
			v2 ^= 0xff;                                            \
			ROUND;                                                 \
			ROUND;                                                 \
			ROUND;                                                 \
			ROUND;                                                 \
			hash = v0 ^ v1 ^ v2 ^ v3;                              \
			memcpy(lot->hash + i, &hash, sizeof hash);             \
		}                                                              \
	}

/* AVX-512 has a rotation. */
HASH_LOT(hash_lot_avx512, "avx512vl")
HASH_LOT(hash_lot_avx2, "avx2")

static bool
hash_lot_wide(const struct cookie_maker *m, struct cookie_lot *lot)
{
	if (__builtin_cpu_supports("avx512vl"))
		hash_lot_avx512(m, lot);
	else if (__builtin_cpu_supports("avx2"))
		hash_lot_avx2(m, lot);
	else
		return false;
	return true;
}
#else
static bool
hash_lot_wide(const struct cookie_maker *m, struct cookie_lot *lot)
{
	(void)m;
	(void)lot;
	return false;
}
#endif

void
cookie_make_many(const struct cookie_maker *m, struct cookie_lot *lot)
{
	if (hash_lot_wide(m, lot))
		return;
	for (unsigned i = 0; i < lot->n; i++)
		lot->hash[i] =
		    hash_one(m, lot->hi[i], lot->lo[i], lot->port[i]);
}

int
source_ports_init(
    struct source_ports *p, uint16_t first, uint16_t last, uint32_t incarnation)
{
	uint32_t n = (uint32_t)last - first + 1;

	if (first == 0 || first > last || n < 1u << RANGE_BITS_MIN) {
		errno = EINVAL;
		return -1;
	}
	p->first = first;
	p->bits = RANGE_BITS_MIN;
	while (2u << p->bits <= n)
		p->bits++;
	p->incarnation = (uint8_t)(incarnation % INCARNATIONS);
	p->slices = incarnation;
	return 0;
}

static inline unsigned
slice_of(const struct source_ports *p, uint16_t port)
{
	return (unsigned)(port - p->first) >> (p->bits - (unsigned)SLICE_BITS);
}

bool
source_ports_has(const struct source_ports *p, uint16_t port)
{
	return port >= p->first && port - p->first < 1 << p->bits;
}

bool
source_ports_current(const struct source_ports *p, uint16_t port)
{
	return source_ports_has(p, port) &&
	    slice_of(p, port) >> (ATTEMPT_BITS + KIND_BITS) == p->incarnation;
}

enum syn_kind
source_ports_kind(const struct source_ports *p, uint16_t port)
{
	return (enum syn_kind)(slice_of(p, port) % KIND_COUNT);
}

unsigned
source_ports_attempt(const struct source_ports *p, uint16_t port)
{
	return slice_of(p, port) >> KIND_BITS & (ATTEMPTS - 1);
}

static unsigned
slice_for(const struct source_ports *p, enum syn_kind kind, unsigned attempt)
{
	return (unsigned)p->incarnation << (ATTEMPT_BITS + KIND_BITS) |
	    (attempt & (ATTEMPTS - 1)) << KIND_BITS |
	    ((unsigned)kind & (KIND_COUNT - 1));
}

struct cookie
cookie_make(const uint8_t key[SWEEP_KEY_LEN], const struct source_ports *p,
    const struct addr *src, const struct target *t, enum syn_kind kind,
    unsigned attempt)
{
	return cookie_of(key, p, src, t, slice_for(p, kind, attempt));
}

void
cookie_maker_init(struct cookie_maker *m, const uint8_t key[SWEEP_KEY_LEN],
    const struct source_ports *p, const struct addr *src, enum syn_kind kind,
    unsigned attempt)
{
	maker_init(m, key, p, src, slice_for(p, kind, attempt));
}

bool
cookie_check(const uint8_t key[SWEEP_KEY_LEN], const struct source_ports *p,
    const struct addr *src, const struct target *t, uint16_t sport,
    uint32_t ack)
{
	struct cookie c;

	if (!source_ports_has(p, sport) || addr_is4(src) != addr_is4(&t->addr))
		return false;
	c = cookie_of(key, p, src, t, slice_of(p, sport));
	return c.sport == sport && c.isn + 1 == ack;
}
