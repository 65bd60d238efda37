/* test_optouts.c: the list of those left out, from one end of a wire on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/optouts.h"

static struct ranges *
set_of(unsigned n)
{
	struct ranges *set = ranges_new();

	for (uint32_t i = 0; i < n; i++) {
		struct addr first = addr_from4(0x0a000000 + 4 * i),
			    last = first;

		last.b[15] |= 1;
		if (i % 5 == 4)
			first.b[0] = last.b[0] = 0xfd;
		assert_int_equal(ranges_add(set, &first, &last), 0);
	}
	assert_int_equal(ranges_seal(set), 0);
	return set;
}

static void
assert_same(const struct ranges *a, const struct ranges *b)
{
	size_t na, nb;
	uint8_t *bytes_a = ranges_save(a, &na), *bytes_b = ranges_save(b, &nb);

	assert_int_equal(na, nb);
	assert_memory_equal(bytes_a, bytes_b, na);
	free(bytes_a);
	free(bytes_b);
}

/* Any number of chunks; the wire holds but a few of them. */
static void
arrives_whole(void **state)
{
	static const unsigned sizes[] = { 0, 1, OPTOUT_CHUNK - 1, OPTOUT_CHUNK,
		OPTOUT_CHUNK + 1, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct ranges *set = set_of(sizes[i]), *got = NULL;
		struct optouts in = { 0 };
		struct control c;
		int fds[2], status;
		pid_t pid;

		assert_int_equal(wire_pair(fds, 65536), 0);
		pid = fork();
		if (pid == 0)
			_exit(optouts_tell(fds[1], set, 7 + (uint32_t)i) != 0 ||
			    optouts_done(fds[1], 9) != 0);
		while (got == NULL) {
			int n = control_recv(fds[0], &c);

			if (n < 0 && errno == EAGAIN)
				continue;
			assert_int_equal(n, 1);
			assert_int_equal(c.type, CTL_OPTOUT_LIST);
			got = optouts_take(&in, &c);
		}
		assert_int_equal(in.number, 7 + i);
		assert_same(set, got);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(control_recv(fds[0], &c), 1);
		assert_int_equal(c.type, CTL_OPTOUT_DONE);
		assert_int_equal(c.u.number, 9);
		ranges_free(set);
		ranges_free(got);
		close(fds[0]);
		close(fds[1]);
	}
}

static struct control
chunk(uint32_t number, bool first, bool last, const char *address)
{
	struct control c;

	memset(&c, 0, sizeof c);
	c.type = CTL_OPTOUT_LIST;
	c.len = sizeof c.u.optouts;
	c.u.optouts.number = number;
	c.u.optouts.first = first;
	c.u.optouts.last = last;
	c.u.optouts.n = 1;
	assert_int_equal(addr_parse(address, &c.u.optouts.ranges[0].first), 0);
	c.u.optouts.ranges[0].last = c.u.optouts.ranges[0].first;
	return c;
}

/* A new list that begins before the old one has ended takes its place. */
static void
a_newer_list_wins(void **state)
{
	struct control old = chunk(1, true, false, "192.0.2.1");
	struct control now = chunk(2, true, true, "192.0.2.2");
	struct optouts in = { 0 };
	struct addr one = old.u.optouts.ranges[0].first;
	struct addr two = now.u.optouts.ranges[0].first;
	struct ranges *got;

	(void)state;
	assert_null(optouts_take(&in, &old));
	got = optouts_take(&in, &now);
	assert_non_null(got);
	assert_int_equal(in.number, 2);
	assert_false(ranges_has(got, &one));
	assert_true(ranges_has(got, &two));
	ranges_free(got);
}

/* Whoever may not have the list whole does not go on. */
static void
ends_on_nonsense(void **state)
{
	struct control bad[3] = { chunk(1, false, true, "192.0.2.1"),
		chunk(1, true, true, "192.0.2.1"),
		chunk(1, true, true, "192.0.2.1") };

	(void)state;
	bad[1].u.optouts.n = OPTOUT_CHUNK + 1;
	bad[2].len--;
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct optouts in = { 0 };

			close(STDERR_FILENO);
			optouts_take(&in, &bad[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrives_whole),
		cmocka_unit_test(a_newer_list_wins),
		cmocka_unit_test(ends_on_nonsense),
	};

	return cmocka_run_group_tests_name("optouts", tests, NULL, NULL);
}
