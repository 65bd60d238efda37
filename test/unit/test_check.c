/* test_check.c: what is damaged is known, and never read as data. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "storage/check.h"
#include "storage/rowsum.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"

/*
 * More than a MiB of rows: what lies in the first one is known by the trailer
 * when the file is opened, and only behind it a row's own sum is all there is.
 */
enum {
	ROWS = 8000,
	A_NET = 200, /* of them in a /24 */
	SILENT = 50,
	FLIPS = 400,
	FIRST = 1 << 20,
	START_US = 1000000
};

#define ID "20261121T020000Z-test"

static struct help_row rows[ROWS];
static struct record bodies[ROWS];
static uint8_t bytes[ROWS][200];
static char directory[64], file[160];

static void
keep_last(const char *line, void *arg)
{
	snprintf(arg, STORE_ERROR_MAX, "%s", line);
}

/* How much is wrong, and what was said last. */
static uint64_t
check_all(char last[STORE_ERROR_MAX])
{
	struct check c = {
		.datadir = directory, .tell = keep_last, .arg = last
	};

	last[0] = '\0';
	check_catalog(&c);
	check_certs(&c);
	check_sweep(&c, ID);
	return c.wrong;
}

static void
put_cert(const uint8_t *der, size_t len, uint8_t sum[SHA256_LEN])
{
	char error[STORE_ERROR_MAX];
	struct live *l = live_open(directory, 1 << 20, error);

	assert_non_null(l);
	SHA256(der, len, sum);
	live_begin(l);
	live_put_cert(l, sum, der, len);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
}

static void
make_row(unsigned i, const uint8_t leaf[SHA256_LEN])
{
	char addr[32];

	snprintf(addr, sizeof addr, "192.0.%u.%u", i / A_NET, i % A_NET);
	rows[i].target = help_target(addr, 110);
	rows[i].head =
	    help_head(&rows[i].target, OUTCOME_COMPLETED, i & 3, START_US + i);
	rows[i].head.change = CHANGE_NEW;
	memcpy(rows[i].head.leaf, leaf, SHA256_LEN);
	record_init(&bodies[i], bytes[i], sizeof bytes[i]);
	record_put(&bodies[i], TAG_GREETING, addr, strlen(addr));
	record_put(&bodies[i], TAG_CHAIN, leaf, SHA256_LEN);
	rows[i].body = &bodies[i];
}

static int
make(void **state)
{
	uint8_t leaf[SHA256_LEN];

	(void)state;
	help_directory(directory);
	put_cert((const uint8_t *)"leaf", 4, leaf);
	for (unsigned i = 0; i < ROWS; i++)
		make_row(i, leaf);
	help_seal(directory, ID, START_US, rows, ROWS, SILENT);
	snprintf(file, sizeof file, "%s/sealed/" ID ".mdb", directory);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	help_remove(directory);
	return 0;
}

