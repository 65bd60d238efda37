/*
 * test_power.c: the power fails at any moment of a sweep. Of what was written
 * since the last fdatasync(2) each page is old or new, drawn at random; what is
 * left is opened as after a reboot and must be a whole transaction, the last
 * one or the one before (MDB_NOMETASYNC).
 */
#include <sys/stat.h>
#include <sys/syscall.h>
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

#include "engine/conf.h"
#include "storage/begin.h"
#include "storage/check.h"
#include "test/unit/store_help.h"

enum {
	PAGE = 4096,
	FILES = 2,
	FILE_MAX = 8 << 20,
	COMMITS = 40, /* so many seconds of a sweep */
	ROWS = 12, /* new in each */
	IMAGES = 4, /* of the disk at each fdatasync, and after each commit */
	WATCHDOG_S = 20
};

/* A file as it was when it was last synced, and as it is. */
struct disk_file {
	const char *name;
	uint8_t *synced, *now, *cut;
	size_t nsynced, nnow;
};

static struct disk_file files[FILES] = { { .name = "live/data.mdb" },
	{ .name = "certs.mdb" } };
static char directory[64], other[64];
static bool armed;
static unsigned committed, images, broken;
static struct sweep_info info;

static size_t
load(const char *name, uint8_t *bytes)
{
	char path[160];
	size_t n = 0;
	ssize_t r;
	int fd;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	while ((r = pread(fd, bytes + n, FILE_MAX - n, (off_t)n)) > 0)
		n += (size_t)r;
	close(fd);
	assert_true(n < FILE_MAX);
	return n;
}

static void
save(const char *name, const uint8_t *bytes, size_t len)
{
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s/%s", other, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* share: of the pages that reached the disk, out of a hundred. */
static void
cut(struct disk_file *f, long share)
{
	memcpy(f->cut, f->now, f->nnow);
	for (size_t at = 0; at < f->nnow; at += PAGE) {
		if (random() % 100 < share)
			continue;
		if (at < f->nsynced)
			memcpy(f->cut + at, f->synced + at, PAGE);
		else
			memset(f->cut + at, 0, PAGE);
	}
	save(f->name, f->cut, f->nnow);
}

static void
tell(const char *line, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static unsigned
count_rows(struct store *s)
{
	struct store_scan *scan = store_scan_new(s);
	struct target t;
	struct head h;
	unsigned n = 0;

	while (store_scan_next(scan, &t, &h))
		n++;
	store_scan_free(scan);
	return n;
}

/* In a process of its own: a broken tree is free to end it. */
static int
look(unsigned least)
{
	char error[STORE_ERROR_MAX];
	struct check c = { .datadir = other, .tell = tell };
	struct store *s = store_open(other, "live", error);
	unsigned settled;

	if (s == NULL) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	settled = (unsigned)store_info(s)->sweep.position[0];
	if (settled < least || settled > least + 2 ||
	    count_rows(s) != settled * ROWS) {
		fprintf(stderr, "%u rows, %u seconds settled, %u at least\n",
		    count_rows(s), settled, least);
		return 1;
	}
	store_close(s);
	check_certs(&c);
	check_sweep(&c, "live");
	return c.wrong > 0;
}

static void
the_power_fails(void)
{
	static const long shares[IMAGES] = { 50, 90, 10, 0 };
	unsigned least = committed == 0 ? 0 : committed - 1;
	int status;
	pid_t pid;

	for (unsigned i = 0; i < FILES; i++)
		files[i].nnow = load(files[i].name, files[i].now);
	for (unsigned k = 0; k < IMAGES; k++) {
		for (unsigned i = 0; i < FILES; i++)
			cut(&files[i], shares[k]);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			alarm(WATCHDOG_S);
			_exit(look(least));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		images++;
		broken += status != 0;
	}
}

static struct disk_file *
file_of(int fd)
{
	char path[160];
	struct stat its, st;

	assert_int_equal(fstat(fd, &its), 0);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, files[i].name);
		assert_int_equal(stat(path, &st), 0);
		if (st.st_ino == its.st_ino)
			return &files[i];
	}
	return NULL;
}

