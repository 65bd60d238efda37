/* handoffs.c: wire 1's messages: what one batch of the capture hands on. */
#include <string.h>
#include <sys/uio.h>

#include "engine/handoffs.h"

_Static_assert(sizeof(struct handoff) <= WIRE_MESSAGE_MAX, "one always fits");

int
handoffs_send(int fd, const struct handoff *const *h, unsigned n)
{
	struct iovec parts[HANDOFFS_MAX];
	size_t len = 0;
	unsigned i;

	for (i = 0; i < n && i < HANDOFFS_MAX; i++) {
		size_t part = HANDOFF_HEAD + h[i]->len;

		if (len + part > WIRE_MESSAGE_MAX)
			break;
		parts[i].iov_base = (void *)(uintptr_t)h[i];
		parts[i].iov_len = part;
		len += part;
	}
	return wire_send_parts(fd, parts, i) < 0 ? -1 : (int)i;
}

ssize_t
handoffs_recv(int fd, struct handoffs *m)
{
	ssize_t n = wire_recv(fd, m->bytes, sizeof m->bytes);

	m->len = n > 0 ? (size_t)n : 0;
	m->at = 0;
	m->taken = 0;
	return n;
}

enum handoffs_next
handoffs_next(struct handoffs *m, struct handoff *h)
{
	size_t left = m->len - m->at;
	const uint8_t *from = m->bytes + m->at;

	if (left == 0)
		return HANDOFFS_NO_MORE;
	m->at = m->len;
	m->taken++;
	if (left < HANDOFF_HEAD || m->taken > HANDOFFS_MAX)
		return HANDOFFS_BROKEN;
	memcpy(h, from, HANDOFF_HEAD);
	left -= HANDOFF_HEAD;
	if (h->len > HANDOFF_DATA_MAX || h->len > left)
		return HANDOFFS_BROKEN;
	memcpy(h->data, from + HANDOFF_HEAD, h->len);
	m->at -= left - h->len;
	return HANDOFFS_GOT;
}
