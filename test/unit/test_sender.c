/* test_sender.c: a thread that sends, its link replaced by a list. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "test/unit/sender_help.h"

/* Poll a condition for five seconds. */
#define EVENTUALLY(condition)                                 \
	do {                                                  \
		struct timespec tick = { .tv_nsec = 200000 }; \
		int left = 25000;                             \
		while (!(condition) && --left > 0)            \
			nanosleep(&tick, NULL);               \
		assert_true(left > 0);                        \
	} while (0)

/* What a frame asks for, and whether its cookie is ours. */
struct asked {
	struct target target;
	struct addr source;
	uint16_t sport;
	uint32_t isn;
};

static struct asked
read_frame(const uint8_t *f)
{
	bool four = f[12] == 8;
	const uint8_t *tcp = f + (four ? 34 : 54);
	struct asked a;

	if (four) {
		uint32_t be;

		a.source = a.target.addr = addr_from4(0);
		memcpy(&be, f + 26, 4);
		memcpy(a.source.b + 12, &be, 4);
		memcpy(a.target.addr.b + 12, f + 30, 4);
	} else {
		memcpy(a.source.b, f + 22, 16);
		memcpy(a.target.addr.b, f + 38, 16);
	}
	a.sport = (uint16_t)(tcp[0] << 8 | tcp[1]);
	a.target.port = (uint16_t)(tcp[2] << 8 | tcp[3]);
	a.isn = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
	    (uint32_t)tcp[6] << 8 | tcp[7];
	return a;
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, TARGET_KEY_LEN);
}

/* Each frame a target of ours, none excluded, none twice; how many. */
static size_t
assert_frames(struct scene *s)
{
	uint8_t(*keys)[TARGET_KEY_LEN] = calloc(s->link.n + 1, TARGET_KEY_LEN);
	size_t n = s->link.n;

	assert_non_null(keys);
	for (size_t i = 0; i < n; i++) {
		struct asked a = read_frame(s->link.frames[i]);

		assert_true(ranges_has(s->targets, &a.target.addr));
		assert_false(ranges_has(s->excluded, &a.target.addr));
		assert_true(cookie_check(s->sweep.key, &s->plan.ports,
		    &a.source, &a.target, a.sport, a.isn + 1));
		target_pack(&a.target, keys[i]);
	}
	qsort(keys, n, TARGET_KEY_LEN, by_key);
	for (size_t i = 1; i < n; i++)
		assert_memory_not_equal(keys[i - 1], keys[i], TARGET_KEY_LEN);
	free(keys);
	return n;
}

static struct sender_progress
run_to_end(struct scene *s, unsigned thread)
{
	struct sender *t = sender_start(&s->plan, thread, &s->link);

	assert_non_null(t);
	sender_rate(t, FAST);
	EVENTUALLY(sender_progress(t).finished);
	sender_stop(t);
	return sender_join(t);
}

enum { ALL4 = 512 * 3, OUT4 = 16 * 3, ALL6 = 256 * 3 };

static void
each_target_once(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender_progress p;

	(void)state;
	p = run_to_end(s, 0);
	assert_int_equal(p.position, ALL4 + ALL6);
	assert_int_equal(p.counted[SEND_EXCLUDED], OUT4);
	assert_int_equal(p.counted[SEND_SENT], ALL4 - OUT4 + ALL6);
	assert_int_equal(p.counted[SEND_NOT_SENT], 0);
	assert_int_equal(p.packets, ALL4 - OUT4 + ALL6);
	assert_int_equal(p.errors, 0);
	assert_int_equal(assert_frames(s), ALL4 - OUT4 + ALL6);
	scene_free(s);
}

