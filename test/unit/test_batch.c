/* test_batch.c: what is let in from the wires, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "engine/cookie.h"
#include "storage/batch.h"
#include "test/unit/store_help.h"

#define NOW_US ((uint64_t)1795226460 * 1000000)

static char dir[64], error[STORE_ERROR_MAX], csv[64];
static struct conf conf;
static struct role_args args;
static struct batch *batch;
static struct geo *geo;
static struct live *l;
static struct pending_rules rules;
static uint8_t message[WIRE_MESSAGE_MAX];

static int
set_up(void **state)
{
	static const char places[] =
	    "192.0.2.0/24,DE,Hessen,Frankfurt,64499,Netz AG,517111,Telecom\n";
	FILE *f;

	(void)state;
	help_directory(dir);
	help_args(&args, &conf);
	snprintf(csv, sizeof csv, "%.40s/geo.csv", dir);
	f = fopen(csv, "w");
	assert_non_null(f);
	fputs(places, f);
	fclose(f);
	snprintf(conf.geo_csv, sizeof conf.geo_csv, "%s", csv);
	geo = geo_open(&conf, error);
	l = live_open(dir, conf.map_size, error);
	batch = batch_new();
	rules = pending_rules_of(&conf);
	assert_true(geo != NULL && l != NULL && batch != NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	batch_free(batch);
	live_close(l);
	geo_close(geo);
	help_args_free(&args);
	help_remove(dir);
	return 0;
}

static struct batch_counts
apply(void)
{
	struct batch_context c = { .args = &args,
		.geo = geo,
		.live = l,
		.rules = &rules,
		.start_us = args.now_us,
		.now_us = NOW_US };

	do {
		live_begin(l);
		batch_apply(batch, &c);
	} while (live_commit(l) == LIVE_AGAIN);
	batch_clear(batch);
	return c.counts;
}

/* A message of wire 3 in `message`; its length. */
static size_t
wrap(uint32_t type, const void *bytes, size_t len)
{
	struct record_header h = { .type = type, .len = (uint32_t)len };

	memcpy(message, &h, sizeof h);
	memcpy(message + sizeof h, bytes, len);
	return sizeof h + len;
}

static size_t
wrap_record(const char *addr, uint16_t port, enum outcome outcome)
{
	static uint8_t body[512], flat[1024];
	struct target t = help_target(addr, port);
	struct record r;

	record_init(&r, body, sizeof body);
	r.head = help_head(&t, outcome, 0, NOW_US);
	record_put(&r, TAG_GREETING, "+OK", 3);
	return wrap(MSG_RECORD, flat, record_flatten(&r, flat, sizeof flat));
}

static int
take(size_t len)
{
	return batch_take_record(batch, &args, message, len, NOW_US);
}

static void
test_record(void **state)
{
	struct target t = help_target("192.0.2.1", 110);
	struct batch_counts c;
	struct store *s;
	struct field f;
	struct head h;
	const uint8_t *body;
	uint32_t len;

	(void)state;
	assert_int_equal(
	    take(wrap_record("192.0.2.1", 110, OUTCOME_COMPLETED)), 0);
	c = apply();
	assert_int_equal(c.received, 1);
	assert_int_equal(c.added, 1);
	/* The same again, and a worse one: one row, and it stays. */
	take(wrap_record("192.0.2.1", 110, OUTCOME_COMPLETED));
	take(wrap_record("192.0.2.1", 110, OUTCOME_BROKEN));
	c = apply();
	assert_int_equal(c.received, 2);
	assert_int_equal(c.added, 0);
	assert_int_equal(c.replaced, 2);
	live_begin(l);
	live_meta_put(l, "info", "version 1\nsweep.id x\n", 21);
	live_commit(l);
	live_close(l);
	s = store_open(dir, "live", error);
	assert_true(store_get(s, &t, &h, &body, &len));
	assert_int_equal(h.outcome, OUTCOME_COMPLETED);
	assert_memory_equal(h.country, "DE", 2);
	assert_int_equal(h.asn, 64499);
	assert_true(body_find(body, len, TAG_GREETING, &f));
	assert_true(body_find(body, len, TAG_CITY, &f));
	assert_memory_equal(f.bytes, "FRANKFURT", 9);
	assert_true(body_find(body, len, TAG_SECTOR, &f));
	assert_memory_equal(f.bytes, "Telecom", 7);
	store_close(s);
	l = live_open(dir, conf.map_size, error);
}

