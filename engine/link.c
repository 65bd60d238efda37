/* link.c: the ways out of the machine: which one is used. */
#include <errno.h>
#include <stdlib.h>

#include "engine/link.h"

struct link {
	const struct link_path *path;
	void *state;
};

/* In the order that auto tries them. */
static const struct {
	enum tx_path tx;
	const struct link_path *path;
} paths[] = {
	{ TX_PACKET, &link_packet },
	{ TX_LIBNET, &link_libnet },
};

struct link *
link_open(enum tx_path tx, const char *interface)
{
	struct link *l = calloc(1, sizeof *l);
	int why = EINVAL;

	if (l == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (tx != TX_AUTO && tx != paths[i].tx)
			continue;
		l->path = paths[i].path;
		l->state = l->path->open(interface);
		if (l->state != NULL)
			return l;
		why = errno;
	}
	free(l);
	errno = why;
	return NULL;
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

int
link_send(struct link *l, uint8_t (*frames)[FRAME_MAX], const uint32_t *lens,
    unsigned n)
{
	return l->path->send(l->state, frames, lens, n);
}
