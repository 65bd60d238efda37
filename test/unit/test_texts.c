/* test_texts.c: bodies of a sweep that is running, as they came and by row. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lmdb.h>

#include "storage/info.h"
#include "storage/layout.h"
#include "storage/check.h"
#include "storage/rowsum.h"
#include "storage/runs.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"

enum { MAP = 256 << 20, HOSTS = 20000, NIGHTS = 16, TEXT_CAP = 256 };

static const uint16_t ports[] = { 25, 110, 143 };
enum { PORTS = sizeof ports / sizeof ports[0] };

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

static struct live *
open_live(void)
{
	struct live *l = live_open(dir, MAP, error);
	struct sweep_info info = { .version = STORE_VERSION,
		.sweep = { .id = "20261121T020000Z-test", .threads = 1 } };
	char text[INFO_TEXT_MAX];

	if (l == NULL)
		fail_msg("%s", error);
	live_begin(l);
	live_meta_put(l, META_INFO, text, info_write(&info, true, text));
	return l;
}

static struct target
target_of(uint32_t host, unsigned port)
{
	return (struct target){ .addr = addr_from4(0x0a000000 + host),
		.port = ports[port] };
}

/* A greeting that names its target, and how often it was said. */
static uint32_t
text_of(const struct target *t, unsigned time, uint8_t text[TEXT_CAP])
{
	struct record r;
	char line[TEXT_CAP / 2], name[TARGET_TEXT_MAX];

	record_init(&r, text, TEXT_CAP);
	snprintf(line, sizeof line, "+OK %s %u", target_text(t, name), time);
	assert_int_equal(record_put(&r, TAG_GREETING, line, strlen(line)), 0);
	return r.len;
}

static void
put(struct live *l, const struct target *t, unsigned time)
{
	struct head h = help_head(t, OUTCOME_COMPLETED, 0, 1000 + time);
	uint8_t text[TEXT_CAP];

	live_put_row(l, &h, text, text_of(t, time, text));
}

static void
assert_text(
    const struct target *t, unsigned time, const uint8_t *body, uint32_t len)
{
	uint8_t text[TEXT_CAP];

	assert_int_equal(len, text_of(t, time, text));
	assert_memory_equal(body, text, len);
}

/* Every nth of all hosts, as a second of a sweep, ports in no order. */
static void
put_night(struct live *l, uint32_t night, unsigned time)
{
	static const unsigned turn[PORTS] = { 1, 0, 2 };

	for (uint32_t host = night; host < HOSTS; host += NIGHTS)
		for (unsigned p = 0; p < PORTS; p++) {
			struct target t = target_of(host, turn[p]);

			put(l, &t, time);
		}
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_begin(l);
}

static struct live *
put_all(void)
{
	struct live *l = open_live();

	for (uint32_t night = 0; night < NIGHTS; night++)
		put_night(l, night, 0);
	return l;
}

/* In key order, each with its own. */
static void
assert_all(unsigned (*time_of)(uint32_t host))
{
	struct store *s = store_open(dir, LAYOUT_LIVE, error);
	struct store_scan *scan;
	const uint8_t *body;
	struct target t, wanted;
	struct head h;
	uint32_t len;

	assert_non_null(s);
	scan = store_scan_new(s);
	for (uint32_t host = 0; host < HOSTS; host++)
		for (unsigned p = 0; p < PORTS; p++) {
			wanted = target_of(host, p);
			assert_true(store_scan_next(scan, &t, &h));
			assert_int_equal(target_cmp(&t, &wanted), 0);
			assert_int_equal(h.first_seen_us, 0);
			assert_true(store_scan_body(scan, &body, &len));
			assert_text(&t, time_of(host), body, len);
		}
	assert_false(store_scan_next(scan, &t, &h));
	store_scan_free(scan);
	/* And one at a time, from the end. */
	for (uint32_t host = HOSTS; host > 0; host -= host < 97 ? host : 97) {
		t = target_of(host - 1, 2);
		assert_true(store_get(s, &t, &h, &body, &len));
		assert_text(&t, time_of(host - 1), body, len);
	}
	assert_int_equal(store_damaged(s), 0);
	store_close(s);
}

static void
tell(const char *line, void *arg)
{
	(void)arg;
	print_message("%s\n", line);
}

static uint64_t
wrong(void)
{
	struct check c = { .datadir = dir, .tell = tell };

	check_sweep(&c, LAYOUT_LIVE);
	return c.wrong;
}

static unsigned
never_again(uint32_t host)
{
	(void)host;
	return 0;
}

static void
test_in_key_order(void **state)
{
	(void)state;
	live_close(put_all());
	assert_all(never_again);
	assert_int_equal(wrong(), 0);
}

static unsigned
some_again(uint32_t host)
{
	return host % NIGHTS == 3 || host % NIGHTS == 4 ? 7 : 0;
}

/* A better row takes the place of a worse: one body a row is left. */
static void
test_replaced(void **state)
{
	struct live *l = put_all();
	uint8_t text[BODY_MAX];
	struct target t = target_of(4, 1);

	(void)state;
	put_night(l, 3, 7);
	put_night(l, 4, 7);
	assert_text(&t, 7, text, live_body(l, &t, text, sizeof text));
	live_close(l);
	assert_all(some_again);
	assert_int_equal(wrong(), 0);
}

