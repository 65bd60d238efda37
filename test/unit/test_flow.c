/* test_flow.c: packet's decisions, with network and clock replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/flow.h"
#include "engine/frame.h"
#include "engine/ranges.h"
#include "engine/stats.h"
#include "storage/record.h"

enum { SENT_MAX = 64, NOTES_MAX = 64, HANDED_MAX = 8 };
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
	bool wire_full, notes_stuck;
};

static void
see_segment(void *ctx, unsigned source, uint16_t sport, const struct target *t,
    uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window)
{
	struct world *w = ctx;

	assert_true(w->nsent < SENT_MAX);
	w->sent[w->nsent++] = (struct sent){ .source = source,
		.sport = sport,
		.window = window,
		.target = *t,
		.seq = seq,
		.ack = ack,
		.flags = flags };
}

static int
see_handoff(void *ctx, const struct handoff *h)
{
	struct world *w = ctx;

	if (w->wire_full)
		return -1;
	assert_true(w->nhanded < HANDED_MAX);
	memcpy(&w->handed[w->nhanded++], h, HANDOFF_HEAD + h->len);
	return 0;
}

static void
see_note(void *ctx, enum note_type type, const void *item, size_t len)
{
	struct world *w = ctx;
	struct note *n = &w->notes[w->nnotes++];

	assert_true(w->nnotes <= NOTES_MAX && len <= sizeof n->u);
	n->type = type;
	memcpy(&n->u, item, len);
}

static bool
see_noted(void *ctx)
{
	struct world *w = ctx;

	return !w->notes_stuck;
}

static const struct flow_actions actions = { see_segment, see_handoff, see_note,
	see_noted };

static struct addr
text(const char *s)
{
	struct addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static struct ranges *
ranges_of(const char *a, const char *b)
{
	const char *expected;
	struct ranges *r = ranges_new();

	assert_non_null(r);
	assert_int_equal(ranges_add_text(r, a, &expected), 0);
	if (b != NULL)
		assert_int_equal(ranges_add_text(r, b, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

static struct flow_time
now(const struct world *w)
{
	return (struct flow_time){ UTC + w->ms * 1000, 5000000 + w->ms * 1000 };
}

static struct world *
world_new(enum follow_mode follow)
{
	struct world *w = calloc(1, sizeof *w);
	struct conf *c;

	assert_non_null(w);
	c = &w->conf;
	c->sources[0] = text("203.0.113.2");
	c->sources[1] = text("2001:db8:f::2");
	c->nsources = 2;
	c->sport_first = 40000;
	c->sport_last = 56383;
	c->follow = (uint8_t)follow;
	c->ports[0] = (struct conf_port){ POP3, PROTOCOL_POP3, 0 };
	c->ports[1] = (struct conf_port){ IMAPS, PROTOCOL_IMAP, 1 };
	c->ports[2] = (struct conf_port){ SMTP, PROTOCOL_SMTP, 0 };
	c->nports = 3;
	c->greeting_ms = 30000;
	c->greeting_smtp_ms = 60000;
	c->conversation_ms = 120000;
	c->answer_window_ms = 10000;
	c->limit_pause_ms = 5000;
	c->per_host = 2;
	c->per_network = 3;
	c->waiting_max = 5;
	memcpy(w->sweep.key, "sixteen bytes..", sizeof w->sweep.key);
	w->sweep.incarnation = 1;
	w->args = (struct role_args){ .conf = c,
		.targets = ranges_of("198.18.0.0/15", "2001:db8:a::/112"),
		.excluded = ranges_of("198.18.9.0/24", NULL),
		.sweep = &w->sweep,
		.stats = &w->stats,
		.slot = ROLE_PACKET };
	assert_int_equal(source_ports_init(&w->ports, 40000, 56383, 1), 0);
	w->flow = flow_new(&w->args, &actions, w, now(w));
	assert_non_null(w->flow);
	return w;
}

/* uintptr_t: the sets are const to all but their owner, which we are. */
static void
world_free(struct world *w)
{
	flow_free(w->flow);
	ranges_free((struct ranges *)(uintptr_t)w->args.targets);
	ranges_free((struct ranges *)(uintptr_t)w->args.excluded);
	free(w);
}

