/*
 * test_throttle.c: the SYN rate beside a model of what follows: answers come
 * after a while, the wire holds so many, probes take them in batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/throttle.h"

enum {
	STEPS_PER_S = 100,
	STEP_US = 1000000 / STEPS_PER_S,
	TURN = 10, /* steps between two looks */
	BATCH = 15, /* steps between two takes */
	FUTURE = 20 * STEPS_PER_S
};

/* Seconds, per second, connections. */
struct plant {
	double rate; /* of SYNs, without a limit */
	double hits; /* answers a SYN */
	double takes; /* of answers, a second */
	double delay, late; /* of all answers; a fifth come later by up to */
	double wire; /* so many fit on it */
};

struct model {
	struct plant p;
	struct throttle t;
	unsigned step;
	uint64_t seed;
	double syns, handed, refused, ahead;
	double limit, hit, turned, takeable;
	double coming[FUTURE];
	/* in the second that has just passed */
	double sent, taken;
};

/* From 0 to 1, the same ones each time. */
static double
drawn(struct model *m)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(m->seed >> 33) / (double)(UINT64_MAX >> 33);
}

static void
model_init(struct model *m, struct plant p)
{
	memset(m, 0, sizeof *m);
	m->p = p;
	throttle_init(&m->t, 0);
	m->seed = 1;
}

/* SYNs leave; what they bring is on its way. */
static void
send_some(struct model *m)
{
	double rate =
	    m->limit > 0 && m->limit < m->p.rate ? m->limit : m->p.rate;
	double n = rate / STEPS_PER_S;

	m->syns += n;
	m->sent += n;
	m->hit += n * m->p.hits;
	while (m->hit >= 1) {
		double after = m->p.delay + 0.02 * drawn(m);

		if (drawn(m) < 0.2)
			after += m->p.late * drawn(m);
		m->coming[(m->step + 1 + (unsigned)(after * STEPS_PER_S)) %
		    FUTURE]++;
		m->hit--;
	}
}

/* Who does not fit asks again a second later. */
static void
hand_on(struct model *m)
{
	double n = m->coming[m->step % FUTURE], fit = m->p.wire - m->ahead;

	m->coming[m->step % FUTURE] = 0;
	if (n > fit) {
		m->refused += n - fit;
		m->coming[(m->step + STEPS_PER_S) % FUTURE] += n - fit;
		n = fit;
	}
	m->handed += n;
	m->ahead += n;
}

static void
take(struct model *m)
{
	double n;

	m->takeable += m->p.takes / STEPS_PER_S * (0.5 + drawn(m));
	if (m->step % BATCH != 0)
		return;
	n = m->takeable < m->ahead ? m->takeable : m->ahead;
	m->takeable = 0;
	m->ahead -= n;
	m->taken += n;
}

static void
second(struct model *m)
{
	m->sent = m->taken = 0;
	for (unsigned i = 0; i < STEPS_PER_S; i++, m->step++) {
		struct throttle_seen seen;

		send_some(m);
		hand_on(m);
		take(m);
		if (m->step % TURN != 0)
			continue;
		seen = (struct throttle_seen){ (uint64_t)m->syns,
			(uint64_t)m->handed, (uint64_t)m->refused,
			(uint64_t)m->ahead };
		m->limit = (double)throttle_turn(
		    &m->t, (uint64_t)(m->step + 1) * STEP_US, &seen);
	}
}

static void
seconds(struct model *m, unsigned n)
{
	while (n-- > 0)
		second(m);
}

/* Of so many seconds: what was taken, and how far from it SYNs ever were. */
struct course {
	double taken, least, most, ahead;
};

static struct course
course(struct model *m, unsigned n)
{
	struct course c = { 0, 1e9, 0, 0 };

	for (unsigned i = 0; i < n; i++) {
		second(m);
		c.taken += m->taken / n;
		c.least = m->sent < c.least ? m->sent : c.least;
		c.most = m->sent > c.most ? m->sent : c.most;
		c.ahead = m->ahead > c.ahead ? m->ahead : c.ahead;
	}
	return c;
}

#define assert_between(value, low, high) \
	assert_in_range((uint64_t)(value), (uint64_t)(low), (uint64_t)(high))

/* ---- */

static void
who_is_fast_enough_is_never_slowed(void **state)
{
	struct model m;

	(void)state;
	model_init(&m, (struct plant){ 100000, 0.04, 5000, 0.05, 3, 8000 });
	for (unsigned i = 0; i < 60; i++) {
		second(&m);
		assert_true(m.limit == 0);
	}
}

