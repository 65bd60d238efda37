/* adopter.h: many adoptions at once. */
#ifndef ENGINE_ADOPTER_H
#define ENGINE_ADOPTER_H

#include "engine/adopt.h"
#include "engine/handoffs.h"

struct adopter;

/* A descriptor as adopt() returns it; or -1, with the step and its errno. */
struct adopted {
	int fd, error;
	enum dial_step step;
};

/*
 * Before the sandbox. The kernel takes the calls of all adoptions together
 * where it can (ring.h), else one by one. NULL with errno.
 */
struct adopter *adopter_new(void);
void adopter_free(struct adopter *);
/* Does the kernel take them together? If not, errno of the ring that failed. */
int adopter_error(const struct adopter *);

/* Up to HANDOFFS_MAX, which stay the caller's; an outcome for each. */
void adopt_many(struct adopter *, const struct handoff *const *, unsigned n,
    struct adopted *);

#endif
