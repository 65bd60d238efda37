/* test_shards.c: the shards of a sweep become one, or it is said why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "storage/check.h"
#include "storage/digest_set.h"
#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/shards.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"
#include "test/unit/tables_help.h"

enum { SHARDS = 4, ROWS = 37, SILENT = 11, N = 4000 };

static char top[64];

static void
shard_dir(char path[128], unsigned shard)
{
	snprintf(path, 128, "%s/shard%u", top, shard);
}

static void
target_of(unsigned i, struct target *t)
{
	char text[32];

	snprintf(text, sizeof text, "192.0.2.%u", i);
	*t = help_target(text, 110);
}

static void
put_cert(const char *dir, unsigned shard, uint8_t sum[SHA256_LEN])
{
	char error[STORE_ERROR_MAX], der[32];
	struct live *l = live_open(dir, 1 << 20, error);

	assert_non_null(l);
	snprintf(der, sizeof der, "leaf of shard %u", shard);
	SHA256((const uint8_t *)der, strlen(der), sum);
	live_begin(l);
	live_put_cert(l, sum, (const uint8_t *)der, strlen(der));
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
}

static void
put_row(struct sealed *s, unsigned i, bool body, const uint8_t *leaf)
{
	uint8_t bytes[256];
	struct record r;
	struct target t;
	struct head h;

	target_of(i, &t);
	h = help_head(&t, OUTCOME_COMPLETED, 1, 1000000 + i);
	h.change = CHANGE_NEW;
	memcpy(h.leaf, leaf, SHA256_LEN);
	record_init(&r, bytes, sizeof bytes);
	record_put(&r, TAG_GREETING, &i, sizeof i);
	record_put(&r, TAG_CHAIN, leaf, SHA256_LEN);
	if (body)
		assert_int_equal(sealed_body(s, &t, r.body, r.len), 0);
	else
		assert_int_equal(sealed_head(s, &t, &h), 0);
}

static void
info_of(struct sweep_info *info, unsigned shard, unsigned rows)
{
	struct account *a = &info->account;

	*info = (struct sweep_info){ .version = STORE_VERSION,
		.end_us = 60000000 + shard,
		.balanced = 1,
		.rate = 1000,
		.sensor = "test" };
	info->sweep.start_us = 1000000 - shard;
	info->sweep.seed = 7;
	info->sweep.n = N;
	info->sweep.shard = shard;
	info->sweep.shards = SHARDS;
	info->sweep.threads = 1;
	info->changes[CHANGE_NEW] = rows - 1;
	snprintf(info->sweep.id, sizeof info->sweep.id,
	    "20261121T02000%uZ-test", shard);
	a->incarnations = 1;
	a->index_total = a->counted[SEND_SENT] = N / SHARDS;
	a->events[STAT_SEND_PASSED] = a->events[STAT_SEND_SENT_N] = N / SHARDS;
	a->rows = a->rows_new = rows;
	a->events[STAT_STORE_RECEIVED] = a->events[STAT_STORE_NEW] = rows;
	a->outcomes[OUTCOME_COMPLETED] = rows - 1;
	a->outcomes[OUTCOME_SILENT] = 1;
	a->without_answer = N / SHARDS - rows;
}

/* Target i is in shard i % SHARDS; the last shard has shard 0's first too. */
static void
make_shard(unsigned shard, bool overlap)
{
	char dir[128], sub[160], error[STORE_ERROR_MAX];
	uint8_t leaf[SHA256_LEN], key[PHANTOM_KEY_LEN];
	struct sweep_info info;
	struct target silent;
	struct sealed *s;
	unsigned rows = 1;

	shard_dir(dir, shard);
	snprintf(sub, sizeof sub, "%s/sealed", dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkdir(sub, 0755), 0);
	put_cert(dir, shard, leaf);
	info_of(&info, shard, 1);
	s = sealed_new(dir, info.sweep.id, error);
	assert_non_null(s);
	for (unsigned i = 0; i < ROWS; i++)
		if (i % SHARDS == shard || (overlap && i == 0)) {
			put_row(s, i, false, leaf);
			rows++;
		}
	for (unsigned i = 0; i < ROWS; i++)
		if (i % SHARDS == shard || (overlap && i == 0))
			put_row(s, i, true, leaf);
	target_of(100 + shard, &silent);
	assert_int_equal(sealed_silent(s, &silent, shard), 0);
	if (shard == 1) { /* the others' targets are phantoms by it as well */
		phantom_key(&silent.addr, PHANTOM_NETWORK, key);
		assert_int_equal(sealed_phantom(s, key), 0);
	}
	info_of(&info, shard, rows);
	assert_int_equal(sealed_finish(s, &info), 0);
	assert_int_equal(catalog_put(dir, &info, error), 0);
}

static void
make_all(bool overlap)
{
	help_directory(top);
	for (unsigned i = 0; i < SHARDS; i++)
		make_shard(i, overlap && i == SHARDS - 1);
}