/* More than is taken by a little, by much, by very much; one in so many. */
static void
it_settles_where_all_is_taken(void **state)
{
	static const struct plant plants[] = {
		{ 600, 1, 500, 0.05, 0.1, 8000 },
		{ 3000, 1, 500, 0.05, 0.1, 8000 },
		{ 3000, 1, 500, 0.2, 3, 8000 },
		{ 100000, 0.06, 5000, 0.05, 3, 8000 },
		{ 100000, 0.1, 1000, 0.05, 3, 8000 },
		{ 1000000, 0.03, 3000, 0.05, 3, 8000 },
		{ 300, 1, 100, 0.05, 1, 8000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
		struct model m;
		struct course c;

		model_init(&m, plants[i]);
		seconds(&m, 20);
		c = course(&m, 40);
		assert_between(c.taken * 100 / m.p.takes, 95, 102);
		assert_between(c.least * m.p.hits * 100 / m.p.takes, 85, 120);
		assert_between(c.most * m.p.hits * 100 / m.p.takes, 95, 120);
		/* a second's work, and the few that may always wait */
		assert_between(c.ahead, 0, m.p.takes + 64);
	}
}

/* While it finds the rate no more wait than come within a second or two. */
static void
few_wait_at_the_start(void **state)
{
	struct model m;

	(void)state;
	model_init(&m, (struct plant){ 3000, 1, 500, 0.05, 0.1, 100000 });
	seconds(&m, 4);
	assert_between(m.ahead, 0, 4500);
	/* while very many are taken it goes on */
	m.handed += 5000;
	m.ahead += 5000;
	seconds(&m, 2);
	assert_between(course(&m, 5).least, 100, 200);
}

/* Greetings that come after seconds: it swings a little and never stops. */
static void
late_greetings_do_not_make_it_swing(void **state)
{
	struct model m;
	struct course c;

	(void)state;
	model_init(&m, (struct plant){ 3000, 1, 500, 1, 10, 30000 });
	seconds(&m, 30);
	c = course(&m, 60);
	assert_between(c.taken, 450, 510);
	assert_between(c.least, 350, 500);
	assert_between(c.most, 500, 650);
	/* all of them after three seconds */
	model_init(&m, (struct plant){ 3000, 1, 500, 3, 0, 30000 });
	seconds(&m, 40);
	c = course(&m, 60);
	assert_between(c.taken, 425, 510);
	assert_between(c.least, 200, 500);
}

/* Nobody takes any: next to nothing is sent; and then as before. */
static void
it_stops_and_goes_on(void **state)
{
	struct model m;

	(void)state;
	model_init(&m, (struct plant){ 3000, 1, 500, 0.05, 0.1, 8000 });
	seconds(&m, 20);
	m.p.takes = 0;
	seconds(&m, 5);
	second(&m);
	assert_between(m.sent, 0, 50);
	seconds(&m, 60);
	assert_between(m.sent, 0, 3);
	assert_between(m.ahead, 64, 2000);
	m.p.takes = 500;
	seconds(&m, 15);
	assert_between(course(&m, 10).taken, 450, 510);
}

static void
a_limit_that_nobody_needs_is_lifted(void **state)
{
	struct model m;

	(void)state;
	model_init(&m, (struct plant){ 3000, 1, 500, 0.05, 0.1, 8000 });
	seconds(&m, 20);
	assert_true(m.limit > 0);
	m.p.takes = 10000;
	seconds(&m, 40);
	assert_true(m.limit == 0);
	assert_between(m.sent, 2900, 3100);
}

/* A wire that stays full is cut further, whatever a SYN seems to bring. */
static void
a_full_wire_cuts(void **state)
{
	struct throttle_seen seen = { 0 };
	struct throttle t;
	uint64_t us = 0, limit = 0, before;

	(void)state;
	throttle_init(&t, 0);
	for (unsigned i = 0; i < 20; i++) {
		seen.syns += 1000;
		seen.handed += 10;
		limit = throttle_turn(&t, us += 100000, &seen);
	}
	assert_int_equal(limit, 0);
	for (unsigned i = 0; i < 30; i++) {
		before = limit;
		seen.syns += 1000;
		seen.refused += 1;
		limit = throttle_turn(&t, us += 100000, &seen);
		assert_true(i == 0 || limit < before || limit == 1);
	}
	assert_between(limit, 1, 300);
}

/* A batch that comes and is gone again is nobody waiting. */
static void
a_burst_is_no_queue(void **state)
{
	struct throttle_seen seen = { 0 };
	struct throttle t;
	uint64_t us = 0;

	(void)state;
	throttle_init(&t, 0);
	for (unsigned i = 0; i < 100; i++) {
		seen.syns += 1000;
		seen.handed += 10;
		if (i % 10 == 3)
			seen.handed += 2000;
		seen.ahead = i % 10 == 3 ? 2000 : i % 10 == 4 ? 300 : 0;
		assert_int_equal(throttle_turn(&t, us += 100000, &seen), 0);
	}
	/* the same instant twice, and time that goes back: as it was */
	assert_int_equal(throttle_turn(&t, us, &seen), 0);
	assert_int_equal(throttle_turn(&t, us - 5, &seen), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_fast_enough_is_never_slowed),
		cmocka_unit_test(it_settles_where_all_is_taken),
		cmocka_unit_test(few_wait_at_the_start),
		cmocka_unit_test(late_greetings_do_not_make_it_swing),
		cmocka_unit_test(it_stops_and_goes_on),
		cmocka_unit_test(a_limit_that_nobody_needs_is_lifted),
		cmocka_unit_test(a_full_wire_cuts),
		cmocka_unit_test(a_burst_is_no_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
