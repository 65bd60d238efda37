/* prefix.c: prefixes as people write them. */
#include <stdio.h>
#include <string.h>

#include "storage/prefix.h"

enum { BITS4 = 32, BITS6 = 128, MAPPED = BITS6 - BITS4 };

/* Digits only; false: more than max, or something else. */
static bool
parse_bits(const char *text, unsigned max, unsigned *bits)
{
	size_t n = strspn(text, "0123456789");

	if (n < 1 || n > 3 || text[n] != '\0' || (text[0] == '0' && n > 1))
		return false;
	*bits = 0;
	while (*text != '\0')
		*bits = *bits * 10 + (unsigned)(*text++ - '0');
	return *bits <= max;
}

static int
expect(char expected[PREFIX_EXPECTED_MAX], const char *what)
{
	snprintf(expected, PREFIX_EXPECTED_MAX, "%s", what);
	return -1;
}

int
prefix_parse(
    const char *text, struct optout *o, char expected[PREFIX_EXPECTED_MAX])
{
	size_t n = strcspn(text, "/");
	unsigned max, bits;
	char addr[ADDR_TEXT_MAX], right[PREFIX_TEXT_MAX];
	struct addr network;

	if (n >= sizeof addr)
		return expect(expected,
		    "an address, or a prefix as in "
		    "192.0.2.0/24 or 2001:db8::/32");
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (addr_parse(addr, &o->addr) < 0)
		return expect(expected,
		    "an address, or a prefix as in "
		    "192.0.2.0/24 or 2001:db8::/32");
	if (addr_is4(&o->addr) && strchr(addr, ':') != NULL)
		return expect(expected, "an IPv4 address without ::ffff:");
	max = bits = addr_is4(&o->addr) ? BITS4 : BITS6;
	if (text[n] == '/' && !parse_bits(text + n + 1, max, &bits))
		return expect(expected,
		    max == BITS4 ? "0 to 32 behind the /"
				 : "0 to 128 behind "
				   "the /");
	network = addr_network(&o->addr, bits);
	o->bits = max == BITS4 ? bits + MAPPED : bits;
	if (addr_cmp(&network, &o->addr) == 0)
		return 0;
	o->addr = network;
	snprintf(expected, PREFIX_EXPECTED_MAX, "no bits behind the prefix: %s",
	    prefix_text(o, right));
	return -1;
}

const char *
prefix_text(const struct optout *o, char buf[PREFIX_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];
	bool four = addr_is4(&o->addr) && o->bits >= MAPPED;

	snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr_text(&o->addr, addr),
	    four ? o->bits - MAPPED : o->bits);
	return buf;
}
