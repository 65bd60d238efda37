/* second_help.c: a live store, a target, and what becomes of its rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/outcome.h"
#include "test/unit/second_help.h"
#include "test/unit/store_help.h"

char dir[64], error[STORE_ERROR_MAX];
struct conf conf;
static struct role_args args;
struct pending_rules rules;
static struct geo *geo;
struct live *l;
struct batch_context c;
struct target target;
struct followup due[4];

int
second_up(void **state)
{
	(void)state;
	help_directory(dir);
	help_args(&args, &conf);
	conf.hello_after_silence = 1;
	conf.confirm = 1;
	conf.confirm_pause_ms = 60000;
	conf.retry_pause_ms = 60000;
	conf.greeting_ms = 30000;
	conf.conversation_ms = 120000;
	conf.rate = 10000;
	geo = geo_open(&conf, error);
	l = live_open(dir, conf.map_size, error);
	assert_true(geo != NULL && l != NULL);
	rules = pending_rules_of(&conf);
	target = help_target("192.0.2.1", 110);
	c = (struct batch_context){ .args = &args,
		.geo = geo,
		.live = l,
		.rules = &rules,
		.start_us = args.now_us,
		.canary_port = CANARY,
		.now_us = args.now_us + 100 * SECOND };
	live_begin(l);
	return 0;
}

int
second_down(void **state)
{
	(void)state;
	live_abort(l);
	live_close(l);
	geo_close(geo);
	help_args_free(&args);
	help_remove(dir);
	return 0;
}

/* A record as a probe makes one; change its head before says(). */
struct head
head_of(enum syn_kind kind, unsigned attempt, enum outcome outcome)
{
	struct head h = help_head(&target, outcome, 0, c.now_us);

	h.kind = (uint8_t)kind;
	h.attempt = (uint8_t)attempt;
	h.sport = (uint16_t)(40000 + kind * 16 + attempt);
	return h;
}

void
says(const struct head *h, const char *text)
{
	uint8_t body[4096];
	struct record r;

	record_init(&r, body, sizeof body);
	r.head = *h;
	if (text != NULL)
		record_transcript(&r, SPEAKER_SERVER, 5, text, strlen(text));
	outcome_record(&c, &r);
}

void
ends(enum syn_kind kind, unsigned attempt, enum outcome outcome)
{
	struct head h = head_of(kind, attempt, outcome);

	says(&h, NULL);
}

void
answers(const struct followup *f)
{
	struct note_pending n = { .target = f->target,
		.kind = f->kind,
		.attempt = f->attempt,
		.protocol = f->protocol,
		.synack_us = c.now_us };

	pending_answered(l, &n, c.now_us);
}

/* Time passes; how many are due then, in due[]. */
unsigned
after(uint64_t us)
{
	c.now_us += us;
	return pending_due(l, c.now_us, due, 4);
}

struct head
row(void)
{
	struct head h;

	assert_int_equal(live_row(l, &target, &h), LIVE_HEAD);
	return h;
}

void
nothing_left(void)
{
	assert_int_equal(live_pending_count(l), 0);
	assert_int_equal(live_queue_count(l), 0);
}
