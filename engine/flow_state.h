/* flow_state.h: what the flow_*.c share; for nobody else. */
#ifndef ENGINE_FLOW_STATE_H
#define ENGINE_FLOW_STATE_H

#include "engine/flow.h"
#include "engine/limits.h"
#include "engine/segment.h"
#include "engine/stats.h"
#include "engine/throttle.h"
#include "engine/waiting.h"
#include "storage/record.h"

/* Twice the batch, so that a search for an entry's place ends early. */
enum { PLACES = 2 * FLOW_BATCH };

/* One that is to be handed on at the end of this batch. */
struct turn {
	struct entry *entry; /* NULL: it ended in the same batch */
	uint32_t next; /* sequence number expected */
	struct handoff handoff;
};

/* How much was refused lately: the pressure on send. */
struct strain {
	uint64_t since_us; /* start of this window, CLOCK_MONOTONIC */
	uint64_t synacks, limited; /* counters at its start */
	uint64_t limits; /* 0..1000 */
};

/* A segment of ours to be: which source address and service it concerns. */
struct arrival {
	const struct segment *s;
	struct target target;
	unsigned source;
	uint8_t service;
	bool known_service;
	uint64_t captured_us;
	uint64_t hash, network; /* of waiting and of limits */
};

/*
 * Answers that carry nothing wait for a few others, so that what they need of
 * the tables is in the cache when their turn comes.
 */
enum { AHEAD = 16 };

struct ahead {
	struct segment s;
	struct arrival a; /* a.s is s */
};

/* A place for each hash: of two that share one the later is known. */
enum { SINGERS = 4096 };

struct flow {
	const struct role_args *args;
	const struct conf *conf;
	struct flow_actions act;
	void *context;
	struct source_ports ports;
	struct waiting *table;
	struct limits *limits;
	struct flow_time start, now;
	const struct ranges *optouts; /* NULL: none */
	uint64_t optouts_us; /* when they came, CLOCK_MONOTONIC */
	uint16_t canary; /* port where nobody listens */
	struct addr singers[SINGERS]; /* who answered there; by their hash */
	bool connect; /* dial connects; nothing is answered from here */
	struct ahead ahead[AHEAD]; /* a ring */
	unsigned ahead_first, nahead;
	struct turn *turns; /* FLOW_BATCH of them */
	unsigned nturns;
	uint16_t places[PLACES]; /* turn + 1 by entry number; 0: empty */
	struct strain strain;
	struct throttle throttle;
	unsigned challenges; /* in this window of strain */
	uint64_t syns, syn_us; /* sent so far; when the last was, about */
};

static inline void
flow_count(struct flow *f, enum stat_id what)
{
	stats_add(f->args->stats, f->args->slot, what, 1);
}

static inline uint64_t
flow_counted(const struct flow *f, enum stat_id what)
{
	return stats_get(f->args->stats, f->args->slot, what);
}

static inline uint32_t
flow_now_ms(const struct flow *f)
{
	return (uint32_t)((f->now.mono_us - f->start.mono_us) / 1000);
}

/* A segment's window scale as an entry keeps it. */
static inline unsigned
entry_wscale(uint8_t wscale)
{
	return wscale <= WSCALE_MAX ? wscale & 15u : ENTRY_NO_WSCALE;
}

static inline bool
entry_scales(const struct entry *e)
{
	return e->wscale != ENTRY_NO_WSCALE;
}

static inline bool
entry_waits(const struct entry *e)
{
	return e->queue <= QUEUE_BLOCKED;
}

static inline bool
entry_open(const struct entry *e)
{
	return e->queue > QUEUE_BLOCKED && e->queue < QUEUE_DONE;
}

/* ---- flow_entry.c: what an entry stands for, and what is said of it ------ */

struct target flow_target(const struct flow *, const struct entry *);
struct contact flow_contact(const struct flow *, const struct entry *);
uint32_t flow_isn(const struct flow *, const struct entry *);

/* When a segment was captured, by the clock of the table. */
uint32_t flow_captured_ms(const struct flow *, uint64_t captured_us);

/*
 * Why a SYN left from that port. One that was sent again is its target's first
 * try, to all but the cookie.
 */
struct syn {
	enum syn_kind kind;
	unsigned attempt;
};

struct syn flow_syn(const struct flow *, uint16_t sport);

/* Handed on without a word from the server. */
bool flow_early(const struct flow *, const struct entry *);

/* How long it may stay in a queue, for waiting_new. */
void flow_timeouts(const struct conf *, uint32_t timeouts_ms[QUEUE_COUNT]);

/*
 * Bytes of theirs to acknowledge behind the SYN; the second where target and
 * our next sequence number are known.
 */
void flow_ack(struct flow *, const struct entry *, uint32_t bytes);
void flow_ack_to(struct flow *, const struct entry *, const struct target *,
    uint32_t seq, uint32_t bytes);
void flow_rst(struct flow *, unsigned source, uint16_t sport,
    const struct target *, uint32_t seq);

void flow_note_pending(struct flow *, const struct entry *);
void flow_note_outcome(struct flow *, const struct entry *, enum outcome);

/* Ask the target, of a known port, again after a pause. */
void flow_note_followup(struct flow *, const struct target *, enum syn_kind,
    unsigned attempt, enum outcome why, uint32_t pause_ms);

/*
 * Is a SYN from this port one that is sent on purpose, after the entry's
 * target was done: of another kind, or a later attempt?
 */
bool flow_is_followup(
    const struct flow *, uint16_t sport, const struct entry *);

/* Frees what it held of the network's limit. */
void flow_give(struct flow *, const struct entry *);

/* The same, and its part of the host's; kept as done to know repeats by. */
void flow_finish(struct flow *, struct entry *);

/* ---- flow_stray.c: what belongs to no connection of ours ----------------- */

/*
 * A segment without SYN that belongs to no entry; e is what there is of its
 * target, or NULL.
 */
void flow_stray(struct flow *, const struct arrival *, struct entry *e);

/* The same of one that answers our SYN with what it acknowledged before. */
void flow_challenge(struct flow *, const struct arrival *, struct entry *e);

/* ---- flow_time.c: what ends without a segment ---------------------------- */

void flow_rst_entry(struct flow *, const struct entry *);

/*
 * Out of the table, so that store's retry is followed like any first try; but
 * where a pause is to be held the host is remembered.
 */
void flow_give_up(struct flow *, struct entry *, enum stat_id as);

/* ---- flow_optout.c: those who want to be left out ------------------------ */

bool flow_opted_out(const struct flow *, const struct addr *);
/* ... and nothing goes there any more, not even a RST. */
bool flow_hushed(const struct flow *, const struct addr *);

/* ---- flow_turn.c: those that are to be handed on ------------------------- */

/* The entry's turn in this batch, or NULL. */
struct turn *flow_turn_find(struct flow *, const struct entry *);
/* The same, or a new one with nothing collected. */
struct turn *flow_turn_get(struct flow *, struct entry *);
/* Each that has a turn in this batch. */
void flow_hand_on(struct flow *);
/* Into the queue that waits for dial, a probe and the done note. */
void flow_handed(struct flow *, struct entry *);

#endif
