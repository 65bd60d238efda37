/* ring.h: many calls on sockets for one of the kernel (io_uring). */
#ifndef ENGINE_RING_H
#define ENGINE_RING_H

#include <stdint.h>

#include "engine/adopt_plan.h"

struct ring;

/*
 * For so many calls at once, of the kinds in adopt_plan.h and no other, for
 * good: the kernel refuses whatever else is asked of it. NULL with errno where
 * there is no io_uring, or an older one (from Linux 6.11 on).
 */
struct ring *ring_new(unsigned entries);
void ring_free(struct ring *);

/* One more, to be made when the ring is run; there must be room. */
void ring_add(struct ring *, int fd, const struct call *, uint64_t tag);

/*
 * Make them all, in their order and within this call. Told are those that
 * failed (-errno), and every send (bytes). 0; or -1 with errno: some were not
 * made, and are forgotten.
 */
int ring_run(struct ring *, void (*answered)(void *, uint64_t tag, int result),
    void *context);

#endif