static uint64_t
count(const struct world *w, enum stat_id what)
{
	return stats_get(&w->stats, ROLE_PACKET, what);
}

static void
forget(struct world *w)
{
	w->nsent = w->nnotes = w->nhanded = 0;
}

/* A peer, and the SYN it was sent. */
struct peer {
	struct target target;
	struct addr source;
	struct cookie cookie;
};

static struct peer
peer_of(const struct world *w, const char *address, uint16_t port,
    enum syn_kind kind, unsigned attempt)
{
	struct peer p = { .target = { text(address), port } };

	p.source = w->conf.sources[addr_is4(&p.target.addr) ? 0 : 1];
	p.cookie = cookie_make(
	    w->sweep.key, &w->ports, &p.source, &p.target, kind, attempt);
	return p;
}

static struct segment
segment(const struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
    const char *data)
{
	return (struct segment){ .src = p->target.addr,
		.dst = p->source,
		.sport = p->target.port,
		.dport = p->cookie.sport,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.ttl = 57,
		.wscale = WSCALE_NONE,
		.window = 500,
		.len = (uint32_t)strlen(data),
		.data = (const uint8_t *)data };
}

static struct segment
synack_at(const struct peer *p, uint32_t irs)
{
	struct segment s =
	    segment(p, TCP_SYN | TCP_ACK, irs, p->cookie.isn + 1, "");

	s.mss = 1400;
	s.wscale = 7;
	s.window = 65000;
	s.options = OPTION_MSS | OPTION_SACK_OK | OPTION_WSCALE;
	return s;
}

/* off: bytes behind their SYN. */
static struct segment
says(const struct peer *p, uint32_t off, const char *data)
{
	return segment(
	    p, TCP_ACK | TCP_PSH, IRS + 1 + off, p->cookie.isn + 1, data);
}

static void
hear(struct world *w, const struct segment *s, unsigned n)
{
	flow_begin(w->flow, now(w));
	for (unsigned i = 0; i < n; i++)
		flow_segment(w->flow, &s[i], UTC + w->ms * 1000);
	flow_end(w->flow);
}

static void
hear_one(struct world *w, struct segment s)
{
	hear(w, &s, 1);
}

static void
pass(struct world *w, uint64_t ms)
{
	w->ms += ms;
	flow_pass_time(w->flow, now(w), 1000);
}

static void
check_sent(const struct world *w, unsigned i, const struct peer *p,
    uint8_t flags, uint32_t seq, uint32_t ack)
{
	const struct sent *s = &w->sent[i];

	assert_true(i < w->nsent);
	assert_int_equal(addr_cmp(&s->target.addr, &p->target.addr), 0);
	assert_int_equal(s->target.port, p->target.port);
	assert_int_equal(addr_cmp(&w->conf.sources[s->source], &p->source), 0);
	assert_int_equal(s->sport, p->cookie.sport);
	assert_int_equal(s->flags, flags);
	assert_int_equal(s->seq, seq);
	assert_int_equal(s->ack, ack);
}

static void
check_rst(const struct world *w, unsigned i, const struct peer *p)
{
	check_sent(w, i, p, TCP_RST, p->cookie.isn + 1, 0);
}

static void
check_balance(struct world *w)
{
	flow_pass_time(w->flow, now(w), 0);
	assert_int_equal(count(w, STAT_PKT_SYNACKS),
	    count(w, STAT_PKT_REPEATS) + count(w, STAT_PKT_REFUSED_LIMIT) +
		count(w, STAT_PKT_REFUSED_FULL) +
		count(w, STAT_PKT_REFUSED_OPTOUT) +
		count(w, STAT_PKT_REFUSED_KIND) + count(w, STAT_PKT_LATE) +
		count(w, STAT_PKT_ENTERED));
	assert_int_equal(count(w, STAT_PKT_ENTERED),
	    count(w, STAT_PKT_HANDED_ON) + count(w, STAT_PKT_SILENT) +
		count(w, STAT_PKT_RESET) + count(w, STAT_PKT_WITHDRAWN) +
		count(w, STAT_PKT_WAITING));
}

/* ---- the good way -------------------------------------------------------- */

