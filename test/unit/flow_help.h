/* flow_help.h: one flow, its surroundings replaced, and what it did. */
#ifndef TEST_FLOW_HELP_H
#define TEST_FLOW_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/flow.h"
#include "engine/frame.h"
#include "engine/stats.h"
#include "storage/record.h"

enum { SENT_MAX = 64, NOTES_MAX = 64, HANDED_MAX = 16 };
enum { POP3 = 110, IMAPS = 993, SMTP = 25 };
#define UTC 1700000000000000u
#define IRS 0xabcdef01u

struct sent {
	unsigned source;
	uint16_t sport, window;
	struct target target;
	uint32_t seq, ack;
	uint8_t flags;
};

struct note {
	enum note_type type;
	union {
		struct note_pending pending;
		struct note_outcome outcome;
		struct followup followup;
		struct note_canary canary;
	} u;
};

/* One flow, its surroundings, and what it did since the last look. */
struct world {
	struct conf conf;
	struct sweep sweep;
	struct stats stats;
	struct role_args args;
	struct source_ports ports;
	struct flow *flow;
	uint64_t ms;
	struct sent sent[SENT_MAX];
	struct note notes[NOTES_MAX];
	struct handoff handed[HANDED_MAX];
	unsigned nsent, nnotes, nhanded;
	unsigned wire_room; /* handoffs until it is full; 0: without end */
	bool wire_full, notes_stuck;
};

/* Limits: 2 a host, 3 a network; 5 entries. Incarnation 1. */
struct world *world_new(enum follow_mode);
void world_free(struct world *);
struct flow_time world_now(const struct world *);

/* The same again with what has been changed in the configuration. */
void world_restart(struct world *);

uint64_t count(const struct world *, enum stat_id);

/* Forget what was sent, noted and handed on so far. */
void forget(struct world *);

/* A peer, and the SYN it was sent. */
struct peer {
	struct target target;
	struct addr source;
	struct cookie cookie;
};

struct addr text(const char *);
struct peer peer_of(const struct world *, const char *address, uint16_t port,
    enum syn_kind, unsigned attempt);

/* What a peer sends; says: data so many bytes behind its SYN. */
struct segment segment(const struct peer *, uint8_t flags, uint32_t seq,
    uint32_t ack, const char *data);
struct segment synack_at(const struct peer *, uint32_t irs);
struct segment says(const struct peer *, uint32_t off, const char *data);
struct done_note done(const struct peer *);

/* A batch of n, or of one; or time that passes. */
void hear(struct world *, const struct segment *, unsigned n);
void hear_one(struct world *, struct segment);
void pass(struct world *, uint64_t ms);

/* The i-th segment sent since forget(). */
void check_sent(const struct world *, unsigned i, const struct peer *,
    uint8_t flags, uint32_t seq, uint32_t ack);
void check_rst(const struct world *, unsigned i, const struct peer *);

/* The lines of the account that are packet's (DESIGN.md 6). */
void check_balance(struct world *);

#endif
