/* test_sip.c: who sends by the byte is read by the clock, and judged fairly. */
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

static int
set_up(void **state)
{
	struct dialed d;
	int pair[2];

	(void)state;
	assert_int_equal(
	    conversations_init(&all, &conf, NULL, BEGIN_MS, BEGIN_MS), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	memset(&d, 0, sizeof d);
	d.contact.target.port = POP3;
	d.contact.protocol = PROTOCOL_POP3;
	assert_int_equal(conversation_begin(&all, &d, pair[0]), 0);
	theirs = pair[1];
	wakes = 0;
	it = NULL;
	memset(&facts, 0, sizeof facts);
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
		conversation_ready(it);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
