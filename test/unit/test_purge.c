/* test_purge.c: what is kept of who opts out, while a sweep runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/cookie.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"

enum { HOSTS = 256, MAP = 16 << 20, WHEN_US = 5000000 };

static char dir[64], error[STORE_ERROR_MAX];
static struct live *l;

static struct target
host(unsigned i, uint16_t port)
{
	return (struct target){ addr_from4(0xc0000200 + i), port };
}

static struct target
host6(unsigned i)
{
	struct target t = help_target("2001:db8::", 110);

	t.addr.b[15] = (uint8_t)i;
	return t;
}

static void
put_all_of(const struct target *t)
{
	const struct pending p = { .kind = KIND_PLAIN, .since_us = WHEN_US };
	const struct queued q = { .target = *t, .not_before_us = WHEN_US };
	struct head h = help_head(t, OUTCOME_COMPLETED, 0, WHEN_US);

	if (t->port == 25)
		live_put_silent(l, t, 3);
	else
		live_put_row(l, &h, (const uint8_t *)"body", 4);
	live_pending_put(l, t, &p);
	live_queue_put(l, &q);
	live_name_want(l, &t->addr);
	live_canary_ask(l, &t->addr, PHANTOM_ADDRESS);
	live_canary_ask(l, &t->addr, PHANTOM_NETWORK);
}

/* 256 hosts of both families: a row, a silent one, and all else. */
static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	l = live_open(dir, MAP, error);
	assert_non_null(l);
	live_begin(l);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct target a = host(i, 110), b = host(i, 25), six = host6(i);

		put_all_of(&a);
		put_all_of(&b);
		put_all_of(&six);
	}
	assert_int_equal(live_commit(l), LIVE_DONE);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	live_close(l);
	help_remove(dir);
	return 0;
}

static struct ranges *
set_of(const char *const *texts)
{
	struct ranges *r = ranges_new();
	const char *expected;

	for (; *texts != NULL; texts++)
		assert_int_equal(ranges_add_text(r, *texts, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

/* In steps of so many rows; how many rows of targets went. */
static uint64_t
purge(const struct ranges *set, unsigned cap)
{
	struct purge_at at = { 0 };
	uint64_t rows, sum = 0;
	bool over = false;

	for (unsigned i = 0; !over; i++) {
		assert_true(i < 100000);
		live_begin(l);
		over = live_purge(l, set, &at, cap, &rows);
		assert_int_equal(over, live_purge_is_over(&at));
		assert_int_equal(live_commit(l), LIVE_DONE);
		sum += rows;
	}
	return sum;
}

static void
assert_target(const struct ranges *set, const struct target *t)
{
	bool out = ranges_has(set, &t->addr);
	uint8_t body[16];
	struct pending p;
	struct head h;
	bool head = t->port != 25;

	assert_int_equal(live_row(l, t, &h),
	    out        ? LIVE_NO_ROW
		: head ? LIVE_HEAD
		       : LIVE_SILENT);
	assert_int_equal(
	    live_body(l, t, body, sizeof body), !out && head ? 4 : 0);
	assert_int_equal(live_pending_get(l, t, &p), !out);
	/* asked already, unless it was forgotten */
	assert_int_equal(
	    live_canary_ask(l, &t->addr, PHANTOM_ADDRESS), out && head);
}

static void
assert_left(const struct ranges *set)
{
	struct queued q;
	unsigned queued = 0, kept = 0, named = 0;

	live_begin(l);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct target a = host(i, 110), b = host(i, 25), six = host6(i);

		assert_target(set, &a);
		assert_target(set, &b);
		assert_target(set, &six);
		kept += 2u * !ranges_has(set, &a.addr) +
		    !ranges_has(set, &six.addr);
		named += (unsigned)!ranges_has(set, &a.addr) +
		    !ranges_has(set, &six.addr);
	}
	assert_int_equal(live_pending_count(l), kept);
	assert_int_equal(live_name_wanted_count(l), named);
	for (; live_queue_first(l, &q); queued++) {
		assert_false(ranges_has(set, &q.target.addr));
		live_queue_delete(l, &q);
	}
	assert_int_equal(queued, kept);
	live_abort(l);
}

static const char *const some[] = { "192.0.2.0/30", "192.0.2.9",
	"192.0.2.64/26", "192.0.2.255", "198.51.100.0/24", "10.0.0.0/8",
	"2001:db8::10/124", "2001:db8::ff", "fd00::/8", NULL };

static void
takes_all_of_a_set(void **state)
{
	struct ranges *set = set_of(some);

	(void)state;
	assert_int_equal(purge(set, 1000000), 2 * (4 + 1 + 64 + 1) + 17);
	assert_left(set);
	assert_int_equal(purge(set, 1000000), 0);
	ranges_free(set);
}

/* A few rows a transaction: the same comes of it. */
static void
takes_it_in_steps(void **state)
{
	static const unsigned caps[] = { 1, 7, 100 };
	struct ranges *set = set_of(some);

	for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
		assert_int_equal(
		    purge(set, caps[i]), 2 * (4 + 1 + 64 + 1) + 17);
		assert_left(set);
		tear_down(state);
		set_up(state);
	}
	ranges_free(set);
}

static void
takes_everything(void **state)
{
	struct ranges *set =
	    set_of((const char *const[]){ "0.0.0.0/0", "::/0", NULL });

	(void)state;
	assert_int_equal(purge(set, 100), 3 * HOSTS);
	assert_left(set);
	ranges_free(set);
}

static void
nobody_is_nothing(void **state)
{
	struct ranges *set = set_of((const char *const[]){ NULL });

	(void)state;
	assert_int_equal(purge(set, 1), 0);
	assert_left(set);
	ranges_free(set);
}

/* One host of a network says nothing of the network. */
static void
a_network_stays_for_the_others(void **state)
{
	struct ranges *one = set_of((const char *const[]){ "192.0.2.1", NULL });
	struct ranges *all =
	    set_of((const char *const[]){ "192.0.2.0/24", NULL });
	struct target t = host(1, 110);

	(void)state;
	purge(one, 1000);
	live_begin(l);
	assert_false(live_canary_ask(l, &t.addr, PHANTOM_NETWORK));
	live_abort(l);
	purge(all, 1000);
	live_begin(l);
	assert_true(live_canary_ask(l, &t.addr, PHANTOM_NETWORK));
	live_abort(l);
	ranges_free(one);
	ranges_free(all);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(takes_all_of_a_set),
		EACH(takes_it_in_steps),
		EACH(takes_everything),
		EACH(nobody_is_nothing),
		EACH(a_network_stays_for_the_others),
	};

	return cmocka_run_group_tests_name("purge", tests, NULL, NULL);
}