static void
a_family_without_source_is_counted(void **state)
{
	struct scene *s = scene_new(1, false);
	struct sender_progress p;

	(void)state;
	p = run_to_end(s, 0);
	assert_int_equal(p.counted[SEND_SENT], ALL4 - OUT4);
	assert_int_equal(p.counted[SEND_NOT_SENT], ALL6);
	assert_int_equal(p.counted[SEND_EXCLUDED], OUT4);
	assert_int_equal(assert_frames(s), ALL4 - OUT4);
	scene_free(s);
}

static void
threads_share_the_sweep(void **state)
{
	struct scene *s = scene_new(3, true);
	uint64_t passed = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		passed += run_to_end(s, i).position;
	assert_int_equal(passed, ALL4 + ALL6);
	assert_int_equal(assert_frames(s), ALL4 - OUT4 + ALL6);
	scene_free(s);
}

/* A busy link, and one that takes five frames at a time, lose nothing. */
static void
partial_sends_are_retried(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender_progress p;

	(void)state;
	s->link.at_most = 5;
	s->link.busy_often = true;
	p = run_to_end(s, 0);
	assert_int_equal(p.packets, ALL4 - OUT4 + ALL6);
	assert_int_equal(p.errors, 0);
	assert_int_equal(assert_frames(s), ALL4 - OUT4 + ALL6);
	scene_free(s);
}

/* While the link is down no index passes; none is lost over it. */
static void
a_link_down_loses_nothing(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t = sender_start(&s->plan, 0, &s->link);
	struct sender_progress p;

	(void)state;
	link_set(&s->link, ENETDOWN);
	sender_rate(t, FAST);
	EVENTUALLY(sender_progress(t).errors >= 3);
	p = sender_progress(t);
	assert_int_equal(p.position, 0);
	assert_int_equal(p.counted[SEND_SENT], 0);
	assert_int_equal(p.packets, 0);
	link_set(&s->link, 0);
	EVENTUALLY(sender_progress(t).finished);
	sender_stop(t);
	p = sender_join(t);
	assert_int_equal(p.counted[SEND_SENT], ALL4 - OUT4 + ALL6);
	assert_int_equal(assert_frames(s), ALL4 - OUT4 + ALL6);
	scene_free(s);
}

/* Stopped while the link is down: the position covers only what left. */
static void
a_stop_in_trouble_ends(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t = sender_start(&s->plan, 0, &s->link);
	struct sender_progress p;

	(void)state;
	sender_rate(t, 20000);
	EVENTUALLY(link_seen(&s->link) > 100);
	link_set(&s->link, ENXIO);
	EVENTUALLY(sender_progress(t).errors >= 1);
	sender_stop(t);
	p = sender_join(t);
	assert_false(p.finished);
	assert_int_equal(p.counted[SEND_SENT], s->link.n);
	assert_int_equal(p.packets, s->link.n);
	assert_int_equal(
	    p.position, p.counted[SEND_SENT] + p.counted[SEND_EXCLUDED]);
	assert_frames(s);
	scene_free(s);
}

/* Stopped and started again at its position: each target still once. */
static void
goes_on_from_its_position(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t = sender_start(&s->plan, 0, &s->link);
	struct sender_progress p;

	(void)state;
	sender_rate(t, 50000);
	EVENTUALLY(sender_progress(t).packets > 200);
	sender_stop(t);
	p = sender_join(t);
	assert_in_range(p.position, 200, ALL4 + ALL6 - 1);
	s->sweep.position[0] = p.position;
	memcpy(s->sweep.counted[0], p.counted, sizeof p.counted);
	p = run_to_end(s, 0);
	assert_int_equal(p.counted[SEND_SENT], ALL4 - OUT4 + ALL6);
	assert_int_equal(p.counted[SEND_EXCLUDED], OUT4);
	assert_int_equal(assert_frames(s), ALL4 - OUT4 + ALL6);
	scene_free(s);
}

