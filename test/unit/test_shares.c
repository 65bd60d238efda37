/* test_shares.c: several processes all finish, or none does. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/shares.h"

enum { PROCESSES = 4, LAST = PROCESSES - 1 };
enum fate { DOES_WELL, FAILS, DIES, DIES_LATER };

/* What each process found, for the first to see. */
struct found {
	int agreed, ran;
};

/* All begin, the last one has its fate; the first comes back. */
static bool
run(enum fate fate, struct found found[PROCESSES])
{
	unsigned mine = 99;
	struct shares *s =
	    shares_begin(PROCESSES, PROCESSES * sizeof *found, &mine);
	struct found *common;
	bool good = true, all;

	if (s == NULL || mine >= PROCESSES)
		_exit(1);
	common = shares_common(s);
	common[mine].ran = 1;
	if (mine == LAST && fate == DIES)
		raise(SIGKILL);
	if (mine == LAST && fate == FAILS)
		good = false;
	good = shares_agree(s, good);
	common[mine].agreed = good;
	if (mine == LAST && fate == DIES_LATER)
		raise(SIGKILL);
	all = mine == 0 && good && shares_wait(s);
	for (unsigned i = 0; mine == 0 && i < PROCESSES; i++)
		found[i] = common[i];
	shares_end(s, good);
	return all;
}

static void
all_do_well(void **state)
{
	struct found found[PROCESSES] = { { 0, 0 } };

	(void)state;
	assert_true(run(DOES_WELL, found));
	for (int i = 0; i < PROCESSES; i++)
		assert_true(found[i].ran && found[i].agreed);
}

/* Nobody agrees then: no file of anybody's gets its name. */
static void
one_does_not(void **state)
{
	static const enum fate fates[] = { FAILS, DIES };
	struct found found[PROCESSES] = { { 0, 0 } };

	(void)state;
	for (int k = 0; k < 2; k++) {
		assert_false(run(fates[k], found));
		for (int i = 0; i < PROCESSES; i++)
			assert_false(found[i].agreed);
	}
}

/* It has agreed, and is missed all the same. */
static void
one_is_missed_at_the_end(void **state)
{
	struct found found[PROCESSES] = { { 0, 0 } };

	(void)state;
	assert_false(run(DIES_LATER, found));
	assert_true(found[0].agreed);
}

static void
alone(void **state)
{
	unsigned mine = 99;
	struct shares *s = shares_begin(1, 0, &mine);

	(void)state;
	assert_non_null(s);
	assert_int_equal(mine, 0);
	assert_true(shares_agree(s, true));
	assert_true(shares_wait(s));
	shares_end(s, true);
	assert_null(shares_begin(1000, 0, &mine));
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_do_well),
		cmocka_unit_test(one_does_not),
		cmocka_unit_test(one_is_missed_at_the_end),
		cmocka_unit_test(alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
