/* addr.h: Internet addresses and targets, the same for IPv4 and IPv6. */
#ifndef ENGINE_ADDR_H
#define ENGINE_ADDR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Network order; IPv4 is mapped (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). */
struct addr {
	uint8_t b[16];
};

struct target {
	struct addr addr;
	uint16_t port; /* host order */
};

/* A target packed for keys: 16 bytes of address, port in network order. */
enum { TARGET_KEY_LEN = 18, ADDR_TEXT_MAX = 46, TARGET_TEXT_MAX = 56 };

static inline bool
addr_is4(const struct addr *a)
{
	uint64_t high;
	uint32_t mid;

	memcpy(&high, a->b, sizeof high);
	memcpy(&mid, a->b + sizeof high, sizeof mid);
	return high == 0 && mid == htobe32(0xffff);
}

/* host order; only if is4 */
static inline uint32_t
addr_to4(const struct addr *a)
{
	uint32_t be;

	memcpy(&be, a->b + 12, sizeof be);
	return be32toh(be);
}

struct addr addr_from4(uint32_t host_order);
int addr_cmp(const struct addr *, const struct addr *);

/* Numeric text only, never a name. 0, or -1 with EINVAL. */
int addr_parse(const char *, struct addr *);

/* Canonical text (RFC 5952; dotted for IPv4) into buf, which is returned. */
const char *addr_text(const struct addr *, char buf[ADDR_TEXT_MAX]);

/* "1.2.3.4:25" or "[2001:db8::1]:25" into buf, which is returned. */
const char *target_text(const struct target *, char buf[TARGET_TEXT_MAX]);

/* In the order of their keys: by address, then by port. <0, 0, >0 */
int target_cmp(const struct target *, const struct target *);

void target_pack(const struct target *, uint8_t key[TARGET_KEY_LEN]);
struct target target_unpack(const uint8_t key[TARGET_KEY_LEN]);

/*
 * The first address of the network that `bits` leave of an address; bits
 * counts from the family's own start (24 of an IPv4 address, 48 of an IPv6).
 */
struct addr addr_network(const struct addr *, unsigned bits);

#endif