static void
nothing_at_rate_zero(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t = sender_start(&s->plan, 0, &s->link);
	struct timespec nap = { .tv_nsec = 50000000 };
	size_t seen;

	(void)state;
	nanosleep(&nap, NULL);
	assert_int_equal(link_seen(&s->link), 0);
	sender_rate(t, 10000);
	EVENTUALLY(link_seen(&s->link) > 50);
	sender_rate(t, 0);
	nanosleep(&nap, NULL);
	seen = link_seen(&s->link);
	nanosleep(&nap, NULL);
	assert_int_equal(link_seen(&s->link), seen);
	assert_true(seen < ALL4 - OUT4 + ALL6);
	sender_stop(t);
	sender_join(t);
	scene_free(s);
}

static struct followup
followup(const char *addr, uint8_t kind, uint8_t attempt)
{
	struct followup f = { .kind = kind, .attempt = attempt };

	f.target.port = 25;
	assert_int_equal(addr_parse(addr, &f.target.addr), 0);
	return f;
}

/* Follow-ups go out after the end too, each in its own slice of ports. */
static void
followups_after_the_end(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t = sender_start(&s->plan, 0, &s->link);
	struct followup f = followup("198.18.0.9", KIND_PLAIN, 2);
	struct followup canary = followup("fd00:198::5", KIND_CANARY, 0);
	struct sender_progress p;
	size_t base = ALL4 - OUT4 + ALL6;
	struct asked a;

	(void)state;
	sender_rate(t, FAST);
	EVENTUALLY(sender_progress(t).finished);
	assert_true(sender_followup(t, &f));
	EVENTUALLY(link_seen(&s->link) == base + 1);
	assert_true(sender_followup(t, &canary));
	EVENTUALLY(link_seen(&s->link) == base + 2);
	sender_stop(t);
	p = sender_join(t);
	assert_int_equal(p.followups, 1);
	assert_int_equal(p.canaries, 1);
	assert_int_equal(p.counted[SEND_SENT], base);
	assert_int_equal(p.packets, base + 2);
	a = read_frame(s->link.frames[base]);
	assert_int_equal(addr_cmp(&a.target.addr, &f.target.addr), 0);
	assert_int_equal(source_ports_attempt(&s->plan.ports, a.sport), 2);
	assert_int_equal(
	    source_ports_kind(&s->plan.ports, a.sport), KIND_PLAIN);
	assert_true(source_ports_current(&s->plan.ports, a.sport));
	a = read_frame(s->link.frames[base + 1]);
	assert_int_equal(
	    source_ports_kind(&s->plan.ports, a.sport), KIND_CANARY);
	scene_free(s);
}

/* A probe in a stranger's hands cannot make us send elsewhere. */
static void
followups_stay_inside_the_sweep(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t;
	struct followup bad[] = {
		followup("8.8.8.8", KIND_PLAIN, 1),
		followup("198.18.1.3", KIND_PLAIN, 1), /* excluded */
		followup("198.18.0.9", KIND_COUNT, 1),
		followup("198.18.0.9", KIND_PLAIN, ATTEMPTS),
	};
	struct sender_progress p;

	(void)state;
	s->sweep.position[0] = sweep_share(&s->sweep, 0);
	t = sender_start(&s->plan, 0, &s->link);
	sender_rate(t, 1000);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(sender_followup(t, &bad[i]));
	EVENTUALLY(sender_progress(t).errors == 4);
	sender_stop(t);
	p = sender_join(t);
	assert_int_equal(p.packets, 0);
	assert_int_equal(p.followups, 0);
	assert_int_equal(s->link.n, 0);
	scene_free(s);
}

/* At rate 0 the queue fills, and says so instead of losing one. */
static void
a_full_queue_says_so(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t = sender_start(&s->plan, 0, &s->link);
	struct followup f = followup("198.18.0.9", KIND_PLAIN, 1);
	unsigned taken = 0;

	(void)state;
	while (taken < 100000 && sender_followup(t, &f))
		taken++;
	assert_in_range(taken, 1, 99999);
	sender_rate(t, FAST);
	EVENTUALLY(sender_progress(t).followups == taken);
	sender_stop(t);
	sender_join(t);
	scene_free(s);
}

