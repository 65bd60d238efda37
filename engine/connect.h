/* connect.h: plain connect(2), where adoption is not to be had. */
#ifndef ENGINE_CONNECT_H
#define ENGINE_CONNECT_H

#include <stdint.h>

#include "engine/adopt.h"
#include "engine/ranges.h"
#include "engine/wire.h"

/* Connections on their way: a fixed number of places, one deadline for all. */
struct connects;

/* How one ended: fd is the caller's, or -1 with the step and errno. */
struct connected {
	struct contact contact;
	int fd;
	uint32_t rtt_us; /* TCP_INFO */
	enum dial_step step;
	int error;
};

/*
 * Up to cap at a time, watched in the epoll set with place numbers from
 * first_place on as data.u64. NULL with errno.
 */
struct connects *connects_new(
    unsigned cap, uint32_t deadline_ms, int epoll, uint64_t first_place);
void connects_free(struct connects *);

unsigned connects_room(const struct connects *);
unsigned connects_count(const struct connects *);

/*
 * Begin one, non-blocking, from the contact's source address and a port that
 * the kernel chooses; there must be room. 0: on its way; 1: *ended at once.
 */
int connects_start(struct connects *, const struct contact *, uint64_t now_ms,
    struct connected *ended);

/* epoll reported this place: 1 and *ended, or 0 for a false alarm. */
int connects_event(struct connects *, uint64_t place, struct connected *ended);

/*
 * End those whose target is in a set: the contact of each is told. How many.
 */
unsigned connects_withdraw(struct connects *, const struct ranges *,
    void (*withdrawn)(void *, const struct contact *), void *);

/* One whose deadline has passed: 1 and *ended, with ETIMEDOUT; or 0. */
int connects_due(struct connects *, uint64_t now_ms, struct connected *ended);

#endif
