/* test_builder.c: what builder.c writes is an environment to LMDB itself. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lmdb.h>

#include "storage/builder.h"

enum { KEY_CAP = 64, VALUE_CAP = 70000, MANY = 200000 };

static char path[64];
static int fd;
static uint8_t value[VALUE_CAP];

static int
set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/test_builder.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(fd);
	return unlink(path);
}

static uint64_t
mixed(uint64_t n)
{
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	return n ^ n >> 27;
}

/* Row n has a key of 8 to 50 bytes, and bytes of any length up to `most`. */
static size_t
key_of(uint64_t n, uint8_t key[KEY_CAP])
{
	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t)(n >> (56 - 8 * i));
	memset(key + 8, (int)mixed(n) & 0xff, KEY_CAP - 8);
	return 8 + mixed(n) % 43;
}

static size_t
value_of(uint64_t n, size_t most)
{
	size_t len = most > 0 ? mixed(n + 1) % (most + 1) : 0;

	memset(value, (int)mixed(n + 2) & 0xff, len);
	if (len > 0)
		value[len - 1] = (uint8_t)n;
	return len;
}

static void
put_rows(struct builder_table *t, uint64_t n, size_t most)
{
	uint8_t key[KEY_CAP];

	for (uint64_t i = 0; i < n; i++) {
		size_t key_len = key_of(i, key), len = value_of(i, most);

		assert_int_equal(builder_put(t, key, key_len, value, len), 0);
	}
}

static MDB_env *
open_env(unsigned flags)
{
	MDB_env *env;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
	assert_int_equal(
	    mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags, 0600),
	    0);
	return env;
}

static void
assert_rows(MDB_txn *txn, const char *name, uint64_t n, size_t most)
{
	uint8_t wanted[KEY_CAP];
	MDB_val key, data;
	MDB_cursor *c;
	MDB_dbi dbi;
	MDB_stat st;

	assert_int_equal(mdb_dbi_open(txn, name, 0, &dbi), 0);
	assert_int_equal(mdb_stat(txn, dbi, &st), 0);
	assert_int_equal(st.ms_entries, n);
	assert_int_equal(mdb_cursor_open(txn, dbi, &c), 0);
	for (uint64_t i = 0; i < n; i++) {
		size_t len = value_of(i, most);

		assert_int_equal(mdb_cursor_get(c, &key, &data, MDB_NEXT), 0);
		assert_int_equal(key.mv_size, key_of(i, wanted));
		assert_memory_equal(key.mv_data, wanted, key.mv_size);
		assert_int_equal(data.mv_size, len);
		assert_memory_equal(data.mv_data, value, len);
	}
	assert_int_equal(
	    mdb_cursor_get(c, &key, &data, MDB_NEXT), MDB_NOTFOUND);
	mdb_cursor_close(c);
	/* By search as well: the branches lead where they say. */
	for (uint64_t i = 0; i < n; i += 1 + n / 5000) {
		key.mv_size = key_of(i, wanted);
		key.mv_data = wanted;
		assert_int_equal(mdb_get(txn, dbi, &key, &data), 0);
		assert_int_equal(data.mv_size, value_of(i, most));
	}
}

/* LMDB copies what is in use, and insists that each page is accounted for. */
static void
assert_whole(MDB_env *env)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_true(null >= 0);
	assert_int_equal(mdb_env_copyfd2(env, null, MDB_CP_COMPACT), 0);
	close(null);
}

static void
finish(struct builder *b)
{
	struct trailer_sums sums;

	assert_int_equal(builder_finish(b, &sums), 0);
	assert_int_equal(trailer_write(fd, &sums), 0);
	builder_free(b);
	/* The sums that were made on the way are those of the file. */
	assert_int_equal(trailer_verify(path, NULL, NULL), TRAILER_GOOD);
}

static void
round_trip(uint64_t n, size_t most)
{
	struct builder *b = builder_new(fd);
	struct builder_table *t = builder_table(b, "rows");
	MDB_env *env;
	MDB_txn *txn;

	assert_int_equal(ftruncate(fd, 0), 0);
	put_rows(t, n, most);
	finish(b);
	env = open_env(MDB_RDONLY);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_rows(txn, "rows", n, most);
	mdb_txn_abort(txn);
	assert_whole(env);
	mdb_env_close(env);
}

