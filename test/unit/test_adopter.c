/*
 * test_adopter.c: adoptions when the ring refuses, or gives up half way. The
 * ring is this program's own; the sockets are the kernel's, in a network
 * namespace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <net/ethernet.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "engine/adopter.h"
#include "engine/ring.h"
#include "test/unit/link_help.h"

enum { BATCH = 3, PENDING_MAX = BATCH * CALLS_MAX, SPORT = 40000, POP3 = 110 };

/* ---- a ring that makes so many calls and no more ------------------------- */

static struct ring {
	unsigned n, runs;
	struct pending {
		int fd;
		const struct call *call;
		uint64_t tag;
	} pending[PENDING_MAX];
} ring;

static unsigned fails_in, fails_after; /* which run; so many calls were made */
static int refuses; /* errno of every call; 0: they are made */

struct ring *
ring_new(unsigned entries)
{
	(void)entries;
	memset(&ring, 0, sizeof ring);
	return &ring;
}

void
ring_free(struct ring *r)
{
	(void)r;
}

void
ring_add(struct ring *r, int fd, const struct call *c, uint64_t tag)
{
	assert_true(r->n < PENDING_MAX);
	r->pending[r->n++] = (struct pending){ fd, c, tag };
}

static int
make(const struct pending *p)
{
	const struct call *c = p->call;

	switch (c->kind) {
	case CALL_OPTION:
		return setsockopt(p->fd, c->level, c->option, c->value, c->len);
	case CALL_BIND:
		return bind(p->fd, c->value, c->len);
	case CALL_CONNECT:
		return connect(p->fd, c->value, c->len);
	case CALL_SEND:
		return (int)send(p->fd, c->value, c->len, MSG_NOSIGNAL);
	}
	return -1;
}

int
ring_run(struct ring *r, void (*answered)(void *, uint64_t tag, int result),
    void *context)
{
	unsigned n = r->n;
	bool fails = r->runs++ == fails_in && n > fails_after;

	r->n = 0;
	for (unsigned i = 0; i < (fails ? fails_after : n); i++) {
		int result = refuses == 0 ? make(&r->pending[i]) : -1;

		if (refuses != 0)
			errno = refuses;
		if (result < 0)
			answered(context, r->pending[i].tag, -errno);
	}
	errno = fails ? EAGAIN : 0;
	return fails ? -1 : 0;
}

/* ---- the test ------------------------------------------------------------ */

static void
fill_batch(struct handoff *h)
{
	memset(h, 0, BATCH * sizeof *h);
	for (unsigned i = 0; i < BATCH; i++) {
		h[i].contact.source = link_help_address("10.99.0.1");
		h[i].contact.sport = (uint16_t)(SPORT + i);
		h[i].contact.target.port = POP3;
		h[i].contact.target.addr = link_help_address("198.18.1.1");
		h[i].contact.mss = 1460;
		h[i].irs = 77;
		h[i].snd_wl1 = 78;
		h[i].snd_wnd = 5000;
		h[i].len = 5;
		memcpy(h[i].data, "+OK\r\n", 5);
	}
}

static bool
something_was_said(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 100) != 0;
}

/* In each part, at its start and half way: packet alone tells the peer. */
static void
who_fails_with_the_ring_says_nothing(void **state)
{
	static const enum dial_step steps[] = { STEP_MARK, STEP_CONNECT,
		STEP_LIVE };
	static struct handoff h[BATCH];
	const struct handoff *all[BATCH] = { &h[0], &h[1], &h[2] };
	struct adopted out[BATCH];
	int wire;

	(void)state;
	link_help_needed();
	assert_true(link_help_run(
	    (const char *const[WORDS_MAX]){ "ip", "neigh", "replace",
		"10.99.0.2", "lladdr", "02:00:00:00:00:0c", "dev", "va" }));
	wire = link_help_listen("vb", ETHERTYPE_IP);
	fill_batch(h);
	for (unsigned i = 0; i < 6; i++) {
		struct adopter *a;

		fails_in = UINT_MAX;
		a = adopter_new();
		assert_int_equal(adopter_error(a), 0);
		ring.runs = 0;
		fails_in = i / 2;
		fails_after = i % 2 ? 2 : 0;
		adopt_many(a, all, BATCH, out);
		for (unsigned k = 0; k < BATCH; k++) {
			assert_int_equal(out[k].fd, -1);
			assert_int_equal(out[k].error, EAGAIN);
			assert_int_equal(out[k].step, steps[i / 2]);
		}
		assert_false(something_was_said(wire));
		adopter_free(a);
	}
	close(wire);
}

/* The kernel has a ring, and a security module says no to what it is for. */
static void
one_that_refuses_is_not_used(void **state)
{
	struct adopter *a;

	(void)state;
	refuses = EACCES;
	fails_in = UINT_MAX;
	a = adopter_new();
	refuses = 0;
	assert_non_null(a);
	assert_int_equal(adopter_error(a), EACCES);
	adopter_free(a);
	fails_in = fails_after = 0;
	a = adopter_new();
	assert_non_null(a);
	assert_int_equal(adopter_error(a), EAGAIN);
	adopter_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_fails_with_the_ring_says_nothing),
		cmocka_unit_test(one_that_refuses_is_not_used),
	};

	return cmocka_run_group_tests(tests, link_help_isolate, NULL);
}