static void
a_greeting_in_three_segments_travels_whole(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct segment three[3] = { says(&p, 0, "+OK "), says(&p, 4, "ready "),
		says(&p, 10, "here\r\n") };
	const struct handoff *h = &w->handed[0];

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nsent, 1);
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	assert_int_equal(w->sent[0].window, SYN_WINDOW >> SYN_WSCALE);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_PENDING);
	assert_int_equal(w->notes[0].u.pending.protocol, PROTOCOL_POP3);
	assert_int_equal(w->notes[0].u.pending.synack_us, UTC);
	assert_int_equal(w->nhanded, 0);
	forget(w);
	w->ms = 25;
	three[2].window = 777;
	hear(w, three, 3);
	assert_int_equal(w->nhanded, 1);
	assert_int_equal(h->len, 16);
	assert_memory_equal(h->data, "+OK ready here\r\n", 16);
	assert_int_equal(h->isn, p.cookie.isn);
	assert_int_equal(h->irs, IRS);
	assert_int_equal(h->snd_wnd, 777 << 7);
	assert_int_equal(h->snd_wl1, IRS + 11);
	assert_int_equal(h->contact.mss, 1400);
	assert_int_equal(h->contact.wscale, 7);
	assert_int_equal(h->contact.ttl, 57);
	assert_int_equal(h->contact.window, 65000);
	assert_int_equal(h->contact.flags, HANDOFF_SACK | HANDOFF_WSCALE);
	assert_int_equal(h->contact.synack_us, UTC);
	assert_int_equal(h->contact.greeting_us, UTC + 25000);
	/* one ACK, for exactly what was handed on */
	assert_int_equal(w->nsent, 1);
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 17);
	assert_int_equal(flow_open(w->flow), 1);
	check_balance(w);
	world_free(w);
}

static void
without_scaling_windows_are_as_they_are(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct segment s = synack_at(&p, IRS);

	(void)state;
	s.wscale = WSCALE_NONE;
	s.options = OPTION_MSS;
	hear_one(w, s);
	assert_int_equal(w->sent[0].window, SYN_WINDOW);
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->handed[0].snd_wnd, 500);
	assert_int_equal(w->handed[0].contact.flags, 0);
	assert_int_equal(w->handed[0].contact.wscale, 0);
	world_free(w);
}

static void
ipv6_goes_the_same_way(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "2001:db8:a::5", SMTP, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	hear_one(w, says(&p, 0, "220 x\r\n"));
	assert_int_equal(w->nhanded, 1);
	assert_int_equal(
	    addr_cmp(&w->handed[0].contact.target.addr, &p.target.addr), 0);
	assert_int_equal(addr_cmp(&w->handed[0].contact.source, &p.source), 0);
	check_balance(w);
	world_free(w);
}

static void
a_gap_is_left_to_the_peer(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct segment s[3] = { says(&p, 6, "later\r\n"), says(&p, 0, "+OK "),
		says(&p, 2, "K re") };

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 6, "later\r\n"));
	assert_int_equal(w->nhanded, 0);
	assert_int_equal(w->nsent, 1);
	/* out of order, then in order, then overlapping */
	hear(w, s, 3);
	assert_int_equal(w->nhanded, 1);
	assert_int_equal(w->handed[0].len, 6);
	assert_memory_equal(w->handed[0].data, "+OK re", 6);
	check_sent(w, 1, &p, TCP_ACK, p.cookie.isn + 1, IRS + 7);
	world_free(w);
}

static void
sequence_numbers_wrap(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	uint32_t irs = UINT32_MAX - 2;
	struct segment s[2] = { segment(&p, TCP_ACK, irs + 1, p.cookie.isn + 1,
				    "+OK "),
		segment(&p, TCP_ACK, irs + 5, p.cookie.isn + 1, "x\r\n") };

	(void)state;
	hear_one(w, synack_at(&p, irs));
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, UINT32_MAX - 1);
	hear(w, s, 2);
	assert_int_equal(w->handed[0].len, 7);
	check_sent(w, 1, &p, TCP_ACK, p.cookie.isn + 1, 5);
	world_free(w);
}