static void
test_sizes(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 300; n++)
		round_trip(n, 100);
	for (uint64_t n = 300; n < 20000; n += 733)
		round_trip(n, 60);
}

/* Where a value goes into pages of its own, and one of many pages. */
static void
test_long_values(void **state)
{
	(void)state;
	round_trip(3000, 2100);
	round_trip(1500, 9000);
	round_trip(40, VALUE_CAP - 1);
}

static void
test_deep(void **state)
{
	(void)state;
	round_trip(MANY, 0);
	round_trip(MANY, 400);
}

/* Several in turns, named in no order; one has nothing. */
static void
test_tables(void **state)
{
	struct builder *b = builder_new(fd);
	struct builder_table *heads = builder_table(b, "heads"),
			     *bodies = builder_table(b, "bodies"),
			     *gone = builder_table(b, "gone");
	uint8_t key[KEY_CAP];
	MDB_env *env;
	MDB_txn *txn;

	(void)state;
	assert_non_null(gone);
	for (uint64_t i = 0; i < MANY; i++) {
		size_t key_len = key_of(i, key);

		assert_int_equal(
		    builder_put(heads, key, key_len, value, value_of(i, 200)),
		    0);
		if (i % 3 == 0)
			continue;
		key_len = key_of(i / 3 * 2 + i % 3 - 1, key);
		assert_int_equal(builder_put(bodies, key, key_len, value,
				     value_of(i / 3 * 2 + i % 3 - 1, 1500)),
		    0);
	}
	finish(b);
	env = open_env(MDB_RDONLY);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_rows(txn, "heads", MANY, 200);
	assert_rows(txn, "bodies", MANY / 3 * 2 + MANY % 3 / 2, 1500);
	assert_rows(txn, "gone", 0, 0);
	mdb_txn_abort(txn);
	assert_whole(env);
	mdb_env_close(env);
}

/* LMDB goes on where we have ended, and takes the pages that are free. */
static void
test_written_on(void **state)
{
	struct builder *b = builder_new(fd);
	uint8_t key[KEY_CAP];
	MDB_val k = { 0, key }, v = { 3, "new" };
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	(void)state;
	put_rows(builder_table(b, "rows"), 5000, 900);
	finish(b);
	env = open_env(0);
	assert_int_equal(mdb_env_set_mapsize(env, 64 << 20), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "rows", 0, &dbi), 0);
	for (uint64_t i = 0; i < 5000; i += 2) {
		k.mv_size = key_of(i, key);
		assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (uint64_t i = 0; i < 5000; i += 2) {
		k.mv_size = key_of(i, key);
		assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	assert_whole(env);
	mdb_env_close(env);
}

static void
test_order(void **state)
{
	struct builder *b = builder_new(fd);
	struct builder_table *t = builder_table(b, "rows");
	char long_key[BUILDER_KEY_MAX + 1] = "z";

	(void)state;
	assert_int_equal(builder_put(t, "b", 1, "", 0), 0);
	errno = 0;
	assert_int_equal(builder_put(t, "a", 1, "", 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(builder_put(t, "b", 1, "", 0), -1);
	assert_int_equal(builder_put(t, "", 0, "", 0), -1);
	assert_int_equal(builder_put(t, long_key, sizeof long_key, "", 0), -1);
	assert_int_equal(builder_put(t, "ba", 2, "", 0), 0);
	builder_free(b);
}

/* Nothing may be lost unsaid when the disk is full. */
static void
test_full(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct builder *b = builder_new(full);
	struct builder_table *t = builder_table(b, "rows");
	struct trailer_sums sums;
	uint8_t key[KEY_CAP];
	int rc = 0;

	(void)state;
	assert_true(full >= 0);
	for (uint64_t i = 0; rc == 0 && i < 5000; i++) {
		size_t len = key_of(i, key);

		rc = builder_put(t, key, len, value, 1000);
	}
	assert_int_equal(rc, -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(builder_finish(b, &sums), -1);
	builder_free(b);
	close(full);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_sizes),
		EACH(test_long_values),
		EACH(test_deep),
		EACH(test_tables),
		EACH(test_written_on),
		EACH(test_order),
		EACH(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