static void
flip(off_t at, uint8_t bit)
{
	int fd = open(file, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1u << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static bool
is_as_written(
    const struct target *t, const struct head *h, struct store_scan *scan)
{
	unsigned i = (unsigned)t->addr.b[14] * A_NET + t->addr.b[15];
	struct head want;
	const uint8_t *body;
	uint32_t len;

	if (i >= ROWS || addr_cmp(&t->addr, &rows[i].target.addr) != 0)
		return false;
	want = rows[i].head;
	want.sum = h->sum;
	if (memcmp(h, &want, sizeof want) != 0)
		return false;
	/* A body that is damaged is none. */
	return store_scan_body(scan, &body, &len) &&
	    (body == NULL ||
		(len == bodies[i].len &&
		    memcmp(body, bodies[i].body, len) == 0));
}

static bool
silent_is_as_written(const struct target *t, uint64_t when_us, void *arg)
{
	struct target want = help_target("198.51.100.0", 25);
	bool *good = arg;

	want.addr.b[15] = t->addr.b[15];
	if (addr_cmp(&want.addr, &t->addr) != 0 || t->port != 25 ||
	    when_us != START_US + (uint64_t)t->addr.b[15] * 1000000)
		*good = false;
	return true;
}

/* 0: all that came was as it was written; 1: something was not. */
static int
read_it(void)
{
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(directory, ID, error);
	struct store_scan *scan;
	struct target t;
	struct head h;
	bool good = true;

	if (s == NULL)
		return 0;
	scan = store_scan_new(s);
	while (scan && good && store_scan_next(scan, &t, &h))
		good = is_as_written(&t, &h, scan);
	store_scan_free(scan);
	if (store_each_silent(s, silent_is_as_written, &good) != 0)
		return 0;
	store_close(s);
	return good ? 0 : 1;
}

/* In a process of its own: LMDB may be led astray by a bad page. */
static bool
reads_no_other_data(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* A crash is no wrong datum; no core, no report. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		_exit(read_it());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 1;
}

static void
test_sound(void **state)
{
	char last[STORE_ERROR_MAX];

	(void)state;
	assert_int_equal(check_all(last), 0);
	assert_string_equal(last, "");
	assert_int_equal(read_it(), 0);
}

static void
test_flipped_bits(void **state)
{
	char last[STORE_ERROR_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_size > (off_t)2 * FIRST);
	srandom(1);
	for (unsigned i = 0; i < FLIPS; i++) {
		off_t at = i % 8 == 0 ? random() % FIRST
				      : FIRST + random() % (st.st_size - FIRST);
		uint8_t bit = (uint8_t)(random() & 7);

		flip(at, bit);
		if (check_all(last) == 0)
			fail_msg("bit %u of byte %lld", bit, (long long)at);
		if (!reads_no_other_data())
			fail_msg(
			    "read: bit %u of byte %lld", bit, (long long)at);
		flip(at, bit);
	}
	assert_int_equal(check_all(last), 0);
}

static void
test_cut_short(void **state)
{
	char whole[200], error[STORE_ERROR_MAX], last[STORE_ERROR_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(stat(file, &st), 0);
	snprintf(whole, sizeof whole, "%s.whole", file);
	for (off_t left = st.st_size - 1; left > 0; left -= left / 7 + 1) {
		char copy[420];

		snprintf(copy, sizeof copy, "cp %s %s", file, whole);
		assert_int_equal(system(copy), 0);
		assert_int_equal(truncate(file, left), 0);
		assert_null(store_open(directory, ID, error));
		assert_true(check_all(last) > 0);
		assert_int_equal(rename(whole, file), 0);
	}
	assert_int_equal(check_all(last), 0);
}

static void
test_missing_certificate(void **state)
{
	char path[160], last[STORE_ERROR_MAX];

	(void)state;
	snprintf(path, sizeof path, "%s/certs.mdb", directory);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(check_all(last), CHECK_TELL_MAX + 1);
	assert_string_equal(
	    last, "sealed/" ID ".mdb: bodies: 7950 more of them");
}

static void
test_rows_in_live(void **state)
{
	const uint8_t key[TARGET_KEY_LEN] = { 1 };
	uint8_t value[SILENT_VALUE_LEN], stored[3 + BODY_SUM_LEN];
	uint32_t seconds, len = sizeof stored;

	(void)state;
	silent_write(key, 7, value);
	assert_true(silent_read(key, value, sizeof value, &seconds));
	assert_int_equal(seconds, 7);
	value[0] ^= 1;
	assert_false(silent_read(key, value, sizeof value, &seconds));
	body_sum_write(key, (const uint8_t *)"abc", 3, stored);
	assert_true(body_sum_agrees(key, stored, &len));
	assert_int_equal(len, 3);
	stored[1] ^= 4;
	len = sizeof stored;
	assert_false(body_sum_agrees(key, stored, &len));
	len = BODY_SUM_LEN - 1;
	assert_false(body_sum_agrees(key, stored, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_rows_in_live),
		cmocka_unit_test(test_missing_certificate),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
