/* addr.c: Internet addresses and targets, the same for IPv4 and IPv6. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/addr.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct addr
addr_from4(uint32_t host_order)
{
	struct addr a;
	uint32_t be = htonl(host_order);

	memcpy(a.b, mapped, sizeof mapped);
	memcpy(a.b + 12, &be, sizeof be);
	return a;
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

int
addr_parse(const char *s, struct addr *a)
{
	uint8_t four[4];

	if (inet_pton(AF_INET, s, four) == 1) {
		memcpy(a->b, mapped, sizeof mapped);
		memcpy(a->b + 12, four, sizeof four);
		return 0;
	}
	if (inet_pton(AF_INET6, s, a->b) == 1)
		return 0;
	errno = EINVAL;
	return -1;
}

const char *
addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	if (addr_is4(a))
		return inet_ntop(AF_INET, a->b + 12, buf, ADDR_TEXT_MAX);
	return inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
}

const char *
target_text(const struct target *t, char buf[TARGET_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	snprintf(buf, TARGET_TEXT_MAX, addr_is4(&t->addr) ? "%s:%u" : "[%s]:%u",
	    addr_text(&t->addr, text), t->port);
	return buf;
}

void
target_pack(const struct target *t, uint8_t key[TARGET_KEY_LEN])
{
	memcpy(key, t->addr.b, sizeof t->addr.b);
	key[16] = (uint8_t)(t->port >> 8);
	key[17] = (uint8_t)t->port;
}

struct target
target_unpack(const uint8_t key[TARGET_KEY_LEN])
{
	struct target t;

	memcpy(t.addr.b, key, sizeof t.addr.b);
	t.port = (uint16_t)(key[16] << 8 | key[17]);
	return t;
}

struct addr
addr_network(const struct addr *a, unsigned bits)
{
	struct addr n = *a;
	unsigned from = bits + (addr_is4(a) ? 96 : 0);

	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = from > i * 8 ? from - i * 8 : 0;

		if (keep < 8)
			n.b[i] &= (uint8_t)(0xff00u >> keep);
	}
	return n;
}

int
target_cmp(const struct target *a, const struct target *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}