static void
more_than_fits_is_acknowledged_in_part(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	static char big[HANDOFF_DATA_MAX + 100];
	struct segment s;

	(void)state;
	memset(big, 'a', sizeof big - 1);
	hear_one(w, synack_at(&p, IRS));
	s = says(&p, 0, big);
	s.flags |= TCP_FIN;
	hear_one(w, s);
	assert_int_equal(w->handed[0].len, HANDOFF_DATA_MAX);
	assert_int_equal(w->handed[0].contact.flags & HANDOFF_FIN, 0);
	check_sent(
	    w, 1, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1 + HANDOFF_DATA_MAX);
	world_free(w);
}

static void
implicit_tls_is_handed_on_at_once(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nhanded, 1);
	assert_int_equal(w->handed[0].len, 0);
	assert_int_equal(w->handed[0].contact.flags,
	    HANDOFF_TLS | HANDOFF_SACK | HANDOFF_WSCALE);
	assert_int_equal(w->handed[0].snd_wnd, 65000);
	assert_int_equal(w->handed[0].snd_wl1, IRS);
	assert_int_equal(w->nsent, 1);
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	/* our ACK was lost: again, without a second hand-on */
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nhanded, 1);
	check_sent(w, 1, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	assert_int_equal(count(w, STAT_PKT_REPEATS), 1);
	check_balance(w);
	world_free(w);
}

static void
a_client_hello_needs_no_greeting(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_CLIENT_HELLO, 1);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nhanded, 1);
	assert_true(w->handed[0].contact.flags & HANDOFF_TLS);
	assert_int_equal(w->handed[0].contact.kind, KIND_CLIENT_HELLO);
	assert_int_equal(w->handed[0].contact.attempt, 1);
	world_free(w);
}

/* ---- repeats ------------------------------------------------------------- */

static void
a_repeated_synack_is_acknowledged_again(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer second = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&p, IRS));
	check_sent(w, 1, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	/* of a second probe: not followed, and not left half open */
	hear_one(w, synack_at(&second, 5));
	check_rst(w, 2, &second);
	assert_int_equal(count(w, STAT_PKT_REPEATS), 2);
	assert_int_equal(count(w, STAT_PKT_ENTERED), 1);
	assert_int_equal(w->nnotes, 1);
	check_balance(w);
	world_free(w);
}

static struct done_note
done(const struct peer *p)
{
	return (struct done_note){ .target = p->target,
		.sport = p->cookie.sport,
		.outcome = OUTCOME_COMPLETED };
}

static void
done_is_known_for_a_while(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct done_note d = done(&p), wrong = d;

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	wrong.sport++;
	flow_done(w->flow, &wrong, now(w));
	wrong = d;
	wrong.target.port = 9;
	flow_done(w->flow, &wrong, now(w));
	assert_int_equal(count(w, STAT_PKT_DONE), 0);
	flow_done(w->flow, &d, now(w));
	flow_done(w->flow, &d, now(w));
	assert_int_equal(count(w, STAT_PKT_DONE), 1);
	assert_int_equal(flow_open(w->flow), 0);
	forget(w);
	pass(w, 9999);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nsent, 1);
	check_rst(w, 0, &p);
	assert_int_equal(w->nhanded, 0);
	assert_int_equal(count(w, STAT_PKT_REPEATS), 1);
	/* its last segments are the kernel's */
	hear_one(w, says(&p, 5, "bye\r\n"));
	assert_int_equal(w->nsent, 1);
	pass(w, 1);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	check_balance(w);
	world_free(w);
}

static void
a_followup_of_another_kind_is_followed_when_done(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer hello =
	    peer_of(w, "198.18.1.1", POP3, KIND_CLIENT_HELLO, 1);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&hello, 7));
	check_rst(w, 1, &hello);
	pass(w, 30000);
	assert_int_equal(count(w, STAT_PKT_SILENT), 1);
	hear_one(w, synack_at(&hello, 7));
	assert_int_equal(w->nhanded, 1);
	check_balance(w);
	world_free(w);
}

/* ---- those that say nothing, or good-bye --------------------------------- */

