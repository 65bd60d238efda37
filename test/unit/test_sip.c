/* test_sip.c: how much is read when: by the byte, by the line, in bulk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "probes/conversation.h"

enum { POP3 = 110, BEGIN_MS = 1000, EVENTS = 4, SAID_CAP = 64 };

static struct conversations all;
static struct conversation *it;
static struct facts facts; /* as they were at the end */
static int theirs;
static unsigned wakes;

static const struct conf conf = {
	.helo = "scanner.unit.test",
	.contact = "abuse@unit.test",
	.ports = { { POP3, PROTOCOL_POP3, 0 } },
	.nports = 1,
	.greeting_ms = 30000,
	.reply_ms = 30000,
	.conversation_ms = 120000,
	.line_max = 8192,
	.reply_max = 65536,
	.reply_lines_max = 512,
	.conversation_max = 262144,
	.min_rate = 1,
	.min_rate_window_ms = 60000,
};

static void
begin(int fd)
{
	struct dialed d;

	assert_int_equal(
	    conversations_init(&all, &conf, NULL, BEGIN_MS, BEGIN_MS), 0);
	memset(&d, 0, sizeof d);
	d.contact.target.port = POP3;
	d.contact.protocol = PROTOCOL_POP3;
	assert_int_equal(conversation_begin(&all, &d, fd), 0);
	wakes = 0;
	it = NULL;
	memset(&facts, 0, sizeof facts);
}

static int
set_up(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	theirs = pair[1];
	begin(pair[0]);
	return 0;
}

/* The same over TCP, which has urgent bytes. */
static int
set_up_tcp(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int ours = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(ours, (struct sockaddr *)&a, sizeof a), 0);
	theirs = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	close(listener);
	assert_true(theirs >= 0);
	assert_int_equal(fcntl(ours, F_SETFL, O_NONBLOCK), 0);
	begin(ours);
	return 0;
}

/* What there is to be done now; how often we were woken counts. */
static void
work(void)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(all.epoll, events, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		wakes++;
		it = events[i].data.ptr;
		conversation_event(it, events[i].events);
	}
	conversations_expire(&all);
	while (all.over) {
		struct conversation *c = all.over;

		facts = c->dialog.facts;
		all.over = c->next;
		if (!all.over)
			all.over_tail = &all.over;
		conversation_release(c);
	}
	conversations_reclaim(&all);
}

static int
tear_down(void **state)
{
	(void)state;
	close(theirs);
	work();
	assert_int_equal(all.open, 0);
	conversations_free(&all);
	return 0;
}

/* A byte each second; n of them. */
static void
drip(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(send(theirs, bytes + i, 1, 0), 1);
		work();
		all.now_ms += 1000;
		work();
	}
}

static bool
have_said(const char *what)
{
	char said[SAID_CAP] = "";
	ssize_t n = recv(theirs, said, sizeof said - 1, 0);

	return n == (ssize_t)strlen(what) && strcmp(said, what) == 0;
}

/* Twenty bytes are five wakes or so, not twenty; the line is heard whole. */
static void
a_byte_a_second(void **state)
{
	static const char greeting[] = "+OK ready and slow!";

	(void)state;
	work();
	wakes = 0;
	drip(greeting, sizeof greeting - 1);
	assert_in_range(wakes, CRUMBS, 6);
	assert_true(it->sipped);
	drip("\r\n", 2);
	all.now_ms += SIP_MS;
	work();
	assert_false(it->sipped);
	assert_true(have_said("CAPA\r\n"));
	/* From now on it wakes us again. */
	wakes = 0;
	assert_int_equal(send(theirs, "-ERR\r\n", 6, 0), 6);
	work();
	assert_int_equal(wakes, 1);
	assert_true(have_said("STLS\r\n"));
}

/* A line whose end comes just before its time is up is not timed out. */
static void
in_the_last_moment(void **state)
{
	uint64_t end_ms;

	(void)state;
	work();
	end_ms = all.now_ms + conf.greeting_ms;
	drip("+OK slow", 8);
	assert_true(it->sipped);
	while (all.now_ms + 1000 < end_ms) {
		all.now_ms += 500;
		work();
	}
	assert_int_equal(send(theirs, "\r\n", 2, 0), 2);
	all.now_ms = end_ms + WHEEL_TICK_MS;
	work();
	assert_int_equal(all.open, 1);
	assert_true(have_said("CAPA\r\n"));
}