static void
test_refused(void **state)
{
	struct followup f = { .target = help_target("192.0.2.1", 110),
		.kind = KIND_PLAIN,
		.attempt = 1 };
	struct target t = help_target("192.0.2.1", 110);
	struct head h = help_head(&t, OUTCOME_COMPLETED, 0, NOW_US);
	uint8_t flat[HEAD_SIZE + 4] = { 0 };
	size_t n;

	(void)state;
	/* Not swept: address, port, excluded. */
	assert_int_equal(
	    take(wrap_record("192.0.3.1", 110, OUTCOME_BROKEN)), -1);
	assert_int_equal(
	    take(wrap_record("192.0.2.1", 111, OUTCOME_BROKEN)), -1);
	assert_int_equal(
	    take(wrap_record("192.0.2.200", 110, OUTCOME_BROKEN)), -1);
	assert_int_equal(take(wrap_record("192.0.2.1", 110, OUTCOME_NONE)), -1);
	n = wrap_record("192.0.2.1", 110, OUTCOME_BROKEN);
	for (size_t len = 0; len < n; len++)
		assert_int_equal(take(len), -1);
	/* From the future. */
	h.time_us = NOW_US + (uint64_t)2 * 86400 * 1000000;
	memcpy(flat, &h, sizeof h);
	assert_int_equal(take(wrap(MSG_RECORD, flat, sizeof flat)), -1);
	h.time_us = NOW_US;
	memcpy(flat, &h, sizeof h);
	assert_int_equal(take(wrap(MSG_RECORD, flat, sizeof flat)), 0);
	assert_int_equal(take(wrap(77, flat, sizeof flat)), -1);
	/* Who is asked again is not for a probe to say: 3 was a follow-up. */
	assert_int_equal(take(wrap(3, &f, sizeof f)), -1);
}

static void
test_cert(void **state)
{
	struct record_header h = { .type = MSG_CERT, .len = 5 };

	(void)state;
	SHA256((const uint8_t *)"12345", 5, h.sha256);
	memcpy(message, &h, sizeof h);
	memcpy(message + sizeof h, "12345", 5);
	assert_int_equal(take(sizeof h + 5), 0);
	memcpy(message + sizeof h, "12346", 5);
	assert_int_equal(take(sizeof h + 5), -1);
	h.len = 0;
	memcpy(message, &h, sizeof h);
	assert_int_equal(take(sizeof h), -1);
	assert_int_equal(apply().received, 0);
}

static size_t
wrap_notes(uint32_t type, const void *items, uint32_t count, size_t size)
{
	struct note_header h = { .type = type, .count = count };

	memcpy(message, &h, sizeof h);
	memcpy(message + sizeof h, items, count * size);
	return sizeof h + count * size;
}

