/* test_wire.c: messages, descriptors, full and broken wires. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/wire.h"

enum { BUFFER = 1 << 20 };

static int
make(void **state)
{
	int *fds = calloc(2, sizeof *fds);

	assert_non_null(fds);
	assert_int_equal(wire_pair(fds, BUFFER), 0);
	*state = fds;
	return 0;
}

static int
unmake(void **state)
{
	int *fds = *state;

	close(fds[0]);
	close(fds[1]);
	free(fds);
	return 0;
}

static void
carries_messages_whole(void **state)
{
	int *fds = *state;
	static uint8_t out[WIRE_MESSAGE_MAX], in[WIRE_MESSAGE_MAX];

	memset(out, 'x', sizeof out);
	assert_int_equal(wire_send(fds[0], "abc", 3), 0);
	assert_int_equal(wire_send(fds[0], out, sizeof out), 0);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), 3);
	assert_memory_equal(in, "abc", 3);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), sizeof in);
	assert_memory_equal(in, out, sizeof in);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
says_when_it_is_full(void **state)
{
	int *fds = *state;
	static uint8_t out[4096];
	unsigned n = 0;

	while (wire_send(fds[0], out, sizeof out) == 0)
		n++;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(n, 20, 10000);
	assert_true(wire_unread(fds[0]) >= n * sizeof out);
	assert_int_equal(wire_recv(fds[1], out, sizeof out), sizeof out);
	assert_true(wire_unread(fds[0]) >= (n - 1) * sizeof out);
	for (unsigned i = 1; i < n; i++)
		wire_recv(fds[1], out, sizeof out);
	assert_int_equal(wire_unread(fds[0]), 0);
}

static void
drops_a_message_that_is_too_long(void **state)
{
	int *fds = *state;
	uint8_t in[4];

	assert_int_equal(wire_send(fds[0], "hello", 5), 0);
	assert_int_equal(wire_send(fds[0], "ok", 2), 0);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), 2);
	assert_int_equal(wire_send(fds[0], "", 0), -1);
	assert_int_equal(errno, EINVAL);
}

static void
tells_an_empty_message_from_the_end(void **state)
{
	int *fds = *state;
	uint8_t in[4];

	assert_int_equal(send(fds[0], "", 0, 0), 0);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), -1);
	assert_int_equal(errno, EMSGSIZE);
	close(fds[0]);
	assert_int_equal(wire_recv(fds[1], in, sizeof in), 0);
	assert_int_equal(wire_send(fds[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	fds[0] = dup(fds[1]); /* for unmake */
}

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 512; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
passes_descriptors_and_leaks_none(void **state)
{
	int *fds = *state;
	int out[WIRE_FDS_MAX], in[WIRE_FDS_MAX];
	char bytes[8];
	size_t n;
	unsigned before;

	for (int i = 0; i < WIRE_FDS_MAX; i++)
		out[i] = fds[0];
	before = count_fds();
	assert_int_equal(
	    wire_send_fds(fds[0], "full", 4, out, WIRE_FDS_MAX), 0);
	assert_int_equal(
	    wire_recv_fds(fds[1], bytes, sizeof bytes, in, WIRE_FDS_MAX, &n),
	    4);
	assert_int_equal(n, WIRE_FDS_MAX);
	assert_int_equal(count_fds(), before + WIRE_FDS_MAX);
	for (size_t i = 0; i < n; i++) {
		assert_true(fcntl(in[i], F_GETFD) & FD_CLOEXEC);
		close(in[i]);
	}
	/* Unwanted, over the cap, and with a message that is too long. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    wire_send_fds(fds[0], "unwanted", 8, out, 3), 0);
	assert_int_equal(wire_recv(fds[1], bytes, sizeof bytes), 8);
	assert_int_equal(
	    wire_recv_fds(fds[1], bytes, sizeof bytes, in, 1, &n), 8);
	assert_int_equal(n, 1);
	close(in[0]);
	assert_int_equal(wire_recv(fds[1], bytes, 2), -1);
	assert_int_equal(count_fds(), before);
}

static void
control_goes_through_whole(void **state)
{
	int *fds = *state;
	struct control c;
	uint64_t rate = 10000;

	assert_int_equal(control_send(fds[0], CTL_RATE, &rate, sizeof rate), 0);
	assert_int_equal(control_recv(fds[1], &c), 1);
	assert_int_equal(c.type, CTL_RATE);
	assert_int_equal(c.u.rate, rate);
	assert_int_equal(control_recv(fds[1], &c), -1);
	assert_int_equal(errno, EAGAIN);
	/* Short ones, and lengths that lie. */
	assert_int_equal(wire_send(fds[0], &c, 8), 0);
	assert_int_equal(control_recv(fds[1], &c), -1);
	assert_int_equal(errno, EBADMSG);
	memset(&c, 0, sizeof c);
	c.len = sizeof c.u + 1;
	assert_int_equal(wire_send(fds[0], &c, sizeof c), 0);
	assert_int_equal(control_recv(fds[1], &c), -1);
	assert_int_equal(errno, EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    carries_messages_whole, make, unmake),
		cmocka_unit_test_setup_teardown(
		    says_when_it_is_full, make, unmake),
		cmocka_unit_test_setup_teardown(
		    drops_a_message_that_is_too_long, make, unmake),
		cmocka_unit_test_setup_teardown(
		    tells_an_empty_message_from_the_end, make, unmake),
		cmocka_unit_test_setup_teardown(
		    passes_descriptors_and_leaks_none, make, unmake),
		cmocka_unit_test_setup_teardown(
		    control_goes_through_whole, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
