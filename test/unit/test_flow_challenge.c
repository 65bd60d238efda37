/* test_flow_challenge.c: peers, and a kernel, that still hold what was. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test/unit/flow_help.h"

enum { OLD = 0x12345678 };

/* What a peer answers to a SYN that meets an old connection. */
static struct segment
challenge(const struct peer *p)
{
	return segment(p, TCP_ACK, 77, OLD, "");
}

static void
check_followup(const struct world *w, const struct peer *p, unsigned attempt)
{
	const struct followup *f = &w->notes[0].u.followup;

	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_FOLLOWUP);
	assert_memory_equal(&f->target, &p->target, sizeof f->target);
	assert_int_equal(
	    f->kind, source_ports_kind(&w->ports, p->cookie.sport));
	assert_int_equal(f->attempt, attempt);
	assert_int_equal(f->not_before_us, UTC + w->ms * 1000 + 1000000);
}

static void
it_is_freed_and_asked_again_once(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer next = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);

	(void)state;
	hear_one(w, challenge(&p));
	assert_int_equal(count(w, STAT_PKT_CHALLENGED), 1);
	assert_int_equal(w->nsent, 1);
	check_sent(w, 0, &p, TCP_RST, OLD, 0);
	check_followup(w, &p, 1);
	assert_int_equal(w->notes[0].u.followup.protocol, PROTOCOL_POP3);
	forget(w);
	/* The same again, as a retransmission would be: nothing. */
	hear_one(w, challenge(&p));
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 0);
	assert_int_equal(flow_waiting(w->flow), 0);
	/* The next attempt is followed like any first one. */
	hear_one(w, synack_at(&next, IRS));
	check_sent(w, 0, &next, TCP_ACK, next.cookie.isn + 1, IRS + 1);
	assert_int_equal(w->notes[0].type, NOTE_PENDING);
	assert_int_equal(count(w, STAT_PKT_ENTERED), 1);
	hear_one(w, says(&next, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 1);
	check_balance(w);
	world_free(w);
}

static void
every_attempt_in_turn_and_then_a_row(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, i);

		forget(w);
		hear_one(w, challenge(&p));
		check_sent(w, 0, &p, TCP_RST, OLD, 0);
		if (i + 1 < ATTEMPTS)
			check_followup(w, &p, i + 1);
	}
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_OUTCOME);
	assert_int_equal(w->notes[0].u.outcome.outcome, OUTCOME_LOST);
	check_balance(w);
	world_free(w);
}

/* A half-open one repeats its SYN-ACK for the SYN that it had. */
static void
a_half_open_one_too(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "2001:db8:a::5", SMTP, KIND_PLAIN, 0);
	struct segment s = synack_at(&p, IRS);

	(void)state;
	s.ack = OLD;
	hear_one(w, s);
	assert_int_equal(count(w, STAT_PKT_BAD_COOKIE), 1);
	assert_int_equal(count(w, STAT_PKT_CHALLENGED), 1);
	check_sent(w, 0, &p, TCP_RST, OLD, 0);
	check_followup(w, &p, 1);
	world_free(w);
}

/* There our kernel says the RST; the SYN is sent again all the same. */
static void
with_connect_it_is_asked_again(void **state)
{
	struct world *w = world_new(FOLLOW_CONNECT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, challenge(&p));
	assert_int_equal(w->nsent, 0);
	check_followup(w, &p, 1);
	world_free(w);
}

static void
what_is_no_challenge_is_let_be(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer canary = peer_of(w, "198.18.1.1", POP3, KIND_CANARY, 0);
	struct peer excluded = peer_of(w, "198.18.9.1", POP3, KIND_PLAIN, 0);
	struct peer stranger = peer_of(w, "198.51.100.1", POP3, KIND_PLAIN, 0);
	struct segment s = challenge(&p);

	(void)state;
	/* a port that our SYN did not leave from */
	s.dport ^= 1;
	hear_one(w, s);
	/* what our own conversation may acknowledge */
	s = challenge(&p);
	s.ack = p.cookie.isn + 1;
	hear_one(w, s);
	s.ack += 1000;
	hear_one(w, s);
	hear_one(w, challenge(&canary));
	hear_one(w, challenge(&excluded));
	hear_one(w, challenge(&stranger));
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 0);
	assert_int_equal(count(w, STAT_PKT_CHALLENGED), 0);
	world_free(w);
}

/* Its second probe met an old connection: nobody is asked a third time. */
static void
who_is_followed_is_not_asked_again(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer second = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	forget(w);
	hear_one(w, challenge(&second));
	check_sent(w, 0, &second, TCP_RST, OLD, 0);
	assert_int_equal(w->nnotes, 0);
	assert_int_equal(flow_waiting(w->flow), 1);
	/* and a forged SYN-ACK does it no harm */
	forget(w);
	hear_one(w, segment(&p, TCP_SYN | TCP_ACK, 9, OLD, ""));
	assert_int_equal(w->nsent, 0);
	world_free(w);
}

/* Whoever forges them has us send no more than this. */
static void
there_is_an_end_to_it(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	unsigned heard = 0;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char host[ADDR_TEXT_MAX];

		snprintf(
		    host, sizeof host, "198.18.%u.%u", 10 + i / 200, i % 200);
		p = peer_of(w, host, POP3, KIND_PLAIN, 0);
		forget(w);
		hear_one(w, challenge(&p));
		heard += w->nsent;
	}
	assert_int_equal(heard, 256);
	p = peer_of(w, "198.18.20.1", POP3, KIND_PLAIN, 0);
	pass(w, 100);
	forget(w);
	hear_one(w, challenge(&p));
	assert_int_equal(w->nsent, 1);
	world_free(w);
}

