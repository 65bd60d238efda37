/* test_live.c: the sweep that runs: rows, growth, and what a kill leaves. */
#include <sys/mount.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/info.h"
#include "storage/layout.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"

enum { MAP = 1 << 20, BODY = 3000 };

static char dir[64], error[STORE_ERROR_MAX];

static struct live *
open_live(void)
{
	struct live *l = live_open(dir, MAP, error);

	if (l == NULL)
		fail_msg("%s", error);
	return l;
}

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

/* live/ is a sweep for readers once it says which. */
static void
put_info(struct live *l, uint64_t position)
{
	struct sweep_info info = { .version = STORE_VERSION,
		.sweep = { .id = "20261121T020000Z-test", .threads = 1 } };
	char text[INFO_TEXT_MAX];

	info.sweep.position[0] = position;
	live_meta_put(l, META_INFO, text, info_write(&info, true, text));
}

static struct head
head_of(const struct target *t, enum outcome outcome)
{
	return help_head(t, outcome, 0, 1000);
}

static void
test_one_row_a_target(void **state)
{
	struct live *l = open_live();
	struct target t = help_target("192.0.2.1", 110);
	struct head h = head_of(&t, OUTCOME_BROKEN), got;

	(void)state;
	live_begin(l);
	put_info(l, 0);
	assert_int_equal(live_row(l, &t, &got), LIVE_NO_ROW);
	assert_true(live_put_silent(l, &t, 7));
	assert_false(live_put_silent(l, &t, 8));
	assert_int_equal(live_row(l, &t, &got), LIVE_SILENT);
	/* A head takes the bare key's place, and no bare key a head's. */
	assert_false(live_put_row(l, &h, (const uint8_t *)"body", 4));
	assert_int_equal(live_row(l, &t, &got), LIVE_HEAD);
	assert_false(live_put_silent(l, &t, 9));
	assert_int_equal(live_row(l, &t, &got), LIVE_HEAD);
	assert_int_equal(got.outcome, OUTCOME_BROKEN);
	/* Worse: stays. Better: replaced, its body with it. */
	h.outcome = OUTCOME_RESET;
	assert_false(live_put_row(l, &h, NULL, 0));
	live_row(l, &t, &got);
	assert_int_equal(got.outcome, OUTCOME_BROKEN);
	h.outcome = OUTCOME_COMPLETED;
	assert_false(live_put_row(l, &h, NULL, 0));
	live_row(l, &t, &got);
	assert_int_equal(got.outcome, OUTCOME_COMPLETED);
	t.port = 143;
	h.port = 143;
	assert_true(live_put_row(l, &h, NULL, 0));
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
}

static void
test_read_back(void **state)
{
	struct live *l = open_live();
	struct target t = help_target("2001:db8::7", 25);
	struct head h = head_of(&t, OUTCOME_COMPLETED), got;
	const uint8_t *body, *der;
	struct store *s;
	uint64_t when;
	uint32_t len;
	size_t der_len;

	(void)state;
	live_begin(l);
	put_info(l, 0);
	live_put_row(l, &h, (const uint8_t *)"body", 4);
	live_put_cert(l, (const uint8_t *)"0123456789abcdef0123456789abcdef",
	    (const uint8_t *)"DER", 3);
	live_put_cert(l, (const uint8_t *)"0123456789abcdef0123456789abcdef",
	    (const uint8_t *)"DER", 3);
	t.port = 26;
	live_put_silent(l, &t, 3);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);

	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->end_us, 0);
	assert_int_equal(store_info(s)->account.rows, 2);
	assert_true(store_is_silent(s, &t, &when));
	assert_int_equal(when, 3000000);
	t.port = 25;
	assert_true(store_get(s, &t, &got, &body, &len));
	assert_int_equal(len, 4);
	assert_memory_equal(body, "body", 4);
	assert_true(
	    store_cert(s, (const uint8_t *)"0123456789abcdef0123456789abcdef",
		&der, &der_len));
	assert_int_equal(der_len, 3);
	assert_false(
	    store_cert(s, (const uint8_t *)"0123456789abcdef0123456789abcdeF",
		&der, &der_len));
	store_close(s);
}