static void
silence_ends_with_a_rst(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer m = peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&m, IRS));
	forget(w);
	pass(w, 29999);
	assert_int_equal(w->nsent, 0);
	pass(w, 1);
	assert_int_equal(w->nsent, 1);
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_OUTCOME);
	assert_int_equal(w->notes[0].u.outcome.outcome, OUTCOME_SILENT);
	assert_int_equal(w->notes[0].u.outcome.contact.target.port, POP3);
	assert_int_equal(w->notes[0].u.outcome.when_us, UTC + 30000000);
	assert_int_equal(w->notes[0].u.outcome.contact.synack_us, UTC);
	pass(w, 30000);
	assert_int_equal(w->nsent, 2);
	check_rst(w, 1, &m);
	assert_int_equal(count(w, STAT_PKT_SILENT), 2);
	check_balance(w);
	world_free(w);
}

static void
time_passes_only_as_far_as_notes_fit(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer q = peer_of(w, "198.18.2.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&q, IRS));
	w->ms = 40000;
	flow_pass_time(w->flow, now(w), 1);
	assert_int_equal(count(w, STAT_PKT_SILENT), 1);
	assert_int_equal(count(w, STAT_PKT_WAITING), 1);
	flow_pass_time(w->flow, now(w), 1);
	assert_int_equal(count(w, STAT_PKT_SILENT), 2);
	world_free(w);
}

static void
a_rst_after_the_synack(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	forget(w);
	/* outside of our window: anybody's guess */
	hear_one(w, segment(&p, TCP_RST, IRS + 1 + SYN_WINDOW, 0, ""));
	hear_one(w, segment(&p, TCP_RST, IRS, 0, ""));
	assert_int_equal(count(w, STAT_PKT_RESET), 0);
	hear_one(w, segment(&p, TCP_RST, IRS + 1, 0, ""));
	assert_int_equal(count(w, STAT_PKT_RESET), 1);
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].u.outcome.outcome, OUTCOME_RESET);
	check_balance(w);
	world_free(w);
}

static void
a_rst_to_our_syn_is_a_closed_port(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, segment(&p, TCP_RST | TCP_ACK, 0, p.cookie.isn + 1, ""));
	hear_one(w, segment(&p, TCP_RST | TCP_ACK, 0, p.cookie.isn, ""));
	hear_one(w, segment(&p, TCP_RST, 0, p.cookie.isn + 1, ""));
	assert_int_equal(count(w, STAT_PKT_RST_IN), 1);
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 0);
	world_free(w);
}

static void
a_fin_behind_the_greeting_is_told(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);
	struct segment s[2] = { says(&p, 0, "554 no\r\n"), says(&p, 8, "") };

	(void)state;
	s[1].flags |= TCP_FIN;
	hear_one(w, synack_at(&p, IRS));
	hear(w, s, 2);
	assert_int_equal(w->nhanded, 1);
	assert_int_equal(w->handed[0].len, 8);
	assert_true(w->handed[0].contact.flags & HANDOFF_FIN);
	/* the FIN itself is not acknowledged: the socket must see it */
	check_sent(w, 1, &p, TCP_ACK, p.cookie.isn + 1, IRS + 9);
	world_free(w);
	/* both in one segment */
	w = world_new(FOLLOW_ADOPT);
	hear_one(w, synack_at(&p, IRS));
	s[0].flags |= TCP_FIN;
	hear_one(w, s[0]);
	assert_true(w->handed[0].contact.flags & HANDOFF_FIN);
	assert_int_equal(w->handed[0].len, 8);
	check_sent(w, 1, &p, TCP_ACK, p.cookie.isn + 1, IRS + 9);
	world_free(w);
}

static void
a_fin_alone_is_closed(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);
	struct segment fin = says(&p, 0, "");

	(void)state;
	fin.flags |= TCP_FIN;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, fin);
	assert_int_equal(w->nhanded, 0);
	check_rst(w, 1, &p);
	assert_int_equal(w->notes[1].u.outcome.outcome, OUTCOME_CLOSED);
	assert_int_equal(count(w, STAT_PKT_RESET), 1);
	check_balance(w);
	world_free(w);
}

static void
a_fin_before_its_turn_ends_it(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 0);
	struct segment s[2] = { synack_at(&p, IRS), says(&p, 0, "") };

	(void)state;
	s[1].flags |= TCP_FIN;
	hear(w, s, 2);
	assert_int_equal(w->nhanded, 0);
	assert_int_equal(count(w, STAT_PKT_RESET), 1);
	check_balance(w);
	world_free(w);
}

