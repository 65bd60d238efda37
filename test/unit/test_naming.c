/* test_naming.c: what store asks resolve for, walk after walk. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/conf.h"
#include "storage/naming.h"
#include "test/unit/store_help.h"

enum { SECOND = 1000000, MANY = 5000, WIRE_BYTES = 1 << 18, BASE = 0x0a000000 };

static char dir[64], error[STORE_ERROR_MAX];
static struct conf conf;
static struct naming n;
static struct live *l;
static int theirs;
static const uint64_t now = (uint64_t)1000 * SECOND;
static unsigned char heard[MANY];

static int
set_up(void **state)
{
	int fds[2];

	(void)state;
	help_directory(dir);
	l = live_open(dir, 1 << 24, error);
	assert_non_null(l);
	memset(&conf, 0, sizeof conf);
	conf.resolver_port = 53;
	conf.resolve_wait_ms = 1000;
	naming_init(&n, &conf);
	memset(heard, 0, sizeof heard);
	assert_int_equal(wire_pair(fds, WIRE_BYTES), 0);
	theirs = fcntl(fds[0], F_DUPFD, 50);
	assert_int_equal(dup2(fds[1], FD_RESOLVE), FD_RESOLVE);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(FD_RESOLVE);
	close(theirs);
	live_close(l);
	help_remove(dir);
	return 0;
}

static void
want(unsigned first, unsigned count)
{
	live_begin(l);
	for (unsigned i = first; i < first + count; i++) {
		struct addr a = addr_from4(BASE + i);

		live_name_want(l, &a);
	}
	assert_int_equal(live_commit(l), LIVE_DONE);
}

/* One turn of store; how many addresses went out in it. */
static unsigned
turn(bool on_disk)
{
	struct addr asks[NAMES_ASKED_MAX];
	unsigned all = 0;
	ssize_t len;

	live_begin(l);
	naming_fetch(&n, l);
	naming_fetch(&n, l); /* a transaction may be tried again */
	live_abort(l);
	naming_commit(&n, on_disk);
	do {
		naming_send(&n);
		while ((len = wire_recv(theirs, asks, sizeof asks)) > 0)
			for (size_t i = 0; i < (size_t)len / 16; i++, all++)
				heard[addr_to4(&asks[i]) - BASE]++;
	} while (n.sent < n.nasks);
	return all;
}

static void
answer(unsigned first, unsigned count)
{
	live_begin(l);
	for (unsigned i = first; i < first + count; i++) {
		struct addr a = addr_from4(BASE + i);

		naming_heard(&n);
		assert_true(live_name_put(l, &a, "", false));
	}
	assert_int_equal(live_commit(l), LIVE_DONE);
}

static void
assert_heard(unsigned first, unsigned count, unsigned times)
{
	for (unsigned i = first; i < first + count; i++)
		if (heard[i] != times)
			fail_msg("%u was asked for %u times", i, heard[i]);
}

static void
asks_for_each_once(void **state)
{
	(void)state;
	want(100, 4900);
	assert_int_equal(turn(true), NAMES_OPEN_MAX);
	assert_int_equal(turn(true), 0);
	answer(100, 4096);
	assert_int_equal(turn(true), 804);
	/* Behind its back: found when all of this walk is answered. */
	want(0, 100);
	assert_int_equal(turn(true), 0);
	answer(4196, 803);
	assert_int_equal(turn(true), 0);
	answer(4999, 1);
	assert_int_equal(turn(true), 0); /* at its end; then anew */
	assert_int_equal(turn(true), 100);
	answer(0, 100);
	assert_int_equal(turn(true), 0);
	assert_int_equal(turn(true), 0);
	assert_heard(0, MANY, 1);
	assert_true(naming_is_over(&n, now));
}

/* What is not on disk is not asked for, and not forgotten either. */
static void
waits_for_the_disk(void **state)
{
	(void)state;
	want(0, 10);
	assert_int_equal(turn(false), 0);
	assert_int_equal(turn(true), 10);
	assert_heard(0, 10, 1);
}

/* With a process dies what it was asked for: its successor is asked. */
static void
asks_again_for_what_is_lost(void **state)
{
	(void)state;
	want(0, 10);
	assert_int_equal(turn(true), 10);
	answer(3, 1);
	assert_int_equal(turn(true), 0);
	naming_begun(&n);
	assert_int_equal(turn(true), 9);
	assert_heard(0, 3, 2);
	assert_heard(3, 1, 1);
	answer(0, 3);
	answer(4, 6);
	turn(true);
	assert_true(naming_is_over(&n, now));
}

static void
ends_in_time(void **state)
{
	(void)state;
	assert_true(naming_is_over(&n, now));
	want(0, 1);
	assert_int_equal(turn(true), 1);
	assert_false(naming_is_over(&n, now));
	assert_false(naming_is_over(&n, now + SECOND - 1));
	assert_true(naming_is_over(&n, now + SECOND));
	/* Off: what an earlier start wanted is nobody's business. */
	conf.resolver_port = 0;
	naming_init(&n, &conf);
	assert_int_equal(turn(true), 0);
	assert_true(naming_is_over(&n, now));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(asks_for_each_once),
		EACH(waits_for_the_disk),
		EACH(asks_again_for_what_is_lost),
		EACH(ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
