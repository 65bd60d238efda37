/* test_waiting.c: the table against a plain model of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/waiting.h"

static const uint8_t key[SWEEP_KEY_LEN] = "sixteen bytes..";
static const uint32_t timeouts[QUEUE_COUNT] = { 30, 60, 60, 120, 150, 180, 10 };

static struct addr
four(uint32_t n)
{
	return addr_from4(0xc6120000 + n);
}

static struct addr
six(uint32_t n)
{
	struct addr a = { { 0x20, 1, 0xd, 0xb8 } };

	a.b[5] = (uint8_t)n;
	a.b[15] = (uint8_t)(n >> 8);
	return a;
}

static void
found_by_address_and_service(void **state)
{
	struct waiting *w = waiting_new(8, true, key, timeouts);
	struct addr a = four(1), b = six(1), c = six(2);
	struct entry *ea, *eb, *ec, *e2;
	struct addr back;

	(void)state;
	assert_non_null(w);
	ea = waiting_add(w, &a, 0, QUEUE_GREETING, 0);
	e2 = waiting_add(w, &a, 1, QUEUE_GREETING, 0);
	eb = waiting_add(w, &b, 0, QUEUE_GREETING, 0);
	ec = waiting_add(w, &c, 0, QUEUE_GREETING, 0);
	assert_ptr_equal(waiting_find(w, &a, 0), ea);
	assert_ptr_equal(waiting_find(w, &a, 1), e2);
	assert_ptr_equal(waiting_find(w, &b, 0), eb);
	assert_ptr_equal(waiting_find(w, &c, 0), ec);
	assert_null(waiting_find(w, &c, 1));
	back = waiting_addr(w, eb);
	assert_int_equal(addr_cmp(&back, &b), 0);
	back = waiting_addr(w, ea);
	assert_int_equal(addr_cmp(&back, &a), 0);
	waiting_remove(w, eb);
	assert_null(waiting_find(w, &b, 0));
	assert_ptr_equal(waiting_find(w, &c, 0), ec);
	waiting_free(w);
}

static void
without_ipv6_addresses_are_whole(void **state)
{
	struct waiting *w = waiting_new(8, false, key, timeouts);
	struct addr a = four(7), b = six(7), back;
	struct entry *e = waiting_add(w, &a, 3, QUEUE_GREETING, 0);

	(void)state;
	back = waiting_addr(w, e);
	assert_int_equal(addr_cmp(&back, &a), 0);
	memcpy(b.b + 12, a.b + 12, 4);
	assert_null(waiting_find(w, &b, 3));
	waiting_free(w);
}

static void
full_and_free_again(void **state)
{
	struct waiting *w = waiting_new(3, false, key, timeouts);
	struct addr a[4] = { four(0), four(1), four(2), four(3) };
	struct entry *e[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		e[i] = waiting_add(w, &a[i], 0, QUEUE_GREETING, 0);
	assert_null(waiting_add(w, &a[3], 0, QUEUE_GREETING, 0));
	assert_int_equal(waiting_used(w), 3);
	e[1]->irs = 99;
	waiting_remove(w, e[1]);
	assert_ptr_equal(waiting_add(w, &a[3], 0, QUEUE_DONE, 0), e[1]);
	assert_int_equal(e[1]->irs, 0);
	assert_null(waiting_find(w, &a[1], 0));
	assert_null(waiting_new(0, false, key, timeouts));
	waiting_free(w);
}

static void
due_and_over_the_wrap(void **state)
{
	struct waiting *w = waiting_new(8, false, key, timeouts);
	uint32_t start = UINT32_MAX - 9;
	struct addr a = four(0), b = four(1);
	struct entry *ea = waiting_add(w, &a, 0, QUEUE_GREETING, start);
	struct entry *eb = waiting_add(w, &b, 0, QUEUE_GREETING, start + 15);

	(void)state;
	assert_null(waiting_due(w, start + 29));
	assert_ptr_equal(waiting_due(w, start + 30), ea);
	waiting_move(w, ea, QUEUE_DONE, start + 30);
	assert_null(waiting_due(w, start + 44));
	assert_ptr_equal(waiting_due(w, start + 45), eb);
	waiting_remove(w, eb);
	/* 10 ms, and up to the next step of 64 */
	assert_null(waiting_due(w, start + 39));
	assert_ptr_equal(waiting_due(w, start + 64 + 10), ea);
	waiting_move(w, ea, QUEUE_GREETING, start + 80);
	assert_null(waiting_due(w, start + 80 + 29));
	assert_ptr_equal(waiting_any(w, QUEUE_GREETING), ea);
	assert_null(waiting_any(w, QUEUE_DONE));
	assert_int_equal(waiting_count(w, QUEUE_GREETING), 1);
	assert_int_equal(waiting_count(w, QUEUE_DONE), 0);
	waiting_free(w);
}

