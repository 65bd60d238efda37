/* test_second.c: which second connections are asked for, and when. */
#include <string.h>

#include "engine/cookie.h"
#include "storage/outcome.h"
#include "test/unit/second_help.h"

/* ---- a ClientHello after silence ----------------------------------------- */

static void
hello_finds_tls(void **state)
{
	struct head h;

	(void)state;
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	assert_int_equal(after(0), 1);
	assert_int_equal(due[0].kind, KIND_CLIENT_HELLO);
	assert_int_equal(due[0].attempt, 0);
	assert_int_equal(due[0].protocol, PROTOCOL_POP3);
	answers(&due[0]);
	assert_int_equal(live_pending_count(l), 1);
	h = head_of(KIND_CLIENT_HELLO, 0, OUTCOME_COMPLETED);
	h.findings = 1u << FINDING_TLS_ON_CLEARTEXT_PORT;
	says(&h, "+OK");
	h = row();
	assert_int_equal(h.kind, KIND_CLIENT_HELLO);
	assert_int_equal(h.findings, 1u << FINDING_TLS_ON_CLEARTEXT_PORT);
	/* one target, one row */
	assert_int_equal(c.counts.received, 2);
	assert_int_equal(c.counts.added, 1);
	assert_int_equal(c.counts.replaced, 1);
	nothing_left();
}

static void
hello_finds_nothing(void **state)
{
	static const enum outcome not_a_word[] = { OUTCOME_SILENT,
		OUTCOME_RESET, OUTCOME_CLOSED, OUTCOME_LOST,
		OUTCOME_DIAL_FAILED, OUTCOME_LIMITED };
	struct head h;

	(void)state;
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	for (size_t i = 0; i < sizeof not_a_word / sizeof *not_a_word; i++) {
		ends(KIND_CLIENT_HELLO, 0, not_a_word[i]);
		assert_int_equal(live_row(l, &target, &h), LIVE_SILENT);
	}
	assert_int_equal(c.counts.added, 1);
	assert_int_equal(c.counts.replaced, 6);
	/* known silent, by a second plain try: not asked again */
	assert_int_equal(after(0), 1);
	ends(KIND_CLIENT_HELLO, 0, OUTCOME_SILENT);
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	nothing_left();
}

static void
hello_is_for_cleartext_ports_and_can_be_off(void **state)
{
	(void)state;
	target.port = 993;
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	target.port = 143;
	conf.hello_after_silence = 0;
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	nothing_left();
}

/* Not even a SYN-ACK any more: it stays silent, and nothing waits for long. */
static void
hello_is_not_answered(void **state)
{
	struct target from = { .port = 0 };
	struct head h;

	(void)state;
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	assert_int_equal(after(0), 1);
	c.now_us += rules.unanswered_us;
	assert_true(rules.unanswered_us < rules.longest_us);
	pending_expire(l, &rules, c.now_us, &from, 10, batch_give_up, &c);
	nothing_left();
	assert_int_equal(live_row(l, &target, &h), LIVE_SILENT);
	assert_int_equal(c.counts.received, 1);
}

static void
hello_over_a_limit_is_put_off(void **state)
{
	struct followup f;

	(void)state;
	ends(KIND_PLAIN, 0, OUTCOME_SILENT);
	assert_int_equal(after(0), 1);
	f = due[0];
	f.attempt = 1;
	f.why = OUTCOME_LIMITED;
	f.not_before_us = c.now_us + 5 * SECOND;
	assert_true(pending_again(l, &f));
	assert_int_equal(after(4 * SECOND), 0);
	assert_int_equal(after(SECOND), 1);
	assert_int_equal(due[0].kind, KIND_CLIENT_HELLO);
	assert_int_equal(due[0].why, OUTCOME_SILENT);
}

/* A stranger's probe could say so: nothing comes of it, and it is counted. */
static void
nobody_is_asked_twice_before_once(void **state)
{
	struct head h;

	(void)state;
	ends(KIND_CLIENT_HELLO, 0, OUTCOME_COMPLETED);
	assert_int_equal(live_row(l, &target, &h), LIVE_NO_ROW);
	assert_int_equal(c.counts.received, 1);
	assert_int_equal(c.counts.refused, 1);
}

/* ---- confirmation -------------------------------------------------------- */

static void
breaks(unsigned attempt, enum starttls starttls, enum outcome outcome)
{
	struct head h = head_of(KIND_PLAIN, attempt, outcome);

	h.starttls = (uint8_t)starttls;
	h.findings =
	    1u << FINDING_CLEARTEXT_LOGIN | 1u << FINDING_STARTTLS_BROKEN;
	says(&h, starttls == STARTTLS_REFUSED ? "454 not now" : NULL);
}

