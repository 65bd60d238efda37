/* test_loss.c: the estimate, against losses that were drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>

#include <cmocka.h>

#include "engine/loss.h"

/* xorshift64* (Vigna 2016) */
static uint64_t
draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1du;
}

static bool
passes(uint64_t *state, double loss)
{
	return (double)(draw(state) >> 11) / 9007199254740992.0 >= loss;
}

/* Of so many hosts; each SYN goes there, and its answer comes back. */
static bool
try_once(uint64_t seed, unsigned hosts, double p, struct loss *loss)
{
	uint64_t first = 0, second = 0, both = 0, state = seed;

	for (unsigned i = 0; i < hosts; i++) {
		bool a = passes(&state, p), b = passes(&state, p);

		a = passes(&state, p) && a;
		b = passes(&state, p) && b;
		first += a;
		second += b;
		both += a && b;
	}
	return loss_estimate(first, second, both, loss);
}

/* 95 % of 400: 380, and four deviations below are 363. */
static void
the_interval_holds_the_truth(void **state)
{
	static const double losses[] = { 0.001, 0.02, 0.05, 0.3 };

	(void)state;
	for (size_t k = 0; k < sizeof losses / sizeof losses[0]; k++) {
		unsigned held = 0;
		double sum = 0;

		for (uint64_t seed = 1; seed <= 400; seed++) {
			struct loss l;

			assert_true(
			    try_once(seed * 7919 + k, 5000, losses[k], &l));
			assert_true(l.low <= l.one_way && l.one_way <= l.high);
			held += l.low <= losses[k] && losses[k] <= l.high;
			sum += l.one_way;
		}
		assert_in_range(held, 363, 400);
		assert_true(fabs(sum / 400 - losses[k]) < 0.05 * losses[k]);
	}
}

static void
known_value(void **state)
{
	struct loss l;

	(void)state;
	/* 900 both, 90 each alone: q = 1800/1980, one way 1 - sqrt(q) */
	assert_true(loss_estimate(990, 990, 900, &l));
	assert_true(fabs(l.one_way - (1 - sqrt(1800.0 / 1980))) < 1e-12);
	assert_true(fabs(l.missed - (180.0 / 1980) * (180.0 / 1980)) < 1e-12);
	assert_true(l.low > 0.04 && l.high < 0.06);
}

static void
too_few_or_impossible(void **state)
{
	struct loss l;

	(void)state;
	assert_false(loss_estimate(0, 0, 0, &l));
	assert_false(loss_estimate(29, 29, 29, &l));
	assert_true(loss_estimate(30, 30, 30, &l));
	assert_true(l.one_way == 0);
	assert_true(l.low == 0);
	assert_true(l.high > 0 && l.high < 0.1);
	assert_false(loss_estimate(100, 10, 20, &l));
	/* nobody answered both */
	assert_true(loss_estimate(50, 50, 0, &l));
	assert_true(l.one_way == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_holds_the_truth),
		cmocka_unit_test(known_value),
		cmocka_unit_test(too_few_or_impossible),
	};

	return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