/* Two sources: both are used, and a target keeps its own. */
static void
sources_are_shared_out(void **state)
{
	struct scene *s = scene_new(1, true);
	unsigned used[2] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < s->sweep.n; i++) {
		const struct frame_template *from;
		struct aim a;

		aims_find(s->plan.aims, &i, 1, &a);
		from = sender_source(&s->plan, &a);
		assert_ptr_equal(from, sender_source(&s->plan, &a));
		assert_int_equal(addr_is4(&from->source), a.four);
		if (a.four)
			used[addr_to4(&from->source) & 1]++;
	}
	assert_in_range(used[0], ALL4 / 2 - 150, ALL4 / 2 + 150);
	assert_in_range(used[1], ALL4 / 2 - 150, ALL4 / 2 + 150);
	scene_free(s);
}

/* Half a second at 4,000/s by the real clock. */
static void
keeps_the_rate(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender *t;
	struct timespec from, to;
	double took;

	(void)state;
	t = sender_start(&s->plan, 0, &s->link);
	clock_gettime(CLOCK_MONOTONIC, &from);
	sender_rate(t, 4000);
	EVENTUALLY(sender_progress(t).finished);
	clock_gettime(CLOCK_MONOTONIC, &to);
	sender_stop(t);
	sender_join(t);
	took = (double)(to.tv_sec - from.tv_sec) +
	    (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	/* 2256 frames at 4000/s; a busy machine may only be slower */
	assert_true(took > 0.99 * 2256 / 4000 - 0.011);
	assert_true(took < 3 * 2256.0 / 4000);
	scene_free(s);
}

/* A stretch once more: other ports, excluded ones left out, nobody counted. */
static void
a_stretch_is_sent_again(void **state)
{
	struct scene *s = scene_new(1, true);
	struct stretch again = { 100, 400 };
	struct sender_progress p;
	struct sender *one;
	uint64_t excluded = 0;
	size_t first;

	(void)state;
	one = sender_start(&s->plan, 0, &s->link);
	assert_non_null(one);
	sender_rate(one, 1000000);
	EVENTUALLY(sender_progress(one).finished);
	p = sender_progress(one);
	first = link_seen(&s->link);
	for (uint64_t k = again.from; k < again.to; k++) {
		uint64_t index =
		    permute_at(&s->plan.order, sweep_index(&s->sweep, 0, k));
		struct aim a;

		aims_find(s->plan.aims, &index, 1, &a);
		excluded += a.excluded;
	}
	sender_again(one, &again, 7);
	EVENTUALLY(sender_progress(one).again_done == 7);
	assert_int_equal(
	    sender_progress(one).again, again.to - again.from - excluded);
	assert_memory_equal(
	    sender_progress(one).counted, p.counted, sizeof p.counted);
	assert_int_equal(sender_progress(one).position, p.position);
	for (size_t i = first; i < link_seen(&s->link); i++) {
		struct asked a = read_frame(s->link.frames[i]);

		assert_int_equal(
		    source_ports_kind(&s->plan.ports, a.sport), KIND_AGAIN);
		assert_int_equal(
		    source_ports_attempt(&s->plan.ports, a.sport), 7 % 4);
		assert_true(cookie_check(s->sweep.key, &s->plan.ports,
		    &a.source, &a.target, a.sport, a.isn + 1));
	}
	assert_int_equal(
	    link_seen(&s->link) - first, again.to - again.from - excluded);
	sender_stop(one);
	sender_join(one);
	scene_free(s);
}

static int
by_frame(const void *a, const void *b)
{
	return memcmp(a, b, FRAME_MAX);
}

/* Bursts that vanish are made again: targets twice, perhaps, but all. */
static void
lost_bursts_are_made_again(void **state)
{
	struct scene *s = scene_new(1, true);
	struct sender_progress p;
	size_t different = 1;

	(void)state;
	s->link.burst = 512;
	s->link.lost = 2;
	p = run_to_end(s, 0);
	assert_int_equal(s->link.lost, 0);
	assert_int_equal(p.position, ALL4 + ALL6);
	assert_int_equal(p.counted[SEND_SENT], ALL4 - OUT4 + ALL6);
	assert_int_equal(p.packets, ALL4 - OUT4 + ALL6);
	assert_true(s->link.n > ALL4 - OUT4 + ALL6);
	qsort(s->link.frames, s->link.n, FRAME_MAX, by_frame);
	for (size_t i = 1; i < s->link.n; i++)
		different += memcmp(s->link.frames[i - 1], s->link.frames[i],
				 FRAME_MAX) != 0;
	assert_int_equal(different, ALL4 - OUT4 + ALL6);
	scene_free(s);
}

/*
 * Two SYNs a target from ports of their own, the second a gap later; a target
 * is counted once, with the second.
 */
static void
two_a_target(void **state)
{
	struct scene *s = scene_new(2, true);
	struct sender *t;
	struct sender_progress p;
	size_t n, first = 0, second = 0, seen;

	(void)state;
	s->conf.syn_probes = 2;
	s->conf.probe_gap_ms = 300;
	t = sender_start(&s->plan, 0, &s->link);
	sender_rate(t, 4000);
	EVENTUALLY(link_seen(&s->link) > 0);
	assert_int_equal(sender_progress(t).position, 0);
	/* half of the rate, also before any second one is due */
	EVENTUALLY(sender_progress(t).seconds > 0);
	seen = link_seen(&s->link);
	assert_in_range(seen, 300, 900);
	EVENTUALLY(sender_progress(t).finished);
	sender_stop(t);
	p = sender_join(t);
	n = p.counted[SEND_SENT];
	assert_int_equal(p.position, sweep_share(&s->sweep, 0));
	assert_int_equal(p.seconds, n);
	assert_int_equal(p.packets, 2 * n);
	assert_int_equal(s->link.n, 2 * n);
	for (size_t i = 0; i < s->link.n; i++) {
		struct asked a = read_frame(s->link.frames[i]);
		enum syn_kind kind = source_ports_kind(&s->plan.ports, a.sport);

		assert_true(cookie_check(s->sweep.key, &s->plan.ports,
		    &a.source, &a.target, a.sport, a.isn + 1));
		assert_int_equal(
		    source_ports_attempt(&s->plan.ports, a.sport), 0);
		assert_true(kind == KIND_PLAIN || kind == KIND_SECOND);
		first += kind == KIND_PLAIN;
		second += kind == KIND_SECOND;
		assert_true(second <= first);
	}
	assert_int_equal(first, n);
	assert_int_equal(second, n);
	scene_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_target_once),
		cmocka_unit_test(a_family_without_source_is_counted),
		cmocka_unit_test(threads_share_the_sweep),
		cmocka_unit_test(partial_sends_are_retried),
		cmocka_unit_test(a_link_down_loses_nothing),
		cmocka_unit_test(a_stop_in_trouble_ends),
		cmocka_unit_test(goes_on_from_its_position),
		cmocka_unit_test(nothing_at_rate_zero),
		cmocka_unit_test(followups_after_the_end),
		cmocka_unit_test(followups_stay_inside_the_sweep),
		cmocka_unit_test(a_full_queue_says_so),
		cmocka_unit_test(sources_are_shared_out),
		cmocka_unit_test(lost_bursts_are_made_again),
		cmocka_unit_test(two_a_target),
		cmocka_unit_test(keeps_the_rate),
		cmocka_unit_test(a_stretch_is_sent_again),
	};

	return cmocka_run_group_tests_name("sender", tests, NULL, NULL);
}