static void
test_notes(void **state)
{
	struct note_pending p[2] = {
		{ .target = help_target("192.0.2.1", 25), .synack_us = NOW_US },
		{ .target = help_target("192.0.2.2", 25), .synack_us = NOW_US }
	};
	struct note_outcome o[2] = { { .outcome = OUTCOME_SILENT,
					 .when_us = NOW_US },
		{ .outcome = OUTCOME_RESET, .when_us = NOW_US } };
	struct batch_counts c;
	struct head h;
	size_t n;

	(void)state;
	o[0].contact.target = p[0].target;
	o[1].contact.target = p[1].target;
	o[1].contact.ttl = 55;
	o[1].contact.flags = HANDOFF_CANARY;
	n = wrap_notes(NOTE_PENDING, p, 2, sizeof p[0]);
	for (size_t len = 0; len < n; len++)
		assert_int_equal(
		    batch_take_notes(batch, &args, message, len), -1);
	assert_true(batch_is_empty(batch));
	assert_int_equal(batch_take_notes(batch, &args, message, n), 0);
	apply();
	live_begin(l);
	assert_int_equal(live_pending_count(l), 2);
	live_abort(l);
	n = wrap_notes(NOTE_OUTCOME, o, 2, sizeof o[0]);
	assert_int_equal(batch_take_notes(batch, &args, message, n), 0);
	c = apply();
	assert_int_equal(c.received, 2);
	assert_int_equal(c.added, 2);
	live_begin(l);
	assert_int_equal(live_pending_count(l), 0);
	assert_int_equal(live_row(l, &p[0].target, &h), LIVE_SILENT);
	assert_int_equal(live_row(l, &p[1].target, &h), LIVE_HEAD);
	assert_int_equal(h.outcome, OUTCOME_RESET);
	assert_int_equal(h.ttl, 55);
	assert_int_equal(h.wscale, 255);
	assert_int_equal(h.port_protocol, PROTOCOL_SMTP);
	assert_int_equal(h.findings, 1u << FINDING_PHANTOM);
	assert_memory_equal(h.country, "DE", 2);
	live_abort(l);
	/* Types that are none, and one of a target that is not swept. */
	n = wrap_notes(0, p, 1, sizeof p[0]);
	assert_int_equal(batch_take_notes(batch, &args, message, n), -1);
	n = wrap_notes(NOTE_TICK, p, 1, sizeof p[0]);
	assert_int_equal(batch_take_notes(batch, &args, message, n), -1);
	/* Found by fuzz_wires: a row that could be written and not read. */
	o[0].contact.attempt = ATTEMPTS;
	n = wrap_notes(NOTE_OUTCOME, o, 1, sizeof o[0]);
	assert_int_equal(batch_take_notes(batch, &args, message, n), -1);
	o[0].contact.attempt = 0;
	o[0].contact.kind = KIND_INJECTION + 1;
	n = wrap_notes(NOTE_OUTCOME, o, 1, sizeof o[0]);
	assert_int_equal(batch_take_notes(batch, &args, message, n), -1);
	p[0].target.port = 26;
	n = wrap_notes(NOTE_PENDING, p, 2, sizeof p[0]);
	assert_int_equal(batch_take_notes(batch, &args, message, n), -1);
}

/* packet puts it off for good: the row says so; what it once said stays. */
static void
test_limited_for_good(void **state)
{
	struct followup f = { .target = help_target("192.0.2.7", 110),
		.kind = KIND_PLAIN,
		.attempt = 1,
		.why = OUTCOME_LIMITED };
	struct followup out;
	struct head h;
	unsigned rows = 0;

	(void)state;
	for (unsigned i = 0; i <= LIMITED_MAX; i++) {
		size_t n = wrap_notes(NOTE_FOLLOWUP, &f, 1, sizeof f);

		assert_int_equal(batch_take_notes(batch, &args, message, n), 0);
		rows += (unsigned)apply().added;
		live_begin(l);
		assert_int_equal(
		    pending_due(l, NOW_US, &out, 1), i < LIMITED_MAX ? 1 : 0);
		assert_int_equal(live_commit(l), LIVE_DONE);
	}
	assert_int_equal(rows, 1);
	live_begin(l);
	assert_int_equal(live_row(l, &f.target, &h), LIVE_HEAD);
	assert_int_equal(h.outcome, OUTCOME_LIMITED);
	live_abort(l);
	/* It does not begin again with the next SYN-ACK. */
	assert_int_equal(batch_take_notes(batch, &args, message,
			     wrap_notes(NOTE_FOLLOWUP, &f, 1, sizeof f)),
	    0);
	apply();
	live_begin(l);
	assert_int_equal(live_queue_count(l), 0);
	assert_int_equal(live_pending_count(l), 0);
	live_abort(l);
}

/* Full of the longest records there are: the door closes in time. */
static void
test_room(void **state)
{
	static uint8_t flat[RECORD_MAX], body[RECORD_MAX];
	struct target t = help_target("192.0.2.1", 110);
	struct record r;
	unsigned n = 0;
	size_t len;

	(void)state;
	record_init(&r, body, sizeof body);
	r.head = help_head(&t, OUTCOME_COMPLETED, 0, NOW_US);
	assert_int_equal(
	    record_put(&r, TAG_GREETING, flat, RECORD_MAX - HEAD_SIZE - 10), 0);
	len = wrap(MSG_RECORD, flat, record_flatten(&r, flat, sizeof flat));
	while (batch_has_room(batch)) {
		assert_int_equal(take(len), 0);
		n++;
	}
	assert_true(n > 100);
	assert_int_equal(apply().received, n);
	assert_true(batch_is_empty(batch));
	assert_true(batch_has_room(batch));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_record),
		EACH(test_refused),
		EACH(test_cert),
		EACH(test_notes),
		EACH(test_limited_for_good),
		EACH(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
