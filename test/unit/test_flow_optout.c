/* test_flow_optout.c: what packet does with those who want to be left out. */
#include "engine/ranges.h"
#include "test/unit/flow_help.h"

static struct ranges *
set_of(const char *prefix)
{
	struct ranges *set = ranges_new();
	const char *expected;

	if (prefix != NULL)
		assert_int_equal(ranges_add_text(set, prefix, &expected), 0);
	assert_int_equal(ranges_seal(set), 0);
	return set;
}

/* They get a RST and leave no note; others wait on. */
static void
who_waits_is_withdrawn(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer out = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct peer mail = peer_of(w, "198.18.1.1", SMTP, KIND_PLAIN, 0);
	struct peer six = peer_of(w, "2001:db8:a::7", POP3, KIND_PLAIN, 0);
	struct peer in = peer_of(w, "198.18.2.1", POP3, KIND_PLAIN, 0);
	struct ranges *set = set_of("198.18.1.0/24");

	(void)state;
	hear_one(w, synack_at(&out, IRS));
	hear_one(w, synack_at(&six, IRS));
	hear_one(w, synack_at(&in, IRS));
	hear_one(w, synack_at(&mail, IRS));
	forget(w);
	flow_optouts(w->flow, set, world_now(w));
	assert_int_equal(w->nsent, 2);
	check_rst(w, 0, &out);
	check_rst(w, 1, &mail);
	assert_int_equal(w->nnotes, 0);
	assert_int_equal(count(w, STAT_PKT_WITHDRAWN), 2);
	assert_int_equal(flow_waiting(w->flow), 2);
	check_balance(w);
	forget(w);
	hear_one(w, says(&in, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 1);
	world_free(w);
	ranges_free(set);
}

static void
who_was_blocked_is_withdrawn(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "2001:db8:a::7", IMAPS, KIND_PLAIN, 0);
	struct ranges *set = set_of("2001:db8:a::7");

	(void)state;
	w->wire_full = true;
	hear_one(w, synack_at(&p, IRS));
	forget(w);
	flow_optouts(w->flow, set, world_now(w));
	check_rst(w, 0, &p);
	assert_int_equal(count(w, STAT_PKT_WITHDRAWN), 1);
	check_balance(w);
	world_free(w);
	ranges_free(set);
}

/* Its place at the limits is free again. */
static void
a_withdrawn_one_holds_no_limit(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct ranges *set = set_of("198.18.1.0/30");

	(void)state;
	for (int i = 0; i < 3; i++) {
		char text[16] = "198.18.1.1";
		struct peer p;

		text[9] = (char)('1' + i);
		p = peer_of(w, text, POP3, KIND_PLAIN, 0);
		hear_one(w, synack_at(&p, IRS));
	}
	flow_optouts(w->flow, set, world_now(w));
	for (int i = 0; i < 3; i++) {
		char text[16] = "198.18.1.4";
		struct peer p;

		text[9] = (char)('4' + i);
		p = peer_of(w, text, POP3, KIND_PLAIN, 0);
		hear_one(w, synack_at(&p, IRS));
	}
	assert_int_equal(count(w, STAT_PKT_REFUSED_LIMIT), 0);
	assert_int_equal(flow_waiting(w->flow), 3);
	check_balance(w);
	world_free(w);
	ranges_free(set);
}

/* Whoever answers after all: a RST for a moment, then nothing. */
static void
a_late_answer_is_refused_then_ignored(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct ranges *set = set_of("198.18.0.0/16");

	(void)state;
	flow_optouts(w->flow, set, world_now(w));
	hear_one(w, synack_at(&p, IRS));
	check_rst(w, 0, &p);
	assert_int_equal(w->nsent, 1);
	hear_one(w, says(&p, 0, "+OK\r\n"));
	check_rst(w, 1, &p);
	forget(w);
	pass(w, FLOW_FAREWELL_US / 1000 + 1);
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nsent, 0);
	assert_int_equal(w->nnotes, 0);
	assert_int_equal(count(w, STAT_PKT_REFUSED_OPTOUT), 2);
	check_balance(w);
	world_free(w);
	ranges_free(set);
}

/* What a probe holds is the probe's to end; no ACK from here meanwhile. */
static void
a_repeat_of_one_handed_on_gets_no_ack(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct ranges *set = set_of("198.18.1.1");
	struct done_note over = done(&p);

	(void)state;
	hear_one(w, synack_at(&p, IRS));
	hear_one(w, says(&p, 0, "+OK\r\n"));
	assert_int_equal(w->nhanded, 1);
	forget(w);
	flow_optouts(w->flow, set, world_now(w));
	assert_int_equal(flow_open(w->flow), 1);
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(w->nsent, 0);
	flow_done(w->flow, &over, world_now(w));
	assert_int_equal(flow_open(w->flow), 0);
	assert_int_equal(w->nnotes, 0);
	check_balance(w);
	world_free(w);
	ranges_free(set);
}

/* Taken back: from the next answer on it is followed again. */
static void
removed_again(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct peer p = peer_of(w, "198.18.1.1", POP3, KIND_PLAIN, 0);
	struct ranges *set = set_of("198.18.0.0/16"), *none = set_of(NULL);

	(void)state;
	flow_optouts(w->flow, set, world_now(w));
	flow_optouts(w->flow, none, world_now(w));
	hear_one(w, synack_at(&p, IRS));
	assert_int_equal(count(w, STAT_PKT_ENTERED), 1);
	check_sent(w, 0, &p, TCP_ACK, p.cookie.isn + 1, IRS + 1);
	world_free(w);
	ranges_free(set);
	ranges_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_is_withdrawn),
		cmocka_unit_test(who_was_blocked_is_withdrawn),
		cmocka_unit_test(a_withdrawn_one_holds_no_limit),
		cmocka_unit_test(a_late_answer_is_refused_then_ignored),
		cmocka_unit_test(a_repeat_of_one_handed_on_gets_no_ack),
		cmocka_unit_test(removed_again),
	};

	return cmocka_run_group_tests_name("flow_optout", tests, NULL, NULL);
}
