/* test_spread.c: the list of opt-outs from store to each other child. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/spread.h"

enum { CHILDREN = 5, LONG = 200 /* chunks: more than a wire holds */ };

/* Children that are wires only: store, send, packet, dial, one probe. */
struct lab {
	struct procs procs;
	struct spread spread;
	int theirs[STATS_SLOTS];
	unsigned got[STATS_SLOTS];
};

static const unsigned slots[CHILDREN] = { ROLE_STORE, ROLE_SEND, ROLE_PACKET,
	ROLE_DIAL, ROLE_PROBE };

static struct lab *
lab_new(void)
{
	struct lab *lab = calloc(1, sizeof *lab);

	assert_non_null(lab);
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		lab->procs.v[i].control = -1;
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct proc *c = &lab->procs.v[slots[i]];
		int fds[2];

		assert_int_equal(wire_pair(fds, 65536), 0);
		c->pid = 1;
		c->role = (enum role)slots[i];
		c->control = fds[0];
		lab->theirs[slots[i]] = fds[1];
	}
	return lab;
}

static void
lab_free(struct lab *lab)
{
	for (unsigned i = 0; i < CHILDREN; i++) {
		close(lab->procs.v[slots[i]].control);
		close(lab->theirs[slots[i]]);
	}
	spread_free(&lab->spread);
	free(lab);
}

static int
chunk(struct lab *lab, uint32_t number, bool first, bool last)
{
	struct control c;

	memset(&c, 0, sizeof c);
	c.type = CTL_OPTOUT_LIST;
	c.len = sizeof c.u.optouts;
	c.u.optouts.number = number;
	c.u.optouts.first = first;
	c.u.optouts.last = last;
	return spread_take(&lab->spread, &c);
}

static void
list(struct lab *lab, uint32_t number, unsigned chunks)
{
	for (unsigned i = 0; i < chunks; i++)
		assert_int_equal(
		    chunk(lab, number, i == 0, i + 1 == chunks), 0);
}

/* What a child reads now; it says so when it has all. */
static void
reads(struct lab *lab, unsigned slot)
{
	struct control c;

	while (control_recv(lab->theirs[slot], &c) == 1) {
		assert_int_equal(c.type, CTL_OPTOUT_LIST);
		assert_int_equal(c.u.optouts.first, lab->got[slot] == 0);
		lab->got[slot]++;
		if (!c.u.optouts.last)
			continue;
		lab->procs.v[slot].optouts_done = c.u.optouts.number;
		lab->got[slot] = 0;
	}
}

static void
store_is_asked(struct lab *lab, uint32_t number)
{
	struct control c;

	assert_int_equal(spread_ask(&lab->spread), number);
	spread_turn(&lab->spread, &lab->procs);
	assert_int_equal(control_recv(lab->theirs[ROLE_STORE], &c), 1);
	assert_int_equal(c.type, CTL_OPTOUT_READ);
	assert_int_equal(c.u.number, number);
}

/* Longer than a wire: it goes on as the child reads; probes after dial. */
static void
reaches_all(void **state)
{
	struct lab *lab = lab_new();

	(void)state;
	store_is_asked(lab, 1);
	list(lab, 1, LONG);
	lab->procs.v[ROLE_STORE].optouts_done = 1;
	for (unsigned i = 0; i < LONG; i++) {
		spread_turn(&lab->spread, &lab->procs);
		for (unsigned k = 1; k < CHILDREN; k++)
			reads(lab, slots[k]);
		if (lab->procs.v[ROLE_DIAL].optouts_done == 0)
			assert_int_equal(lab->got[ROLE_PROBE], 0);
		if (lab->procs.v[ROLE_PROBE].optouts_done == 1)
			break;
		assert_false(spread_in_force(&lab->spread, &lab->procs, 1));
	}
	assert_true(spread_in_force(&lab->spread, &lab->procs, 1));
	assert_false(spread_in_force(&lab->spread, &lab->procs, 2));
	for (unsigned k = 0; k < CHILDREN; k++)
		assert_false(spread_wants(
		    &lab->spread, &lab->procs, &lab->procs.v[slots[k]]));
	lab_free(lab);
}

/* A newer list before the old one has arrived; a child that is new. */
static void
the_newest_counts(void **state)
{
	struct lab *lab = lab_new();
	struct proc *probe = &lab->procs.v[ROLE_PROBE];

	(void)state;
	store_is_asked(lab, 1);
	list(lab, 1, 2);
	spread_turn(&lab->spread, &lab->procs);
	store_is_asked(lab, 2);
	list(lab, 2, 3);
	lab->procs.v[ROLE_STORE].optouts_done = 2;
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned k = 1; k < CHILDREN; k++)
			reads(lab, slots[k]);
		spread_turn(&lab->spread, &lab->procs);
	}
	assert_true(spread_in_force(&lab->spread, &lab->procs, 2));
	/* it died, and another one took its place */
	probe->optouts_sent = probe->optouts_done = 0;
	assert_false(spread_in_force(&lab->spread, &lab->procs, 2));
	assert_true(spread_wants(&lab->spread, &lab->procs, probe));
	spread_turn(&lab->spread, &lab->procs);
	reads(lab, ROLE_PROBE);
	assert_true(spread_in_force(&lab->spread, &lab->procs, 2));
	/* it died, and none takes its place */
	probe->optouts_done = 0;
	probe->pid = 0;
	assert_true(spread_in_force(&lab->spread, &lab->procs, 2));
	lab_free(lab);
}

static void
refuses_nonsense(void **state)
{
	struct lab *lab = lab_new();

	(void)state;
	assert_int_equal(chunk(lab, 1, true, true), -1); /* nobody asked */
	store_is_asked(lab, 1);
	assert_int_equal(chunk(lab, 0, true, true), -1);
	assert_int_equal(chunk(lab, 2, true, true), -1);
	assert_int_equal(chunk(lab, 1, false, true), -1);
	assert_int_equal(chunk(lab, 1, true, false), 0);
	assert_int_equal(chunk(lab, 1, true, false), -1);
	assert_int_equal(chunk(lab, 1, false, true), 0);
	assert_int_equal(lab->spread.number, 1);
	lab_free(lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reaches_all),
		cmocka_unit_test(the_newest_counts),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
