/* test_flow_walk.c: anything in any order; the account holds at each step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/flow_help.h"

enum { STEPS = 60000, HOSTS = 6, BATCH = 8, ENTRIES = 12 };

static const uint16_t ports[] = { POP3, IMAPS, SMTP, 143 };

static struct peer
any_peer(const struct world *w, unsigned r)
{
	char host[] = "198.18.1.1";

	host[7] = (char)('1' + r % 3);
	host[9] = (char)('1' + r / 3 % (HOSTS / 3));
	return peer_of(w, r / 6 % 5 == 0 ? "2001:db8:a::1" : host,
	    ports[r / 30 % 4], r / 120 % 7 == 0 ? r / 840 % 8 : KIND_PLAIN,
	    r / 6720 % 5 == 0 ? 1 : 0);
}

static struct segment
any_segment(const struct peer *p, unsigned r)
{
	static const uint8_t flags[] = { TCP_ACK, TCP_ACK | TCP_PSH,
		TCP_ACK | TCP_FIN, TCP_RST, TCP_RST | TCP_ACK, TCP_SYN,
		TCP_FIN };
	struct segment s;

	if (r % 3 == 0)
		return synack_at(p, IRS);
	s = says(p, r / 3 % 4 * 2, r / 12 % 2 ? "+OK x\r\n" : "");
	s.flags = flags[r / 24 % 7];
	if (r / 168 % 9 == 0)
		s.ack += r;
	if (r / 1512 % 9 == 0)
		s.seq -= 3;
	return s;
}

static void
hear_any(struct world *w, unsigned *seed)
{
	struct segment s[BATCH];
	unsigned n = 1 + (unsigned)rand_r(seed) % BATCH;

	for (unsigned i = 0; i < n; i++) {
		struct peer p = any_peer(w, (unsigned)rand_r(seed));

		s[i] = any_segment(&p, (unsigned)rand_r(seed));
	}
	hear(w, s, n);
}

static void
end_any(struct world *w, unsigned r)
{
	struct peer p = any_peer(w, r / 2);
	struct done_note d = done(&p);
	struct dial_note n = { .target = p.target,
		.source = p.source,
		.sport = p.cookie.sport,
		.withdrawn = r / 4 % 2 };

	if (r % 2)
		flow_done(w->flow, &d, world_now(w));
	else
		flow_dial_failed(w->flow, &n, world_now(w));
}

/* When all have gone, as many as ever may come in again: nothing has leaked. */
static void
check_empty(struct world *w)
{
	uint64_t entered;

	w->wire_full = w->notes_stuck = false;
	pass(w, 60000);
	pass(w, 200000);
	pass(w, 20000);
	check_balance(w);
	assert_int_equal(flow_waiting(w->flow) + flow_open(w->flow), 0);
	entered = count(w, STAT_PKT_ENTERED);
	for (unsigned i = 0; i < w->conf.waiting_max; i++) {
		char host[ADDR_TEXT_MAX];
		struct peer p;

		snprintf(host, sizeof host, "198.18.%u.1", 10 + i);
		p = peer_of(w, host, POP3, KIND_PLAIN, 0);
		hear_one(w, synack_at(&p, IRS));
	}
	assert_int_equal(
	    count(w, STAT_PKT_ENTERED), entered + w->conf.waiting_max);
}

static void
walk(enum follow_mode follow, unsigned seed)
{
	struct world *w = world_new(follow);
	uint64_t lost = 0;

	w->conf.waiting_max = ENTRIES;
	world_restart(w);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned r = (unsigned)rand_r(&seed);
		uint64_t before = count(w, STAT_PKT_LOST);

		forget(w);
		if (r % 16 < 11)
			hear_any(w, &seed);
		else if (r % 16 < 14)
			end_any(w, (unsigned)rand_r(&seed));
		else
			pass(w, r / 16 % 8000);
		/* notes that come late take some of them back */
		if (count(w, STAT_PKT_LOST) > before)
			lost += count(w, STAT_PKT_LOST) - before;
		w->wire_full = r / 7 % 5 == 0;
		w->notes_stuck = r / 35 % 11 == 0;
		check_balance(w);
	}
	/* the walk has been everywhere */
	assert_true(count(w, STAT_PKT_HANDED_ON) > 100);
	assert_true(count(w, STAT_PKT_REFUSED_FULL) > 100);
	assert_true(count(w, STAT_PKT_REFUSED_LIMIT) > 100);
	assert_true(count(w, STAT_PKT_REPEATS) > 100);
	assert_true(count(w, STAT_PKT_RESET) > 100 || follow == FOLLOW_CONNECT);
	assert_true(count(w, STAT_PKT_DONE) > 100);
	assert_true(lost > 10);
	check_empty(w);
	world_free(w);
}

static void
any_order_adopting(void **state)
{
	(void)state;
	walk(FOLLOW_ADOPT, 1);
	walk(FOLLOW_ADOPT, 2);
}

static void
any_order_connecting(void **state)
{
	(void)state;
	walk(FOLLOW_CONNECT, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_adopting),
		cmocka_unit_test(any_order_connecting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
