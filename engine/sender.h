/* sender.h: one sending thread: indices and follow-ups in, frames out. */
#ifndef ENGINE_SENDER_H
#define ENGINE_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/again.h"
#include "engine/aim.h"
#include "engine/conf.h"
#include "engine/cookie.h"
#include "engine/frame.h"
#include "engine/link.h"
#include "engine/permute.h"
#include "engine/ranges.h"
#include "engine/sweep.h"
#include "engine/wire.h"

/* What all threads share; made before the first, constant from then on. */
struct sender_plan {
	const struct conf *conf;
	const struct ranges *targets, *excluded;
	const struct sweep *sweep;
	struct aims *aims;
	struct permute order;
	struct source_ports ports;
	/* [0] IPv4, [1] IPv6. */
	struct frame_template sources[2][CONF_SOURCES_MAX];
	unsigned nsources[2];
};

/*
 * 0, or -1 with errno. links[0] is for IPv4, [1] for IPv6; each is used only
 * when there is a source address of that family.
 */
int sender_plan_init(struct sender_plan *, const struct conf *,
    const struct ranges *targets, const struct ranges *excluded,
    const struct sweep *, const struct frame_link links[2]);
void sender_plan_free(struct sender_plan *);

/* The plan's aims, cut at opt-outs as well (NULL: none). NULL with errno. */
struct aims *sender_plan_aims(
    const struct sender_plan *, const struct ranges *optouts);

/* The source that a target's SYNs always leave from, or NULL: none fits. */
const struct frame_template *sender_source(
    const struct sender_plan *, const struct aim *);

/*
 * What a thread fills batches with, SYNs of one kind and attempt: first tries
 * unless told otherwise. NULL with errno. The plan must live as long.
 */
struct sender_lots;
struct sender_lots *sender_lots_new(const struct sender_plan *);
void sender_lots_free(struct sender_lots *);
void sender_lots_syn(struct sender_lots *, enum syn_kind, unsigned attempt);
void sender_lots_aim(struct sender_lots *, const struct aims *);

/*
 * Frames for indices of the sweep (as sweep_index() has them): first, first +
 * stride ... n of them, at most LINK_BATCH, into the slots, of which there are
 * as many. Returns how many slots were filled; counted[] says what became of
 * each index.
 */
unsigned sender_fill(struct sender_lots *, uint64_t first, uint64_t stride,
    unsigned n, struct link_slot *slots[], uint64_t counted[SEND_COUNTS]);

/* One frame, for a follow-up. False: no source fits. */
bool sender_fill_one(const struct sender_plan *, const struct target *,
    enum syn_kind, unsigned attempt, struct link_slot *);

/*
 * How far a thread is. Consistent: position and counted cover exactly the
 * indices whose frames the kernel has taken (or that needed none).
 */
struct sender_progress {
	/* Steps of sweep_index() done; with two SYNs a target, both of them. */
	uint64_t position;
	uint64_t counted[SEND_COUNTS];
	uint64_t packets; /* frames the kernel took */
	uint64_t followups, canaries, again, seconds; /* of these, by kind */
	uint32_t again_done; /* number of the last stretch sent again */
	uint32_t optouts; /* number of those in force; what left, left before */
	uint64_t errors; /* calls refused, follow-ups that may not be sent */
	bool finished; /* its share is passed */
};

struct sender;

/*
 * Start thread number `thread` of the sweep, paused. The link stays the
 * caller's but is the thread's to use until sender_join(). NULL with errno.
 */
struct sender *sender_start(
    const struct sender_plan *, unsigned thread, struct link *);

/* Packets/s from now on; 0 pauses. */
void sender_rate(struct sender *, uint64_t);

/* Queue a SYN, sent before indices and after the end too: false = full. */
bool sender_followup(struct sender *, const struct followup *);

/*
 * Send a stretch of the thread's steps once more, KIND_AGAIN, before it goes
 * on: no target is counted. It takes the place of one that is not at its end.
 * progress.again_done is its number (not 0) when all of it is sent.
 */
void sender_again(struct sender *, const struct stretch *, uint32_t number);

/*
 * Who is left out from the next batch on: aims that were cut at the set, and
 * the set. Both stay the caller's and must live until progress.optouts is
 * another number.
 */
struct sender_optouts {
	const struct aims *aims;
	const struct ranges *set;
	uint32_t number; /* from 1 on */
};

void sender_optouts(struct sender *, const struct sender_optouts *);

struct sender_progress sender_progress(struct sender *);

/* Ask it to end after the batch in hand. */
void sender_stop(struct sender *);

/* Wait for that end and free; its last progress. */
struct sender_progress sender_join(struct sender *);

#endif
