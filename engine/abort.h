/* abort.h: how a TCP socket ends at once. */
#ifndef ENGINE_ABORT_H
#define ENGINE_ABORT_H

#include <sys/socket.h>

#include <unistd.h>

/*
 * Close with a RST, whatever lies in its queues: nothing follows it, where a
 * FIN would be repeated and what answers it acknowledged.
 */
static inline void
socket_abort(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
}

#endif
