/* handoffs.h: wire 1's messages: what one batch of the capture hands on. */
#ifndef ENGINE_HANDOFFS_H
#define ENGINE_HANDOFFS_H

#include "engine/wire.h"

/* In one message; fewer where their bytes do not fit in it. */
enum { HANDOFFS_MAX = 32 };

/*
 * The first of them in one message: how many it holds, from 1 to HANDOFFS_MAX,
 * or -1 with errno as wire_send has it, none of them sent then. n is not 0.
 */
int handoffs_send(int fd, const struct handoff *const *, unsigned n);

/* A message that was received, and how much of it was taken. */
struct handoffs {
	size_t len, at;
	unsigned taken; /* handoffs, and one for what is none */
	uint8_t bytes[WIRE_MESSAGE_MAX];
};

/* As wire_recv: the message's length, 0 at the end, -1 with errno. */
ssize_t handoffs_recv(int fd, struct handoffs *);

enum handoffs_next { HANDOFFS_GOT, HANDOFFS_NO_MORE, HANDOFFS_BROKEN };

/*
 * The next one, copied; HANDOFFS_MAX of a message at most. Its lengths hold;
 * all else is as it came. Broken: what follows is no handoff, or one too many,
 * and nothing more of the message is to be had.
 */
enum handoffs_next handoffs_next(struct handoffs *, struct handoff *);

#endif