static void
add(struct shards *s, unsigned shard)
{
	char dir[128], error[STORE_ERROR_MAX];

	shard_dir(dir, shard);
	if (shards_add(s, dir, error) != 0)
		fail_msg("%s", error);
}

static void
tell(const char *line, void *arg)
{
	(void)arg;
	print_message("%s\n", line);
}

static uint64_t
wrong_in(const char *dir, const char *id)
{
	struct check c = { .datadir = dir, .tell = tell };

	check_catalog(&c);
	check_certs(&c);
	check_sweep(&c, id);
	return c.wrong;
}

static void
merged(bool overlap, struct sweep_info *info)
{
	struct shards *s = shards_new();
	char out[128], error[STORE_ERROR_MAX];
	unsigned shard, of;

	make_all(overlap);
	for (unsigned i = SHARDS; i-- > 0;)
		add(s, i);
	assert_false(shards_missing(s, &shard, &of));
	snprintf(out, sizeof out, "%s/out", top);
	if (shards_merge(s, out, info, error) != 0)
		fail_msg("%s", error);
	shards_free(s);
	assert_int_equal(wrong_in(out, info->sweep.id), 0);
}

static void
test_all(void **state)
{
	char out[128], error[STORE_ERROR_MAX];
	struct sweep_info info;
	struct store_scan *scan;
	struct target t, want;
	const uint8_t *der;
	struct store *s;
	struct head h;
	unsigned i = 0;
	uint64_t when;
	size_t len;

	(void)state;
	merged(false, &info);
	assert_int_equal(info.account.rows, ROWS + SHARDS);
	assert_int_equal(info.account.index_total, N);
	assert_int_equal(info.account.without_answer, N - ROWS - SHARDS);
	assert_int_equal(info.silent_phantoms, SHARDS);
	assert_int_equal(info.sweep.start_us, 1000000 - (SHARDS - 1));
	assert_int_equal(info.end_us, 60000000 + SHARDS - 1);
	assert_int_equal(info.rate, SHARDS * 1000);
	assert_int_equal(info.sweep.shards, 1);
	assert_true(info.balanced);
	assert_string_equal(info.sweep.id, "20261121T020000Z-test");
	snprintf(out, sizeof out, "%s/out", top);
	s = store_open(out, NULL, error);
	assert_non_null(s);
	assert_sealed_tables(s);
	scan = store_scan_new(s);
	for (; store_scan_next(scan, &t, &h); i++) {
		target_of(i, &want);
		assert_int_equal(addr_cmp(&t.addr, &want.addr), 0);
		assert_true(h.findings & 1u << FINDING_PHANTOM);
		assert_true(store_cert(s, h.leaf, &der, &len));
		assert_int_equal(der[len - 1], '0' + i % SHARDS);
	}
	assert_int_equal(i, ROWS);
	store_scan_free(scan);
	target_of(102, &t);
	assert_true(store_is_silent(s, &t, &when));
	assert_int_equal(when, info.sweep.start_us + UINT64_C(2000000));
	store_close(s);
	help_remove(top);
}

static void
test_twice(void **state)
{
	struct sweep_info info;

	(void)state;
	merged(true, &info);
	assert_int_equal(info.account.rows, ROWS + SHARDS);
	assert_int_equal(info.account.rows_new, ROWS + SHARDS);
	assert_int_equal(info.account.events[STAT_STORE_REPLACED], 1);
	assert_true(info.balanced);
	help_remove(top);
}

static void
test_refused(void **state)
{
	struct shards *s = shards_new();
	char dir[128], error[STORE_ERROR_MAX];
	struct sweep_info info;
	unsigned shard, of;

	(void)state;
	make_all(false);
	add(s, 0);
	add(s, 2);
	assert_true(shards_missing(s, &shard, &of));
	assert_int_equal(shard, 1);
	assert_int_equal(of, SHARDS);
	shard_dir(dir, 2);
	assert_int_equal(shards_add(s, dir, error), -1);
	assert_non_null(strstr(error, "shard 2 of 4, as "));
	assert_int_equal(shards_merge(s, dir, &info, error), -1);
	assert_non_null(strstr(error, "another directory"));
	assert_int_equal(shards_add(s, "/nonexistent", error), -1);
	assert_int_equal(shards_add(s, "/dev/null", error), -1);
	assert_non_null(strstr(error, "expected a data directory"));
	snprintf(
	    dir, sizeof dir, "%s/shard1/sealed/20261121T020001Z-test.mdb", top);
	assert_int_equal(shards_add(s, dir, error), 0);
	shards_free(s);
	help_remove(top);
}

static void
test_digests(void **state)
{
	struct digest_set s = { 0 };
	uint8_t d[SHA256_LEN] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		d[i % 3] = (uint8_t)(i * 7 % 5);
		assert_int_equal(digest_set_add(&s, d), 0);
	}
	digest_set_settle(&s);
	assert_true(s.n > 1 && s.n <= 125);
	for (size_t i = 1; i < s.n; i++)
		assert_true(memcmp(s.v[i - 1], s.v[i], SHA256_LEN) < 0);
	assert_true(s.cap < 10000);
	digest_set_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