static void
test_abort(void **state)
{
	struct live *l = open_live();
	struct target t = help_target("192.0.2.1", 110);
	struct head got;

	(void)state;
	live_begin(l);
	live_put_silent(l, &t, 1);
	live_abort(l);
	live_begin(l);
	assert_int_equal(live_row(l, &t, &got), LIVE_NO_ROW);
	live_abort(l);
	live_close(l);
}

static void
test_queue_order(void **state)
{
	static const uint64_t times[] = { 300, UINT64_MAX, 5, 256, 5 };
	static const uint64_t order[] = { 5, 5, 256, 300, UINT64_MAX };
	struct live *l = open_live();
	struct queued q = { .as = { .attempt = 1,
				.protocol = 2,
				.why = 3,
				.lost = 4,
				.limited = 5 } },
		      got;

	(void)state;
	live_begin(l);
	assert_false(live_queue_first(l, &got));
	for (unsigned i = 0; i < 5; i++) {
		q.target = help_target("192.0.2.1", (uint16_t)(100 + i));
		q.not_before_us = times[i];
		live_queue_put(l, &q);
	}
	assert_int_equal(live_queue_count(l), 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(live_queue_first(l, &got));
		assert_true(got.not_before_us == order[i]);
		assert_memory_equal(&got.as, &q.as, sizeof q.as);
		live_queue_delete(l, &got);
	}
	assert_false(live_queue_first(l, &got));
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
}

static void
test_pending_walk(void **state)
{
	struct live *l = open_live();
	struct target at = { .port = 0 };
	struct pending p = { .attempt = 2, .since_us = 77 }, got;
	unsigned n = 0;

	(void)state;
	live_begin(l);
	for (uint16_t port = 1; port <= 9; port++) {
		struct target t = help_target("192.0.2.1", port);

		live_pending_put(l, &t, &p);
	}
	/* Rows may go while they are walked. */
	while (live_pending_next(l, &at, &got)) {
		assert_int_equal(at.port, ++n);
		assert_memory_equal(&got, &p, sizeof p);
		if (n % 2)
			live_pending_delete(l, &at);
	}
	assert_int_equal(n, 9);
	assert_int_equal(live_pending_count(l), 4);
	live_abort(l);
	live_close(l);
}

static void
put_many(struct live *l, uint32_t from, uint32_t count)
{
	static uint8_t body[BODY];
	struct target t = { .port = 110 };
	struct head h;

	for (uint32_t i = from; i < from + count; i++) {
		t.addr = addr_from4(i * 2654435761u);
		h = head_of(&t, OUTCOME_COMPLETED);
		live_put_row(l, &h, body, sizeof body);
	}
}

/* Twenty times what the map holds at first, a batch larger than the map. */
static void
test_grows(void **state)
{
	struct live *l = open_live();
	struct store *s;
	unsigned again = 0;
	enum live_result result;

	(void)state;
	for (uint32_t batch = 0; batch < 4; batch++) {
		do {
			live_begin(l);
			put_info(l, batch);
			put_many(l, batch * 1500, 1500);
			result = live_commit(l);
			again += result == LIVE_AGAIN;
		} while (result == LIVE_AGAIN);
		assert_int_equal(result, LIVE_DONE);
	}
	assert_true(again >= 4);
	live_close(l);
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(store_info(s)->account.rows, 6000);
	store_close(s);
	/* Open again with the small size: what is there still fits. */
	l = open_live();
	live_close(l);
}

static void
test_certs_grow(void **state)
{
	static uint8_t der[60000];
	struct live *l = open_live();
	uint8_t name[SHA256_LEN] = { 0 };
	enum live_result result;
	unsigned again = 0;

	(void)state;
	do {
		live_begin(l);
		for (uint32_t i = 0; i < 1200; i++) {
			memcpy(name, &i, sizeof i);
			live_put_cert(l, name, der, sizeof der);
		}
		result = live_commit(l);
		again += result == LIVE_AGAIN;
	} while (result == LIVE_AGAIN);
	assert_int_equal(result, LIVE_DONE);
	assert_int_equal(again, 1);
	live_close(l);
}