static off_t
size_of_file(void)
{
	char path[LAYOUT_PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%s/" LAYOUT_LIVE "/data.mdb", dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* It has begun to read when it dies, as `mailsweep dump live | head` does. */
static void
reader_is_killed(void)
{
	pid_t reader = fork();
	int status;

	if (reader == 0) {
		if (store_open(dir, LAYOUT_LIVE, error) != NULL)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_true(WIFSIGNALED(status));
}

/* What is written anew after that takes the place of what it read. */
static void
test_reader_killed(void **state)
{
	struct live *l = put_all();
	off_t before;

	(void)state;
	for (unsigned i = 0; i < 2 * NIGHTS; i++)
		put_night(l, i % NIGHTS, 1);
	before = size_of_file();
	reader_is_killed();
	for (unsigned i = 0; i < 2 * NIGHTS; i++)
		put_night(l, i % NIGHTS, 2);
	assert_in_range(size_of_file(), before, before + before / 2);
	live_close(l);
}

/* The head is written again without its body: that stays. */
static void
test_head_alone(void **state)
{
	struct live *l = put_all();
	struct target t = target_of(77, 0);
	struct head h;

	(void)state;
	assert_int_equal(live_row(l, &t, &h), LIVE_HEAD);
	h.confirmed++;
	live_put_head(l, &h);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	assert_all(never_again);
}

/* What an aborted transaction had numbered is numbered again. */
static void
test_aborted(void **state)
{
	struct live *l = open_live();

	(void)state;
	put_night(l, 0, 0);
	for (uint32_t host = 1; host < HOSTS; host += NIGHTS) {
		struct target t = target_of(host, 0);

		put(l, &t, 9);
	}
	live_abort(l);
	live_begin(l);
	for (uint32_t night = 1; night < NIGHTS; night++)
		put_night(l, night, 0);
	live_close(l);
	assert_all(never_again);
	assert_int_equal(wrong(), 0);
}

static MDB_env *
open_env(MDB_txn **txn)
{
	MDB_env *env;
	char path[LAYOUT_PATH_MAX];

	snprintf(path, sizeof path, "%s/" LAYOUT_LIVE, dir);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, LAYOUT_DATABASES), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, txn), 0);
	return env;
}

static size_t
rows_of(const char *name)
{
	MDB_txn *txn;
	MDB_env *env = open_env(&txn);
	MDB_dbi dbi;
	MDB_stat st;

	assert_int_equal(mdb_dbi_open(txn, name, 0, &dbi), 0);
	assert_int_equal(mdb_stat(txn, dbi, &st), 0);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return st.ms_entries;
}

/* Who wants to be left out leaves no body behind. */
static void
test_purged(void **state)
{
	struct live *l = put_all();
	struct ranges *set = ranges_new();
	struct purge_at at = { 0 };
	const char *expected;
	uint64_t rows, all = 0;

	(void)state;
	assert_int_equal(ranges_add_text(set, "10.0.0.0/20", &expected), 0);
	assert_int_equal(ranges_seal(set), 0);
	while (!live_purge(l, set, &at, 1000, &rows))
		all += rows;
	all += rows;
	assert_int_equal(all, 4096 * PORTS);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	ranges_free(set);
	assert_int_equal(rows_of(DB_TEXTS), (HOSTS - 4096) * PORTS);
	assert_int_equal(rows_of(DB_HEADS), (HOSTS - 4096) * PORTS);
	assert_int_equal(wrong(), 0);
}

