/* naming.c: which addresses resolve is asked for, and for how long. */
#include <errno.h>
#include <string.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "storage/naming.h"

enum { MS_US = 1000 };

void
naming_init(struct naming *n, const struct conf *conf)
{
	memset(n, 0, sizeof *n);
	n->on = conf->resolver_port != 0;
	n->wait_us = (uint64_t)conf->resolve_wait_ms * MS_US;
}

/*
 * One walk after the other over what is wanted. The next begins when all of
 * this one has been answered: it finds what came behind its back.
 */
void
naming_fetch(struct naming *n, struct live *l)
{
	static const struct addr first;

	if (!n->on)
		return;
	n->wanted = live_name_wanted_count(l);
	if (n->sent < n->nasks && !n->fresh)
		return; /* the wire is still full of others */
	n->fresh = true;
	n->nasks = n->sent = 0;
	n->next_at = n->at;
	while (n->open + n->nasks < NAMES_OPEN_MAX &&
	    live_name_wanted_next(l, &n->next_at))
		n->asks[n->nasks++] = n->next_at;
	if (n->nasks == 0 && n->open == 0)
		n->next_at = first;
}

void
naming_commit(struct naming *n, bool done)
{
	if (!n->fresh)
		return;
	n->fresh = false;
	if (done)
		n->at = n->next_at;
	else
		n->nasks = 0;
}

void
naming_send(struct naming *n)
{
	unsigned some;

	for (; n->sent < n->nasks; n->sent += some) {
		some = n->nasks - n->sent;
		if (some > NAMES_ASKED_MAX)
			some = NAMES_ASKED_MAX;
		if (wire_send(FD_RESOLVE, &n->asks[n->sent],
			some * sizeof n->asks[0]) < 0) {
			if (errno != EAGAIN && errno != EPIPE)
				fatal("names: %s", strerror(errno));
			return;
		}
		n->open += some;
	}
}

void
naming_heard(struct naming *n)
{
	n->open -= n->open > 0;
}

void
naming_begun(struct naming *n)
{
	memset(&n->at, 0, sizeof n->at);
	n->open = n->nasks = n->sent = 0;
}

bool
naming_is_over(struct naming *n, uint64_t mono_us)
{
	if (!n->on || n->wanted == 0)
		return true;
	if (n->since_us == 0)
		n->since_us = mono_us;
	if (mono_us - n->since_us < n->wait_us)
		return false;
	if (!n->said)
		log_warn("%llu addresses have no name: resolve_wait has passed",
		    (unsigned long long)n->wanted);
	n->said = true;
	return true;
}
