/* test_flow_refused.c: those that must wait, go, or come to nothing. */
#include <string.h>

#include "engine/canary.h"
#include "engine/ranges.h"
#include "test/unit/flow_help.h"

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
	check_balance(w);
	w->wire_full = false;
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 1);
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 6);
	check_balance(w);
	world_free(w);
}

/* One message was taken and the next was not: who was in which is known. */
static void
a_wire_that_fills_within_a_batch_blocks_the_rest(void **state)
{
	static const char *const addresses[] = { "198.18.1.1", "198.18.2.1",
		"198.18.3.1", "198.18.4.1" };
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p[4];
	struct segment s[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		p[i] = peer_of(w, addresses[i], POP3, KIND_PLAIN, 0);
		hear_one(w, synack_at(&p[i], IRS));
		s[i] = says(&p[i], 0, "+OK\r\n");
	}
	forget(w);
	w->wire_room = 2;
	hear(w, s, 4);
	assert_int_equal(w->nsent, 2);
	for (unsigned i = 0; i < 2; i++)
		check_sent(w, i, &p[i], TCP_ACK, p[i].cookie.isn + 1, IRS + 6);
	assert_int_equal(count(w, STAT_PKT_WIRE_FULL), 2);
	assert_int_equal(count(w, STAT_PKT_HANDED_ON), 2);
	check_balance(w);
	w->wire_room = 0;
	hear(w, s + 2, 2);
	for (unsigned i = 2; i < 4; i++)
		check_sent(w, i, &p[i], TCP_ACK, p[i].cookie.isn + 1, IRS + 6);
	assert_int_equal(count(w, STAT_PKT_HANDED_ON), 4);
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

/* Its services come one after the other, the same one too. */
static void
a_host_gets_its_pause(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer again = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);
	struct peer q = peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);
	struct peer other = peer_of(w, "198.18.1.2", SMTP, KIND_PLAIN, 0);
	uint64_t now_us;

	(void)state;
	w->conf.host_pause_ms = 60000;
	w->conf.per_host = 9;
	world_restart(w);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 1);
	pass(w, 10000);
	forget(w);
	now_us = world_now(w).utc_us;
	hear_one(w, synack_at(&q, IRS));
	check_rst(w, 0, &q);
	assert_int_equal(count(w, STAT_PKT_REFUSED_LIMIT), 1);
	assert_int_equal(w->notes[0].type, NOTE_FOLLOWUP);
	assert_int_equal(w->notes[0].u.followup.attempt, 1);
	assert_int_equal(w->notes[0].u.followup.why, OUTCOME_LIMITED);
	/* what is left of it, and its place behind the other two */
	assert_int_equal(w->notes[0].u.followup.not_before_us,
	    now_us + (50000 + 2 * 60000) * 1000ull);
	hear_one(w, synack_at(&other, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	/* silent, done, and still it counts */
	pass(w, 20000);
	assert_int_equal(count(w, STAT_PKT_SILENT), 1);
	pass(w, 29999);
	hear_one(w, synack_at(&again, IRS));
	hear_one(w, synack_at(&q, IRS));
	assert_int_equal(count(w, STAT_PKT_REFUSED_LIMIT), 3);
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	pass(w, 1);
	hear_one(w, synack_at(&again, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 3);
	hear_one(w, synack_at(&q, IRS));
	assert_int_equal(count(w, STAT_PKT_REFUSED_LIMIT), 4);
	check_balance(w);
	world_free(w);
}

/* The attempt of a TLS version says which: it stays. */
static void
a_version_over_a_limit_stays_that_version(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_TLS_VERSION, 1);

	(void)state;
	w->conf.per_host = 1;
	world_restart(w);
	for (unsigned i = 0; i < 2; i++) {
		struct peer other =
		    peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);

		hear_one(w, synack_at(&other, IRS));
		forget(w);
		hear_one(w, synack_at(&p, IRS));
		assert_int_equal(w->notes[0].type, NOTE_FOLLOWUP);
		assert_int_equal(w->notes[0].u.followup.attempt, 1);
		assert_int_equal(w->notes[0].u.followup.kind, KIND_TLS_VERSION);
	}
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

/* The canary port alone: a RST, a note, and no entry. */
static void
a_canary_that_sings(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	uint16_t port = canary_port(w->sweep.key, &w->conf);
	struct peer p = peer_of(w, "198.18.1.1", port, KIND_CANARY, 0);
	struct peer other = peer_of(w, "198.18.1.1", port, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_CANARY);
	assert_memory_equal(
	    &w->notes[0].u.canary.addr, &p.target.addr, sizeof p.target.addr);
	assert_int_equal(flow_waiting(w->flow), 0);
	hear_one(w, synack_at(&other, IRS));
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(count(w, STAT_PKT_REFUSED_KIND), 2);
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
	flow_dial_failed(w->flow, &n, world_now(w));
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].u.outcome.outcome, OUTCOME_DIAL_FAILED);
	flow_dial_failed(w->flow, &n, world_now(w));
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(flow_open(w->flow), 0);
	check_balance(w);
	world_free(w);
	w = world_new(FOLLOW_ADOPT);
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	forget(w);
	n.withdrawn = 1;
	flow_dial_failed(w->flow, &n, world_now(w));
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
	world_restart(w);
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

