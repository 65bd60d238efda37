/* test_flow_throttle.c: what waits for a probe slows the SYNs. */
#include "test/unit/flow_help.h"

/* A second of an inflow of which all but a tenth goes on waiting somewhere. */
static void
one_second(struct world *w, uint64_t *syns, unsigned waiting_role)
{
	for (unsigned i = 0; i < 10; i++) {
		*syns += 1000;
		stats_set(&w->stats, ROLE_SEND, STAT_SEND_PACKETS, *syns);
		stats_add(&w->stats, ROLE_PACKET, STAT_PKT_HANDED_ON, 100);
		stats_add(&w->stats, ROLE_DIAL, STAT_DIAL_RECEIVED,
		    waiting_role == ROLE_PACKET ? 10 : 100);
		stats_add(&w->stats, ROLE_DIAL, STAT_DIAL_AHEAD,
		    waiting_role == ROLE_DIAL ? 90 : 0);
		pass(w, 100);
	}
}

static void
what_waits_slows_the_syns(enum role where)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	uint64_t syns = 0, limit;

	one_second(w, &syns, ROLE_COUNT);
	assert_int_equal(count(w, STAT_PKT_SYN_LIMIT), 0);
	one_second(w, &syns, where);
	limit = count(w, STAT_PKT_SYN_LIMIT);
	assert_in_range(limit, 100, 9000);
	one_second(w, &syns, where);
	assert_in_range(count(w, STAT_PKT_SYN_LIMIT), 100, limit - 1);
	assert_int_equal(count(w, STAT_PKT_PRESSURE), 0);
	world_free(w);
}

static void
what_dial_has_not_read_does(void **state)
{
	(void)state;
	what_waits_slows_the_syns(ROLE_PACKET);
}

static void
what_no_probe_has_begun_does(void **state)
{
	(void)state;
	what_waits_slows_the_syns(ROLE_DIAL);
}

/* Also while none of those that were taken waits. */
static void
what_the_wire_refused_does(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	uint64_t syns = 0;

	(void)state;
	one_second(w, &syns, ROLE_COUNT);
	for (unsigned i = 0; i < 20; i++) {
		stats_add(&w->stats, ROLE_PACKET, STAT_PKT_WIRE_FULL, 1);
		stats_set(&w->stats, ROLE_SEND, STAT_SEND_PACKETS, syns += 900);
		pass(w, 100);
	}
	assert_in_range(count(w, STAT_PKT_SYN_LIMIT), 1, 2000);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_dial_has_not_read_does),
		cmocka_unit_test(what_no_probe_has_begun_does),
		cmocka_unit_test(what_the_wire_refused_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