static void
a_blind_guess_says_nothing(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct segment s = says(&p, 0, "+OK forged\r\n");

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	s.ack++;
	hear_one(w, s);
	s = says(&p, 0, "+OK forged\r\n");
	s.flags &= (uint8_t)~TCP_ACK;
	hear_one(w, s);
	assert_int_equal(w->nhanded, 0);
	assert_int_equal(w->nsent, 1);
	world_free(w);
}

/* ---- pressure ------------------------------------------------------------ */

static void
a_full_wire_is_silence_and_the_peer_asks_again(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	forget(w);
	w->wire_full = true;
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nsent, 0);
	assert_int_equal(count(w, STAT_PKT_WIRE_FULL), 1);
	pass(w, 200);
	assert_int_equal(count(w, STAT_PKT_PRESSURE), 250);
	check_balance(w);
	w->wire_full = false;
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 1);
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 6);
	pass(w, 200);
	assert_int_equal(count(w, STAT_PKT_PRESSURE), 200);
	check_balance(w);
	world_free(w);
}

static void
blocked_for_good_has_no_outcome(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 0);

	(void)state;
	w->wire_full = true;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nsent, 0);
	/* unacknowledged, it asks again: still no, then yes or never */
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nsent, 0);
	assert_int_equal(count(w, STAT_PKT_REPEATS), 1);
	pass(w, 60000);
	assert_int_equal(count(w, STAT_PKT_WITHDRAWN), 1);
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 1);
	check_balance(w);
	/* its retry is followed like any first try */
	w->wire_full = false;
	p = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 1);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nhanded, 1);
	world_free(w);
}

static void
nothing_is_handed_on_before_its_note(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	w->notes_stuck = true;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 0);
	w->notes_stuck = false;
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 1);
	check_balance(w);
	world_free(w);
}

static void
over_a_limit_is_put_off(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer a = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer b = peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);
	struct peer c = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 3);
	const struct followup *n = &w->notes[0].u.followup;

	(void)state;
	hear_one(w, synack_at(&a, IRS));
	hear_one(w, synack_at(&b, IRS));
	forget(w);
	hear_one(w, synack_at(&c, IRS));
	check_rst(w, 0, &c);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_FOLLOWUP);
	assert_int_equal(n->target.port, IMAPS);
	assert_int_equal(n->kind, KIND_PLAIN);
	assert_int_equal(n->attempt, ATTEMPTS - 1);
	assert_int_equal(n->why, OUTCOME_LIMITED);
	assert_int_equal(n->not_before_us, UTC + 5000000);
	assert_int_equal(count(w, STAT_PKT_REFUSED_LIMIT), 1);
	assert_int_equal(count(w, STAT_PKT_FOLLOWUPS), 1);
	/* the silent one has gone: there is room */
	pass(w, 30000);
	hear_one(w, synack_at(&c, IRS));
	assert_int_equal(w->nhanded, 1);
	check_balance(w);
	world_free(w);
}

static void
attempts_count_up_while_limited(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char host[] = "198.18.1.1";

		host[9] = (char)('1' + i);
		p = peer_of(w, host, POP3, KIND_PLAIN, 0);
		hear_one(w, synack_at(&p, IRS));
	}
	forget(w);
	p = peer_of(w, "198.18.1.9", POP3, KIND_PLAIN, 1);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->notes[0].type, NOTE_FOLLOWUP);
	assert_int_equal(w->notes[0].u.followup.attempt, 2);
	world_free(w);
}

static void
a_full_table_stays_silent(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		char host[] = "198.18.1.1";

		host[7] = (char)('1' + i);
		p = peer_of(w, host, POP3, KIND_PLAIN, 0);
		hear_one(w, synack_at(&p, IRS));
	}
	pass(w, 100);
	assert_int_equal(count(w, STAT_PKT_PRESSURE), 1000);
	forget(w);
	p = peer_of(w, "198.18.8.1", POP3, KIND_PLAIN, 0);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 0);
	assert_int_equal(count(w, STAT_PKT_REFUSED_FULL), 1);
	check_balance(w);
	world_free(w);
}

/* ---- those that are not followed ----------------------------------------- */

