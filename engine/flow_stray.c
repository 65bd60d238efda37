/*
 * flow_stray.c: segments of connections that nobody here knows any more, but
 * that the peer still holds.
 */
#include "engine/flow_state.h"
#include "engine/frame.h"
#include "engine/ranges.h"

enum {
	/* Nothing of ours is longer: what a conversation may acknowledge. */
	OURS_MAX = 1 << 18,
	/* In a window of the strain (100 ms), however many are forged. */
	CHALLENGES_MAX = 256,
	/* Until the peer has taken the RST, surely. */
	PAUSE_MS = 1000
};

/* Nothing goes to those that were never targets, or are no more. */
static bool
may_answer(const struct flow *f, const struct arrival *a)
{
	return a->known_service && (a->s->flags & TCP_ACK) &&
	    source_ports_has(&f->ports, a->s->dport) &&
	    ranges_has(f->args->targets, &a->target.addr) &&
	    !ranges_has(f->args->excluded, &a->target.addr);
}

/* Its own ack is the sequence number that frees the peer. */
static void
free_peer(struct flow *f, const struct arrival *a)
{
	flow_rst(f, a->source, a->s->dport, &a->target, a->s->ack);
}

/*
 * Does it come to the very port that our SYN to this target leaves from, and
 * acknowledge what neither that SYN nor its connection can have sent?
 */
static bool
is_challenge(const struct flow *f, const struct arrival *a)
{
	enum syn_kind kind = source_ports_kind(&f->ports, a->s->dport);
	struct cookie c;

	if (!source_ports_current(&f->ports, a->s->dport) ||
	    kind == KIND_CANARY || kind > KIND_SECOND)
		return false;
	c = cookie_make(f->args->sweep->key, &f->ports,
	    &f->conf->sources[a->source], &a->target, kind,
	    source_ports_attempt(&f->ports, a->s->dport));
	return c.sport == a->s->dport && a->s->ack - (c.isn + 1) > OURS_MAX;
}

/*
 * The next attempt leaves from other ports. After the last one, what is known
 * is that somebody is there. A version of TLS has one attempt of its own.
 */
static void
ask_again(struct flow *f, const struct arrival *a, const struct entry *e)
{
	struct syn syn = flow_syn(f, a->s->dport);

	if (syn.kind == KIND_TLS_VERSION)
		return;
	if (syn.attempt + 1 < ATTEMPTS)
		flow_note_followup(f, &a->target, syn.kind, syn.attempt + 1,
		    OUTCOME_LOST, PAUSE_MS);
	else if (syn.kind == KIND_PLAIN)
		flow_note_outcome(f, e, OUTCOME_LOST);
}

/* The entry that remembers it, so that it is asked again once: or NULL. */
static struct entry *
remember(struct flow *f, const struct arrival *a, struct entry *e)
{
	if (e != NULL && !flow_is_followup(f, a->s->dport, e))
		return NULL;
	if (e != NULL)
		waiting_remove(f->table, e);
	e = waiting_add_at(f->table, a->hash, &a->target.addr, a->service,
	    QUEUE_DONE, flow_captured_ms(f, a->captured_us));
	if (e == NULL)
		return NULL;
	e->source = a->source & 15u;
	e->sport = a->s->dport;
	e->ttl = a->s->ttl;
	e->wscale = ENTRY_NO_WSCALE;
	return e;
}

/*
 * The peer holds an old connection of these two addresses and ports, from
 * another sweep: established, its end lost on the way, or in TIME_WAIT. It
 * answers a SYN with what that one had acknowledged (RFC 9293 section
 * 3.10.7.4; RFC 5961 section 4), and so do filters that want to see whether a
 * client is real. A RST there frees the one and satisfies the other, but our
 * SYN is gone: it is sent again.
 */
void
flow_challenge(struct flow *f, const struct arrival *a, struct entry *e)
{
	if ((e != NULL && e->sport == a->s->dport) || !may_answer(f, a) ||
	    !is_challenge(f, a) || f->challenges >= CHALLENGES_MAX)
		return;
	f->challenges++;
	flow_count(f, STAT_PKT_CHALLENGED);
	free_peer(f, a);
	e = remember(f, a, e);
	if (e != NULL)
		ask_again(f, a, e);
}

/*
 * What speaks, or ends, is an earlier incarnation's or one whose RST was lost.
 */
void
flow_stray(struct flow *f, const struct arrival *a, struct entry *e)
{
	if (!may_answer(f, a))
		return;
	if (!source_ports_current(&f->ports, a->s->dport) || a->s->len > 0 ||
	    (a->s->flags & TCP_FIN))
		free_peer(f, a);
	else
		flow_challenge(f, a, e);
}
