/* test_store.c: the data directory, as readers see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/info.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "test/unit/store_help.h"

enum { START_US = 1000000 };

static uint8_t body_bytes[1000];
static struct record body;

static struct help_row
row(const char *addr, uint16_t port)
{
	struct target t = help_target(addr, port);
	struct help_row r = { .target = t,
		.head = help_head(&t, OUTCOME_COMPLETED, 1, START_US + port),
		.body = &body };

	return r;
}

/* Two addresses, three ports, one IPv6 address, three silent ones. */
static void
make(const char *path, const char *id, uint64_t start_us)
{
	struct help_row rows[] = { row("192.0.2.1", 110), row("192.0.2.1", 143),
		row("192.0.2.2", 110), row("2001:db8::1", 110) };

	record_init(&body, body_bytes, sizeof body_bytes);
	assert_int_equal(record_put(&body, TAG_GREETING, "+OK", 3), 0);
	help_seal(path, id, start_us, rows, 4, 3);
}

static void
test_reads(void **state)
{
	char path[64], error[STORE_ERROR_MAX];
	struct target t;
	struct head h;
	struct field f;
	const uint8_t *bytes;
	uint32_t len;
	uint64_t when;
	struct store *s;

	(void)state;
	help_directory(path);
	make(path, "20261121T020000Z-test", START_US);
	s = store_open(path, NULL, error);
	assert_non_null(s);
	assert_string_equal(store_info(s)->sweep.id, "20261121T020000Z-test");
	assert_int_equal(store_info(s)->sweep.n, 1000);
	assert_int_equal(store_info(s)->account.rows, 7);
	assert_true(account_balances(&store_info(s)->account));

	t = help_target("192.0.2.1", 143);
	assert_true(store_get(s, &t, &h, &bytes, &len));
	assert_int_equal(h.port, 143);
	assert_true(body_find(bytes, len, TAG_GREETING, &f));
	assert_memory_equal(f.bytes, "+OK", 3);
	t.port = 25;
	assert_false(store_get(s, &t, &h, &bytes, &len));

	assert_int_equal(store_silent_count(s), 3);
	t = help_target("198.51.100.2", 25);
	assert_true(store_is_silent(s, &t, &when));
	assert_int_equal(when, START_US + 2 * 1000000);
	t = help_target("198.51.100.3", 25);
	assert_false(store_is_silent(s, &t, &when));
	store_close(s);
	help_remove(path);
}

static void
test_scan_order(void **state)
{
	static const char *const order[] = { "192.0.2.1:110", "192.0.2.1:143",
		"192.0.2.2:110", "[2001:db8::1]:110" };
	char path[64], error[STORE_ERROR_MAX], text[TARGET_TEXT_MAX];
	struct addr from = help_target("192.0.2.2", 0).addr;
	struct store_scan *scan;
	struct store *s;
	struct target t;
	struct head h;
	const uint8_t *bytes;
	uint32_t len;
	unsigned n = 0;

	(void)state;
	help_directory(path);
	make(path, "20261121T020000Z-test", START_US);
	s = store_open(path, "20261121T020000Z-test", error);
	assert_non_null(s);
	scan = store_scan_new(s);
	assert_false(store_scan_body(scan, &bytes, &len));
	while (store_scan_next(scan, &t, &h)) {
		assert_string_equal(target_text(&t, text), order[n++]);
		assert_true(store_scan_body(scan, &bytes, &len));
		assert_int_equal(len, body.len);
	}
	assert_int_equal(n, 4);
	store_scan_free(scan);

	scan = store_scan_from(s, &from);
	assert_true(store_scan_next(scan, &t, &h));
	assert_string_equal(target_text(&t, text), order[2]);
	store_scan_free(scan);

	scan = store_scan_gone(s);
	assert_false(store_scan_next(scan, &t, &h));
	store_scan_free(scan);
	store_close(s);
	help_remove(path);
}

static void
test_newest(void **state)
{
	char path[64], error[STORE_ERROR_MAX], file[256], id[SWEEP_ID_MAX];
	struct store *s;
	FILE *f;

	(void)state;
	help_directory(path);
	assert_null(store_open(path, NULL, error));
	assert_non_null(strstr(error, "no sealed sweep"));
	make(path, "20261121T020000Z-test", START_US);
	make(path, "20261122T020000Z-test", START_US);
	make(path, "20261120T020000Z-test", START_US);
	/* Half a file and somebody's notes are not sweeps. */
	snprintf(file, sizeof file, "%s/sealed/.20261130T020000Z-test", path);
	assert_non_null(f = fopen(file, "w"));
	fclose(f);
	snprintf(file, sizeof file, "%s/sealed/zz-notes.txt", path);
	assert_non_null(f = fopen(file, "w"));
	fclose(f);
	assert_true(store_newest(path, id));
	assert_string_equal(id, "20261122T020000Z-test");
	s = store_open(path, NULL, error);
	assert_non_null(s);
	assert_string_equal(store_info(s)->sweep.id, id);
	store_close(s);
	assert_null(store_open(path, "../catalog", error));
	assert_non_null(strstr(error, "not the id"));
	assert_null(store_open(path, "20261123T020000Z-test", error));
	assert_null(store_open(path, "live", error));
	help_remove(path);
}

