/* handshake.c: certificates and signature algorithm out of raw messages. */
#include "probes/handshake.h"

enum { MESSAGE_HEAD = 4, CURVE_NAMED = 3 };

struct cursor {
	const uint8_t *at, *end;
	bool bad;
};

static size_t
number(struct cursor *c, unsigned bytes)
{
	size_t n = 0;

	if ((size_t)(c->end - c->at) < bytes) {
		c->bad = true;
		return 0;
	}
	while (bytes-- > 0)
		n = n << 8 | *c->at++;
	return n;
}

/* A span that a length of so many bytes stands before. */
static struct cursor
span(struct cursor *c, unsigned bytes)
{
	size_t n = number(c, bytes);
	struct cursor in = { c->at, c->at, false };

	if (c->bad || n > (size_t)(c->end - c->at)) {
		c->bad = true;
		return in;
	}
	c->at += n;
	in.end = c->at;
	return in;
}

unsigned
handshake_certificates(const uint8_t *message, size_t len, uint16_t version,
    struct der out[CHAIN_MAX])
{
	struct cursor all = { message, message + len, len < MESSAGE_HEAD };
	struct cursor list;
	unsigned n = 0;

	number(&all, MESSAGE_HEAD);
	if (version >= TLS_1_3)
		span(&all, 1); /* certificate_request_context */
	list = span(&all, 3);
	while (!all.bad && n < CHAIN_MAX && list.at < list.end) {
		struct cursor der = span(&list, 3);

		if (version >= TLS_1_3)
			span(&list, 2); /* extensions of this one */
		if (list.bad)
			break;
		out[n++] = (struct der){ der.at, (size_t)(der.end - der.at) };
	}
	return n;
}

uint16_t
handshake_sigalg(
    const uint8_t *message, size_t len, uint16_t version, enum key_exchange kx)
{
	struct cursor c = { message, message + len, len < MESSAGE_HEAD };
	uint16_t algorithm;
	size_t type;

	type = number(&c, 1);
	number(&c, 3);
	if (version < TLS_1_2 || c.bad)
		return 0;
	if (type == HANDSHAKE_SERVER_KEY_EXCHANGE) {
		switch (kx) {
		case EXCHANGE_DHE: /* p, g, their share */
			span(&c, 2);
			span(&c, 2);
			span(&c, 2);
			break;
		case EXCHANGE_ECDHE:
			if (number(&c, 1) != CURVE_NAMED)
				return 0;
			number(&c, 2);
			span(&c, 1);
			break;
		case EXCHANGE_OTHER:
			return 0;
		}
	} else if (type != HANDSHAKE_CERTIFICATE_VERIFY) {
		return 0;
	}
	algorithm = (uint16_t)number(&c, 2);
	return c.bad ? 0 : algorithm;
}
