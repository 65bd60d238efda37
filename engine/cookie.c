/* cookie.c: what a SYN carries so that its answer can be known again. */
#include <errno.h>
#include <string.h>

#include "engine/cookie.h"

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

enum { SIP_WORD = 8 };

struct sip {
	uint64_t v0, v1, v2, v3;
};

/* Written out, so that compilers see one load. */
static inline uint64_t
word_le(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
	    (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void
sip_word(struct sip *s, uint64_t w)
{
	s->v3 ^= w;
	sip_round(s);
	sip_round(s);
	s->v0 ^= w;
}

static inline struct sip
sip_start(const uint8_t key[SWEEP_KEY_LEN])
{
	uint64_t k0 = word_le(key), k1 = word_le(key + SIP_WORD);

	return (struct sip){ k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
}

/* The last word: up to seven bytes, and the length of all. */
static inline uint64_t
sip_end(struct sip *s, uint64_t rest, size_t len)
{
	sip_word(s, (uint64_t)len << 56 | rest);
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t
cookie_hash(const uint8_t key[SWEEP_KEY_LEN], const uint8_t *p, size_t len)
{
	struct sip s = sip_start(key);
	size_t whole = len / SIP_WORD * SIP_WORD;
	uint8_t rest[SIP_WORD] = { 0 };

	for (size_t i = 0; i < whole; i += SIP_WORD)
		sip_word(&s, word_le(p + i));
	memcpy(rest, p + whole, len - whole);
	return sip_end(&s, word_le(rest), len);
}

/*
 * The SipHash of source, target, port and slice, 12 bytes or 36, put together
 * in registers. The slice (incarnation, attempt, kind) is hashed too, so that
 * the SYNs of two attempts share nothing.
 */
static uint64_t
hash_syn(const uint8_t key[SWEEP_KEY_LEN], const struct addr *src,
    const struct target *t, unsigned slice)
{
	const uint8_t *a = src->b, *b = t->addr.b;
	uint64_t rest = (uint64_t)(t->port >> 8) |
	    (uint64_t)(t->port & 0xff) << 8 | (uint64_t)(slice & 0xff) << 24 |
	    (uint64_t)(slice >> 8 & 0xff) << 16;
	struct sip s = sip_start(key);

	if (addr_is4(&t->addr)) {
		sip_word(&s, word_le(a + 8) >> 32 | word_le(b + 8) >> 32 << 32);
		return sip_end(&s, rest, 4 + 4 + 4);
	}
	sip_word(&s, word_le(a));
	sip_word(&s, word_le(a + 8));
	sip_word(&s, word_le(b));
	sip_word(&s, word_le(b + 8));
	return sip_end(&s, rest, 16 + 16 + 4);
}

static struct cookie
cookie_of(const uint8_t key[SWEEP_KEY_LEN], const struct source_ports *p,
    const struct addr *src, const struct target *t, unsigned slice)
{
	uint64_t h = hash_syn(key, src, t, slice);
	unsigned hash_bits = p->bits - (unsigned)SLICE_BITS;
	unsigned low = (unsigned)h & ((1u << hash_bits) - 1);

	return (struct cookie){ .isn = (uint32_t)(h >> 32),
		.sport = (uint16_t)(p->first + (slice << hash_bits | low)) };
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

struct cookie
cookie_make(const uint8_t key[SWEEP_KEY_LEN], const struct source_ports *p,
    const struct addr *src, const struct target *t, enum syn_kind kind,
    unsigned attempt)
{
	unsigned slice = (unsigned)p->incarnation
		<< (ATTEMPT_BITS + KIND_BITS) |
	    (attempt & (ATTEMPTS - 1)) << KIND_BITS |
	    ((unsigned)kind & (KIND_COUNT - 1));

	return cookie_of(key, p, src, t, slice);
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
