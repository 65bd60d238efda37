/* test_sender_optouts.c: a thread that is told whom to leave out meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "test/unit/sender_help.h"

enum { TARGETS = 512 * 3, EXCLUDED = 16 * 3 };

/* A thread half way through its sweep of IPv4 targets, and an opt-out. */
struct half {
	struct scene *scene;
	struct sender *sender;
	struct ranges *set;
	struct aims *aims;
	size_t before; /* frames that had left */
};

static void
nap(void)
{
	struct timespec tick = { .tv_nsec = 200000 };

	nanosleep(&tick, NULL);
}

static void
opt_out(struct half *h, const char *prefix)
{
	struct scene *s = h->scene;
	struct sender_optouts to = { .number = 1 };
	const char *expected;

	h->set = ranges_new();
	assert_int_equal(ranges_add_text(h->set, prefix, &expected), 0);
	assert_int_equal(ranges_seal(h->set), 0);
	h->aims = sender_plan_aims(&s->plan, h->set);
	assert_non_null(h->aims);
	to.aims = h->aims;
	to.set = h->set;
	sender_optouts(h->sender, &to);
	for (int left = 25000;
	     sender_progress(h->sender).optouts != 1 && left > 0; left--)
		nap();
	assert_int_equal(sender_progress(h->sender).optouts, 1);
	h->before = link_seen(&s->link);
}

static struct half
half_way(const char *prefix, uint64_t rate)
{
	struct half h = { .scene = scene_new(1, false) };

	h.sender = sender_start(&h.scene->plan, 0, &h.scene->link);
	assert_non_null(h.sender);
	sender_rate(h.sender, rate);
	while (rate > 0 && link_seen(&h.scene->link) < TARGETS / 3)
		nap();
	opt_out(&h, prefix);
	return h;
}

static struct sender_progress
finish(struct half *h)
{
	sender_rate(h->sender, FAST);
	while (!sender_progress(h->sender).finished)
		nap();
	sender_stop(h->sender);
	return sender_join(h->sender);
}

static void
half_free(struct half *h)
{
	scene_free(h->scene);
	ranges_free(h->set);
	aims_free(h->aims);
}

/* How many frames from one on go to the set. */
static size_t
frames_to(const struct half *h, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		const uint8_t *f = h->scene->link.frames[i];
		struct addr a = addr_from4(0);

		memcpy(a.b + 12, f + 30, 4);
		n += ranges_has(h->set, &a);
	}
	return n;
}

/* None leaves once the number shows; each is counted as what became of it. */
static void
none_leaves_any_more(void **state)
{
	struct half h = half_way("198.18.0.0/24", 4000);
	struct sender_progress p = finish(&h);
	size_t asked = frames_to(&h, 0, h.before);

	(void)state;
	assert_true(asked > 0);
	assert_true(asked < (size_t)256 * 3);
	assert_true(h.before < h.scene->link.n);
	assert_int_equal(frames_to(&h, h.before, h.scene->link.n), 0);
	assert_int_equal(p.counted[SEND_OPTED_OUT], (size_t)256 * 3 - asked);
	assert_int_equal(p.counted[SEND_EXCLUDED], EXCLUDED);
	assert_int_equal(p.counted[SEND_SENT],
	    TARGETS - EXCLUDED - p.counted[SEND_OPTED_OUT]);
	half_free(&h);
}

/* What is excluded as well stays excluded: that is checked by arithmetic. */
static void
all_of_it(void **state)
{
	struct half h = half_way("0.0.0.0/0", 0);
	struct sender_progress p = finish(&h);

	(void)state;
	assert_int_equal(h.scene->link.n, 0);
	assert_int_equal(p.counted[SEND_EXCLUDED], EXCLUDED);
	assert_int_equal(p.counted[SEND_OPTED_OUT], TARGETS - EXCLUDED);
	half_free(&h);
}

/* Nor a follow-up that store asked for before it knew; that is no error. */
static void
no_followup(void **state)
{
	struct half h = half_way("198.18.0.0/24", 0);
	struct followup f = {
		.target.port = 25, .kind = KIND_PLAIN, .attempt = 1
	};
	struct sender_progress p;

	(void)state;
	assert_int_equal(addr_parse("198.18.0.9", &f.target.addr), 0);
	assert_true(sender_followup(h.sender, &f));
	assert_int_equal(addr_parse("198.18.1.99", &f.target.addr), 0);
	assert_true(sender_followup(h.sender, &f));
	p = finish(&h);
	assert_int_equal(p.followups, 1);
	assert_int_equal(p.errors, 0);
	assert_int_equal(frames_to(&h, 0, h.scene->link.n), 0);
	half_free(&h);
}

/* A stretch that is sent again leaves them out as well. */
static void
not_again(void **state)
{
	struct half h = half_way("198.18.0.0/24", FAST);
	struct stretch all = { 0, h.scene->sweep.n };

	(void)state;
	while (!sender_progress(h.sender).finished)
		nap();
	h.before = link_seen(&h.scene->link);
	sender_again(h.sender, &all, 1);
	while (sender_progress(h.sender).again_done != 1)
		nap();
	finish(&h);
	assert_int_equal(
	    h.scene->link.n - h.before, TARGETS - EXCLUDED - 256 * 3);
	assert_int_equal(frames_to(&h, h.before, h.scene->link.n), 0);
	half_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_leaves_any_more),
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(no_followup),
		cmocka_unit_test(not_again),
	};

	return cmocka_run_group_tests_name("sender_optouts", tests, NULL, NULL);
}
