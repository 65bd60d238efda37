/*
 * test_live_random.c: what a sweep that is running is told in any order, over
 * cursors that stay where they are, against arrays that are told the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/check.h"
#include "storage/info.h"
#include "storage/layout.h"
#include "storage/store_write.h"
#include "test/unit/store_help.h"

enum {
	MAP = 1 << 20, /* to grow under way */
	HOSTS = 512,
	PORTS = 3,
	TARGETS = HOSTS * PORTS,
	SWEEPS = 24,
	TURNS = 40,
	OPS = 600, /* in one transaction, at most */
	LONGEST = 9000,
	LOOK_EACH = 8,
	PURGE_TURNS = 10 /* databases that it walks, and more */
};

/* What there should be of a target. */
struct expected {
	uint8_t outcome; /* OUTCOME_SILENT: a bare key; 0: nothing */
	uint8_t confirmed;
	uint32_t len, seed; /* of its body */
	bool pending;
	uint64_t due_us; /* 0: not in the queue */
};

static struct expected model[TARGETS], before[TARGETS];
static uint8_t body[LONGEST];
static char dir[64], error[STORE_ERROR_MAX];
static uint64_t drawn;
static unsigned wrong_answers, grown;

/* xorshift64 (Marsaglia 2003) */
static uint32_t
draw(uint32_t n)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return (uint32_t)((drawn >> 32) % n);
}

/* In the order of their keys. */
static struct target
target_of(unsigned n)
{
	static const uint16_t ports[PORTS] = { 25, 110, 143 };

	return (struct target){ .addr = addr_from4(0x0a000000 + n / PORTS),
		.port = ports[n % PORTS] };
}

/* One field that fills it, or nothing. */
static uint32_t
body_of(uint32_t len, uint32_t seed)
{
	static uint8_t text[LONGEST];
	struct record r;

	if (len == 0)
		return 0;
	memset(text, (int)(seed & 0xff), len);
	memcpy(text, &seed, len < sizeof seed ? len : sizeof seed);
	record_init(&r, body, sizeof body);
	(void)record_put(&r, TAG_GREETING, text, len);
	return r.len;
}

/* What it said of a row, unless the map was full by then. */
static void
note_new(bool said, bool is)
{
	wrong_answers += said != is;
}

static void
put_row(struct live *l, unsigned n)
{
	struct target t = target_of(n);
	struct expected *e = &model[n];
	uint8_t outcome =
	    (uint8_t)(OUTCOME_RESET + draw(OUTCOME_COUNT - OUTCOME_RESET));
	uint32_t len = draw(4) == 0 ? 0 : draw(draw(8) == 0 ? 8000 : 400);
	uint32_t seed = draw(UINT32_MAX);
	struct head h = help_head(&t, (enum outcome)outcome, 0, 1000);

	note_new(live_put_row(l, &h, body, body_of(len, seed)),
	    e->outcome == OUTCOME_NONE);
	if (e->outcome > OUTCOME_SILENT && outcome < e->outcome)
		return;
	e->outcome = outcome;
	e->confirmed = 0;
	e->len = len;
	e->seed = seed;
}

static void
put_silent(struct live *l, unsigned n)
{
	struct target t = target_of(n);

	note_new(live_put_silent(l, &t, n), model[n].outcome == OUTCOME_NONE);
	if (model[n].outcome == OUTCOME_NONE)
		model[n].outcome = OUTCOME_SILENT;
}

static void
confirm(struct live *l, unsigned n)
{
	struct target t = target_of(n);
	struct head h;

	if (live_row(l, &t, &h) != LIVE_HEAD)
		return;
	h.confirmed++;
	live_put_head(l, &h);
	model[n].confirmed++;
}

static void
turn_pending(struct live *l, unsigned n)
{
	struct target t = target_of(n);
	const struct pending p = { .attempt = 1, .since_us = n };

	model[n].pending = !model[n].pending;
	if (model[n].pending)
		live_pending_put(l, &t, &p);
	else
		live_pending_delete(l, &t);
}

static void
turn_queue(struct live *l, unsigned n)
{
	struct queued q = { .target = target_of(n),
		.not_before_us = model[n].due_us };

	if (q.not_before_us != 0) {
		live_queue_delete(l, &q);
		model[n].due_us = 0;
		return;
	}
	model[n].due_us = q.not_before_us = 1 + draw(50);
	live_queue_put(l, &q);
}

static void
purge(struct live *l, unsigned n)
{
	struct ranges *set = ranges_new();
	struct purge_at at = { 0 };
	unsigned first = n / PORTS & ~15u;
	struct target t = target_of(first * PORTS);
	struct optout o = { .addr = t.addr, .bits = 124 };
	uint64_t rows;

	assert_true(optout_add(set, &o));
	assert_int_equal(ranges_seal(set), 0);
	/* When the map is full it never ends. */
	for (unsigned i = 0; i < TARGETS * PURGE_TURNS; i++)
		if (live_purge(l, set, &at, 1 + draw(100), &rows))
			break;
	memset(model + (size_t)first * PORTS, 0, sizeof model[0] * PORTS * 16);
	ranges_free(set);
}

