/* test_begin.c: which sweep it is, at every kind of start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/begin.h"
#include "storage/layout.h"
#include "storage/store_catalog.h"
#include "test/unit/store_help.h"

static char dir[64], error[STORE_ERROR_MAX];
static struct conf conf;
static struct role_args args;
static struct sweep_info info;

static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	help_args(&args, &conf);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	help_args_free(&args);
	help_remove(dir);
	return 0;
}

static struct live *
begin(void)
{
	struct live *l = sweep_begin(&args, dir, &info, error);

	if (l == NULL)
		fail_msg("%s", error);
	return l;
}

static bool
exists(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void
test_fresh(void **state)
{
	static const uint8_t zero[SWEEP_KEY_LEN];
	struct sweep first;

	(void)state;
	live_close(begin());
	assert_string_equal(info.sweep.id, "20261121T020000Z-test");
	assert_int_equal(info.sweep.n, 512 * 4);
	assert_int_equal(info.sweep.incarnation, 0);
	assert_int_equal(info.sweep.resumed, 0);
	assert_int_equal(info.account.index_total, 512 * 4);
	assert_int_equal(info.account.index_excluded, 4);
	assert_int_equal(info.account.excluded_exact, 1);
	assert_true(info.sweep.seed != 0);
	assert_memory_not_equal(info.sweep.key, zero, sizeof zero);
	/* Another one draws anew, unless the configuration has the seed. */
	first = info.sweep;
	assert_int_equal(live_remove(dir), 0);
	assert_false(exists("live"));
	conf.seed = 42;
	live_close(begin());
	assert_int_equal(info.sweep.seed, 42);
	assert_memory_not_equal(info.sweep.key, first.key, sizeof first.key);
}

/* What a killed daemon left: rows, a settled position, pending targets. */
static void
leave(void)
{
	struct ledger ledger = { .settled = 700 };
	struct target t = help_target("192.0.2.9", 110);
	struct pending p = { .attempt = 1 };
	struct live *l = begin();

	info.sweep.position[0] = 700;
	info.sweep.counted[0][SEND_SENT] = 699;
	ledger.events[STAT_SEND_PASSED] = 900;
	live_begin(l);
	live_put_silent(l, &t, 1);
	t.port = 143;
	live_pending_put(l, &t, &p);
	live_put_info(l, &info, &ledger);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
}

static void
test_resume(void **state)
{
	struct sweep before;
	struct queued q;
	struct live *l;
	struct store *s;

	(void)state;
	leave();
	before = info.sweep;
	args.now_us += 3600 * (uint64_t)1000000;
	l = begin();
	assert_string_equal(info.sweep.id, before.id);
	assert_memory_equal(info.sweep.key, before.key, sizeof before.key);
	assert_int_equal(info.sweep.seed, before.seed);
	assert_int_equal(info.sweep.start_us, before.start_us);
	assert_int_equal(info.sweep.incarnation, 1);
	assert_int_equal(info.sweep.resumed, 1);
	assert_int_equal(info.sweep.position[0], 700);
	assert_int_equal(info.sweep.counted[0][SEND_SENT], 699);
	live_begin(l);
	assert_int_equal(live_pending_count(l), 0);
	assert_true(live_queue_first(l, &q));
	assert_int_equal(q.target.port, 143);
	assert_int_equal(q.as.attempt, 1);
	assert_true(q.not_before_us == args.now_us + 1000000);
	live_abort(l);
	live_close(l);
	/* Both ledgers are there: 200 steps were passed and not settled. */
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->account.incarnations, 2);
	assert_int_equal(store_info(s)->account.cut_off[LINE_PASSED_ALL], 200);
	store_close(s);
	assert_int_equal(sweep_slice(&info.sweep), 1);
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 2);
	assert_int_equal(sweep_slice(&info.sweep), 2);
}

/* The sweep that is running says so of its format. */
static void
write_version(uint32_t version)
{
	struct ledger ledger = { .settled = 0 };
	struct live *l = begin();

	info.version = version;
	live_begin(l);
	live_put_info(l, &info, &ledger);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
}