/* ---- our own kernel ------------------------------------------------------ */

static struct dial_note
failed(const struct peer *p, int error)
{
	return (struct dial_note){ .target = p->target,
		.source = p->source,
		.sport = p->cookie.sport,
		.error = (uint16_t)error,
		.snd_nxt = p->cookie.isn + 1 };
}

static void
our_own_time_wait_is_gone_round(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 0);
	struct peer next = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 1);
	struct dial_note n = failed(&p, EADDRNOTAVAIL);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nhanded, 1);
	forget(w);
	flow_dial_failed(w->flow, &n, world_now(w));
	check_rst(w, 0, &p);
	check_followup(w, &p, 1);
	assert_int_equal(flow_open(w->flow), 0);
	hear_one(w, synack_at(&next, IRS));
	assert_int_equal(w->nhanded, 1);
	check_balance(w);
	world_free(w);
}

static void
but_not_for_ever(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p =
	    peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, ATTEMPTS - 1);
	struct dial_note n = failed(&p, EADDRNOTAVAIL);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	forget(w);
	flow_dial_failed(w->flow, &n, world_now(w));
	assert_int_equal(w->nnotes, 1);
	assert_int_equal(w->notes[0].type, NOTE_OUTCOME);
	assert_int_equal(w->notes[0].u.outcome.outcome, OUTCOME_DIAL_FAILED);
	world_free(w);
}

/* ---- SYNs that were sent again, since answers were dropped --------------- */

static void
again_is_a_first_try(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_AGAIN, 2);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	assert_int_equal(w->notes[0].u.pending.kind, KIND_PLAIN);
	assert_int_equal(w->notes[0].u.pending.attempt, 0);
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->handed[0].contact.kind, KIND_PLAIN);
	assert_int_equal(w->handed[0].isn, p.cookie.isn);
	check_balance(w);
	world_free(w);
}

/* Who was heard the first time is known, for as long as it is being sent. */
static void
again_nobody_is_followed_twice(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer again = peer_of(w, "198.18.1.1", POP3, KIND_AGAIN, 1);
	struct peer later = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);
	struct done_note n = done(&p);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&again, IRS));
	check_rst(w, 1, &again);
	hear_one(w, says(&p, 0, "+OK\r\n"));
	flow_done(w->flow, &n, world_now(w));
	stats_set(&w->stats, ROLE_SEND, STAT_SEND_AGAIN_OPEN, 1);
	pass(w, 60000);
	forget(w);
	hear_one(w, synack_at(&again, IRS));
	check_rst(w, 0, &again);
	assert_int_equal(count(w, STAT_PKT_REPEATS), 2);
	assert_int_equal(count(w, STAT_PKT_ENTERED), 1);
	/* a second try on purpose is another matter */
	hear_one(w, synack_at(&later, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	check_balance(w);
	world_free(w);
}

/* Of two SYNs a target is followed once; which it answered is counted. */
static void
of_two_each_is_counted(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer one = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer two = peer_of(w, "198.18.1.1", POP3, KIND_SECOND, 0);
	struct peer late = peer_of(w, "198.18.1.2", POP3, KIND_SECOND, 0);
	struct peer alone = peer_of(w, "198.18.1.3", POP3, KIND_PLAIN, 0);

	(void)state;
	w->conf.syn_probes = 2;
	w->conf.probe_gap_ms = 5000;
	hear_one(w, synack_at(&one, IRS));
	hear_one(w, synack_at(&one, IRS));
	pass(w, 5000);
	forget(w);
	hear_one(w, synack_at(&two, IRS));
	check_rst(w, 0, &two);
	hear_one(w, synack_at(&two, IRS));
	hear_one(w, synack_at(&late, IRS));
	check_sent(w, 2, &late, TCP_ACK, late.cookie.isn + 1, IRS + 1);
	assert_int_equal(w->notes[0].u.pending.kind, KIND_PLAIN);
	hear_one(w, synack_at(&alone, IRS));
	assert_int_equal(count(w, STAT_PKT_FIRSTS), 2);
	assert_int_equal(count(w, STAT_PKT_SECONDS), 2);
	assert_int_equal(count(w, STAT_PKT_BOTH), 1);
	assert_int_equal(count(w, STAT_PKT_ENTERED), 3);
	check_balance(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_freed_and_asked_again_once),
		cmocka_unit_test(every_attempt_in_turn_and_then_a_row),
		cmocka_unit_test(a_half_open_one_too),
		cmocka_unit_test(with_connect_it_is_asked_again),
		cmocka_unit_test(what_is_no_challenge_is_let_be),
		cmocka_unit_test(who_is_followed_is_not_asked_again),
		cmocka_unit_test(there_is_an_end_to_it),
		cmocka_unit_test(our_own_time_wait_is_gone_round),
		cmocka_unit_test(but_not_for_ever),
		cmocka_unit_test(again_is_a_first_try),
		cmocka_unit_test(again_nobody_is_followed_twice),
		cmocka_unit_test(of_two_each_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