static void
late_ones_are_freed(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct source_ports now_ports = w->ports;
	struct peer p, stranger;

	(void)state;
	w->ports.incarnation = 0;
	p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	stranger = peer_of(w, "198.51.100.1", POP3, KIND_PLAIN, 0);
	w->ports = now_ports;
	hear_one(w, synack_at(&p, IRS));
	check_rst(w, 0, &p);
	assert_int_equal(count(w, STAT_PKT_LATE), 1);
	/* an old conversation's segment frees the peer too */
	hear_one(w, segment(&p, TCP_ACK, 9, 4711, "250 ok\r\n"));
	check_sent(w, 1, &p, TCP_RST, 4711, 0);
	hear_one(w, segment(&p, TCP_ACK, 9, 4712, ""));
	check_sent(w, 2, &p, TCP_RST, 4712, 0);
	/* but whoever is no target hears nothing, nor what is excluded */
	hear_one(w, segment(&stranger, TCP_ACK, 9, 4711, "250 ok\r\n"));
	stranger.target.addr = text("198.18.9.1");
	hear_one(w, segment(&stranger, TCP_ACK, 9, 4711, "250 ok\r\n"));
	hear_one(w, segment(&p, TCP_RST | TCP_ACK, 9, 4711, ""));
	hear_one(w, segment(&p, TCP_PSH, 9, 4711, "250 ok\r\n"));
	assert_int_equal(w->nsent, 3);
	check_balance(w);
	world_free(w);
}

static void
strays_of_now_are_freed_when_they_speak(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, says(&p, 0, ""));
	assert_int_equal(w->nsent, 0);
	hear_one(w, says(&p, 0, "+OK\r\n"));
	check_rst(w, 0, &p);
	world_free(w);
}

static void
canaries_and_unknown_kinds(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_CANARY, 0);
	struct peer q = peer_of(w, "198.18.1.1", 2, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	check_rst(w, 0, &p);
	hear_one(w, synack_at(&q, IRS));
	check_rst(w, 1, &q);
	assert_int_equal(count(w, STAT_PKT_REFUSED_KIND), 2);
	assert_int_equal(w->nnotes, 0);
	check_balance(w);
	world_free(w);
}

static void
excluded_meanwhile(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.9.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_REFUSED_OPTOUT), 1);
	check_rst(w, 0, &p);
	check_balance(w);
	world_free(w);
}

static void
a_bad_cookie_is_nobody(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct segment s = synack_at(&p, IRS);

	(void)state;
	s.ack++;
	hear_one(w, s);
	s = synack_at(&p, IRS);
	s.dport ^= 1;
	hear_one(w, s);
	s = synack_at(&p, IRS);
	s.sport = SMTP;
	hear_one(w, s);
	assert_int_equal(count(w, STAT_PKT_BAD_COOKIE), 3);
	assert_int_equal(count(w, STAT_PKT_SYNACKS), 0);
	assert_int_equal(w->nsent, 0);
	/* not to an address of ours, or a bare SYN */
	s = synack_at(&p, IRS);
	s.dst = text("203.0.113.3");
	hear_one(w, s);
	s = synack_at(&p, IRS);
	s.flags = TCP_SYN;
	hear_one(w, s);
	assert_int_equal(w->nsent, 0);
	world_free(w);
}

/* ---- what becomes of those handed on ------------------------------------- */

static void
dial_can_fail(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct dial_note n = { .target = p.target,
		.source = p.source,
		.sport = p.cookie.sport,
		.snd_nxt = p.cookie.isn + 1 };

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	forget(w);
	flow_dial_failed(w->flow, &n, now(w));
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].u.outcome.outcome, OUTCOME_DIAL_FAILED);
	flow_dial_failed(w->flow, &n, now(w));
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(flow_open(w->flow), 0);
	check_balance(w);
	world_free(w);
	w = world_new(FOLLOW_ADOPT);
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	forget(w);
	n.withdrawn = 1;
	flow_dial_failed(w->flow, &n, now(w));
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 0);
	world_free(w);
}

