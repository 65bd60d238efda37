/* test_pacer.c: the rate is kept, with no burst above what is promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "engine/pacer.h"

#define SECOND ((uint64_t)1000000000)

/* What leaves in a second when each wake is late by up to late_ns. */
static uint64_t
sent_in(struct pacer *p, uint64_t *now, uint64_t span, uint64_t late_ns)
{
	uint64_t end = *now + span, sent = 0, x = 1;

	while (*now < end) {
		uint64_t until = 0;
		unsigned n = pacer_ready(p, *now, &until);

		assert_true(n <= PACER_BURST_MAX);
		pacer_spend(p, n);
		sent += n;
		x = x * 6364136223846793005u + 1442695040888963407u;
		if (n == 0) {
			assert_true(until > *now);
			*now = until + (x >> 33) % (late_ns + 1);
		}
	}
	return sent;
}

static void
exact_at_every_rate(void **state)
{
	static const uint64_t rates[] = { 100, 999, 1000, 10000, 12345, 99999,
		100000, 1000000, 14880952 };

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		struct pacer p;
		uint64_t now = 123456789, sent, slack = rates[i] / 100;

		/* late wakes: 60 us is common, less matters when it spins */
		uint64_t late = rates[i] > 200000 ? 0 : 60000;

		pacer_init(&p, now);
		pacer_set(&p, now, rates[i]);
		sent = sent_in(&p, &now, SECOND, late);
		assert_in_range(sent, rates[i] - slack, rates[i] + slack);
	}
}

/* Over any span no more than rate x span plus one burst. */
static void
never_above_the_promise(void **state)
{
	struct pacer p;
	uint64_t now = 0;

	(void)state;
	pacer_init(&p, now);
	pacer_set(&p, now, 5000);
	for (int i = 0; i < 200; i++) {
		uint64_t from = now, sent;

		sent = sent_in(&p, &now, 7000000, 30000000);
		assert_true(sent <= (now - from) * 5000 / SECOND + 51);
		now += (uint64_t)i * 100000000; /* and what a stall earns */
	}
}

