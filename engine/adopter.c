/* adopter.c: many adoptions at once. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>

#include "engine/adopt_plan.h"
#include "engine/adopter.h"
#include "engine/buffer.h"
#include "engine/ring.h"

enum { RING_CALLS = 512, CALL_BITS = 4 };
_Static_assert(RING_CALLS >= HANDOFFS_MAX * CALLS_MAX, "all at once");
_Static_assert(CALLS_MAX <= 1 << CALL_BITS, "a call's number in a tag");

struct adopter {
	struct ring *ring; /* NULL: call by call */
	int error;
	struct plan plans[HANDOFFS_MAX];
};

static void
refused(void *context, uint64_t tag, int result)
{
	int *error = context;

	(void)tag;
	*error = -result;
}

/* It could be made; a security module may refuse its calls all the same. */
static int
try_ring(struct ring *r)
{
	const struct call c = { .kind = CALL_OPTION,
		.level = SOL_SOCKET,
		.option = SO_RCVBUF,
		.value = &buffer_bytes,
		.len = sizeof buffer_bytes };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return errno;
	ring_add(r, fd, &c, 0);
	if (ring_run(r, refused, &error) < 0)
		error = errno;
	close(fd);
	return error;
}

struct adopter *
adopter_new(void)
{
	struct adopter *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->ring = ring_new(RING_CALLS);
	a->error = a->ring == NULL ? errno : try_ring(a->ring);
	if (a->error == 0)
		return a;
	ring_free(a->ring);
	a->ring = NULL;
	return a;
}

void
adopter_free(struct adopter *a)
{
	if (a == NULL)
		return;
	ring_free(a->ring);
	free(a);
}

int
adopter_error(const struct adopter *a)
{
	return a->error;
}

/* What one call of a batch came to; the first that fails is the outcome. */
struct batch {
	const struct adopter *adopter;
	struct adopted *out;
};

static void
answered(void *context, uint64_t tag, int result)
{
	const struct batch *b = context;
	struct adopted *a = &b->out[tag >> CALL_BITS];
	const struct call *c = &b->adopter->plans[tag >> CALL_BITS]
				    .calls[tag & ((1 << CALL_BITS) - 1)];

	if (a->error != 0 ||
	    (result >= 0 &&
		(c->kind != CALL_SEND || (uint32_t)result == c->len)))
		return;
	a->step = c->step;
	a->error = result < 0 ? -result : ENOBUFS;
}

static void
begin(const struct handoff *h, struct plan *p, struct adopted *out)
{
	*out = (struct adopted){ .fd = dial_socket(&h->contact.target.addr),
		.step = STEP_COUNT };
	if (out->fd < 0) {
		out->step = STEP_SOCKET;
		out->error = errno;
		return;
	}
	plan_make(p, h);
}

enum phase { PHASE_ENDS, PHASE_CONNECT, PHASE_LIVE, PHASE_COUNT };

static void
add_calls(struct adopter *a, unsigned i, int fd, enum phase phase)
{
	const struct plan *p = &a->plans[i];
	const unsigned from[] = { 0, p->connect, p->live, p->n };

	for (unsigned k = from[phase]; k < from[phase + 1]; k++)
		ring_add(a->ring, fd, &p->calls[k], i << CALL_BITS | k);
}

/*
 * None of them knows how far it came: all end. One that is live already goes
 * back into repair, where close(2) says nothing to the peer.
 */
static void
fail_all(struct adopted *out, unsigned n, enum phase phase, int error)
{
	static const enum dial_step steps[PHASE_COUNT] = { STEP_MARK,
		STEP_CONNECT, STEP_LIVE };
	static const int on = TCP_REPAIR_ON;

	for (unsigned i = 0; i < n; i++)
		if (out[i].error == 0) {
			(void)setsockopt(
			    out[i].fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on);
			out[i].step = steps[phase];
			out[i].error = error;
		}
}

/*
 * A call that failed does not stop those behind it: so nobody connects before
 * all are known to be in repair, and nobody leaves it before all is well.
 */
static void
adopt_together(struct adopter *a, const struct handoff *const *h, unsigned n,
    struct adopted *out)
{
	struct batch b = { a, out };

	for (unsigned i = 0; i < n; i++)
		begin(h[i], &a->plans[i], &out[i]);
	for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
		for (unsigned i = 0; i < n; i++)
			if (out[i].error == 0)
				add_calls(a, i, out[i].fd, phase);
		if (ring_run(a->ring, answered, &b) < 0)
			fail_all(out, n, phase, errno);
	}
	for (unsigned i = 0; i < n; i++)
		if (out[i].error != 0 && out[i].fd >= 0) {
			close(out[i].fd);
			out[i].fd = -1;
		}
}

void
adopt_many(struct adopter *a, const struct handoff *const *h, unsigned n,
    struct adopted *out)
{
	if (a->ring != NULL) {
		adopt_together(a, h, n, out);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		out[i].fd = adopt(h[i], &out[i].step);
		out[i].error = out[i].fd < 0 ? errno : 0;
	}
}