/* Given up while it waited for a probe, which then took its time. */
static void
a_lost_one_that_is_reported_was_not_lost(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer q = peer_of(w, "198.18.1.2", POP3, KIND_PLAIN, 0);
	struct done_note end = done(&p);
	struct dial_note failed = {
		.target = q.target, .source = q.source, .sport = q.cookie.sport
	};

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	hear_one(w, synack_at(&q, IRS));
	hear_one(w, says(&q, 0, "+OK\r\n"));
	pass(w, 125000);
	assert_int_equal(count(w, STAT_PKT_LOST), 2);
	flow_done(w->flow, &end, world_now(w));
	assert_int_equal(count(w, STAT_PKT_LOST), 1);
	flow_dial_failed(w->flow, &failed, world_now(w));
	assert_int_equal(count(w, STAT_PKT_LOST), 0);
	flow_done(w->flow, &end, world_now(w));
	assert_int_equal(count(w, STAT_PKT_LOST), 0);
	world_free(w);
}

/* Some repeat it for ever, and no sweep would end. */
static void
who_answers_long_after_the_last_syn_is_late(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	stats_set(&w->stats, ROLE_SEND, STAT_SEND_PACKETS, 1);
	hear_one(w, synack_at(&p, IRS));
	pass(w, 30000); /* silent */
	pass(w, 10064); /* and forgotten */
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	pass(w, 30000);
	pass(w, 10064);
	forget(w);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	assert_int_equal(count(w, STAT_PKT_LATE), 1);
	check_rst(w, 0, &p);
	assert_int_equal(w->nnotes, 0);
	/* another SYN, and it counts again */
	stats_set(&w->stats, ROLE_SEND, STAT_SEND_PACKETS, 2);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 3);
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
		cmocka_unit_test(
		    a_full_wire_is_silence_and_the_peer_asks_again),
		cmocka_unit_test(
		    a_wire_that_fills_within_a_batch_blocks_the_rest),
		cmocka_unit_test(blocked_for_good_has_no_outcome),
		cmocka_unit_test(nothing_is_handed_on_before_its_note),
		cmocka_unit_test(over_a_limit_is_put_off),
		cmocka_unit_test(a_host_gets_its_pause),
		cmocka_unit_test(a_version_over_a_limit_stays_that_version),
		cmocka_unit_test(attempts_count_up_while_limited),
		cmocka_unit_test(a_full_table_stays_silent),
		cmocka_unit_test(late_ones_are_freed),
		cmocka_unit_test(strays_of_now_are_freed_when_they_speak),
		cmocka_unit_test(canaries_and_unknown_kinds),
		cmocka_unit_test(a_canary_that_sings),
		cmocka_unit_test(excluded_meanwhile),
		cmocka_unit_test(a_bad_cookie_is_nobody),
		cmocka_unit_test(dial_can_fail),
		cmocka_unit_test(a_lost_one_frees_the_limits),
		cmocka_unit_test(a_lost_one_that_is_reported_was_not_lost),
		cmocka_unit_test(who_answers_long_after_the_last_syn_is_late),
		cmocka_unit_test(with_connect_the_kernel_answers),
		cmocka_unit_test(nobody_is_left_half_open_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
