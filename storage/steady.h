/*
 * steady.h: UTC that nobody sets while it is used: what it was at the start,
 * and what has passed since, sleep included. Times that are waited for are
 * told by it. No clock of its own: times are microseconds from the caller.
 */
#ifndef STORAGE_STEADY_H
#define STORAGE_STEADY_H

#include <stddef.h>
#include <stdint.h>

struct steady {
	uint64_t utc_us, boot_us; /* at the start */
	int64_t ahead_us; /* how far the clock on the wall is ahead */
};

/* utc_us: CLOCK_REALTIME; boot_us: CLOCK_BOOTTIME, here and below. */
void steady_init(struct steady *, uint64_t utc_us, uint64_t boot_us);

uint64_t steady_now(const struct steady *, uint64_t boot_us);

/* Look at the wall. By how much it was set since: 0, or a second and more. */
int64_t steady_look(struct steady *, uint64_t utc_us, uint64_t boot_us);

/* A time of the clock on the wall, as this one tells it. */
uint64_t steady_from_wall(const struct steady *, uint64_t utc_us);

/* ... and all of a message of notes, NOTE_FOLLOWUP, by packet's clock. */
void steady_followups(const struct steady *, uint8_t *message, size_t len);

#endif
