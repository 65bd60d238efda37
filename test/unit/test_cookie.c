/* test_cookie.c: a check accepts what was made, and nothing else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/canary.h"
#include "engine/cookie.h"

static const uint8_t key[SWEEP_KEY_LEN] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	11, 12, 13, 14, 15 };

static struct target
target(const char *text, uint16_t port)
{
	struct target t = { .port = port };

	assert_int_equal(addr_parse(text, &t.addr), 0);
	return t;
}

static void
ports_are_cut_in_slices(void **state)
{
	struct source_ports p;

	(void)state;
	assert_int_equal(source_ports_init(&p, 40000, 56383, 0), 0);
	assert_int_equal(p.bits, 14);
	assert_true(source_ports_has(&p, 40000));
	assert_true(source_ports_has(&p, 56383));
	assert_false(source_ports_has(&p, 39999));
	assert_false(source_ports_has(&p, 56384));
	assert_false(source_ports_has(&p, 0));
	for (uint32_t port = 40000; port <= 56383; port++) {
		unsigned offset = port - 40000;

		assert_int_equal(source_ports_current(&p, (uint16_t)port),
		    offset / 4096 == 0);
		assert_int_equal(source_ports_attempt(&p, (uint16_t)port),
		    offset / 1024 % 4);
		assert_int_equal(
		    source_ports_kind(&p, (uint16_t)port), offset / 128 % 8);
	}
}

static void
range_limits(void **state)
{
	struct source_ports p;

	(void)state;
	assert_int_equal(source_ports_init(&p, 40000, 41022, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(source_ports_init(&p, 0, 2000, 0), -1);
	assert_int_equal(source_ports_init(&p, 50000, 40000, 0), -1);
	assert_int_equal(source_ports_init(&p, 40000, 41023, 0), 0);
	assert_int_equal(p.bits, 10);
	assert_int_equal(source_ports_init(&p, 40000, 42046, 0), 0);
	assert_int_equal(p.bits, 10);
	assert_int_equal(source_ports_init(&p, 1, 65535, 7), 0);
	assert_int_equal(p.bits, 15);
	assert_int_equal(p.incarnation, 3);
	assert_int_equal(source_ports_init(&p, 32768, 65535, 0), 0);
	assert_true(source_ports_has(&p, 65535));
}

/* Everything that can be made, in both families, is accepted as made. */
static void
check_accepts_what_was_made(void **state)
{
	struct addr src4 = addr_from4(0xc0000201), src6;
	struct target to[2] = { target("198.18.0.1", 25),
		target("fd00::25", 993) };

	(void)state;
	assert_int_equal(addr_parse("fd00::1", &src6), 0);
	for (unsigned i = 0; i < 2u * INCARNATIONS * ATTEMPTS * KIND_COUNT;
	     i++) {
		unsigned family = i & 1, kind = i >> 1 & 7,
			 attempt = i >> 4 & 3;
		const struct addr *src = family == 0 ? &src4 : &src6;
		struct source_ports p, later;
		struct cookie c;

		assert_int_equal(
		    source_ports_init(&p, 40000, 56383, i >> 6), 0);
		assert_int_equal(source_ports_init(&later, 40000, 56383, 3), 0);
		c = cookie_make(
		    key, &p, src, &to[family], (enum syn_kind)kind, attempt);
		assert_int_equal(source_ports_kind(&p, c.sport), kind);
		assert_int_equal(source_ports_attempt(&p, c.sport), attempt);
		assert_true(source_ports_current(&p, c.sport));
		assert_int_equal(
		    source_ports_current(&later, c.sport), i >> 6 == 3);
		assert_true(cookie_check(
		    key, &later, src, &to[family], c.sport, c.isn + 1));
	}
}

/*
 * The fifth start leaves from the ports of the first: with other ISNs, or a
 * peer in TIME_WAIT takes its SYN for an old one. Answers to the three starts
 * before are still known, those to the first are not.
 */
