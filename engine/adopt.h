/* adopt.h: a raw handshake becomes a socket of the kernel (DESIGN.md 9). */
#ifndef ENGINE_ADOPT_H
#define ENGINE_ADOPT_H

#include <sys/socket.h>

#include "engine/wire.h"

/* The steps of both ways to a socket, in their order: which one failed. */
enum dial_step {
	STEP_CHECK, /* not a target of this sweep, or bytes that lie */
	STEP_SOCKET,
	STEP_MARK,
	STEP_REPAIR,
	STEP_MSS,
	STEP_BIND,
	STEP_SEND_QUEUE,
	STEP_SEND_SEQUENCE,
	STEP_RECEIVE_QUEUE,
	STEP_RECEIVE_SEQUENCE,
	STEP_CONNECT, /* EADDRNOTAVAIL: lives, or is in TIME_WAIT */
	STEP_OPTIONS,
	STEP_DATA,
	STEP_WINDOW,
	STEP_LIVE,
	STEP_ANSWER, /* connect(2) only: what the peer said */
	STEP_COUNT
};

extern const char *const dial_step_names[STEP_COUNT];

/*
 * The connection that h describes as a non-blocking socket, close-on-exec and
 * the caller's, its captured bytes in the receive queue. Sends nothing. Needs
 * CAP_NET_ADMIN. On failure -1, errno and the step that failed; nothing was
 * sent then either.
 */
int adopt(const struct handoff *, enum dial_step *failed);

/* A TCP socket for this address; -1 and errno if none is to be had. */
int dial_socket(const struct addr *);

/* An address and port for bind(2) or connect(2); returns the length. */
socklen_t dial_sockaddr(
    const struct addr *, uint16_t port, struct sockaddr_storage *);

#endif
