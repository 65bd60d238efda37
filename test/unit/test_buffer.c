/* test_buffer.c: which receive buffers do until one is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "engine/buffer.h"
#include "engine/frame.h"

static int
socket_with(int bytes)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
	return fd;
}

/* The kernel doubles what is asked for. */
static void
one_that_holds_our_window_and_little_more_fits(void **state)
{
	static const struct {
		int bytes;
		bool fits;
	} cases[] = { { 4096, false }, { SYN_WINDOW - 1, false },
		{ SYN_WINDOW, true }, { 2 * SYN_WINDOW, true },
		{ 2 * SYN_WINDOW + 1, false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd = socket_with(cases[i].bytes);

		assert_int_equal(buffer_fits(fd), cases[i].fits);
		close(fd);
	}
	assert_false(buffer_fits(-1));
}

static void
a_limited_one_fits(void **state)
{
	int fd = socket_with(4096);

	(void)state;
	buffer_limit(fd);
	assert_true(buffer_fits(fd));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    one_that_holds_our_window_and_little_more_fits),
		cmocka_unit_test(a_limited_one_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
