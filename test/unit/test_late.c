/*
 * test_late.c: a probe that comes late to a conversation. Packet resets what
 * was handed on too long ago: that reset is no word of the server's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/probe_lab.h"

enum { CONVERSATION_MS = 10000 }; /* probe_lab's configuration */

#define PAUSE                   \
	{                       \
		ACT_PAUSE, NULL \
	}
#define SAY(text)             \
	{                     \
		ACT_SAY, text \
	}

static const struct act reset_later[] = { SAY("220 mx.lab.test ESMTP\r\n"),
	{ ACT_HEAR, "EHLO " }, SAY("250-mx.lab.test\r\n250 STARTTLS\r\n"),
	{ ACT_HEAR, "STARTTLS" }, SAY("220 go\r\n"), PAUSE, PAUSE, PAUSE, PAUSE,
	PAUSE, PAUSE, { ACT_RESET, NULL }, { ACT_END, NULL } };

static void
in_time_a_reset_is_theirs(void **state)
{
	static struct lab_result r;

	(void)state;
	lab_probe_late(1, 25, reset_later, &r);
	assert_int_equal(r.head.starttls, STARTTLS_CLOSED);
	assert_true(r.head.findings & 1u << FINDING_STARTTLS_BROKEN);
}

static void
it_ends_by_the_hand_off(void **state)
{
	static struct lab_result r;

	(void)state;
	lab_probe_late(CONVERSATION_MS - 300, 25, reset_later, &r);
	assert_int_equal(r.head.starttls, STARTTLS_TIMED_OUT);
	assert_int_equal(r.head.outcome, OUTCOME_TIMED_OUT);
	assert_int_equal(r.head.findings, 0);
}

static void
past_its_end_nothing_is_judged(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { { ACT_RESET, NULL },
		{ ACT_END, NULL } };

	(void)state;
	lab_probe_late(CONVERSATION_MS + 5000, 25, acts, &r);
	assert_int_equal(r.head.outcome, OUTCOME_LOST);
	assert_int_equal(r.head.starttls, STARTTLS_NONE);
	assert_int_equal(r.head.findings, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_time_a_reset_is_theirs),
		cmocka_unit_test(it_ends_by_the_hand_off),
		cmocka_unit_test(past_its_end_nothing_is_judged),
	};

	return cmocka_run_group_tests(tests, lab_up, lab_down);
}