/* LMDB's own calls come here. */
int
fdatasync(int fd)
{
	struct disk_file *f;
	long r;

	if (armed)
		the_power_fails();
	r = syscall(SYS_fdatasync, fd);
	f = armed ? file_of(fd) : NULL;
	if (f != NULL)
		f->nsynced = load(f->name, f->synced);
	return (int)r;
}

/* Meta pages are written so, and are on the disk when it was by O_DSYNC. */
ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t r = syscall(SYS_pwrite64, fd, bytes, len, at);
	struct disk_file *f = NULL;

	if (armed && r > 0 && (fcntl(fd, F_GETFL) & O_DSYNC) != 0)
		f = file_of(fd);
	if (f != NULL && (size_t)at + (size_t)r <= f->nsynced)
		memcpy(f->synced + at, bytes, (size_t)r);
	return r;
}

/* One of many: each has a certificate of its own, and every fourth changes. */
static void
put_row(struct live *l, unsigned i, unsigned second)
{
	char addr[32], der[900];
	uint8_t bytes[2048], sum[SHA256_LEN];
	struct target t;
	struct head h;
	struct record r;

	snprintf(addr, sizeof addr, "192.0.%u.%u", i / 200, i % 200);
	memset(der, 'a' + (int)(i % 26), sizeof der);
	memcpy(der, addr, sizeof addr);
	SHA256((const uint8_t *)der, sizeof der, sum);
	live_put_cert(l, sum, (const uint8_t *)der, sizeof der);
	t = help_target(addr, 110);
	h = help_head(&t, OUTCOME_COMPLETED, second & 3, second);
	memcpy(h.leaf, sum, sizeof h.leaf);
	record_init(&r, bytes, sizeof bytes);
	record_put(&r, TAG_GREETING, der, 200 + i % 600);
	record_put(&r, TAG_CHAIN, sum, sizeof sum);
	live_put_row(l, &h, r.body, r.len);
}

static void
one_second(struct live *l, unsigned second)
{
	struct ledger ledger = { .settled = second };
	struct pending p = { .attempt = 1 };
	struct target t = help_target("198.51.100.1", 110);

	live_begin(l);
	for (unsigned i = 0; i < ROWS; i++)
		put_row(l, (second - 1) * ROWS + i, second);
	for (unsigned i = 0; i < second * ROWS; i += 4)
		put_row(l, i, second);
	t.port = (uint16_t)second;
	live_pending_put(l, &t, &p);
	t.port -= 3;
	live_pending_delete(l, &t);
	info.sweep.position[0] = second;
	live_put_info(l, &info, &ledger);
	assert_int_equal(live_commit(l), LIVE_DONE);
	committed = second;
	the_power_fails();
}

static void
test_power(void **state)
{
	char error[STORE_ERROR_MAX], live[128];
	struct role_args args;
	struct conf conf;
	struct live *l;

	(void)state;
	srandom(1);
	help_directory(directory);
	help_directory(other);
	snprintf(live, sizeof live, "%s/live", other);
	assert_int_equal(mkdir(live, 0700), 0);
	help_args(&args, &conf);
	conf.map_size = FILE_MAX;
	l = sweep_begin(&args, directory, &info, error);
	assert_non_null(l);
	sync();
	for (unsigned i = 0; i < FILES; i++) {
		files[i].synced = calloc(1, FILE_MAX);
		files[i].now = calloc(1, FILE_MAX);
		files[i].cut = calloc(1, FILE_MAX);
		files[i].nsynced = load(files[i].name, files[i].synced);
	}
	armed = true;
	for (unsigned second = 1; second <= COMMITS; second++)
		one_second(l, second);
	armed = false;
	live_close(l);
	for (unsigned i = 0; i < FILES; i++) {
		free(files[i].synced);
		free(files[i].now);
		free(files[i].cut);
	}
	help_args_free(&args);
	help_remove(directory);
	help_remove(other);
	assert_true(images >= COMMITS * 3 * IMAGES);
	assert_int_equal(broken, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_power) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
