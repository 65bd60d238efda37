/* flow_help.c: one flow, its surroundings replaced, and what it did. */
#include <stdlib.h>
#include <string.h>

#include "engine/ranges.h"
#include "test/unit/flow_help.h"

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
see_handoff(void *ctx, const struct handoff *const *h, unsigned n)
{
	struct world *w = ctx;

	assert_true(n > 0);
	if (w->wire_full || (w->wire_room > 0 && w->nhanded == w->wire_room))
		return -1;
	assert_true(w->nhanded < HANDED_MAX);
	/* A message of one, so that what follows is another's. */
	memcpy(&w->handed[w->nhanded++], h[0], HANDOFF_HEAD + h[0]->len);
	return 1;
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

struct addr
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

struct flow_time
world_now(const struct world *w)
{
	return (struct flow_time){ UTC + w->ms * 1000, 5000000 + w->ms * 1000 };
}

struct world *
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
	w->flow = flow_new(&w->args, &actions, w, world_now(w));
	assert_non_null(w->flow);
	return w;
}

void
world_restart(struct world *w)
{
	flow_free(w->flow);
	w->flow = flow_new(&w->args, &actions, w, world_now(w));
	assert_non_null(w->flow);
}

/* uintptr_t: the sets are const to all but their owner, which we are. */
void
world_free(struct world *w)
{
	flow_free(w->flow);
	ranges_free((struct ranges *)(uintptr_t)w->args.targets);
	ranges_free((struct ranges *)(uintptr_t)w->args.excluded);
	free(w);
}

uint64_t
count(const struct world *w, enum stat_id what)
{
	return stats_get(&w->stats, ROLE_PACKET, what);
}

void
forget(struct world *w)
{
	w->nsent = w->nnotes = w->nhanded = 0;
}

struct peer
peer_of(const struct world *w, const char *address, uint16_t port,
    enum syn_kind kind, unsigned attempt)
{
	struct peer p = { .target = { text(address), port } };

	p.source = w->conf.sources[addr_is4(&p.target.addr) ? 0 : 1];
	p.cookie = cookie_make(
	    w->sweep.key, &w->ports, &p.source, &p.target, kind, attempt);
	return p;
}

struct segment
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

struct segment
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
struct segment
says(const struct peer *p, uint32_t off, const char *data)
{
	return segment(
	    p, TCP_ACK | TCP_PSH, IRS + 1 + off, p->cookie.isn + 1, data);
}

void
hear(struct world *w, const struct segment *s, unsigned n)
{
	flow_begin(w->flow, world_now(w));
	for (unsigned i = 0; i < n; i++)
		flow_segment(w->flow, &s[i], UTC + w->ms * 1000);
	flow_end(w->flow);
}

void
hear_one(struct world *w, struct segment s)
{
	hear(w, &s, 1);
}

void
pass(struct world *w, uint64_t ms)
{
	w->ms += ms;
	flow_pass_time(w->flow, world_now(w), 1000);
}

void
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

void
check_rst(const struct world *w, unsigned i, const struct peer *p)
{
	check_sent(w, i, p, TCP_RST, p->cookie.isn + 1, 0);
}

void
check_balance(struct world *w)
{
	flow_pass_time(w->flow, world_now(w), 0);
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

struct done_note
done(const struct peer *p)
{
	return (struct done_note){ .target = p->target,
		.sport = p->cookie.sport,
		.outcome = OUTCOME_COMPLETED };
}
