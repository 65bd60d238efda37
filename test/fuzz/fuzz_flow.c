/*
 * fuzz_flow.c: what packet does with segments of strangers, notes of others
 * and time, in any order. Each step is eight bytes: what, of which peer, by
 * which SYN, flags, two numbers; frames go through segment_parse() first.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/flow.h"
#include "engine/frame.h"
#include "engine/ranges.h"
#include "engine/stats.h"
#include "storage/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	STEP = 8,
	STEPS_MAX = 512,
	PEERS = 8,
	FRAME_CAP = 256,
	LONGEST_MS = 30000,
	ROOM = 1000
};

#define UTC 1700000000000000u

struct world {
	struct conf conf;
	struct sweep sweep;
	struct stats stats;
	struct role_args args;
	struct source_ports ports;
	struct flow *flow;
	uint64_t ms;
	unsigned in_batch;
	bool wire_full, notes_stuck;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static const struct {
	const char *address;
	uint16_t port;
} peers[PEERS] = { { "198.18.1.1", 110 }, { "198.18.1.1", 993 },
	{ "198.18.1.2", 25 }, { "198.18.1.3", 110 }, { "198.18.9.1", 110 },
	{ "2001:db8:a::5", 25 }, { "2001:db8:a::5", 993 },
	{ "198.18.1.4", 20001 } };

/* ---- what the flow does -------------------------------------------------- */

/* Nothing is said to those that are no targets, or excluded, but a RST. */
static void
see_segment(void *ctx, unsigned source, uint16_t sport, const struct target *t,
    uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window)
{
	const struct world *w = ctx;

	(void)seq;
	(void)ack;
	(void)window;
	must(source < w->conf.nsources && source_ports_has(&w->ports, sport));
	must(flags == TCP_ACK || flags == TCP_RST);
	must(addr_is4(&t->addr) == addr_is4(&w->conf.sources[source]));
	if (flags == TCP_ACK)
		must(ranges_has(w->args.targets, &t->addr) &&
		    !ranges_has(w->args.excluded, &t->addr));
}

static int
see_handoff(void *ctx, const struct handoff *const *h, unsigned n)
{
	const struct world *w = ctx;

	must(n > 0 && n <= FLOW_BATCH);
	for (unsigned i = 0; i < n; i++)
		must(h[i]->len <= HANDOFF_DATA_MAX &&
		    h[i]->contact.wscale <= WSCALE_MAX);
	must(!w->notes_stuck && w->conf.follow == FOLLOW_ADOPT);
	return w->wire_full ? -1 : (int)(n + 1) / 2;
}

static void
see_note(void *ctx, enum note_type type, const void *item, size_t len)
{
	static const size_t sizes[] = { [NOTE_PENDING] =
					    sizeof(struct note_pending),
		[NOTE_OUTCOME] = sizeof(struct note_outcome),
		[NOTE_FOLLOWUP] = sizeof(struct followup),
		[NOTE_CANARY] = sizeof(struct note_canary) };

	(void)ctx;
	must(item != NULL && type < sizeof sizes / sizeof sizes[0] &&
	    len == sizes[type]);
}

static bool
see_noted(void *ctx)
{
	const struct world *w = ctx;

	return !w->notes_stuck;
}

static const struct flow_actions actions = { see_segment, see_handoff, see_note,
	see_noted };

/* ---- the world ----------------------------------------------------------- */

static struct flow_time
now(const struct world *w)
{
	return (struct flow_time){ UTC + w->ms * 1000, 5000000 + w->ms * 1000 };
}

static struct ranges *
set_of(const char *a, const char *b)
{
	struct ranges *r = ranges_new();
	const char *expected;

	must(r != NULL && ranges_add_text(r, a, &expected) == 0 &&
	    ranges_add_text(r, b, &expected) == 0 && ranges_seal(r) == 0);
	return r;
}

