/* buffer.c: what the kernel may hold of a connection that nobody has read. */
#include <sys/socket.h>

#include "engine/buffer.h"
#include "engine/frame.h"

/* The kernel doubles it, and half of that is window: more than our SYN's. */
enum { BOUND = 2 * SYN_WINDOW };

void
buffer_limit(int fd)
{
	int bytes = BOUND;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

bool
buffer_fits(int fd)
{
	int bytes;
	socklen_t len = sizeof bytes;

	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len) == 0 &&
	    bytes >= BOUND && bytes <= 2 * BOUND;
}
