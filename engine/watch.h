/* watch.h: what the parent reads off the statistics page while it waits. */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/health.h"

struct conf;
struct stats;

/* What was counted over the last second. */
struct watch_rates {
	uint64_t syns, answers, passed;
};

/* Zero at the start, but for second_ms: now. */
struct watch {
	uint64_t second_ms; /* when the rates were taken, monotonic */
	struct watch_rates counted, rates;
	uint64_t deaf_since_ms;
	bool deaf_said;
	struct health health;
};

/* Once a second new rates; one warning when adopted sockets hear nothing. */
void watch_turn(
    struct watch *, const struct conf *, const struct stats *, uint64_t now_ms);

#endif