static void
configure(struct conf *c)
{
	must(addr_parse("203.0.113.2", &c->sources[0]) == 0 &&
	    addr_parse("2001:db8:f::2", &c->sources[1]) == 0);
	c->nsources = 2;
	c->sport_first = 40000;
	c->sport_last = 56383;
	c->follow = FOLLOW_ADOPT;
	c->ports[0] = (struct conf_port){ 110, PROTOCOL_POP3, 0 };
	c->ports[1] = (struct conf_port){ 993, PROTOCOL_IMAP, 1 };
	c->ports[2] = (struct conf_port){ 25, PROTOCOL_SMTP, 0 };
	c->nports = 3;
	c->greeting_ms = 3000;
	c->greeting_smtp_ms = 6000;
	c->conversation_ms = 12000;
	c->answer_window_ms = 1000;
	c->limit_pause_ms = 5000;
	c->per_host = 2;
	c->per_network = 3;
	c->waiting_max = 5;
}

/* One for all inputs: its tables take longer to make than to use. */
static void
make(struct world *w)
{
	configure(&w->conf);
	memcpy(w->sweep.key, "sixteen bytes..", sizeof w->sweep.key);
	w->sweep.incarnation = 1;
	w->args = (struct role_args){ .conf = &w->conf,
		.targets = set_of("198.18.0.0/15", "2001:db8:a::/112"),
		.excluded = set_of("198.18.9.0/24", "2001:db8:a::9"),
		.sweep = &w->sweep,
		.stats = &w->stats,
		.slot = ROLE_PACKET };
	must(source_ports_init(&w->ports, 40000, 56383, 1) == 0);
	w->flow = flow_new(&w->args, &actions, w, now(w));
	must(w->flow != NULL);
}

static uint64_t
count(const struct world *w, enum stat_id what)
{
	return stats_get(&w->stats, ROLE_PACKET, what);
}

/* DESIGN.md 6: what came in and where it went. */
static void
check(struct world *w)
{
	flow_pass_time(w->flow, now(w), 0);
	must(count(w, STAT_PKT_SYNACKS) ==
	    count(w, STAT_PKT_REPEATS) + count(w, STAT_PKT_REFUSED_LIMIT) +
		count(w, STAT_PKT_REFUSED_FULL) +
		count(w, STAT_PKT_REFUSED_OPTOUT) +
		count(w, STAT_PKT_REFUSED_KIND) + count(w, STAT_PKT_LATE) +
		count(w, STAT_PKT_ENTERED));
	must(count(w, STAT_PKT_ENTERED) ==
	    count(w, STAT_PKT_HANDED_ON) + count(w, STAT_PKT_SILENT) +
		count(w, STAT_PKT_RESET) + count(w, STAT_PKT_WITHDRAWN) +
		count(w, STAT_PKT_WAITING));
	must(count(w, STAT_PKT_HANDED_ON) >= count(w, STAT_PKT_DONE));
}

/* ---- steps --------------------------------------------------------------- */

struct peer {
	struct target target;
	struct addr source;
	struct cookie cookie;
};

static struct peer
peer_of(const struct world *w, uint8_t which, uint8_t syn)
{
	struct peer p = { .target.port = peers[which % PEERS].port };

	must(addr_parse(peers[which % PEERS].address, &p.target.addr) == 0);
	p.source = w->conf.sources[addr_is4(&p.target.addr) ? 0 : 1];
	p.cookie = cookie_make(w->sweep.key, &w->ports, &p.source, &p.target,
	    (enum syn_kind)(syn % KIND_COUNT), syn / KIND_COUNT % ATTEMPTS);
	return p;
}

static void
hear(struct world *w, const struct segment *s)
{
	if (w->in_batch == FLOW_BATCH) {
		flow_end(w->flow);
		flow_begin(w->flow, now(w));
		w->in_batch = 0;
	}
	w->in_batch++;
	flow_segment(w->flow, s, UTC + w->ms * 1000);
}

