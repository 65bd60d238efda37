/* link.c: the ways out of the machine: which one is used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/link.h"

/* Up to here AF_PACKET does: no ring, no queue of the card that is taken. */
#define PACKET_CARRIES ((uint64_t)500000)
/* Up to here AF_XDP does, which sends evenly. */
#define XDP_CARRIES ((uint64_t)5000000)

struct link {
	enum tx_path tx;
	const struct link_path *path;
	void *state;
};

/* In the order that auto tries them, from the rate on that they are for. */
static const struct {
	enum tx_path tx;
	const struct link_path *path;
	uint64_t rate_above;
} paths[] = {
	{ TX_LIVE, &link_live, XDP_CARRIES },
	{ TX_XDP, &link_xdp, PACKET_CARRIES },
	{ TX_PACKET, &link_packet, 0 },
	{ TX_LIBNET, &link_libnet, 0 },
};

struct link *
link_open(enum tx_path tx, const char *interface, const struct link_want *want)
{
	struct link *l = calloc(1, sizeof *l);
	int why = EINVAL;

	if (l == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (tx != TX_AUTO ? tx != paths[i].tx
				  : want->rate < paths[i].rate_above)
			continue;
		l->tx = paths[i].tx;
		l->path = paths[i].path;
		l->state = l->path->open(interface, want->queue);
		if (l->state != NULL)
			return l;
		why = errno;
	}
	free(l);
	errno = why;
	return NULL;
}

struct link *
link_open_answers(enum tx_path tx, const char *interface)
{
	static const struct link_want few = { 0, 0 };

	return link_open(
	    tx == TX_LIBNET || tx == TX_AUTO ? tx : TX_PACKET, interface, &few);
}

void
link_close(struct link *l)
{
	if (l == NULL)
		return;
	l->path->close(l->state);
	free(l);
}

const char *
link_name(const struct link *l)
{
	return l->path->name;
}

enum tx_path
link_path(const struct link *l)
{
	return l->tx;
}

unsigned
link_take(struct link *l, struct link_slot *slots[], unsigned n)
{
	return l->path->take(l->state, slots, n);
}

int
link_push(struct link *l, struct link_slot *const slots[], unsigned n)
{
	return l->path->push(l->state, slots, n);
}

unsigned
link_burst(const struct link *l)
{
	return l->path->burst != 0 ? l->path->burst : (unsigned)LINK_BATCH;
}

int
link_flush(struct link *l)
{
	return l->path->flush != NULL ? l->path->flush(l->state) : 0;
}

int
link_send(struct link *l, uint8_t (*frames)[FRAME_MAX], const uint32_t *lens,
    unsigned n)
{
	struct link_slot *slots[LINK_BATCH];

	n = link_take(l, slots, n);
	for (unsigned i = 0; i < n; i++) {
		memcpy(slots[i]->frame, frames[i], FRAME_MAX);
		slots[i]->len = lens[i];
		slots[i]->holds = NULL;
	}
	return n == 0 ? 0 : link_push(l, slots, n);
}
