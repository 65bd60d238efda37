/* test_ring.c: calls made together, those that fail, and those refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/ring.h"
#include "test/unit/option_help.h"

enum { ENTRIES = 8, TOLD_MAX = 2 * ENTRIES };

static struct told {
	unsigned n;
	uint64_t tags[TOLD_MAX];
	int results[TOLD_MAX];
} told;

static void
tell(void *context, uint64_t tag, int result)
{
	struct told *t = context;

	assert_true(t->n < TOLD_MAX);
	t->tags[t->n] = tag;
	t->results[t->n++] = result;
}

static int
run(struct ring *r)
{
	memset(&told, 0, sizeof told);
	return ring_run(r, tell, &told);
}

static struct call
option(int level, int which, const int *value)
{
	return (struct call){ .kind = CALL_OPTION,
		.level = level,
		.option = which,
		.value = value,
		.len = sizeof *value };
}

/* More than once around, so that every place is used again. */
static void
makes_calls_in_their_order(void **state)
{
	struct ring *r = ring_new(ENTRIES);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_non_null(r);
	for (int round = 0; round < 5; round++) {
		int first = round, second = 6 - round;
		struct call a = option(SOL_SOCKET, SO_PRIORITY, &first);
		struct call b = option(SOL_SOCKET, SO_PRIORITY, &second);

		for (int i = 0; i < 3; i++)
			ring_add(r, fd, i % 2 ? &a : &b, 1);
		ring_add(r, fd, &b, 2);
		ring_add(r, fd, &a, 3);
		assert_int_equal(run(r), 0);
		assert_int_equal(told.n, 0);
		assert_int_equal(option_of(fd, SO_PRIORITY), first);
	}
	close(fd);
	ring_free(r);
}

/* A listener, and who connects to it and says something. */
static void
binds_connects_and_sends(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct call binds = {
		.kind = CALL_BIND, .value = &at, .len = sizeof at
	};
	struct call connects = {
		.kind = CALL_CONNECT, .value = &at, .len = sizeof at
	};
	struct call says = { .kind = CALL_SEND, .value = "hello", .len = 5 };
	struct ring *r = ring_new(ENTRIES);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd, peer;
	socklen_t len = sizeof at;
	char got[8];

	(void)state;
	assert_non_null(r);
	ring_add(r, listener, &binds, 1);
	assert_int_equal(run(r), 0);
	assert_int_equal(told.n, 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	assert_int_not_equal(at.sin_port, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ring_add(r, fd, &connects, 2);
	ring_add(r, fd, &says, 3);
	assert_int_equal(run(r), 0);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.tags[0], 3);
	assert_int_equal(told.results[0], 5);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(recv(peer, got, sizeof got, 0), 5);
	close(peer);
	close(fd);
	close(listener);
	ring_free(r);
}

static void
tells_which_failed_and_why(void **state)
{
	struct ring *r = ring_new(ENTRIES);
	int fd = socket(AF_INET, SOCK_STREAM, 0), value = 1;
	struct call good = option(SOL_SOCKET, SO_KEEPALIVE, &value);
	struct call none = option(SOL_SOCKET, 9999, &value);

	(void)state;
	assert_non_null(r);
	ring_add(r, fd, &none, 7);
	ring_add(r, -1, &good, 8);
	ring_add(r, fd, &good, 9);
	assert_int_equal(run(r), 0);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.tags[0], 7);
	assert_int_equal(told.results[0], -ENOPROTOOPT);
	assert_int_equal(told.tags[1], 8);
	assert_int_equal(told.results[1], -EBADF);
	assert_int_equal(option_of(fd, SO_KEEPALIVE), 1);
	close(fd);
	ring_free(r);
}

/* By whoever has the process in hand: a request of his own making. */
static void
put_by_hand(int fd, uint8_t opcode, uint8_t flags, char *into)
{
	size_t len = ENTRIES * sizeof(struct io_uring_sqe);
	struct io_uring_sqe *sqes = mmap(
	    NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);

	assert_true(sqes != MAP_FAILED);
	sqes[0].opcode = opcode;
	sqes[0].flags = flags;
	sqes[0].addr = (uintptr_t)into;
	sqes[0].len = 1;
	munmap(sqes, len);
}

static void
it_does_nothing_else(void **state)
{
	static const struct {
		uint8_t opcode, flags;
		int result;
	} cases[] = { { IORING_OP_RECV, 0, -EACCES },
		{ IORING_OP_READ, 0, -EACCES },
		{ IORING_OP_SOCKET, 0, -EACCES },
		{ IORING_OP_OPENAT, 0, -EACCES }, { IORING_OP_NOP, 0, -EACCES },
		{ IORING_OP_SEND, IOSQE_ASYNC, -EACCES },
		{ IORING_OP_SEND, IOSQE_FIXED_FILE, -EACCES },
		{ IORING_OP_SEND, 0, 1 } };
	struct call says = { .kind = CALL_SEND, .value = "x", .len = 1 };
	char into[8] = "x";
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd = dup(0);
		struct ring *r;

		close(fd); /* the ring's number */
		r = ring_new(ENTRIES);
		assert_non_null(r);
		ring_add(r, fds[0], &says, 4);
		put_by_hand(fd, cases[i].opcode, cases[i].flags, into);
		assert_int_equal(run(r), 0);
		assert_int_equal(told.n, 1);
		assert_int_equal(told.results[0], cases[i].result);
		assert_int_equal(syscall(SYS_io_uring_register, fd,
				     IORING_REGISTER_FILES, fds, 2),
		    -1);
		assert_int_equal(errno, EACCES);
		ring_free(r);
	}
	close(fds[0]);
	close(fds[1]);
}

/* An older kernel, or one that is told not to: dial does without. */
static void
there_is_none(void **state)
{
	(void)state;
	assert_null(ring_new(ENTRIES));
	assert_true(errno == EINVAL || errno == ENOSYS || errno == EPERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_calls_in_their_order),
		cmocka_unit_test(binds_connects_and_sends),
		cmocka_unit_test(tells_which_failed_and_why),
		cmocka_unit_test(it_does_nothing_else),
	};
	const struct CMUnitTest without[] = {
		cmocka_unit_test(there_is_none),
	};
	struct ring *r = ring_new(ENTRIES);

	if (r == NULL)
		return cmocka_run_group_tests(without, NULL, NULL);
	ring_free(r);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
