/* test_account.c: the two ledgers, their lines, and what was cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sweep.h"
#include "storage/account.h"

/* A ledger whose lines all hold: 1000 passed, 100 answers. */
static struct ledger
whole(void)
{
	struct ledger l = { .begin = 0, .settled = 1000 };

	l.events[STAT_SEND_PASSED] = 1000;
	l.events[STAT_SEND_EXCLUDED_N] = 100;
	l.events[STAT_SEND_SENT_N] = 898;
	l.events[STAT_SEND_NOT_SENT_N] = 2;
	l.events[STAT_PKT_SYNACKS] = 110;
	l.events[STAT_PKT_REPEATS] = 4;
	l.events[STAT_PKT_REFUSED_LIMIT] = 3;
	l.events[STAT_PKT_REFUSED_FULL] = 1;
	l.events[STAT_PKT_REFUSED_KIND] = 1;
	l.events[STAT_PKT_LATE] = 1;
	l.events[STAT_PKT_ENTERED] = 100;
	l.events[STAT_PKT_SILENT] = 30;
	l.events[STAT_PKT_RESET] = 5;
	l.events[STAT_PKT_HANDED_ON] = 65;
	l.events[STAT_DIAL_ADOPTED] = 60;
	l.events[STAT_DIAL_FAILED] = 5;
	l.events[STAT_PROBE_REPORTED] = 59;
	l.events[STAT_PKT_LOST] = 1;
	l.events[STAT_STORE_RECEIVED] = 100;
	l.events[STAT_STORE_NEW] = 99;
	l.events[STAT_STORE_REPLACED] = 1;
	return l;
}

/* The account of that sweep: 99 rows. */
static struct account
balanced(void)
{
	struct account a = { .index_total = 1000,
		.index_excluded = 100,
		.excluded_exact = 1,
		.rows = 99,
		.rows_new = 99,
		.without_answer = 898 - 99 };
	struct ledger l = whole();

	account_add(&a, &l, true);
	a.counted[SEND_EXCLUDED] = 100;
	a.counted[SEND_SENT] = 898;
	a.counted[SEND_NOT_SENT] = 2;
	a.outcomes[OUTCOME_SILENT] = 30;
	a.outcomes[OUTCOME_COMPLETED] = 69;
	return a;
}

static void
test_balances(void **state)
{
	struct account_line lines[ACCOUNT_LINES_MAX];
	struct account a = balanced();

	(void)state;
	assert_true(account_balances(&a));
	assert_int_equal(account_lines(&a, lines), ACCOUNT_LINES);
	a.excluded_exact = 0;
	a.index_excluded = 17;
	assert_int_equal(account_lines(&a, lines), ACCOUNT_LINES - 1);
	assert_true(account_balances(&a));
}

/* Each counter of the ledgers is in a line: one more, and it shows. */
static void
test_every_term(void **state)
{
	static const enum stat_id terms[] = { STAT_SEND_PASSED,
		STAT_SEND_EXCLUDED_N, STAT_SEND_OPTED_OUT_N, STAT_SEND_SENT_N,
		STAT_SEND_NOT_SENT_N, STAT_PKT_SYNACKS, STAT_PKT_REPEATS,
		STAT_PKT_REFUSED_LIMIT, STAT_PKT_REFUSED_FULL,
		STAT_PKT_REFUSED_OPTOUT, STAT_PKT_REFUSED_KIND, STAT_PKT_LATE,
		STAT_PKT_ENTERED, STAT_PKT_HANDED_ON, STAT_PKT_SILENT,
		STAT_PKT_RESET, STAT_PKT_WITHDRAWN, STAT_PKT_WAITING,
		STAT_PKT_LOST, STAT_DIAL_ADOPTED, STAT_DIAL_FAILED,
		STAT_DIAL_WITHDRAWN, STAT_DIAL_QUEUED, STAT_PROBE_REPORTED,
		STAT_PROBE_OPEN, STAT_STORE_RECEIVED, STAT_STORE_NEW,
		STAT_STORE_REPLACED, STAT_STORE_REFUSED };
	struct account a;

	(void)state;
	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
		a = balanced();
		a.events[terms[i]]++;
		if (account_balances(&a))
			fail_msg("%s is in no line", stats_name(terms[i]));
	}
}

static void
test_every_stock(void **state)
{
	struct account a = balanced();
	uint64_t *const fields[] = { &a.index_total, &a.index_excluded,
		&a.counted[SEND_EXCLUDED], &a.counted[SEND_OPTED_OUT],
		&a.counted[SEND_SENT], &a.counted[SEND_NOT_SENT], &a.rows,
		&a.purged, &a.rows_new, &a.outcomes[OUTCOME_LOST],
		&a.without_answer };

	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		a = balanced();
		(*fields[i])++;
		if (account_balances(&a))
			fail_msg("field %zu is in no line", i);
	}
}

/* An underflow must not balance: more rows than were ever sent to. */
static void
test_underflow(void **state)
{
	struct account a = balanced();

	(void)state;
	a.counted[SEND_SENT] = 98;
	a.counted[SEND_NOT_SENT] += 800;
	a.without_answer = 0;
	assert_false(account_balances(&a));
}

/*
 * kill -9 with 40 waiting, 5 open and 300 steps past the settled ones: the
 * lines close over both incarnations, and a loss in the last one still shows.
 */
static void
test_cut_off(void **state)
{
	struct ledger first = { .begin = 0, .settled = 400 }, second = whole();
	struct account a = balanced();
	uint64_t *e = first.events;

	(void)state;
	e[STAT_SEND_PASSED] = e[STAT_SEND_SENT_N] = 700;
	e[STAT_PKT_SYNACKS] = e[STAT_PKT_ENTERED] = 100;
	e[STAT_PKT_HANDED_ON] = 60;
	e[STAT_PKT_WAITING] = 38; /* two moved while the page was read */
	e[STAT_DIAL_ADOPTED] = 60;
	e[STAT_PROBE_REPORTED] = 55;
	e[STAT_PROBE_OPEN] = 5;
	e[STAT_STORE_RECEIVED] = e[STAT_STORE_NEW] = 50;
	second.begin = 400;
	second.events[STAT_SEND_PASSED] = 600;
	second.events[STAT_SEND_SENT_N] = 498;

	memset(a.events, 0, sizeof a.events);
	a.incarnations = 0;
	account_add(&a, &first, false);
	account_add(&a, &second, true);
	assert_int_equal(a.incarnations, 2);
	a.rows += 50;
	a.rows_new += 50;
	a.outcomes[OUTCOME_RESET] += 50;
	a.without_answer -= 50;
	assert_int_equal(a.cut_off[LINE_PASSED_ALL], 300);
	assert_int_equal(a.cut_off[LINE_ENTERED], 40);
	assert_int_equal(a.cut_off[LINE_ADOPTED], 5);
	assert_int_equal(a.events[STAT_PKT_WAITING], 0);
	assert_true(account_balances(&a));
	a.events[STAT_PKT_SILENT]--;
	assert_false(account_balances(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_balances),
		cmocka_unit_test(test_every_term),
		cmocka_unit_test(test_every_stock),
		cmocka_unit_test(test_underflow),
		cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
