/* test_pending.c: what is asked again, how often, and when it is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/cookie.h"
#include "storage/pending.h"
#include "test/unit/store_help.h"

enum { LONGEST = 100, PAUSE = 1000 };

static const struct pending_rules rules = {
	.longest_us = LONGEST, .retry_pause_us = PAUSE, .retries = 2
};
static char dir[64], error[STORE_ERROR_MAX];
static struct live *l;
static struct target target;
static enum outcome ended;
static unsigned ends;

static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	l = live_open(dir, 1 << 20, error);
	target = help_target("192.0.2.1", 110);
	ends = 0;
	live_begin(l);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	live_abort(l);
	live_close(l);
	help_remove(dir);
	return 0;
}

static void
end(void *arg, const struct target *t, const struct pending *p, enum outcome o)
{
	(void)arg;
	(void)p;
	assert_memory_equal(t, &target, sizeof *t);
	ended = o;
	ends++;
}

static void
expire(uint64_t now_us)
{
	struct target from = { .port = 0 };

	pending_expire(l, &rules, now_us, &from, 100, end, NULL);
	assert_int_equal(from.port, 0);
}

static void
answered(uint8_t attempt, uint64_t now_us)
{
	struct note_pending n = { .target = target,
		.kind = KIND_PLAIN,
		.attempt = attempt,
		.protocol = PROTOCOL_POP3,
		.synack_us = now_us };

	pending_answered(l, &n, now_us);
}

/* The one that is due, or none. */
static bool
due(uint64_t now_us, struct followup *f)
{
	return pending_due(l, now_us, f, 1) == 1;
}

static void
test_lost(void **state)
{
	struct followup f;
	uint64_t now = 5000;

	(void)state;
	answered(0, now);
	for (unsigned try = 1; try <= 2; try++) {
		expire(now + LONGEST - 1);
		assert_int_equal(live_pending_count(l), 1);
		expire(now + LONGEST);
		assert_int_equal(live_pending_count(l), 0);
		assert_int_equal(live_queue_count(l), 1);
		now += LONGEST + PAUSE;
		assert_false(due(now - 1, &f));
		assert_true(due(now, &f));
		assert_int_equal(f.attempt, try);
		assert_int_equal(f.why, OUTCOME_LOST);
		assert_int_equal(f.protocol, PROTOCOL_POP3);
		assert_int_equal(live_queue_count(l), 0);
		assert_int_equal(live_pending_count(l), 1);
		/* It answers, and what is known of its tries stays. */
		answered(f.attempt, now);
	}
	expire(now + LONGEST);
	assert_int_equal(ends, 1);
	assert_int_equal(ended, OUTCOME_LOST);
	assert_int_equal(live_pending_count(l) + live_queue_count(l), 0);
}

static void
test_limited(void **state)
{
	struct followup f = { .target = target,
		.kind = KIND_PLAIN,
		.attempt = 1,
		.why = OUTCOME_LIMITED };
	unsigned tries = 0;

	(void)state;
	/* As packet does it: never past the last slice of ports. */
	while (pending_again(l, &f)) {
		assert_true(++tries <= LIMITED_MAX);
		assert_int_equal(live_pending_count(l), 0);
		assert_true(due(1, &f));
		if (f.attempt < ATTEMPTS - 1)
			f.attempt++;
	}
	assert_int_equal(tries, LIMITED_MAX);
	assert_int_equal(live_pending_count(l) + live_queue_count(l), 0);
}

/* Limited once, then no answer any more: that was its outcome. */
static void
test_limited_then_gone(void **state)
{
	struct followup f = { .target = target,
		.kind = KIND_PLAIN,
		.attempt = 1,
		.why = OUTCOME_LIMITED };
	uint64_t now = 0;

	(void)state;
	assert_true(pending_again(l, &f));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(due(now, &f));
		now += LONGEST;
		expire(now);
		now += PAUSE;
	}
	assert_int_equal(ends, 1);
	assert_int_equal(ended, OUTCOME_LIMITED);
}

