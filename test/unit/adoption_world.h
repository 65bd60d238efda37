/* adoption_world.h: packet and dial in their sandboxes, and their wires. */
#ifndef TEST_ADOPTION_WORLD_H
#define TEST_ADOPTION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "engine/link.h"
#include "engine/nft.h"
#include "engine/role.h"
#include "engine/stats.h"
#include "engine/wire.h"
#include "storage/record.h"

enum { NOTES_MAX = 32 };

struct world {
	struct conf conf;
	struct sweep sweep;
	struct role_args args;
	struct source_ports ports;
	struct stats *stats;
	int control[2], dialed, done, notes; /* our ends; packet's, dial's */
	pid_t pids[2];
	struct nft *nft;
	struct link *link;
	struct frame_link ends;
	struct note_outcome outcomes[NOTES_MAX];
	unsigned npending, noutcomes, nticks;
};

/* Skips the test without root. The end: both stop, with status 0. */
struct world *world_new(enum follow_mode);
void world_free(struct world *);

/* As send does. */
struct cookie send_syn(struct world *, const char *address, uint16_t port);

/* As a probe does; the socket blocks from here on, but not for ever. */
int receive_socket(struct world *, struct dialed *);
void send_done(struct world *, const struct dialed *);

/* As store does: one message, if it comes in time. */
bool receive_notes(struct world *, int wait_ms);
void await_outcome(struct world *, enum outcome);

uint64_t count(const struct world *, enum stat_id);

/* Counters are written by others: wait for one, some ticks at most. */
void await_count(struct world *, enum stat_id, uint64_t n);

#endif
