/*
 * conversation.h: one connection from its descriptor to its record: alone
 * touches socket, clock and TLS, and gives the dialog what it wants.
 */
#ifndef PROBES_CONVERSATION_H
#define PROBES_CONVERSATION_H

#include "engine/ranges.h"
#include "engine/wire.h"
#include "probes/dialog.h"
#include "probes/tls.h"
#include "probes/wheel.h"

enum {
	LINE_SMALL = 512, /* a longer line moves to a buffer of its own */
	BODY_SMALL = 2560,
	BODY_LARGE = RECORD_MAX - HEAD_SIZE - (int)sizeof(uint32_t),
	QUIET_MS = 1000, /* nothing more comes in answer to our garbage */
	CLEAR_MS = 5000, /* clear text where TLS was to start: no TLS then */
	FAREWELL_MS = 5000, /* for the server to close first */
	BRIMS = 2, /* reads that fill the small buffer: a large one */
	CRUMB = 16, /* bytes: less than that at once, and no line ends */
	CRUMBS = 3, /* so often, */
	CRUMBS_MS = 1500, /* and for so long: from then on read by the clock, */
	SIP_MS = 4000, /* so often */
	HANDSHAKES_MAX = 8192 /* at once, of up to 40 KiB in OpenSSL each */
};

/*
 * Handshakes at once are capped, those that wait for their ServerHello among
 * them: they are what costs memory. Who asks for a turn first gets it first;
 * who answers on every port comes after all others.
 */
enum { TURN_QUEUES = 2 };

struct turns {
	struct turn_queue {
		struct conversation *first, **end;
	} queues[TURN_QUEUES];
	unsigned taken, max, waiting;
};

/* What all conversations of a process share. */
struct conversations {
	const struct conf *conf;
	struct tls_context *tls;
	struct manners manners;
	struct wheel wheel;
	const struct ranges *optouts; /* who is left out; NULL: nobody */
	int epoll;
	uint64_t now_ms; /* CLOCK_MONOTONIC, once a batch */
	uint64_t now_us; /* UTC, once a batch */
	uint64_t handshakes; /* begun, for the statistics */
	struct turns turns;
	struct conversation *over; /* ended, to be reported */
	struct conversation **over_tail;
	struct conversation *released; /* reused after the batch */
	struct conversation *spare;
	struct slab *slabs; /* where they all are */
	unsigned open; /* all that are not released */
};

struct conversation {
	struct timer timer; /* first: a timer is its conversation */
	struct conversation *next; /* in over, released, spare or a queue */
	struct conversation **turn_before; /* while it waits for a turn */
	struct conversations *all;
	struct contact contact;
	uint32_t rtt_us;
	int fd;
	struct record record;
	struct dialog dialog;
	struct line_reader lines;
	struct tls *tls;
	uint8_t *line_large, *body_large; /* NULL: the small ones do */
	char *unsent; /* what the socket did not take at once; rare */
	size_t unsent_len;
	uint64_t begun_ms; /* taken over */
	uint64_t base_ms; /* SYN-ACK, by our clock */
	uint64_t end_ms; /* of it all */
	uint64_t deadline_ms; /* of what is waited for now */
	uint64_t window_ms; /* rate: since then; 0: not measured */
	uint32_t window_bytes;
	uint32_t bytes; /* in clear; TLS counts its own */
	uint32_t line_ms; /* of the bytes read last, since SYN-ACK */
	uint64_t greeting_us; /* UTC of the first byte */
	uint64_t tls_begun_ms;
	uint8_t place; /* enum place */
	uint8_t turn; /* turn.c's */
	bool refused; /* it took no more bytes of ours */
	bool withdrawn; /* opted out: no record of it */
	uint8_t crumbs; /* one after the other */
	uint8_t brims; /* reads that were filled, one after the other */
	bool sipped; /* read by the clock: each byte woke us */
	bool woken; /* by bytes alone: what comes next wakes us again */
	bool drained; /* and all there were have been read */
	uint8_t told; /* what store and packet know: see report.c */
	uint8_t line_small[LINE_SMALL];
	uint8_t body_small[BODY_SMALL];
};

/* All zeros but for what is given; the epoll descriptor is made here. */
int conversations_init(struct conversations *, const struct conf *,
    struct tls_context *, uint64_t now_ms, uint64_t now_us);
/* None may be open: what they hold would be lost. */
void conversations_free(struct conversations *);

/*
 * Take over a connection and its descriptor; -1: no memory, the descriptor
 * stays the caller's. It is in `over` as soon as it has ended.
 */
int conversation_begin(struct conversations *, const struct dialed *, int fd);

/*
 * It goes on as far as it can: what epoll says of its socket, or whatever
 * that may be; the time is up.
 */
void conversation_event(struct conversation *, uint32_t events);
void conversation_ready(struct conversation *);
void conversations_expire(struct conversations *);

/*
 * Those left out from now on: connections to them end with a RST and are in
 * over, withdrawn; so is each that begins later. The set stays the caller's.
 */
void conversations_optouts(struct conversations *, const struct ranges *);

/* Between batches: whose turn it has become goes on. */
void conversations_turns(struct conversations *);

/* Done with one that was in over: forget it, at the end of this batch. */
void conversation_release(struct conversation *);
void conversations_reclaim(struct conversations *);

#endif