static void
change(struct live *l)
{
	void (*const some[])(struct live *, unsigned) = { put_row, put_silent,
		confirm, turn_pending, turn_queue };
	unsigned ops = 1 + draw(OPS), n = draw(TARGETS);

	for (unsigned i = 0; i < ops; i++) {
		/* Now nearby, now elsewhere. */
		n = draw(4) > 0 ? (n + draw(3)) % TARGETS : draw(TARGETS);
		if (draw(100) == 0)
			purge(l, n);
		else
			some[draw(sizeof some / sizeof some[0])](l, n);
	}
}

/* Done, or undone; again where the map was full. */
static void
turn(struct live *l)
{
	enum live_result result;
	uint64_t start = drawn;

	memcpy(before, model, sizeof model);
	do {
		memcpy(model, before, sizeof model);
		drawn = start;
		wrong_answers = 0;
		live_begin(l);
		change(l);
		result = LIVE_DONE;
		if (draw(8) == 0) {
			live_abort(l);
			memcpy(model, before, sizeof model);
			wrong_answers = 0;
		} else {
			result = live_commit(l);
		}
		grown += result == LIVE_AGAIN;
	} while (result == LIVE_AGAIN);
	assert_int_equal(result, LIVE_DONE);
	assert_int_equal(wrong_answers, 0);
}

static void
tell(const char *line, void *arg)
{
	(void)arg;
	print_message("%s\n", line);
}

static void
assert_rows(struct store *s)
{
	struct store_scan *scan = store_scan_new(s);
	const uint8_t *found;
	struct target t, wanted;
	struct head h;
	uint32_t len;

	for (unsigned n = 0; n < TARGETS; n++) {
		if (model[n].outcome <= OUTCOME_SILENT)
			continue;
		wanted = target_of(n);
		assert_true(store_scan_next(scan, &t, &h));
		assert_int_equal(target_cmp(&t, &wanted), 0);
		assert_int_equal(h.outcome, model[n].outcome);
		assert_int_equal(h.confirmed, model[n].confirmed);
		assert_true(store_scan_body(scan, &found, &len));
		assert_int_equal(len, body_of(model[n].len, model[n].seed));
		if (len > 0)
			assert_memory_equal(found, body, len);
	}
	assert_false(store_scan_next(scan, &t, &h));
	store_scan_free(scan);
}

static void
assert_silent(struct store *s)
{
	struct store_scan *scan = store_scan_silent(s);
	struct target t, wanted;
	uint64_t when_us;

	for (unsigned n = 0; n < TARGETS; n++) {
		if (model[n].outcome != OUTCOME_SILENT)
			continue;
		wanted = target_of(n);
		assert_true(store_scan_silent_next(scan, &t, &when_us));
		assert_int_equal(target_cmp(&t, &wanted), 0);
	}
	assert_false(store_scan_silent_next(scan, &t, &when_us));
	store_scan_free(scan);
}

/* By the writer's own calls. */
static void
assert_waiting(struct live *l)
{
	struct target at = { .port = 0 }, wanted;
	struct pending p;
	struct queued q = { .not_before_us = 0 };

	live_begin(l);
	for (unsigned n = 0; n < TARGETS; n++) {
		if (!model[n].pending)
			continue;
		wanted = target_of(n);
		assert_true(live_pending_next(l, &at, &p));
		assert_int_equal(target_cmp(&at, &wanted), 0);
	}
	assert_false(live_pending_next(l, &at, &p));
	for (uint64_t due_us = 1; due_us <= 50; due_us++)
		for (unsigned n = 0; n < TARGETS; n++) {
			if (model[n].due_us != due_us)
				continue;
			wanted = target_of(n);
			assert_true(live_queue_next(l, &q));
			assert_int_equal(q.not_before_us, due_us);
			assert_int_equal(target_cmp(&q.target, &wanted), 0);
		}
	assert_false(live_queue_next(l, &q));
	live_abort(l);
}

static void
assert_all(struct live *l)
{
	struct check c = { .datadir = dir, .tell = tell };
	struct store *s = store_open(dir, LAYOUT_LIVE, error);

	assert_non_null(s);
	assert_rows(s);
	assert_silent(s);
	assert_int_equal(store_damaged(s), 0);
	store_close(s);
	assert_waiting(l);
	check_sweep(&c, LAYOUT_LIVE);
	assert_int_equal(c.wrong, 0);
}

static struct live *
open_live(void)
{
	struct sweep_info info = { .version = STORE_VERSION,
		.sweep = { .id = "20261121T020000Z-test", .threads = 1 } };
	char text[INFO_TEXT_MAX];
	struct live *l = live_open(dir, MAP, error);

	assert_non_null(l);
	live_begin(l);
	live_meta_put(l, META_INFO, text, info_write(&info, true, text));
	assert_int_equal(live_commit(l), LIVE_DONE);
	return l;
}

/* Among all else the map fills in the middle of a purge, and has to grow. */
static void
test_any_order(void **state)
{
	(void)state;
	for (unsigned sweep = 1; sweep <= SWEEPS; sweep++) {
		struct live *l;

		help_directory(dir);
		memset(model, 0, sizeof model);
		drawn = sweep * 0x9e3779b97f4a7c15;
		grown = 0;
		l = open_live();
		for (unsigned i = 1; i <= TURNS; i++) {
			turn(l);
			if (i % LOOK_EACH == 0)
				assert_all(l);
		}
		live_close(l);
		assert_true(grown > 0);
		help_remove(dir);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
