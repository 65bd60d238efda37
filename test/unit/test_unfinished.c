/* test_unfinished.c: sweeps that could not go on, and what is in them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/purge.h"
#include "storage/store_catalog.h"
#include "storage/store_write.h"
#include "storage/unfinished.h"
#include "test/unit/store_help.h"

static char dir[64], error[STORE_ERROR_MAX];

static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	help_remove(dir);
	return 0;
}

static void
opt_out(const char *addr, unsigned bits)
{
	struct optout o = { help_target(addr, 0).addr, bits, 1, "" };
	size_t added;

	assert_int_equal(catalog_optouts_add(dir, &o, 1, &added, error), 0);
	assert_int_equal(added, 1);
}

static void
say(const char *why)
{
	fail_msg("%s", why);
}

static bool
is_there(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* A sweep with one target, in a database, that could not go on. */
static void
set_aside(const char *name, const char *addr, bool queued)
{
	struct target t = help_target(addr, 110);
	struct queued q = { .target = t, .not_before_us = 7 };
	struct head h = help_head(&t, OUTCOME_COMPLETED, 0, 5);
	char from[128], to[256];
	struct live *aside = live_open(dir, 1 << 20, error);

	assert_non_null(aside);
	live_begin(aside);
	if (queued)
		live_queue_put(aside, &q);
	else
		live_put_row(aside, &h, NULL, 0);
	assert_int_equal(live_commit(aside), LIVE_DONE);
	live_close(aside);
	snprintf(from, sizeof from, "%s/live", dir);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	assert_int_equal(rename(from, to), 0);
}

/* Who has opted out is in no sweep that was set aside either. */
static void
test_purge_unfinished(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct purged p;
	char path[256];

	(void)state;
	set_aside("unfinished-row", "192.0.2.5", false);
	set_aside("unfinished-queued", "192.0.2.5", true);
	set_aside("unfinished-other", "192.0.2.6", false);
	assert_int_equal(purge_sealed(dir, &p, say), 0);
	assert_int_equal(p.unfinished, 0);
	opt_out("192.0.2.5", 128);
	assert_int_equal(purge_sealed(dir, &p, say), 0);
	assert_int_equal(p.unfinished, 2);
	assert_false(is_there("unfinished-row"));
	assert_false(is_there("unfinished-queued"));
	assert_true(is_there("unfinished-other"));
	/* Nor are they kept for ever. */
	assert_int_equal(unfinished_expire(dir, 2000000000), 0);
	snprintf(path, sizeof path, "%s/unfinished-other/data.mdb", dir);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(unfinished_expire(dir, 2000000000), 1);
	assert_false(is_there("unfinished-other"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_purge_unfinished, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