/* It is heard to the end of its time, and no longer. */
static void
never_a_line(void **state)
{
	(void)state;
	work();
	for (unsigned i = 0; i < conf.greeting_ms / 1000 + 1; i++)
		if (all.open > 0)
			drip("x", 1);
	assert_int_equal(all.open, 0);
	assert_int_equal(facts.ending, ENDING_TIME);
}

/* Its end wakes us at once, and what it said last is heard. */
static void
leaves_in_between(void **state)
{
	(void)state;
	work();
	drip("+OK slow", 8);
	assert_true(it->sipped);
	assert_int_equal(send(theirs, " bye", 4, 0), 4);
	work();
	wakes = 0;
	assert_int_equal(shutdown(theirs, SHUT_WR), 0);
	work();
	assert_int_equal(wakes, 1);
	assert_int_equal(all.open, 0);
	assert_int_equal(facts.ending, ENDING_CLOSED);
}

/* Many pieces in no time are a line as any other. */
static void
small_pieces_are_no_drip(void **state)
{
	static const char greeting[] = "+OK in pieces";

	(void)state;
	for (size_t i = 0; i + 1 < sizeof greeting; i++) {
		assert_int_equal(send(theirs, greeting + i, 1, 0), 1);
		work();
		assert_false(it->sipped);
	}
	assert_int_equal(send(theirs, "\r\n", 2, 0), 2);
	work();
	assert_true(have_said("CAPA\r\n"));
}

/* One read empties the socket; the end that came with the bytes is heard. */
static void
a_line_and_its_end(void **state)
{
	(void)state;
	work();
	assert_int_equal(send(theirs, "+OK\r\n", 5, 0), 5);
	work();
	assert_true(it->drained);
	assert_true(have_said("CAPA\r\n"));
	assert_int_equal(send(theirs, "-ERR\r\n", 6, 0), 6);
	assert_int_equal(shutdown(theirs, SHUT_WR), 0);
	work();
	assert_int_equal(all.open, 0);
	assert_int_equal(facts.ending, ENDING_CLOSED);
	assert_int_equal(facts.listing, ANSWER_NO);
}

/* A read stops at the mark; what lies behind it is heard all the same. */
static void
behind_an_urgent_byte(void **state)
{
	(void)state;
	work();
	assert_int_equal(send(theirs, "+OK re", 6, 0), 6);
	assert_int_equal(send(theirs, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(theirs, "ady\r\n", 5, 0), 5);
	work();
	assert_true(have_said("CAPA\r\n"));
}

/* Who sends much gets a large buffer, and each of its lines is heard. */
static void
in_bulk(void **state)
{
	static const char line[] = "TOP and so on, and so on\r\n";
	enum { LINES = 200 };

	(void)state;
	work();
	assert_int_equal(send(theirs, "+OK\r\n+OK\r\n", 10, 0), 10);
	for (int i = 0; i < LINES; i++)
		assert_int_equal(send(theirs, line, sizeof line - 1, 0),
		    (int)sizeof line - 1);
	work();
	assert_non_null(it->line_large);
	assert_int_equal(it->dialog.lines, LINES + 1);
	assert_int_equal(send(theirs, ".\r\n", 3, 0), 3);
	work();
	assert_true(have_said("CAPA\r\nSTLS\r\n"));
}

/* A reply of some length is none of these. */
static void
a_long_reply(void **state)
{
	char line[LINE_SMALL];

	(void)state;
	work();
	memset(line, 'x', sizeof line);
	memcpy(line, "+OK ", 4);
	memcpy(line + sizeof line - 2, "\r\n", 2);
	assert_int_equal(send(theirs, line, sizeof line, 0), sizeof line);
	work();
	assert_true(have_said("CAPA\r\n"));
	assert_null(it->line_large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_byte_a_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    in_the_last_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    never_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    leaves_in_between, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    small_pieces_are_no_drip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_line_and_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    behind_an_urgent_byte, set_up_tcp, tear_down),
		cmocka_unit_test_setup_teardown(in_bulk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_long_reply, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
