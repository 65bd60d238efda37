/* status.h: what the daemon says of itself on its control socket. */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include <stdint.h>

struct conf;
struct run;

/*
 * One JSON object on one line, malloc'd; NULL without memory. Without a run
 * the state is "idle", and next_sweep says when there will be one (UTC,
 * seconds since 1970). Its keys are in mailsweepd(8).
 */
char *status_line(const struct conf *, const struct run *, int64_t next_sweep,
    uint64_t uptime_ms);

#endif