/* What goes on is of our format then; what a later program began is not. */
static void
test_versions(void **state)
{
	struct store *s;

	(void)state;
	write_version(VERSION_TEXTS - 1);
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 1);
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->version, VERSION_TEXTS);
	store_close(s);
	write_version(STORE_VERSION + 1);
	assert_null(store_open(dir, "live", error));
	assert_non_null(strstr(error, "written in format"));
	assert_null(sweep_begin(&args, dir, &info, error));
	assert_non_null(strstr(error, "a newer one has to end that sweep"));
	assert_true(exists("live"));
}

/* Never the source ports of the sweep before, however often that began. */
static void
test_next_slice(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		live_close(begin());
		assert_int_equal(info.sweep.first_slice, (2 * i) % 4);
		info.sweep.incarnation = 1;
		info.end_us = args.now_us;
		assert_int_equal(catalog_put(dir, &info, error), 0);
		assert_int_equal(live_remove(dir), 0);
		args.now_us += 1000000;
	}
}

/* Exclusions may change under way; only the arithmetic is lost. */
static void
test_other_exclusions(void **state)
{
	struct ranges *more = ranges_new();
	const char *expected;

	(void)state;
	leave();
	ranges_add_text(more, "192.0.2.0/28", &expected);
	ranges_seal(more);
	ranges_free((struct ranges *)(uintptr_t)args.excluded);
	args.excluded = more;
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 1);
	assert_int_equal(info.account.excluded_exact, 0);
}

static void
test_other_ports(void **state)
{
	char aside[128];

	(void)state;
	leave();
	snprintf(aside, sizeof aside, "unfinished-%s", info.sweep.id);
	conf.nports = 3;
	args.now_us += 1000000;
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 0);
	assert_int_equal(info.sweep.position[0], 0);
	assert_string_equal(info.sweep.id, "20261121T020001Z-test");
	assert_true(exists(aside));
}

/* Begun by a program that visits targets in another order. */
static void
test_other_order(void **state)
{
	struct ledger ledger = { 0 };
	char aside[128];
	struct live *l;

	(void)state;
	leave();
	l = begin();
	assert_int_equal(info.sweep.incarnation, 1);
	snprintf(aside, sizeof aside, "unfinished-%s", info.sweep.id);
	info.sweep.order = SWEEP_ORDER - 1;
	live_begin(l);
	live_put_info(l, &info, &ledger);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	args.now_us += 1000000;
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 0);
	assert_int_equal(info.sweep.order, SWEEP_ORDER);
	assert_true(exists(aside));
}

static void
test_other_shard(void **state)
{
	(void)state;
	leave();
	conf.shards = 4;
	conf.shard = 1;
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 0);
	assert_int_equal(info.sweep.shards, 4);
	assert_int_equal(info.account.index_total, 512);
	assert_int_equal(info.account.excluded_exact, 0);
}

/* The seal was cut off when its file was there: it is not swept again. */
static void
test_sealed_already(void **state)
{
	struct help_row row = { .target = help_target("192.0.2.1", 110) };
	char id[SWEEP_ID_MAX];

	(void)state;
	leave();
	memcpy(id, info.sweep.id, sizeof id);
	row.head = help_head(&row.target, OUTCOME_COMPLETED, 0, 1);
	help_seal(dir, id, args.now_us, &row, 1, 0);
	live_close(begin());
	assert_int_equal(info.sweep.incarnation, 0);
	/* In the same second: a name of its own. */
	assert_string_equal(info.sweep.id, "20261121T020001Z-test");
}

static void
test_hash(void **state)
{
	uint64_t hash = sweep_targets_hash(&args);

	(void)state;
	assert_true(hash == sweep_targets_hash(&args));
	conf.ports[0].port = 111;
	assert_true(hash != sweep_targets_hash(&args));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_fresh),
		EACH(test_resume),
		EACH(test_versions),
		EACH(test_next_slice),
		EACH(test_other_exclusions),
		EACH(test_other_ports),
		EACH(test_other_shard),
		EACH(test_other_order),
		EACH(test_sealed_already),
		EACH(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
