/* parent.h: the process that starts, watches and ends all others. */
#ifndef ENGINE_PARENT_H
#define ENGINE_PARENT_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct ranges;

/*
 * Sweep: once, or each day at the configured time until a signal. products:
 * the text of the table. Returns the exit status, enum run_result.
 */
int parent_main(const struct conf *, const struct ranges *targets,
    const struct ranges *excluded, const char *products, bool once);

/* The next "HH:MM", UTC, after now; both in seconds since 1970. */
int64_t parent_next(const char *schedule, int64_t now);

/* One that was found, unless the clock was set back by more than a day. */
int64_t parent_still(const char *schedule, int64_t next, int64_t now);

#endif