/* A byte as a number near to nothing: 255 is -1. */
static uint32_t
near_by(uint8_t b)
{
	return b < 128 ? b : b - (uint32_t)256;
}

/* Numbers near to those that count. */
static void
segment(struct world *w, const uint8_t b[STEP])
{
	static const uint8_t data[20000];
	const uint32_t irs = 0xfffffff0u;
	struct peer p = peer_of(w, b[1], b[2]);
	struct segment s = { .src = p.target.addr,
		.dst = p.source,
		.sport = p.target.port,
		.dport = p.cookie.sport,
		.seq = irs + near_by(b[4]),
		.ack = p.cookie.isn + near_by(b[5]),
		.flags = b[3],
		.options = b[6] & 0x1c,
		.wscale = b[6] & 2 ? b[6] >> 4 : WSCALE_NONE,
		.window = (uint16_t)(b[6] * 257),
		.len = b[7] < 250 ? b[7] : (uint32_t)(b[7] - 249) * 3000,
		.data = data };

	if (s.wscale != WSCALE_NONE && s.wscale > WSCALE_MAX)
		s.wscale = WSCALE_MAX;
	hear(w, &s);
}

/* Bytes as they come from the card, one frame in what is left. */
static size_t
frame(struct world *w, const uint8_t *b, size_t len)
{
	struct segment s;
	size_t n = 1 + (len > 1 ? b[1] % FRAME_CAP : 0);

	n = n < len ? n : len;
	if (segment_parse(b + 1, n - 1, &s) == SEGMENT_TCP)
		hear(w, &s);
	return n;
}

static void
end_batch(struct world *w)
{
	flow_end(w->flow);
	w->in_batch = 0;
}

/* Between two batches. */
static void
other(struct world *w, const uint8_t b[STEP])
{
	struct peer p = peer_of(w, b[1], b[2]);
	struct done_note done = { .target = p.target, .sport = p.cookie.sport };
	struct dial_note failed = { .target = p.target,
		.sport = p.cookie.sport,
		.withdrawn = b[3] & 1 };

	end_batch(w);
	switch (b[0] % 8) {
	case 3:
		flow_done(w->flow, &done, now(w));
		break;
	case 4:
		flow_dial_failed(w->flow, &failed, now(w));
		break;
	case 5:
		w->ms += (uint64_t)b[3] * b[4];
		flow_pass_time(w->flow, now(w), b[5]);
		break;
	case 6:
		w->wire_full = b[3] & 1;
		w->notes_stuck = b[3] & 2;
		stats_add(&w->stats, ROLE_SEND, STAT_SEND_PACKETS, b[3] & 4);
		break;
	default:
		break;
	}
	check(w);
	flow_begin(w->flow, now(w));
}

/* All entries end: the next input finds an empty table. */
static void
empty(struct world *w)
{
	flow_leave(w->flow);
	for (int i = 0; i < 2; i++) {
		w->ms += LONGEST_MS;
		flow_pass_time(w->flow, now(w), ROOM);
	}
	must(flow_waiting(w->flow) == 0 && flow_open(w->flow) == 0);
	memset(&w->stats, 0, sizeof w->stats);
	w->wire_full = w->notes_stuck = false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct world w;
	size_t n;

	if (w.flow == NULL)
		make(&w);
	flow_begin(w.flow, now(&w));
	for (unsigned i = 0; i < STEPS_MAX && len > 0; i++) {
		n = len < STEP ? len : STEP;
		if (bytes[0] % 8 == 7)
			n = frame(&w, bytes, len);
		else if (n < STEP)
			break;
		else if (bytes[0] % 8 < 3)
			segment(&w, bytes);
		else
			other(&w, bytes);
		bytes += n;
		len -= n;
	}
	end_batch(&w);
	check(&w);
	empty(&w);
	return 0;
}
