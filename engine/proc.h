/* proc.h: the children of the parent: wires, start, death. */
#ifndef ENGINE_PROC_H
#define ENGINE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/role.h"
#include "engine/stats.h"

/* One child, in the place that stats_slot() gives it. */
struct proc {
	pid_t pid; /* 0: none */
	enum role role;
	unsigned instance;
	int control; /* our end; -1: none */
	bool ready; /* its rights are dropped */
	bool stopping; /* was told to end */
	uint64_t started_ms; /* monotonic */
	uint64_t restart_ms; /* when to start it again; 0: not */
	unsigned deaths; /* early ones in a row */
	unsigned unready; /* of these, without a word */
	uint32_t optouts_sent; /* number of the list it gets; spread.c's */
	uint32_t optouts_done; /* ... and has put in force */
	size_t optouts_at; /* chunks of it that it has */
};

/* All that one sweep runs on. */
struct procs {
	struct proc v[STATS_SLOTS];
	int ends[ROLE_COUNT][FD_FIRST_FREE]; /* what each role gets */
	int snapshot, stats;
};

uint64_t proc_now_ms(void); /* monotonic */

/* The wires. The descriptors snapshot and stats stay the caller's. */
int procs_init(struct procs *, int snapshot, int stats);

/* Kill what still runs, reap it, close all. */
void procs_end(struct procs *);

/* Fork and exec one child. 0, or -1 with errno. */
int proc_start(struct procs *, enum role, unsigned instance);

/*
 * May another one take its place when it dies? Probes, and resolve: they read
 * what strangers wrote, and lose nothing that is not asked for again.
 */
bool proc_is_replaced(enum role);

/* All but what those need that are started again. */
void procs_close_started(struct procs *);

/*
 * One child that has ended, or NULL; *status as waitpid(2) has it. Its last
 * messages can still be read from `control`, until proc_close().
 */
struct proc *procs_reap(struct procs *, int *status);
void proc_close(struct proc *);

/* Tell the children of a role to stop. */
void procs_stop(struct procs *, enum role);

/* ... or else. */
void procs_kill(struct procs *, enum role);

unsigned procs_running(const struct procs *); /* all roles */
unsigned procs_running_of(const struct procs *, enum role);

/* How a child ended, in words: "signal 9", "status 1". */
const char *proc_status_text(int status, char *buf, size_t cap);

/* The child's side: what `mailsweepd --role` runs. */
int child_main(enum role, unsigned instance);

#endif