static void
test_bad_file(void **state)
{
	char path[64], error[STORE_ERROR_MAX], file[256];
	FILE *f;

	(void)state;
	help_directory(path);
	snprintf(file, sizeof file, "%s/sealed/20261121T020000Z-x.mdb", path);
	assert_non_null(f = fopen(file, "w"));
	for (int i = 0; i < 10000; i++)
		fputc(i, f);
	fclose(f);
	assert_null(store_open(path, NULL, error));
	assert_non_null(strstr(error, "20261121T020000Z-x.mdb"));
	help_remove(path);
}

static void
test_optouts(void **state)
{
	char path[64], error[STORE_ERROR_MAX];
	struct optout net = { help_target("192.0.2.0", 0).addr, 96 + 31, 1,
		"" };
	size_t added;
	struct target t = help_target("192.0.2.1", 110);
	struct store_scan *scan;
	struct store *s;
	struct head h;
	const uint8_t *bytes;
	uint32_t len;

	(void)state;
	help_directory(path);
	make(path, "20261121T020000Z-test", START_US);
	assert_int_equal(catalog_optouts_add(path, &net, 1, &added, error), 0);
	s = store_open(path, NULL, error);
	assert_non_null(s);
	assert_false(store_get(s, &t, &h, &bytes, &len));
	scan = store_scan_new(s);
	assert_true(store_scan_next(scan, &t, &h));
	assert_int_equal(addr_to4(&t.addr), 0xc0000202);
	store_scan_free(scan);
	store_close(s);
	help_remove(path);
}

static bool
count_removed(const struct sweep_info *info, void *arg)
{
	unsigned *removed = arg;

	removed[info->removed]++;
	return true;
}

static void
test_retention(void **state)
{
	const uint64_t day = (uint64_t)86400 * 1000000;
	char path[64], error[STORE_ERROR_MAX];
	unsigned seen[2] = { 0, 0 };

	(void)state;
	help_directory(path);
	make(path, "20261101T020000Z-test", day * 1);
	make(path, "20261105T020000Z-test", day * 5);
	make(path, "20261109T020000Z-test", day * 9);
	assert_int_equal(catalog_expire(path, 0, day * 90, error), 0);
	assert_int_equal(catalog_expire(path, 7, day * 10, error), 1);
	assert_null(store_open(path, "20261101T020000Z-test", error));
	/* All are too old now, and the newest stays all the same. */
	assert_int_equal(catalog_expire(path, 7, day * 90, error), 1);
	assert_int_equal(catalog_expire(path, 7, day * 90, error), 0);
	assert_int_equal(store_sweeps(path, count_removed, seen, error), 0);
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[1], 2);
	help_remove(path);
}

static void
test_info_round_trip(void **state)
{
	char text[INFO_TEXT_MAX];
	struct sweep_info out, in;
	size_t len;

	(void)state;
	memset(&out, 0, sizeof out);
	out.version = 1;
	snprintf(out.sweep.id, sizeof out.sweep.id, "20261121T020000Z-lab");
	snprintf(out.sensor, sizeof out.sensor, "a sensor, with blanks");
	out.sweep.n = UINT64_MAX;
	out.sweep.incarnation = UINT32_MAX;
	for (unsigned i = 0; i < SWEEP_KEY_LEN; i++)
		out.sweep.key[i] = (uint8_t)(i * 17);
	for (unsigned i = 0; i < SWEEP_THREADS_MAX; i++) {
		out.sweep.position[i] = UINT64_MAX - i;
		for (unsigned c = 0; c < SEND_COUNTS; c++)
			out.sweep.counted[i][c] = UINT64_MAX - i - c;
	}
	for (unsigned i = 0; i < STAT_COUNT; i++)
		out.account.events[i] = UINT64_MAX - i;
	for (unsigned i = 0; i < ACCOUNT_LINES; i++)
		out.account.cut_off[i] = UINT64_MAX - i;
	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		out.account.outcomes[i] = UINT64_MAX - i;
	out.changes[CHANGE_WORSE] = out.gone = 17;
	len = info_write(&out, true, text);
	assert_true(len > 0);
	assert_int_equal(info_read(text, len, &in), 0);
	assert_memory_equal(&in, &out, sizeof in);
	/* The key of the cookie does not leave with a sealed file. */
	len = info_write(&out, false, text);
	assert_int_equal(info_read(text, len, &in), 0);
	memset(out.sweep.key, 0, sizeof out.sweep.key);
	assert_memory_equal(&in, &out, sizeof in);
}

static void
test_info_bad(void **state)
{
	static const char *const texts[] = { "", "version 1\n", "version 1",
		"version x\nsweep.id a\n", "version 1\nsweep.id a\ngone 1x\n",
		"version 4294967296\nsweep.id a\n",
		"version 1\nsweep.id a\nsweep.key 00\n",
		/* What would leave the directory, or reach a terminal. */
		"version 1\nsweep.id ../a\n", "version 1\nsweep.id a/b\n",
		"version 1\nsweep.id .a\n", "version 1\nsweep.id a\033c\n",
		"version 1\nsweep.id a\nprevious a/b\n",
		"version 1\nsweep.id a\nsensor \303\251\n",
		("version 1\nsweep.id a\nsensor "
		 "0123456789012345678901234567890123456789\n") };
	static const char good[] = "later 7\nversion 1\nsweep.id a\n";
	struct sweep_info info;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(
		    info_read(texts[i], strlen(texts[i]), &info), -1);
	assert_int_equal(info_read(good, strlen(good), &info), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_scan_order),
		cmocka_unit_test(test_newest),
		cmocka_unit_test(test_bad_file),
		cmocka_unit_test(test_optouts),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_info_round_trip),
		cmocka_unit_test(test_info_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
