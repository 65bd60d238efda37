/* optouts.c: the list of those who want to be left out, on control wires. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "engine/log.h"
#include "engine/optouts.h"

enum { FULL_MS = 5000 }; /* the parent never waits, so it reads before that */

struct ranges *
optouts_take(struct optouts *o, const struct control *c)
{
	const struct control_optouts *l = &c->u.optouts;
	struct ranges *whole;

	if (c->len != sizeof *l || l->n > OPTOUT_CHUNK)
		fatal("opt-outs: a chunk that is none");
	if (l->first) {
		ranges_free(o->coming);
		o->coming = ranges_new();
	}
	if (o->coming == NULL)
		fatal("opt-outs: no memory, or a list without its beginning");
	for (uint32_t i = 0; i < l->n; i++)
		if (ranges_add(
			o->coming, &l->ranges[i].first, &l->ranges[i].last) < 0)
			fatal("opt-outs: %s", strerror(errno));
	if (!l->last)
		return NULL;
	if (ranges_seal(o->coming) < 0)
		fatal("opt-outs: %s", strerror(errno));
	whole = o->coming;
	o->coming = NULL;
	o->number = l->number;
	return whole;
}

static int
send_waiting(int fd, enum control_type type, const void *bytes, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (control_send(fd, type, bytes, len) < 0)
		if (errno != EAGAIN || poll(&p, 1, FULL_MS) == 0)
			return -1;
	return 0;
}

int
optouts_tell(int fd, const struct ranges *set, uint32_t number)
{
	size_t n = ranges_pieces(set), at = 0;

	do {
		struct control_optouts l;

		memset(&l, 0, sizeof l);
		l.number = number;
		l.first = at == 0;
		for (; l.n < OPTOUT_CHUNK && at < n; l.n++, at++)
			ranges_piece(
			    set, at, &l.ranges[l.n].first, &l.ranges[l.n].last);
		l.last = at == n;
		if (send_waiting(fd, CTL_OPTOUT_LIST, &l, sizeof l) < 0)
			return -1;
	} while (at < n);
	return 0;
}

int
optouts_done(int fd, uint32_t number)
{
	return send_waiting(fd, CTL_OPTOUT_DONE, &number, sizeof number);
}