/* However often and whenever it is moved. */
static void
its_start_is_kept(void **state)
{
	struct waiting *w = waiting_new(8, false, key, timeouts);
	struct addr a = four(0);
	struct entry *e = waiting_add(w, &a, 0, QUEUE_GREETING, 12345);
	uint32_t now = 12345;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		now += i * 37;
		waiting_move(w, e, QUEUE_BLOCKED, now);
		assert_int_equal(waiting_start(e), 12345);
		assert_true(e->since_ms - now < 64);
	}
	waiting_move(w, e, QUEUE_DONE, now + 2000000);
	assert_int_equal(e->since_ms, now + 2000000);
	waiting_free(w);
}

static void
done_are_held(void **state)
{
	struct waiting *w = waiting_new(200, false, key, timeouts);
	struct entry *e[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct addr a = four(i);

		e[i] = waiting_add(
		    w, &a, 0, i % 2 ? QUEUE_DONE : QUEUE_GREETING_SMTP, 0);
	}
	waiting_hold_done(w, true, 20);
	assert_null(waiting_due(w, 20));
	assert_null(waiting_due(w, 30));
	waiting_hold_done(w, false, 30);
	for (uint32_t i = 0; i < 50; i++) {
		struct entry *due = waiting_due(w, 30);

		assert_non_null(due);
		assert_int_equal(due->queue, QUEUE_DONE);
		waiting_remove(w, due);
	}
	assert_null(waiting_due(w, 59));
	assert_ptr_equal(waiting_due(w, 60), e[0]);
	waiting_free(w);
}

/* What a host has, whatever else is in its line. */
static void
what_a_host_has(void **state)
{
	struct waiting *w = waiting_new(64, true, key, timeouts);
	struct addr a = four(1), b = six(1), c = six(2);
	struct entry *e = NULL;

	(void)state;
	for (uint32_t i = 2; i < 30; i++) {
		struct addr other = four(i);

		waiting_add(w, &other, 0, QUEUE_GREETING, 0);
	}
	for (uint8_t service = 0; service < 3; service++) {
		waiting_add(w, &b, service, QUEUE_HANDED, 7u * service);
		e = waiting_add(w, &a, service, QUEUE_GREETING, 0);
	}
	assert_int_equal(waiting_host(w, waiting_hash(w, &a), &a).open, 3);
	assert_int_equal(waiting_host(w, waiting_hash(w, &b), &b).open, 3);
	assert_int_equal(waiting_host(w, waiting_hash(w, &b), &b).last_ms, 14);
	waiting_move(w, e, QUEUE_DONE, 0);
	assert_int_equal(waiting_host(w, waiting_hash(w, &a), &a).open, 2);
	assert_int_equal(waiting_host(w, waiting_hash(w, &a), &a).entries, 3);
	assert_int_equal(waiting_host(w, waiting_hash(w, &c), &c).entries, 0);
	assert_ptr_equal(waiting_find_at(w, waiting_hash(w, &a), &a, 2), e);
	waiting_free(w);
}