static void
each_round_has_its_own(void **state)
{
	struct addr src4 = addr_from4(0xc0000201), src6;
	struct target to[2] = { target("198.18.0.1", 25),
		target("fd00::25", 993) };
	struct source_ports now;

	(void)state;
	assert_int_equal(addr_parse("fd00::1", &src6), 0);
	assert_int_equal(source_ports_init(&now, 40000, 56383, 8), 0);
	for (unsigned i = 0; i < 9; i++)
		for (unsigned family = 0; family < 2; family++) {
			const struct addr *src = family == 0 ? &src4 : &src6;
			struct source_ports p;
			struct cookie c;

			assert_int_equal(
			    source_ports_init(&p, 40000, 56383, i), 0);
			c = cookie_make(
			    key, &p, src, &to[family], KIND_PLAIN, 0);
			assert_int_equal(cookie_check(key, &now, src,
					     &to[family], c.sport, c.isn + 1),
			    i > 8 - INCARNATIONS);
		}
}

/* One bit of anything changed: not ours. */
static void
check_refuses_all_else(void **state)
{
	struct addr src = addr_from4(0xc0000201), other;
	struct target to = target("198.18.0.1", 25), wrong;
	uint8_t key2[SWEEP_KEY_LEN];
	struct source_ports p;
	struct cookie c;

	(void)state;
	assert_int_equal(source_ports_init(&p, 40000, 56383, 1), 0);
	c = cookie_make(key, &p, &src, &to, KIND_PLAIN, 2);
	for (unsigned bit = 0; bit < 32; bit++)
		assert_false(cookie_check(key, &p, &src, &to, c.sport,
		    (c.isn + 1) ^ (uint32_t)1 << bit));
	assert_false(cookie_check(key, &p, &src, &to, c.sport, c.isn));
	for (unsigned port = 0; port <= 65535; port++)
		if (port != c.sport)
			assert_false(cookie_check(
			    key, &p, &src, &to, (uint16_t)port, c.isn + 1));
	for (unsigned bit = 0; bit < 32; bit++) {
		other = addr_from4(0xc0000201 ^ (uint32_t)1 << bit);
		assert_false(
		    cookie_check(key, &p, &other, &to, c.sport, c.isn + 1));
		wrong = to;
		wrong.addr = addr_from4(0xc6120001 ^ (uint32_t)1 << bit);
		assert_false(
		    cookie_check(key, &p, &src, &wrong, c.sport, c.isn + 1));
	}
	wrong = to;
	wrong.port = 26;
	assert_false(cookie_check(key, &p, &src, &wrong, c.sport, c.isn + 1));
	memcpy(key2, key, sizeof key2);
	key2[15] ^= 1;
	assert_false(cookie_check(key2, &p, &src, &to, c.sport, c.isn + 1));
	assert_int_equal(addr_parse("fd00::1", &other), 0);
	assert_false(cookie_check(key, &p, &other, &to, c.sport, c.isn + 1));
}

/* From the paper's appendix, and two of the authors' vectors. */
static void
siphash_reference(void **state)
{
	uint8_t message[15];

	(void)state;
	for (size_t i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)i;
	assert_true(
	    cookie_hash(key, message, sizeof message) == 0xa129ca6149be45e5u);
	assert_true(cookie_hash(key, message, 0) == 0x726fdb47dd0e0e31u);
	assert_true(cookie_hash(key, message, 8) == 0x93f5f5799a932462u);
}

/*
 * The value an independent SipHash (python, written from the paper) gives for
 * one SYN of each family.
 */
static void
known_values(void **state)
{
	struct addr src = addr_from4(0xc0000201);
	struct target to = target("198.18.0.1", 25);
	struct source_ports p;
	struct cookie c;

	(void)state;
	assert_int_equal(source_ports_init(&p, 40000, 56383, 1), 0);
	c = cookie_make(key, &p, &src, &to, KIND_CANARY, 3);
	assert_int_equal(c.isn, 0xce544a85);
	assert_int_equal(c.sport, 47489);
	assert_int_equal(addr_parse("fd00::1", &src), 0);
	to = target("fd00::25", 993);
	c = cookie_make(key, &p, &src, &to, KIND_CANARY, 3);
	assert_int_equal(c.isn, 0xd0ba582d);
	assert_int_equal(c.sport, 47472);
	assert_int_equal(source_ports_init(&p, 40000, 56383, 5), 0);
	c = cookie_make(key, &p, &src, &to, KIND_CANARY, 3);
	assert_int_equal(c.isn, 0x7fcf774f);
	assert_int_equal(c.sport, 47437);
}

