/* option_help.h: what a socket says of itself. */
#ifndef TEST_OPTION_HELP_H
#define TEST_OPTION_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

/* An option of SOL_SOCKET whose value is a number. */
static inline int
option_of(int fd, int which)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, which, &value, &len), 0);
	return value;
}

#endif