static void
a_long_stall_earns_one_burst(void **state)
{
	static const struct {
		uint64_t rate;
		unsigned burst;
	} cases[] = { { 1, 1 }, { 99, 1 }, { 100, 2 }, { 1000, 11 },
		{ 10000, 64 }, { 1000000000, 64 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pacer p;
		uint64_t until;

		pacer_init(&p, 0);
		pacer_set(&p, 0, cases[i].rate);
		assert_int_equal(
		    pacer_ready(&p, 1000000 * SECOND, &until), cases[i].burst);
	}
}

/* Large bursts, where the way out wants them, are 10 ms' worth at most. */
static void
large_bursts_are_bounded(void **state)
{
	static const struct {
		uint64_t rate;
		unsigned burst;
	} cases[] = { { 1000, 11 }, { 100000, 1001 }, { 1000000, 10001 },
		{ 10000000, 16384 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pacer p;
		uint64_t now = 0, sent = 0;

		pacer_init(&p, now);
		pacer_bursts(&p, 16384);
		pacer_set(&p, now, cases[i].rate);
		while (now < SECOND) {
			uint64_t until = now + 1;
			unsigned n = pacer_ready(&p, now, &until);

			assert_true(n <= cases[i].burst);
			pacer_spend(&p, n);
			sent += n;
			now = until;
		}
		assert_in_range(
		    sent, cases[i].rate * 99 / 100, cases[i].rate * 101 / 100);
		assert_int_equal(
		    pacer_ready(&p, 9 * SECOND, &now), cases[i].burst);
	}
}

static void
zero_is_a_pause(void **state)
{
	struct pacer p;
	uint64_t until = 0, now = 5 * SECOND;

	(void)state;
	pacer_init(&p, now);
	assert_int_equal(pacer_ready(&p, now + SECOND, &until), 0);
	assert_true(until == UINT64_MAX);
	pacer_set(&p, now + SECOND, 1000);
	/* nothing was earned in the pause */
	assert_int_equal(pacer_ready(&p, now + SECOND, &until), 0);
	/* four at once, 250 times a second */
	assert_int_equal(until, now + SECOND + 4000000);
	assert_int_equal(pacer_ready(&p, until, &until), 4);
	pacer_set(&p, until, 0);
	assert_int_equal(pacer_ready(&p, until + SECOND, &until), 0);
	assert_true(until == UINT64_MAX);
}

static void
the_rate_changes_at_once(void **state)
{
	struct pacer p;
	uint64_t now = 0, sent;

	(void)state;
	pacer_init(&p, now);
	pacer_set(&p, now, 50000);
	sent = sent_in(&p, &now, SECOND, 0);
	assert_in_range(sent, 49500, 50500);
	pacer_set(&p, now, 500);
	sent = sent_in(&p, &now, SECOND, 0);
	assert_in_range(sent, 495, 506);
	pacer_set(&p, now, 100000);
	sent = sent_in(&p, &now, SECOND, 0);
	assert_in_range(sent, 99000, 101000);
}

/* 10,000/s are about a thousand wakes, not ten thousand and not a spin. */
static void
wakes_are_few(void **state)
{
	struct pacer p;
	uint64_t now = 0, asked = 0;

	(void)state;
	pacer_init(&p, now);
	pacer_set(&p, now, 10000);
	while (now < SECOND) {
		uint64_t until = now;

		pacer_spend(&p, pacer_ready(&p, now, &until));
		now = until;
		asked++;
	}
	assert_in_range(asked, 600, 650);
}

/* The parts add up to the rate, and those that work have theirs. */
static void
one_rate_is_shared(void **state)
{
	static const uint64_t rates[] = { 0, 1, 2, 3, 7, 1000, 99999, 1000001 };
	enum { N = 8 };

	(void)state;
	for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
		for (unsigned mask = 0; mask < 1u << N; mask++) {
			uint64_t parts[N], sum = 0, most = 0;
			uint64_t least = UINT64_MAX;
			bool works[N];

			for (unsigned i = 0; i < N; i++)
				works[i] = mask >> i & 1;
			pacer_share(rates[r], works, N, parts);
			for (unsigned i = 0; i < N; i++) {
				sum += parts[i];
				if (!works[i])
					assert_int_equal(parts[i], 0);
				else if (parts[i] < least)
					least = parts[i];
				if (parts[i] > most)
					most = parts[i];
			}
			assert_int_equal(sum, mask ? rates[r] : 0);
			assert_true(mask == 0 || most - least <= 1);
		}
}

/* What does not divide is the last one's; a thread that ends leaves its part. */
static void
who_works_carries_the_rate(void **state)
{
	static const struct {
		uint64_t rate;
		bool works[3];
		uint64_t parts[3];
	} cases[] = { { 1, { 1, 1, 1 }, { 0, 0, 1 } },
		{ 5, { 1, 1, 1 }, { 1, 2, 2 } },
		{ 1000, { 1, 0, 0 }, { 1000, 0, 0 } },
		{ 1000, { 1, 0, 1 }, { 500, 0, 500 } } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t parts[3];

		pacer_share(cases[i].rate, cases[i].works, 3, parts);
		assert_memory_equal(parts, cases[i].parts, sizeof parts);
	}
}

/* Two threads, of which one ends half way: the rate stays what it is. */
static void
exact_when_shared(void **state)
{
	static const uint64_t rates[] = { 1000, 10000, 100000, 1000000 };

	(void)state;
	for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
		bool works[2] = { true, true };
		struct pacer p[2];
		uint64_t sent[2] = { 0, 0 }, parts[2], slack = rates[r] / 100;

		for (unsigned half = 0; half < 2; half++) {
			works[1] = half == 0;
			pacer_share(rates[r], works, 2, parts);
			for (unsigned i = 0; i < 2; i++) {
				uint64_t now = half * SECOND;

				if (half == 0)
					pacer_init(&p[i], now);
				pacer_set(&p[i], now, parts[i]);
				if (parts[i] > 0)
					sent[half] +=
					    sent_in(&p[i], &now, SECOND, 0);
			}
		}
		for (unsigned half = 0; half < 2; half++)
			assert_in_range(
			    sent[half], rates[r] - slack, rates[r] + slack);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_at_every_rate),
		cmocka_unit_test(never_above_the_promise),
		cmocka_unit_test(a_long_stall_earns_one_burst),
		cmocka_unit_test(large_bursts_are_bounded),
		cmocka_unit_test(zero_is_a_pause),
		cmocka_unit_test(the_rate_changes_at_once),
		cmocka_unit_test(wakes_are_few),
		cmocka_unit_test(one_rate_is_shared),
		cmocka_unit_test(who_works_carries_the_rate),
		cmocka_unit_test(exact_when_shared),
	};

	return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