/* Whatever registers a lot goes through, each cookie is the one of its own. */
static void
many_are_as_one_by_one(void **state)
{
	static const char *const sources[] = { "192.0.2.1", "2001:db8::1" };
	static struct cookie_lot lot;
	struct source_ports p;

	(void)state;
	assert_int_equal(source_ports_init(&p, 40000, 56383, 2), 0);
	for (int family = 0; family < 2; family++) {
		struct cookie_maker m;
		struct addr src;

		assert_int_equal(addr_parse(sources[family], &src), 0);
		cookie_maker_init(&m, key, &p, &src, KIND_SECOND, 1);
		for (lot.n = 0; lot.n < COOKIE_LOT; lot.n++) {
			lot.hi[lot.n] = family == 0 ? 0 : ~(uint64_t)lot.n;
			lot.lo[lot.n] = 0xffffc6120000u + (uint64_t)lot.n * 257;
			lot.port[lot.n] = 25 + lot.n * 1021;
		}
		for (; lot.n > 0; lot.n -= lot.n > 9 ? 9 : 1) {
			cookie_make_many(&m, &lot);
			for (unsigned i = 0; i < lot.n; i++) {
				struct target t = { .port =
							(uint16_t)lot.port[i] };
				struct cookie c, d;

				for (int b = 0; b < 8; b++) {
					t.addr.b[7 - b] =
					    (uint8_t)(lot.hi[i] >> 8 * b);
					t.addr.b[15 - b] =
					    (uint8_t)(lot.lo[i] >> 8 * b);
				}
				c = cookie_make(
				    key, &p, &src, &t, KIND_SECOND, 1);
				d = cookie_of_hash(&m, lot.hash[i]);
				assert_int_equal(c.isn, d.isn);
				assert_int_equal(c.sport, d.sport);
			}
		}
	}
}

/* Source ports of one slice are used alike: 128 ports, 128,000 targets. */
static void
ports_spread(void **state)
{
	struct addr src = addr_from4(0xc0000201);
	struct target to = target("198.18.0.1", 25);
	struct source_ports p;
	unsigned used[128] = { 0 };

	(void)state;
	assert_int_equal(source_ports_init(&p, 40000, 56383, 0), 0);
	for (uint32_t i = 0; i < 128000; i++) {
		struct cookie c;

		to.addr = addr_from4(0xc6120000 + i);
		c = cookie_make(key, &p, &src, &to, KIND_PLAIN, 0);
		assert_in_range(c.sport, 40000, 40127);
		used[c.sport - 40000]++;
	}
	for (int i = 0; i < 128; i++)
		assert_in_range(used[i], 1000 - 160, 1000 + 160);
}

/* One port a sweep, never one that is swept. */
static void
test_canary(void **state)
{
	static struct conf conf;
	uint8_t some[SWEEP_KEY_LEN] = { 0 };
	bool differ = false;
	uint16_t first = canary_port(some, &conf);

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		uint16_t port;

		some[0] = (uint8_t)i;
		port = canary_port(some, &conf);
		assert_in_range(port, 20000, 29999);
		differ = differ || port != first;
	}
	assert_true(differ);
	some[0] = 0;
	conf.ports[0].port = first;
	conf.ports[1].port = (uint16_t)(first == 29999 ? 20000 : first + 1);
	conf.nports = 2;
	assert_null(conf_port(&conf, canary_port(some, &conf)));
	assert_in_range(canary_port(some, &conf), 20000, 29999);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canary),
		cmocka_unit_test(ports_are_cut_in_slices),
		cmocka_unit_test(range_limits),
		cmocka_unit_test(check_accepts_what_was_made),
		cmocka_unit_test(each_round_has_its_own),
		cmocka_unit_test(check_refuses_all_else),
		cmocka_unit_test(siphash_reference),
		cmocka_unit_test(known_values),
		cmocka_unit_test(many_are_as_one_by_one),
		cmocka_unit_test(ports_spread),
	};

	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