/* Writes batches of ten rows until it is killed; says when each is done. */
static void
write_until_killed(int fd)
{
	struct live *l = live_open(dir, (uint64_t)64 << 20, error);

	if (l == NULL)
		_exit(1);
	for (uint32_t batch = 1;; batch++) {
		live_begin(l);
		put_many(l, batch * 10, 10);
		put_info(l, batch);
		if (live_commit(l) != LIVE_DONE ||
		    write(fd, &batch, sizeof batch) != sizeof batch)
			_exit(1);
	}
}

/* kill -9: whole batches are there, all that were said to be, nothing else. */
static void
test_kill(void **state)
{
	uint32_t said, last;
	struct store *s;
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (unsigned round = 1; round <= 5; round++) {
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			close(fds[0]);
			write_until_killed(fds[1]);
		}
		close(fds[1]);
		last = 0;
		while (last < round * 7 &&
		    read(fds[0], &said, sizeof said) == sizeof said)
			last = said;
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &said, sizeof said) == sizeof said)
			last = said;
		close(fds[0]);
		s = store_open(dir, "live", error);
		assert_non_null(s);
		assert_true(store_info(s)->sweep.position[0] >= last);
		assert_true(store_info(s)->sweep.position[0] <= last + 1);
		assert_true(store_info(s)->account.rows >=
		    store_info(s)->sweep.position[0] * 10);
		store_close(s);
		/* The lock that the dead one held is ours to take. */
		live_close(open_live());
	}
}

static bool
put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool put =
	    fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return put;
}

/* An ordinary user is root in a user namespace of its own. */
static bool
become_root(void)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
	snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER) == 0 &&
	    put_text("/proc/self/setgroups", "deny") &&
	    put_text("/proc/self/uid_map", uids) &&
	    put_text("/proc/self/gid_map", gids);
}

/* A small disk of our own, where nobody else sees it. */
static void
small_disk(void)
{
	if ((geteuid() != 0 && !become_root()) || unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", dir, "tmpfs", 0, "size=6m") != 0)
		_exit(2);
}

static enum live_result
write_batch(struct live *l, uint32_t batch)
{
	enum live_result result;

	do {
		live_begin(l);
		put_info(l, batch);
		put_many(l, batch * 100, 100);
		result = live_commit(l);
	} while (result == LIVE_AGAIN);
	return result;
}

/* 0: a full disk cost nothing that was committed, and passed. */
static int
fill_disk(void)
{
	char filler[128];
	struct live *l;
	struct store *s;
	uint32_t batch = 0;
	uint64_t rows;
	int fd;

	snprintf(filler, sizeof filler, "%s/filler", dir);
	fd = open(filler, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, 3 << 20) != 0)
		return 3;
	l = live_open(dir, MAP, error);
	if (l == NULL)
		return 4;
	while (write_batch(l, batch) == LIVE_DONE)
		batch++;
	if (batch == 0 || write_batch(l, batch) != LIVE_NO_SPACE)
		return 5;
	unlink(filler);
	close(fd);
	if (write_batch(l, batch) != LIVE_DONE)
		return 6;
	live_close(l);
	s = store_open(dir, "live", error);
	if (s == NULL)
		return 7;
	rows = store_info(s)->account.rows;
	store_close(s);
	return rows == (batch + 1) * (uint64_t)100 ? 0 : 8;
}

static void
test_disk_full(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		small_disk();
		_exit(fill_disk());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A reader in another process follows a map that grows under it. */
static void
test_reader_follows(void **state)
{
	struct live *l = open_live();
	enum live_result result;
	struct store *s;
	int status;
	pid_t pid;

	(void)state;
	do {
		live_begin(l);
		put_info(l, 0);
		put_many(l, 0, 3000);
		result = live_commit(l);
	} while (result == LIVE_AGAIN);
	assert_int_equal(result, LIVE_DONE);
	pid = fork();
	if (pid == 0) {
		s = store_open(dir, "live", error);
		_exit(s != NULL && store_info(s)->account.rows == 3000 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	live_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_one_row_a_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_abort, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_queue_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_pending_walk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_certs_grow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_disk_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_reader_follows, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
