/* test_buffer.c: every socket of ours has a receive buffer that is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/socket.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/adopt_plan.h"
#include "engine/buffer.h"
#include "engine/frame.h"
#include "test/unit/option_help.h"

/* What our SYN's window promises has room, and the kernel lets it be. */
static void
it_holds_our_window_and_stays(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(option_of(fd, SO_BUF_LOCK), 0);
	buffer_limit(fd);
	assert_in_range(
	    option_of(fd, SO_RCVBUF), 2 * SYN_WINDOW, 4 * SYN_WINDOW);
	assert_int_equal(option_of(fd, SO_BUF_LOCK), SOCK_RCVBUF_LOCK);
	close(fd);
}

/* Before it connects, when the first segment may come. */
static void
adoption_sets_it_first(void **state)
{
	static const struct handoff h;
	struct plan p;

	(void)state;
	plan_make(&p, &h);
	assert_int_equal(p.calls[0].kind, CALL_OPTION);
	assert_int_equal(p.calls[0].level, SOL_SOCKET);
	assert_int_equal(p.calls[0].option, SO_RCVBUF);
	assert_int_equal(p.calls[0].len, sizeof buffer_bytes);
	assert_memory_equal(
	    p.calls[0].value, &buffer_bytes, sizeof buffer_bytes);
	assert_true(p.connect > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_our_window_and_stays),
		cmocka_unit_test(adoption_sets_it_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
