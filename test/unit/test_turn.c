/* test_turn.c: handshakes at once are capped, and the queue for them fair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "probes/conversation.h"

enum {
	GUESTS = 5,
	TURNS_MAX = 2,
	IMAPS = 993,
	BEGIN_MS = 1000,
	HELLO_CAP = 4096
};

static struct tls_context *tls;
static struct conversations all;
static int theirs[GUESTS];

static const struct conf conf = {
	.helo = "scanner.unit.test",
	.contact = "abuse@unit.test",
	.ports = { { IMAPS, PROTOCOL_IMAP, 1 } },
	.nports = 1,
	.greeting_ms = 30000,
	.reply_ms = 30000,
	.handshake_ms = 15000,
	.server_hello_ms = 10000,
	.conversation_ms = 60000,
	.line_max = 8192,
	.reply_max = 65536,
	.reply_lines_max = 512,
	.conversation_max = 262144,
	.min_rate_window_ms = 20000,
};

/* Guest i comes, and asks at once. */
static void
come(int i, bool canary)
{
	struct dialed d;
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	memset(&d, 0, sizeof d);
	d.contact.target.port = IMAPS;
	d.contact.protocol = PROTOCOL_IMAP;
	d.contact.flags = canary ? HANDOFF_CANARY : 0;
	assert_int_equal(conversation_begin(&all, &d, pair[0]), 0);
	theirs[i] = pair[1];
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(
	    conversations_init(&all, &conf, tls, BEGIN_MS, BEGIN_MS), 0);
	all.turns.max = TURNS_MAX;
	return 0;
}

/* Whatever there is to be done now, as the worker does it. */
static void
work(void)
{
	struct epoll_event events[GUESTS];
	int n = epoll_wait(all.epoll, events, GUESTS, 0);

	for (int i = 0; i < n; i++)
		conversation_event(events[i].data.ptr, events[i].events);
	conversations_expire(&all);
	conversations_turns(&all);
	while (all.over) {
		struct conversation *c = all.over;

		all.over = c->next;
		if (!all.over)
			all.over_tail = &all.over;
		conversation_release(c);
	}
	conversations_reclaim(&all);
}

/* Has guest i been sent a ClientHello? */
static bool
greeted(int i)
{
	char b;

	return recv(theirs[i], &b, 1, MSG_PEEK) == 1;
}

static int
tear_down(void **state)
{
	(void)state;
	conversations_free(&all);
	return 0;
}

static void
leave(int i)
{
	close(theirs[i]);
	work();
}

/* Who answers on every port (guest 2) comes last. */
static void
in_order(void **state)
{
	static const bool first[GUESTS] = { true, true };

	(void)state;
	for (int i = 0; i < GUESTS; i++)
		come(i, i == 2);
	work();
	for (int i = 0; i < GUESTS; i++)
		assert_int_equal(greeted(i), first[i]);
	assert_int_equal(all.turns.waiting, 3);
	leave(0);
	assert_true(greeted(3));
	assert_false(greeted(4));
	leave(3);
	assert_true(greeted(4));
	assert_false(greeted(2));
	leave(1);
	assert_true(greeted(2));
	assert_int_equal(all.turns.waiting, 0);
	leave(2);
	leave(4);
	assert_int_equal(all.turns.taken, 0);
	assert_int_equal(all.open, 0);
}

/* What guest i has been sent. */
static size_t
heard_by(int i, uint8_t bytes[HELLO_CAP])
{
	ssize_t n = recv(theirs[i], bytes, HELLO_CAP, MSG_PEEK);

	assert_in_range(n, 100, HELLO_CAP - 1);
	return (size_t)n;
}

/*
 * Who comes after a silent server is greeted with the same ClientHello: making
 * one is most of what the silent one cost.
 */
static void
silence_is_cheap(void **state)
{
	uint8_t first[HELLO_CAP], second[HELLO_CAP], third[HELLO_CAP];
	size_t n;

	(void)state;
	come(0, false);
	come(1, false);
	work();
	n = heard_by(0, first);
	assert_int_equal(heard_by(1, second), n);
	assert_memory_not_equal(first, second, n);
	leave(0);
	come(2, false);
	work();
	assert_int_equal(heard_by(2, third), n);
	assert_memory_equal(first, third, n);
	leave(1);
	leave(2);
}

/* A silent server gives its turn back when its ServerHello is overdue. */
static void
after_silence(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		come(i, false);
	work();
	assert_false(greeted(2));
	all.now_ms += conf.server_hello_ms + WHEEL_TICK_MS;
	work();
	assert_true(greeted(2));
	assert_int_equal(all.open, 1);
	all.now_ms += conf.server_hello_ms + WHEEL_TICK_MS;
	work();
	assert_int_equal(all.open, 0);
	assert_int_equal(all.turns.taken, 0);
	for (int i = 0; i < 3; i++)
		close(theirs[i]);
}

/* Those that wait still end with their time, wherever they stand. */
static void
time_is_up(void **state)
{
	(void)state;
	all.turns.max = 0;
	for (int i = 0; i < GUESTS; i++)
		come(i, i % 2 == 0);
	work();
	assert_int_equal(all.turns.waiting, GUESTS);
	all.now_ms += conf.conversation_ms + WHEEL_TICK_MS;
	work();
	assert_int_equal(all.turns.waiting, 0);
	assert_int_equal(all.open, 0);
	for (int i = 0; i < GUESTS; i++)
		close(theirs[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    silence_is_cheap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    after_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(time_is_up, set_up, tear_down),
	};
	int failed;

	tls = tls_context_new("/etc/ssl/certs/ca-certificates.crt");
	if (!tls)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tls_context_free(tls);
	return failed;
}
