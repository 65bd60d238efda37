/* test_rules.c: what a role that is in a stranger's hands may call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/sandbox_rules.h"

enum { HIGH = 100, MANY = 4096 };

/* Does a process of that role live on after it has done this? */
static bool
may(enum role role, void (*act)(int), int with)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSYS, SIG_DFL); /* cmocka has one of its own */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    rules_load(role) < 0)
			_exit(1);
		act(with);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return false;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

static void
act_shutdown(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
}

static void
act_set(int fd)
{
	int size = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void
act_limit(int fd)
{
	int size = 4096;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static void
act_enter_ring(int fd)
{
	(void)syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0);
}

static void
act_make_ring(int fd)
{
	(void)syscall(SYS_io_uring_setup, fd, NULL);
}

static void
act_register(int fd)
{
	(void)syscall(SYS_io_uring_register, fd, 0, NULL, 0);
}

static void
act_block(int fd)
{
	(void)fcntl(fd, F_SETFL, 0);
}

static void
act_kill(int pid)
{
	(void)syscall(
	    SYS_tgkill, pid ? pid : getpid(), pid ? pid : getpid(), 0);
}

static void
act_close(int fd)
{
	(void)close(fd);
}

static void
act_close_wide(int fd)
{
	(void)syscall(SYS_close, (long)fd | 1L << 40);
}

static void
act_hear(int fd)
{
	struct msghdr msg = { .msg_iov = NULL };

	(void)recvmsg(fd, &msg, MSG_DONTWAIT);
}

static void
act_close_from(int fd)
{
	(void)close_range((unsigned)fd, (unsigned)fd, 0);
}

static int
compare_numbers(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
act_sort(int n)
{
	static int numbers[MANY];

	for (int i = 0; i < n; i++)
		numbers[i] = n - i;
	qsort(numbers, (size_t)n, sizeof numbers[0], compare_numbers);
}

/* All probes have the same open ends, and so has the next one. */
static void
a_probe_cannot_break_the_wires_of_the_others(void **state)
{
	(void)state;
	assert_false(may(ROLE_PROBE, act_shutdown, FD_RECORDS));
	assert_false(may(ROLE_PROBE, act_set, FD_RECORDS));
	assert_false(may(ROLE_PROBE, act_block, FD_RECORDS));
	assert_false(may(ROLE_PROBE, act_limit, HIGH));
	assert_true(may(ROLE_PROBE, act_close, HIGH));
	assert_true(may(ROLE_PROBE, act_hear, HIGH));
}

/* send and packet have one uid, and so have all probes. */
static void
nobody_signals_another(void **state)
{
	(void)state;
	for (enum role r = ROLE_SEND; r < ROLE_COUNT; r++) {
		assert_true(may(r, act_kill, 0));
		assert_false(may(r, act_kill, (int)getppid()));
	}
}

/* A socket that took the number of a wire could be read as if it were one. */
static void
dial_keeps_the_numbers_that_it_may_read(void **state)
{
	(void)state;
	for (int fd = 0; fd < HIGH; fd++) {
		bool heard = may(ROLE_DIAL, act_hear, fd);

		assert_int_equal(heard, fd == FD_CONTROL || fd == FD_HANDOFF);
		if (heard) {
			assert_false(may(ROLE_DIAL, act_close, fd));
			assert_false(may(ROLE_DIAL, act_close_wide, fd));
			assert_false(may(ROLE_DIAL, act_close_from, fd));
		}
	}
	assert_true(may(ROLE_DIAL, act_close, FD_SNAPSHOT));
	assert_true(may(ROLE_DIAL, act_close, FD_STATS));
	assert_true(may(ROLE_DIAL, act_close, FD_RECORDS));
	assert_true(may(ROLE_DIAL, act_close, HIGH));
	assert_true(may(ROLE_DIAL, act_close, 65536));
	assert_false(may(ROLE_DIAL, act_close_from, 0));
	assert_true(may(ROLE_DIAL, act_close_from, FD_RECORDS));
	assert_true(may(ROLE_DIAL, act_close_from, 65536));
}

/* The one that dial has was made before, and can do little. */
static void
nobody_makes_a_ring(void **state)
{
	(void)state;
	for (enum role r = ROLE_SEND; r < ROLE_COUNT; r++) {
		assert_false(may(r, act_make_ring, 1));
		assert_false(may(r, act_register, HIGH));
		assert_int_equal(may(r, act_enter_ring, HIGH), r == ROLE_DIAL);
	}
}

/* A seal sorts: times until services were mended, pages that nobody has. */
static void
the_store_sorts_many(void **state)
{
	(void)state;
	assert_true(may(ROLE_STORE, act_sort, MANY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_cannot_break_the_wires_of_the_others),
		cmocka_unit_test(nobody_signals_another),
		cmocka_unit_test(dial_keeps_the_numbers_that_it_may_read),
		cmocka_unit_test(nobody_makes_a_ring),
		cmocka_unit_test(the_store_sorts_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
