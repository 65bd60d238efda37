/* test_flow.c: packet's decisions, with network and clock replaced. */
#include <string.h>

#include "engine/canary.h"
#include "test/unit/flow_help.h"

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
	flow_done(w->flow, &wrong, world_now(w));
	wrong = d;
	wrong.target.port = 9;
	flow_done(w->flow, &wrong, world_now(w));
	assert_int_equal(count(w, STAT_PKT_DONE), 0);
	flow_done(w->flow, &d, world_now(w));
	flow_done(w->flow, &d, world_now(w));
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

/* It is seen again on purpose, soon after; an attempt before it is not. */
static void
a_later_attempt_is_followed_when_done(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 1);
	struct peer again = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 2);
	struct peer before = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct done_note d = done(&p);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	hear_one(w, synack_at(&again, IRS));
	assert_int_equal(count(w, STAT_PKT_REPEATS), 1);
	flow_done(w->flow, &d, world_now(w));
	hear_one(w, synack_at(&before, IRS));
	assert_int_equal(count(w, STAT_PKT_REPEATS), 2);
	assert_int_equal(count(w, STAT_PKT_ENTERED), 1);
	forget(w);
	hear_one(w, synack_at(&again, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 2);
	assert_int_equal(w->notes[0].u.pending.attempt, 2);
	check_sent(w, 0, &again, TCP_ACK, again.cookie.isn + 1, IRS + 1);
	check_balance(w);
	world_free(w);
}

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
	flow_pass_time(w->flow, world_now(w), 1);
	assert_int_equal(count(w, STAT_PKT_SILENT), 1);
	assert_int_equal(count(w, STAT_PKT_WAITING), 1);
	flow_pass_time(w->flow, world_now(w), 1);
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

/* Its canary answered: what it says on other ports has time. */
static void
who_answers_everywhere_comes_last(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer canary = peer_of(w, "198.18.1.1",
	    canary_port(w->sweep.key, &w->conf), KIND_CANARY, 0);
	struct peer p = peer_of(w, "198.18.1.1", IMAPS, KIND_PLAIN, 0);
	struct peer q = peer_of(w, "198.18.1.2", IMAPS, KIND_PLAIN, 0);

	(void)state;
	hear_one(w, synack_at(&canary, IRS));
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, synack_at(&q, IRS));
	assert_int_equal(w->nhanded, 2);
	assert_true(w->handed[0].contact.flags & HANDOFF_CANARY);
	assert_false(w->handed[1].contact.flags & HANDOFF_CANARY);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_answers_everywhere_comes_last),
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
		cmocka_unit_test(a_later_attempt_is_followed_when_done),
		cmocka_unit_test(silence_ends_with_a_rst),
		cmocka_unit_test(time_passes_only_as_far_as_notes_fit),
		cmocka_unit_test(a_rst_after_the_synack),
		cmocka_unit_test(a_rst_to_our_syn_is_a_closed_port),
		cmocka_unit_test(a_fin_behind_the_greeting_is_told),
		cmocka_unit_test(a_fin_alone_is_closed),
		cmocka_unit_test(a_fin_before_its_turn_ends_it),
		cmocka_unit_test(a_blind_guess_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