/* The record was here before the note that announces it. */
static void
test_record_first(void **state)
{
	struct head h = help_head(&target, OUTCOME_COMPLETED, 0, 5000);

	(void)state;
	live_put_row(l, &h, NULL, 0);
	answered(0, 5000 - 50);
	assert_int_equal(live_pending_count(l), 0);
	answered(0, 5000 + 2000000);
	assert_int_equal(live_pending_count(l), 1);
}

static void
test_cured(void **state)
{
	struct followup f = { .target = target, .kind = KIND_PLAIN }, out;
	struct head h = help_head(&target, OUTCOME_COMPLETED, 0, 5000);

	(void)state;
	/* Followed again meanwhile: the queue has nothing to add. */
	assert_true(pending_again(l, &f));
	answered(0, 10);
	assert_false(due(10, &out));
	assert_int_equal(live_queue_count(l), 0);
	assert_int_equal(live_pending_count(l), 1);
	/* Has an outcome by now; only a question of another kind is sent. */
	live_pending_delete(l, &target);
	live_put_row(l, &h, NULL, 0);
	assert_true(pending_again(l, &f));
	assert_false(due(10, &out));
	f.kind = KIND_CLIENT_HELLO;
	assert_true(pending_again(l, &f));
	assert_true(due(10, &out));
	assert_int_equal(out.kind, KIND_CLIENT_HELLO);
}

static void
test_resume(void **state)
{
	struct followup f[4];

	(void)state;
	for (uint16_t port = 1; port <= 3; port++) {
		target.port = port;
		answered(1, 50);
	}
	assert_int_equal(pending_resume(l, 700), 3);
	assert_int_equal(live_pending_count(l), 0);
	assert_int_equal(pending_due(l, 699, f, 4), 0);
	assert_int_equal(pending_due(l, 700, f, 4), 3);
	assert_int_equal(f[2].target.port, 3);
	assert_int_equal(f[2].attempt, 1);
}

static void
test_cap(void **state)
{
	struct followup f[2];

	(void)state;
	for (uint16_t port = 1; port <= 5; port++) {
		target.port = port;
		answered(0, 50);
	}
	pending_resume(l, 0);
	assert_int_equal(pending_due(l, 1, f, 2), 2);
	assert_int_equal(pending_due(l, 1, f, 2), 2);
	assert_int_equal(pending_due(l, 1, f, 2), 1);
}

/* A few rows at a time, from where it was; then from the start again. */
static void
test_slices(void **state)
{
	struct target from = { .port = 0 };

	(void)state;
	for (uint16_t port = 1; port <= 5; port++) {
		target.port = port;
		answered(0, 50);
	}
	pending_expire(l, &rules, 50 + LONGEST, &from, 2, end, NULL);
	assert_int_equal(live_pending_count(l), 3);
	assert_int_equal(from.port, 2);
	pending_expire(l, &rules, 50, &from, 2, end, NULL);
	assert_int_equal(from.port, 4);
	pending_expire(l, &rules, 50 + LONGEST, &from, 2, end, NULL);
	assert_int_equal(from.port, 0);
	assert_int_equal(live_pending_count(l), 2);
	pending_expire(l, &rules, 50 + LONGEST, &from, 9, end, NULL);
	assert_int_equal(live_pending_count(l), 0);
	assert_int_equal(live_queue_count(l), 5);
}

static void
test_rules(void **state)
{
	struct conf c = { .greeting_ms = 30000,
		.greeting_smtp_ms = 60000,
		.conversation_ms = 120000,
		.answer_window_ms = 10000,
		.retries = 7,
		.retry_pause_ms = 5 };
	struct pending_rules r = pending_rules_of(&c);

	(void)state;
	assert_true(r.longest_us >= (uint64_t)190 * 1000000);
	assert_int_equal(r.retry_pause_us, 5000);
	assert_int_equal(r.retries, ATTEMPTS - 1);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_lost),
		EACH(test_limited),
		EACH(test_limited_then_gone),
		EACH(test_record_first),
		EACH(test_cured),
		EACH(test_resume),
		EACH(test_cap),
		EACH(test_slices),
		EACH(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