static void
a_verdict_is_seen_twice(void **state)
{
	static const enum starttls each[] = { STARTTLS_REFUSED, STARTTLS_CLOSED,
		STARTTLS_NOT_TLS };

	(void)state;
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		target = help_target("192.0.2.1",
		    i == 0       ? 110
			: i == 1 ? 143
				 : 25);
		breaks(0, each[i], OUTCOME_COMPLETED);
		assert_int_equal(after(60 * SECOND - 1), 0);
		assert_int_equal(after(1), 1);
		assert_int_equal(due[0].kind, KIND_PLAIN);
		assert_int_equal(due[0].attempt, 1);
		answers(&due[0]);
		assert_int_equal(live_pending_count(l), 1);
		breaks(1, each[i], OUTCOME_COMPLETED);
		assert_int_equal(row().confirmed, 1);
		/* the first row stays */
		assert_int_equal(row().attempt, 0);
		nothing_left();
	}
	assert_int_equal(c.counts.received, 6);
	assert_int_equal(c.counts.added, 3);
	assert_int_equal(c.counts.replaced, 3);
}

/* What differs confirms nothing: a third and a fourth time, and no more. */
static void
what_differs_is_asked_again(void **state)
{
	(void)state;
	breaks(0, STARTTLS_REFUSED, OUTCOME_COMPLETED);
	assert_int_equal(after(60 * SECOND), 1);
	breaks(1, STARTTLS_CLOSED, OUTCOME_COMPLETED);
	assert_int_equal(row().confirmed, 0);
	assert_int_equal(row().starttls, STARTTLS_CLOSED);
	assert_int_equal(after(60 * SECOND), 1);
	/* no word at all is no answer either */
	ends(KIND_PLAIN, 2, OUTCOME_RESET);
	assert_int_equal(row().starttls, STARTTLS_CLOSED);
	assert_int_equal(after(60 * SECOND), 1);
	assert_int_equal(due[0].attempt, 3);
	breaks(3, STARTTLS_REFUSED, OUTCOME_COMPLETED);
	assert_int_equal(row().confirmed, 0);
	nothing_left();
}

/* It was one bad moment: the verdict goes. */
static void
tls_the_second_time(void **state)
{
	struct head h;

	(void)state;
	breaks(0, STARTTLS_REFUSED, OUTCOME_COMPLETED);
	assert_int_equal(after(60 * SECOND), 1);
	h = head_of(KIND_PLAIN, 1, OUTCOME_COMPLETED);
	h.starttls = STARTTLS_COMPLETED;
	h.findings = 1u << FINDING_CLEARTEXT_LOGIN;
	says(&h, NULL);
	assert_int_equal(row().starttls, STARTTLS_COMPLETED);
	assert_int_equal(row().confirmed, 0);
	nothing_left();
}

static void
only_what_accuses_is_confirmed(void **state)
{
	struct head h = head_of(KIND_PLAIN, 0, OUTCOME_COMPLETED);

	(void)state;
	h.starttls = STARTTLS_REFUSED; /* and no login in clear */
	says(&h, NULL);
	nothing_left();
	target.port = 143;
	breaks(0, STARTTLS_NOT_OFFERED, OUTCOME_COMPLETED);
	nothing_left();
	target.port = 25;
	conf.confirm = 0;
	breaks(0, STARTTLS_REFUSED, OUTCOME_COMPLETED);
	nothing_left();
}

/* ---- retried later ------------------------------------------------------- */

static void
puts_off(unsigned attempt)
{
	struct head h = head_of(KIND_PLAIN, attempt, OUTCOME_REFUSED_US);

	h.code = 421;
	h.flags = HEAD_TRY_LATER;
	says(&h, "421 too many connections");
}

static void
put_off_is_retried_so_often(void **state)
{
	(void)state;
	rules.retries = 2;
	puts_off(0);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(after(60 * SECOND - 1), 0);
		assert_int_equal(after(1), 1);
		assert_int_equal(due[0].kind, KIND_PLAIN);
		assert_int_equal(due[0].attempt, i);
		assert_int_equal(due[0].why, OUTCOME_REFUSED_US);
		answers(&due[0]);
		puts_off(i);
	}
	nothing_left();
	assert_int_equal(row().outcome, OUTCOME_REFUSED_US);
	assert_int_equal(row().attempt, 2);
	assert_int_equal(c.counts.added, 1);
}

/* 421 or 451 to STARTTLS, or no time of ours: it says nothing, yet. */
static void
answered_for_now_is_retried(void **state)
{
	static const enum outcome each[] = { OUTCOME_LOST, OUTCOME_BROKEN,
		OUTCOME_COMPLETED };

	(void)state;
	rules.retries = 1;
	for (size_t i = 0; i < 3; i++) {
		static const uint16_t ports[] = { 110, 143, 25 };
		struct head h;

		target.port = ports[i];
		h = head_of(KIND_PLAIN, 0, each[i]);
		h.starttls = STARTTLS_UNKNOWN;
		h.flags = each[i] == OUTCOME_LOST ? 0 : HEAD_TRY_LATER;
		says(&h, NULL);
		assert_int_equal(after(60 * SECOND), 1);
		assert_int_equal(due[0].attempt, 1);
		assert_int_equal(due[0].why, each[i]);
		answers(&due[0]);
		h = head_of(KIND_PLAIN, 1, OUTCOME_COMPLETED);
		h.starttls = STARTTLS_COMPLETED;
		says(&h, NULL);
		nothing_left();
		assert_int_equal(row().starttls, STARTTLS_COMPLETED);
	}
}