static void
a_lost_one_frees_the_limits(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer again = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);

	(void)state;
	w->conf.per_host = 1;
	flow_free(w->flow);
	w->flow = flow_new(&w->args, &actions, w, now(w));
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	forget(w);
	pass(w, 124999);
	assert_int_equal(count(w, STAT_PKT_OPEN), 1);
	pass(w, 1);
	assert_int_equal(count(w, STAT_PKT_LOST), 1);
	assert_int_equal(count(w, STAT_PKT_OPEN), 0);
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 0);
	hear_one(w, synack_at(&again, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	check_balance(w);
	world_free(w);
}

static void
with_connect_the_kernel_answers(void **state)
{
	struct world *w = world_new(FOLLOW_CONNECT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer q = peer_of(w, "198.18.1.2", POP3, KIND_CANARY, 0);

	(void)state;
	w->wire_full = true;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nhanded, 0);
	assert_int_equal(count(w, STAT_PKT_WAITING), 0);
	/* nobody will remind us: tried again as time passes */
	pass(w, 10);
	assert_int_equal(count(w, STAT_PKT_WAITING), 1);
	w->wire_full = false;
	pass(w, 10);
	assert_int_equal(w->nhanded, 1);
	assert_int_equal(
	    w->handed[0].contact.flags & HANDOFF_CONNECT, HANDOFF_CONNECT);
	hear_one(w, synack_at(&q, IRS));
	assert_int_equal(count(w, STAT_PKT_REFUSED_KIND), 1);
	assert_int_equal(w->nsent, 0);
	assert_int_equal(count(w, STAT_PKT_RSTS_SENT), 0);
	check_balance(w);
	world_free(w);
}

static void
nobody_is_left_half_open_at_the_end(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer q = peer_of(w, "198.18.2.1", SMTP, KIND_PLAIN, 0);
	struct peer r = peer_of(w, "198.18.3.1", IMAPS, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&q, IRS));
	hear_one(w, synack_at(&r, IRS));
	forget(w);
	flow_leave(w->flow);
	assert_int_equal(w->nsent, 2);
	check_rst(w, 0, &p);
	check_rst(w, 1, &q);
	assert_int_equal(w->nnotes, 0);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_greeting_in_three_segments_travels_whole),
		cmocka_unit_test(without_scaling_windows_are_as_they_are),
		cmocka_unit_test(ipv6_goes_the_same_way),
		cmocka_unit_test(a_gap_is_left_to_the_peer),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(more_than_fits_is_acknowledged_in_part),
		cmocka_unit_test(implicit_tls_is_handed_on_at_once),
		cmocka_unit_test(a_client_hello_needs_no_greeting),
		cmocka_unit_test(a_repeated_synack_is_acknowledged_again),
		cmocka_unit_test(done_is_known_for_a_while),
		cmocka_unit_test(
		    a_followup_of_another_kind_is_followed_when_done),
		cmocka_unit_test(silence_ends_with_a_rst),
		cmocka_unit_test(time_passes_only_as_far_as_notes_fit),
		cmocka_unit_test(a_rst_after_the_synack),
		cmocka_unit_test(a_rst_to_our_syn_is_a_closed_port),
		cmocka_unit_test(a_fin_behind_the_greeting_is_told),
		cmocka_unit_test(a_fin_alone_is_closed),
		cmocka_unit_test(a_fin_before_its_turn_ends_it),
		cmocka_unit_test(a_blind_guess_says_nothing),
		cmocka_unit_test(
		    a_full_wire_is_silence_and_the_peer_asks_again),
		cmocka_unit_test(blocked_for_good_has_no_outcome),
		cmocka_unit_test(nothing_is_handed_on_before_its_note),
		cmocka_unit_test(over_a_limit_is_put_off),
		cmocka_unit_test(attempts_count_up_while_limited),
		cmocka_unit_test(a_full_table_stays_silent),
		cmocka_unit_test(late_ones_are_freed),
		cmocka_unit_test(strays_of_now_are_freed_when_they_speak),
		cmocka_unit_test(canaries_and_unknown_kinds),
		cmocka_unit_test(excluded_meanwhile),
		cmocka_unit_test(a_bad_cookie_is_nobody),
		cmocka_unit_test(dial_can_fail),
		cmocka_unit_test(a_lost_one_frees_the_limits),
		cmocka_unit_test(with_connect_the_kernel_answers),
		cmocka_unit_test(nobody_is_left_half_open_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
