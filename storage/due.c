/* due.c: follow-ups on their way from store's queue to send. */
#include <errno.h>
#include <string.h>

#include "engine/cookie.h"
#include "engine/log.h"
#include "engine/role.h"
#include "storage/due.h"
#include "storage/pending.h"

enum { DUE_MESSAGE = 32 }; /* in one message */

void
due_fetch(struct due *d, struct live *l, uint64_t now_us)
{
	d->n = pending_due(l, now_us, d->v, DUE_MAX);
	d->at = 0;
}

void
due_forget(struct due *d)
{
	d->n = d->at = 0;
}

static void
note_canaries(struct due *d, unsigned n, uint64_t mono_us)
{
	for (unsigned i = d->at; i < d->at + n; i++)
		if (d->v[i].kind == KIND_CANARY)
			d->canary_us = mono_us;
}

void
due_send(struct due *d, uint64_t mono_us)
{
	unsigned n;

	for (; d->at < d->n; d->at += n) {
		n = d->n - d->at;
		if (n > DUE_MESSAGE)
			n = DUE_MESSAGE;
		if (wire_send(FD_DUE, &d->v[d->at], n * sizeof d->v[0]) == 0) {
			note_canaries(d, n, mono_us);
			d->given += n;
			continue;
		}
		if (errno != EAGAIN && errno != EPIPE)
			fatal("follow-ups: %s", strerror(errno));
		return;
	}
}

bool
due_is_sent(const struct due *d)
{
	return d->at == d->n;
}

void
due_look(struct due *d, uint64_t left, uint64_t mono_us)
{
	if (!due_is_sent(d) || left != d->given)
		d->left_us = 0;
	else if (d->left_us == 0)
		d->left_us = mono_us;
}

bool
due_is_answered(const struct due *d, uint64_t window_us, uint64_t heard_us)
{
	return d->left_us != 0 && heard_us >= d->left_us + window_us;
}

bool
due_is_over(const struct due *d, uint64_t window_us, uint64_t mono_us)
{
	return due_is_sent(d) &&
	    (d->canary_us == 0 || mono_us - d->canary_us >= window_us);
}