static void
hung_up_is_retried_and_then_fine(void **state)
{
	static const enum outcome each[] = { OUTCOME_RESET, OUTCOME_CLOSED };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		target.port = i == 0 ? 110 : 143;
		ends(KIND_PLAIN, 0, each[i]);
		assert_int_equal(after(60 * SECOND), 1);
		answers(&due[0]);
		ends(KIND_PLAIN, 1, OUTCOME_COMPLETED);
		assert_int_equal(row().outcome, OUTCOME_COMPLETED);
		nothing_left();
	}
}

/* Refused, then not even that: the better outcome stays, tries go on. */
static void
put_off_and_then_hung_up(void **state)
{
	(void)state;
	puts_off(0);
	assert_int_equal(after(60 * SECOND), 1);
	answers(&due[0]);
	ends(KIND_PLAIN, 1, OUTCOME_CLOSED);
	assert_int_equal(row().outcome, OUTCOME_REFUSED_US);
	assert_int_equal(after(60 * SECOND), 1);
	answers(&due[0]);
	ends(KIND_PLAIN, 2, OUTCOME_COMPLETED);
	assert_int_equal(row().outcome, OUTCOME_COMPLETED);
	nothing_left();
}

/* Its second try is over a limit of ours: that costs it no try. */
static void
put_off_and_over_a_limit(void **state)
{
	struct followup f;

	(void)state;
	rules.retries = 1;
	puts_off(0);
	assert_int_equal(after(60 * SECOND), 1);
	f = due[0];
	f.attempt = 2;
	f.why = OUTCOME_LIMITED;
	f.not_before_us = c.now_us;
	assert_true(pending_again(l, &f));
	assert_int_equal(after(SECOND), 1);
	answers(&due[0]);
	puts_off(2);
	nothing_left();
}

/* Nobody answers the second try: what is known stays. */
static void
put_off_and_then_gone(void **state)
{
	struct target from = { .port = 0 };

	(void)state;
	rules.retries = 1;
	puts_off(0);
	assert_int_equal(after(60 * SECOND), 1);
	c.now_us += rules.unanswered_us;
	pending_expire(l, &rules, c.now_us, &from, 10, batch_give_up, &c);
	nothing_left();
	assert_int_equal(row().outcome, OUTCOME_REFUSED_US);
	assert_int_equal(c.counts.received, 1);
}

static void
refused_for_good_is_not_retried(void **state)
{
	static const enum outcome each[] = { OUTCOME_REFUSED_US,
		OUTCOME_TIMED_OUT, OUTCOME_BROKEN, OUTCOME_COMPLETED,
		OUTCOME_OTHER_PROTOCOL, OUTCOME_DIAL_FAILED };

	(void)state;
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		ends(KIND_PLAIN, 0, each[i]);
		nothing_left();
		target.addr.b[15]++;
	}
	rules.retries = 0;
	puts_off(0);
	nothing_left();
}

/* ---- the queue ----------------------------------------------------------- */

/* Two reasons to ask one target: one after the other, and none is forgotten. */
static void
one_at_a_time(void **state)
{
	struct queued q = { .target = target,
		.not_before_us = c.now_us,
		.as = { .kind = KIND_CLIENT_HELLO } };

	(void)state;
	live_queue_put(l, &q);
	q.as.kind = KIND_INJECTION;
	live_queue_put(l, &q);
	assert_int_equal(after(5000 * SECOND), 1);
	assert_int_equal(due[0].kind, KIND_CLIENT_HELLO);
	assert_int_equal(after(SECOND / 2), 0);
	assert_int_equal(live_queue_count(l), 1);
	live_pending_delete(l, &target);
	assert_int_equal(after(SECOND), 1);
	assert_int_equal(due[0].kind, KIND_INJECTION);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, second_up, second_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(hello_finds_tls),
		EACH(hello_finds_nothing),
		EACH(hello_is_for_cleartext_ports_and_can_be_off),
		EACH(hello_is_not_answered),
		EACH(hello_over_a_limit_is_put_off),
		EACH(nobody_is_asked_twice_before_once),
		EACH(a_verdict_is_seen_twice),
		EACH(what_differs_is_asked_again),
		EACH(tls_the_second_time),
		EACH(only_what_accuses_is_confirmed),
		EACH(put_off_is_retried_so_often),
		EACH(answered_for_now_is_retried),
		EACH(hung_up_is_retried_and_then_fine),
		EACH(put_off_and_then_hung_up),
		EACH(put_off_and_over_a_limit),
		EACH(put_off_and_then_gone),
		EACH(refused_for_good_is_not_retried),
		EACH(one_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