/* Lines overflow, and all the same each is found, and only those. */
static void
full_to_the_last(void **state)
{
	enum { ALL = 50000, SERVICES = 5 };
	struct waiting *w = waiting_new(ALL, false, key, timeouts);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < ALL; i++) {
			struct addr a = four(i / SERVICES);

			assert_non_null(waiting_add(
			    w, &a, (uint8_t)(i % SERVICES), QUEUE_GREETING, i));
		}
		for (uint32_t i = 0; i < ALL + SERVICES; i++) {
			struct addr a = four(i / SERVICES);
			struct entry *e =
			    waiting_find(w, &a, (uint8_t)(i % SERVICES));

			assert_int_equal(e != NULL, i < ALL);
			if (e == NULL)
				continue;
			assert_int_equal(e->since_ms, i);
			waiting_remove(w, e);
		}
		assert_int_equal(waiting_used(w), 0);
	}
	assert_true((double)waiting_bytes(w) < ALL * 29.2);
	waiting_free(w);
}

/* Each comes up in the very millisecond, in whatever order they came in. */
static void
none_is_due_late(void **state)
{
	enum { ALL = 5000, SPAN = 400 };
	struct waiting *w = waiting_new(ALL, false, key, timeouts);
	unsigned seed = 3, n = 0;
	uint32_t base = UINT32_MAX - SPAN / 2;

	(void)state;
	for (uint32_t i = 0; i < ALL; i++) {
		struct addr a = four(i);

		waiting_add(w, &a, 0, QUEUE_GREETING,
		    base + (uint32_t)rand_r(&seed) % SPAN);
	}
	for (uint32_t ms = 0; ms < SPAN + 30; ms++) {
		struct entry *e;

		while ((e = waiting_due(w, base + ms)) != NULL) {
			assert_int_equal(e->since_ms + 30, base + ms);
			waiting_remove(w, e);
			n++;
		}
	}
	assert_int_equal(n, ALL);
	waiting_free(w);
}

enum { HOSTS = 400, ROOM = 300, STEPS = 60000 };

/* Random steps, each answer compared with an array indexed by host. */
static void
agrees_with_a_model(void **state)
{
	struct waiting *w = waiting_new(ROOM, true, key, timeouts);
	struct entry *model[HOSTS] = { NULL };
	uint32_t counts[QUEUE_COUNT] = { 0 }, used = 0;
	unsigned seed = 42;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		unsigned r = (unsigned)rand_r(&seed), i = r % HOSTS;
		enum waiting_queue q =
		    (enum waiting_queue)(r / HOSTS % QUEUE_COUNT);
		struct addr a = i % 2 ? four(i) : six(i);
		struct entry *e = waiting_find(w, &a, (uint8_t)(i % 5));

		assert_ptr_equal(e, model[i]);
		if (e == NULL) {
			e = waiting_add(w, &a, (uint8_t)(i % 5), q, 0);
			assert_int_equal(e == NULL, used == ROOM);
			if (e == NULL)
				continue;
			used++;
			counts[q]++;
			model[i] = e;
		} else if (r / 7 % 2) {
			counts[e->queue]--;
			counts[q]++;
			waiting_move(w, e, q, 0);
		} else {
			counts[e->queue]--;
			used--;
			waiting_remove(w, e);
			model[i] = NULL;
		}
		for (int k = 0; k < QUEUE_COUNT; k++)
			assert_int_equal(
			    waiting_count(w, (enum waiting_queue)k), counts[k]);
	}
	assert_int_equal(waiting_used(w), used);
	waiting_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_address_and_service),
		cmocka_unit_test(without_ipv6_addresses_are_whole),
		cmocka_unit_test(full_and_free_again),
		cmocka_unit_test(due_and_over_the_wrap),
		cmocka_unit_test(its_start_is_kept),
		cmocka_unit_test(done_are_held),
		cmocka_unit_test(what_a_host_has),
		cmocka_unit_test(full_to_the_last),
		cmocka_unit_test(none_is_due_late),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
