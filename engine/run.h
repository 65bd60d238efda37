/* run.h: one sweep, as the parent sees it: start order, watch, end. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/stats.h"
#include "engine/sweep.h"
#include "engine/watch.h"

struct conf;
struct ranges;
struct run;

/*
 * opening   store is starting, it makes or resumes the sweep
 * starting  the rules are there, the others are starting
 * sweeping  send has targets left
 * draining  all is sent; answers, conversations, retries
 * closing   nothing is left: send, packet, dial and the probes end
 * sealing   store seals
 * stopping  asked to stop: send has ended, conversations go on
 * halting   packet, dial and the probes end
 * saving    store commits, and ends
 * over      no child is left
 */
enum run_stage {
	RUN_OPENING,
	RUN_STARTING,
	RUN_SWEEPING,
	RUN_DRAINING,
	RUN_CLOSING,
	RUN_SEALING,
	RUN_STOPPING,
	RUN_HALTING,
	RUN_SAVING,
	RUN_OVER,
	RUN_STAGES
};

extern const char *const run_stage_names[RUN_STAGES];

/* How the daemon ends; also its exit status. */
enum run_result {
	RESULT_OK = 0, /* sealed, or stopped and resumable */
	RESULT_ERROR = 1,
	RESULT_USAGE = 2,
	RESULT_UNBALANCED = 3 /* sealed, and the ledgers disagree */
};

enum { RUN_POLL_MAX = STATS_SLOTS + 1, RUN_TICK_MS = 100 };

/* Begin. NULL: could not, and the log says why. Nothing is copied. */
struct run *run_start(const struct conf *, const struct ranges *targets,
    const struct ranges *excluded, const char *products);

/* Kill what still runs, take the rules away, free. */
void run_end(struct run *);

/* What to wait for: fills up to RUN_POLL_MAX, returns how many. */
unsigned run_poll(const struct run *, struct pollfd *);

/*
 * One turn: messages, deaths, timers. Call it when run_poll() woke, on
 * SIGCHLD, and every RUN_TICK_MS.
 */
void run_turn(struct run *);

/*
 * The opt-outs in the data directory have changed: have them read and put in
 * force. The number to ask run_optouts_in_force() about.
 */
uint32_t run_optouts(struct run *);

/* Nothing that is told so late acts against them any more. */
bool run_optouts_in_force(const struct run *, uint32_t number);

/* Finish what is in flight and leave the sweep resumable; a second: at once. */
void run_stop(struct run *);

enum run_stage run_stage(const struct run *);
enum run_result run_result(const struct run *); /* once it is over */
const struct sweep *run_sweep(const struct run *); /* NULL while opening */
const struct stats *run_stats(const struct run *);
struct watch_rates run_rates(const struct run *);
const struct health *run_health(const struct run *);

#endif
