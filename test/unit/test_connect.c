/* test_connect.c: connections on their way, to this machine's loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <netinet/in.h>

#include "engine/connect.h"

enum { CAP = 3, DEADLINE_MS = 1000, FIRST = 10, WAIT_MS = 2000 };

static struct {
	int epoll, listener;
	struct connects *connects;
	struct contact contact;
	struct connected ended;
} t;

static int
set_up(void **state)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in = { 0 };
	socklen_t len;

	(void)state;
	memset(&t.contact, 0, sizeof t.contact);
	t.contact.target.addr = t.contact.source = addr_from4(INADDR_LOOPBACK);
	len = dial_sockaddr(&t.contact.target.addr, 0, &ss);
	t.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(t.listener, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(t.listener, CAP), 0);
	len = sizeof in;
	assert_int_equal(
	    getsockname(t.listener, (struct sockaddr *)&in, &len), 0);
	t.contact.target.port = ntohs(in.sin_port);
	t.epoll = epoll_create1(EPOLL_CLOEXEC);
	t.connects = connects_new(CAP, DEADLINE_MS, t.epoll, FIRST);
	assert_non_null(t.connects);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	connects_free(t.connects);
	close(t.epoll);
	close(t.listener);
	return 0;
}

static uint64_t
await_event(void)
{
	struct epoll_event e;

	assert_int_equal(epoll_wait(t.epoll, &e, 1, WAIT_MS), 1);
	return e.data.u64;
}

static int
begin(uint64_t now_ms)
{
	return connects_start(t.connects, &t.contact, now_ms, &t.ended);
}

static void
one_that_comes_about(void **state)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;
	struct epoll_event e;
	int fd;

	(void)state;
	assert_int_equal(begin(0), 0);
	assert_int_equal(connects_count(t.connects), 1);
	assert_int_equal(
	    connects_event(t.connects, await_event(), &t.ended), 1);
	assert_true(t.ended.fd >= 0);
	assert_int_equal(t.ended.contact.target.port, t.contact.target.port);
	assert_int_equal(connects_room(t.connects), CAP);
	assert_int_equal(
	    getpeername(t.ended.fd, (struct sockaddr *)&peer, &len), 0);
	/* no event any more: the socket is somebody else's */
	fd = accept(t.listener, NULL, NULL);
	close(fd);
	assert_int_equal(epoll_wait(t.epoll, &e, 1, 50), 0);
	close(t.ended.fd);
}

static void
one_that_is_refused(void **state)
{
	int n;

	(void)state;
	close(t.listener);
	t.listener = -1;
	n = begin(0);
	if (n == 0)
		n = connects_event(t.connects, await_event(), &t.ended);
	assert_int_equal(n, 1);
	assert_int_equal(t.ended.fd, -1);
	assert_int_equal(t.ended.error, ECONNREFUSED);
	assert_int_equal(connects_room(t.connects), CAP);
}

static void
one_from_an_address_that_is_not_ours(void **state)
{
	(void)state;
	t.contact.source = addr_from4(0xc0000201);
	assert_int_equal(begin(0), 1);
	assert_int_equal(t.ended.fd, -1);
	assert_int_equal(t.ended.step, STEP_BIND);
	assert_int_equal(t.ended.error, EADDRNOTAVAIL);
}

static void
deadlines_in_order(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < CAP; i++)
		assert_int_equal(begin(i * 100), 0);
	assert_int_equal(connects_room(t.connects), 0);
	/* the middle one comes about */
	assert_int_equal(connects_event(t.connects, FIRST + 1, &t.ended), 1);
	close(t.ended.fd);
	assert_int_equal(connects_due(t.connects, 999, &t.ended), 0);
	assert_int_equal(connects_due(t.connects, 1000, &t.ended), 1);
	assert_int_equal(t.ended.fd, -1);
	assert_int_equal(t.ended.error, ETIMEDOUT);
	assert_int_equal(connects_due(t.connects, 1199, &t.ended), 0);
	assert_int_equal(connects_due(t.connects, 1200, &t.ended), 1);
	assert_int_equal(connects_due(t.connects, 9999, &t.ended), 0);
	assert_int_equal(connects_room(t.connects), CAP);
	/* events that came too late, or are nobody's */
	assert_int_equal(connects_event(t.connects, FIRST, &t.ended), 0);
	assert_int_equal(connects_event(t.connects, FIRST + 9, &t.ended), 0);
	assert_int_equal(begin(0), 0);
}

static void
note_withdrawn(void *context, const struct contact *c)
{
	unsigned *n = context;

	assert_int_equal(c->target.port, t.contact.target.port);
	++*n;
}

/* Those of a set end, the others go on; their places are free again. */
static void
withdrawn_ones(void **state)
{
	struct ranges *set = ranges_new();
	struct addr out = addr_from4(0x7f000002);
	struct epoll_event e;
	unsigned n = 0;

	(void)state;
	assert_int_equal(ranges_add(set, &out, &out), 0);
	assert_int_equal(ranges_seal(set), 0);
	for (unsigned i = 0; i < CAP; i++) {
		t.contact.target.addr = addr_from4(0x7f000001 + i % 2);
		assert_int_equal(begin(0), 0);
	}
	assert_int_equal(
	    connects_withdraw(t.connects, set, note_withdrawn, &n), CAP / 2);
	assert_int_equal(n, CAP / 2);
	assert_int_equal(connects_count(t.connects), CAP - CAP / 2);
	for (unsigned i = 0; i < CAP - CAP / 2; i++) {
		assert_int_equal(
		    connects_event(t.connects, await_event(), &t.ended), 1);
		assert_int_equal(
		    addr_to4(&t.ended.contact.target.addr), 0x7f000001);
		close(t.ended.fd);
	}
	assert_int_equal(epoll_wait(t.epoll, &e, 1, 0), 0);
	assert_int_equal(connects_room(t.connects), CAP);
	ranges_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    one_that_comes_about, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    one_that_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    one_from_an_address_that_is_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    deadlines_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    withdrawn_ones, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
