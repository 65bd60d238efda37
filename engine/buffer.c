/* buffer.c: what the kernel may hold of a connection that nobody has read. */
#include <sys/socket.h>

#include "engine/buffer.h"
#include "engine/frame.h"

/* The kernel doubles it, and half of that is window: more than our SYN's. */
const int buffer_bytes = 2 * SYN_WINDOW;

void
buffer_limit(int fd)
{
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
}