/* As an earlier version has left it: the body lies under its target. */
static void
put_old(const struct target *t)
{
	uint8_t key[TARGET_KEY_LEN], text[TEXT_CAP],
	    stored[TEXT_CAP + BODY_SUM_LEN];
	struct head h = help_head(t, OUTCOME_BROKEN, 0, 1000);
	uint32_t len = text_of(t, 0, text);
	MDB_val k = { sizeof key, key }, head = { sizeof h, &h },
		body = { len + BODY_SUM_LEN, stored };
	MDB_txn *txn;
	MDB_env *env = open_env(&txn);
	MDB_dbi heads, bodies;

	target_pack(t, key);
	head_sum_set(key, &h);
	body_sum_write(key, text, len, stored);
	assert_int_equal(mdb_dbi_open(txn, DB_HEADS, 0, &heads), 0);
	assert_int_equal(mdb_dbi_open(txn, DB_BODIES, 0, &bodies), 0);
	assert_int_equal(mdb_put(txn, heads, &k, &head, 0), 0);
	assert_int_equal(mdb_put(txn, bodies, &k, &body, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
test_of_an_earlier_version(void **state)
{
	struct target t = target_of(5, 1);
	struct live *l = open_live();
	uint8_t text[BODY_MAX];
	const uint8_t *body;
	struct store *s;
	struct head h;
	uint32_t len;

	(void)state;
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	put_old(&t);
	s = store_open(dir, LAYOUT_LIVE, error);
	assert_non_null(s);
	assert_true(store_get(s, &t, &h, &body, &len));
	assert_text(&t, 0, body, len);
	store_close(s);
	l = open_live();
	assert_text(&t, 0, text, live_body(l, &t, text, sizeof text));
	put(l, &t, 1);
	assert_text(&t, 1, text, live_body(l, &t, text, sizeof text));
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	assert_int_equal(rows_of(DB_BODIES), 0);
	assert_int_equal(rows_of(DB_TEXTS), 1);
	assert_int_equal(wrong(), 0);
}

/* ... in one transaction, so that no page is free; the map ends with it. */
static void
fill_old(void)
{
	static const char *const old[] = { DB_HEADS, DB_BODIES, DB_SILENT,
		DB_PENDING, DB_QUEUE, DB_WANTED, DB_NAMES, DB_PHANTOMS,
		DB_META };
	char path[LAYOUT_PATH_MAX], page[4000] = "";
	uint32_t n = 0;
	MDB_val k = { sizeof n, &n }, v = { sizeof page, page };
	MDB_txn *txn;
	MDB_env *env;
	MDB_dbi dbi;

	snprintf(path, sizeof path, "%s/" LAYOUT_LIVE, dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, LAYOUT_DATABASES), 0);
	assert_int_equal(mdb_env_set_mapsize(env, MAP), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
		assert_int_equal(
		    mdb_dbi_open(txn, old[i], MDB_CREATE, &dbi), 0);
	for (; n < 1000; n++)
		assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
test_of_an_earlier_version_full(void **state)
{
	struct live *l;

	(void)state;
	fill_old();
	l = live_open(dir, 1 << 20, error);
	if (l == NULL)
		fail_msg("%s", error);
	live_close(l);
}

/* A head that names a body which is not there, and a body of nobody. */
static void
test_check_says_so(void **state)
{
	struct target t = target_of(5, 1);
	uint8_t key[TARGET_KEY_LEN], text[TEXT_KEY_LEN];
	MDB_val k = { sizeof text, text }, v;
	struct live *l = open_live();
	const uint8_t *body;
	struct store *s;
	struct head h;
	MDB_txn *txn;
	MDB_env *env;
	MDB_dbi dbi;
	uint32_t len;

	(void)state;
	put(l, &t, 0);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	assert_int_equal(wrong(), 0);
	target_pack(&t, key);
	text_key_pack(1, key, text);
	env = open_env(&txn);
	assert_int_equal(mdb_dbi_open(txn, DB_TEXTS, 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
	assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
	text_key_pack(9, key, text);
	assert_int_equal(mdb_put(txn, dbi, &k, &(MDB_val){ 3, "old" }, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_int_equal(wrong(), 2);
	s = store_open(dir, LAYOUT_LIVE, error);
	assert_non_null(s);
	assert_true(store_get(s, &t, &h, &body, &len));
	assert_null(body);
	assert_int_equal(store_damaged(s), 1);
	store_close(s);
}

enum {
	PAGE = 4096,
	PAGE_FLAGS = 10,
	PAGE_BRANCH = 1,
	PAGE_SECOND = 18, /* where its second node is */
	NODE_KEY_LEN = 6
};

/* The second page of each branch of heads is one that is not in the file. */
static void
break_branches(void)
{
	char path[LAYOUT_PATH_MAX];
	uint8_t page[PAGE];
	uint16_t at, len;
	off_t off = 0;
	int fd;

	snprintf(path, sizeof path, "%s/" LAYOUT_LIVE "/data.mdb", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (; pread(fd, page, PAGE, off) == PAGE; off += PAGE) {
		memcpy(&at, page + PAGE_SECOND, sizeof at);
		if (page[PAGE_FLAGS] != PAGE_BRANCH || at > PAGE - 8)
			continue;
		memcpy(&len, page + at + NODE_KEY_LEN, sizeof len);
		if (len == TARGET_KEY_LEN)
			assert_int_equal(
			    pwrite(fd, "\xff\xff\xff\x7f", 4, off + at), 4);
	}
	close(fd);
}

/* Rows behind a page that cannot be read do not go unsaid. */
static void
test_page_damaged(void **state)
{
	struct store_scan *scan;
	struct store *s;
	struct target t;
	struct head h;
	uint32_t n = 0;

	(void)state;
	live_close(put_all());
	break_branches();
	s = store_open(dir, LAYOUT_LIVE, error);
	assert_non_null(s);
	scan = store_scan_new(s);
	while (store_scan_next(scan, &t, &h))
		n++;
	store_scan_free(scan);
	assert_in_range(n, 1, HOSTS * PORTS - 1);
	assert_int_equal(store_damaged(s), 1);
	store_close(s);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_in_key_order),
		EACH(test_replaced),
		EACH(test_reader_killed),
		EACH(test_head_alone),
		EACH(test_aborted),
		EACH(test_purged),
		EACH(test_of_an_earlier_version),
		EACH(test_of_an_earlier_version_full),
		EACH(test_check_says_so),
		EACH(test_page_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
