/* test_lookups.c: from an address to its name, with a resolver of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/lookups.h"
#include "test/unit/dns_help.h"

enum { PTR = 12, A = 1, AAAA = 28, SERVFAIL = 2, NXDOMAIN = 3, START = 5000 };

static struct lookups *l;
static uint64_t now;
static uint8_t query[DNS_QUERY_MAX];
static struct reply r;
static char asked[256];
static uint16_t type;

static int
make(void **state)
{
	(void)state;
	l = lookups_new();
	now = START;
	return l == NULL ? -1 : 0;
}

static int
unmake(void **state)
{
	(void)state;
	lookups_free(l);
	return 0;
}

static void
add(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	lookups_add(l, &a);
}

/* The next query is this one. */
static void
queries(const char *name, uint16_t want)
{
	assert_true(lookups_query(l, now, query) > 0);
	query_asks(query, asked, &type);
	assert_string_equal(asked, name);
	assert_int_equal(type, want);
}

static void
queries_nothing(void)
{
	assert_false(lookups_has_query(l));
	assert_int_equal(lookups_query(l, now, query), 0);
}

static void
replies(enum dns_reply what)
{
	assert_int_equal(lookups_reply(l, r.b, r.len), what);
}

static void
ends(const char *name, bool confirmed, bool failed)
{
	struct resolved found;

	assert_true(lookups_result(l, &found));
	assert_string_equal(found.name, name);
	assert_int_equal(found.confirmed, confirmed);
	assert_int_equal(found.failed, failed);
	lookups_drop(l);
}

static void
ends_all(void)
{
	struct resolved found;

	assert_false(lookups_result(l, &found));
	assert_int_equal(lookups_count(l), 0);
	assert_true(lookups_due_ms(l) == UINT64_MAX);
	queries_nothing();
}

static void
named(const char *name)
{
	reply_to(&r, query, 0);
	reply_ptr(&r, name);
	replies(DNS_ANSWER);
}

static void
lives_at(const char *addr)
{
	reply_to(&r, query, 0);
	reply_address(&r, addr);
	replies(DNS_ANSWER);
}

static void
confirms_a_name(void **state)
{
	struct resolved found;
	struct addr a;

	(void)state;
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	queries_nothing();
	assert_true(lookups_due_ms(l) == START + LOOKUP_WAIT_MS);
	named("MX.example.net");
	queries("mx.example.net", A);
	assert_false(lookups_result(l, &found));
	lives_at("192.0.2.7");
	assert_true(lookups_result(l, &found));
	assert_int_equal(addr_parse("192.0.2.7", &a), 0);
	assert_int_equal(addr_cmp(&a, &found.addr), 0);
	ends("mx.example.net", true, false);
	ends_all();

	add("2001:db8::1");
	assert_true(lookups_query(l, now, query) > 0);
	named("six.example.net");
	queries("six.example.net", AAAA);
	lives_at("2001:db8::1");
	ends("six.example.net", true, false);
	ends_all();
}

static void
tells_a_name_that_does_not_lead_back(void **state)
{
	(void)state;
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	named("www.bank.example");
	queries("www.bank.example", A);
	lives_at("198.51.100.1");
	ends("www.bank.example", false, false);

	add("192.0.2.8");
	queries("8.2.0.192.in-addr.arpa", PTR);
	named("gone.example.net");
	queries("gone.example.net", A);
	reply_to(&r, query, NXDOMAIN);
	replies(DNS_NOTHING);
	ends("gone.example.net", false, false);
	ends_all();
}

/* The first that leads back wins; when none does, the first of all. */
static void
tries_several_names(void **state)
{
	(void)state;
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	reply_to(&r, query, 0);
	reply_ptr(&r, "c.example");
	reply_ptr(&r, "a.example");
	reply_ptr(&r, "b.example");
	replies(DNS_ANSWER);
	queries("a.example", A);
	lives_at("192.0.2.8");
	queries("b.example", A);
	lives_at("192.0.2.7");
	ends("b.example", true, false);
	ends_all();

	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	reply_to(&r, query, 0);
	reply_ptr(&r, "b.example");
	reply_ptr(&r, "a.example");
	replies(DNS_ANSWER);
	queries("a.example", A);
	lives_at("192.0.2.8");
	queries("b.example", A);
	lives_at("192.0.2.8");
	ends("a.example", false, false);
	ends_all();
}

static void
tells_that_there_is_none(void **state)
{
	(void)state;
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	reply_to(&r, query, NXDOMAIN);
	replies(DNS_NOTHING);
	ends("", false, false);
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	named("not a name");
	ends("", false, false);
	ends_all();
}

static void
gives_up_on_silence(void **state)
{
	(void)state;
	add("192.0.2.7");
	for (unsigned i = 0; i < LOOKUP_TRIES; i++) {
		queries("7.2.0.192.in-addr.arpa", PTR);
		assert_int_equal(
		    lookups_expire(l, now + LOOKUP_WAIT_MS - 1), 0);
		queries_nothing();
		now += LOOKUP_WAIT_MS;
		assert_int_equal(lookups_expire(l, now), 1);
	}
	ends("", false, true);

	/* Of the second question: the name is known, and not confirmed. */
	add("192.0.2.8");
	queries("8.2.0.192.in-addr.arpa", PTR);
	named("mx.example.net");
	for (unsigned i = 0; i < LOOKUP_TRIES; i++) {
		queries("mx.example.net", A);
		now += LOOKUP_WAIT_MS;
		assert_int_equal(lookups_expire(l, now), 1);
	}
	ends("mx.example.net", false, false);
	ends_all();
}

/* "Later" is not "no": it is asked again when its time is up. */
static void
asks_again_after_a_failure(void **state)
{
	(void)state;
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	reply_to(&r, query, SERVFAIL);
	replies(DNS_FAILED);
	replies(DNS_FAILED);
	queries_nothing();
	now += LOOKUP_WAIT_MS;
	assert_int_equal(lookups_expire(l, now), 1);
	queries("7.2.0.192.in-addr.arpa", PTR);
	named("mx.example.net");
	queries("mx.example.net", A);
	lives_at("192.0.2.7");
	ends("mx.example.net", true, false);
	ends_all();
}

/* Late, twice, of another question, made up: they change nothing. */
static void
passes_over_strange_replies(void **state)
{
	struct reply late;

	(void)state;
	replies(DNS_STRANGE);
	add("192.0.2.7");
	queries("7.2.0.192.in-addr.arpa", PTR);
	reply_to(&late, query, 0);
	reply_ptr(&late, "late.example.net");
	for (unsigned id = 0; id < 65536; id++) {
		if (id == (unsigned)(query[0] << 8 | query[1]))
			continue;
		r = late;
		r.b[0] = (uint8_t)(id >> 8);
		r.b[1] = (uint8_t)id;
		replies(DNS_STRANGE);
	}
	r = late;
	r.b[13] = '8'; /* the right id, another address */
	replies(DNS_STRANGE);
	named("mx.example.net");
	queries("mx.example.net", A);
	/* Whatever the new id is, this is not the reply to it. */
	r = late;
	replies(DNS_STRANGE);
	memcpy(r.b, query, 2);
	replies(DNS_STRANGE);
	lives_at("192.0.2.7");
	replies(DNS_STRANGE);
	ends("mx.example.net", true, false);
	ends_all();
}

/* What was begun is finished before anything new, in whatever number. */
static void
finishes_what_it_began(void **state)
{
	(void)state;
	add("192.0.2.1");
	add("192.0.2.2");
	add("192.0.2.3");
	queries("1.2.0.192.in-addr.arpa", PTR);
	named("one.example.net");
	queries("one.example.net", A);
	lives_at("192.0.2.1");
	ends("one.example.net", true, false);
	queries("2.2.0.192.in-addr.arpa", PTR);
	now += LOOKUP_WAIT_MS;
	assert_int_equal(lookups_expire(l, now), 1);
	queries("2.2.0.192.in-addr.arpa", PTR);
	queries("3.2.0.192.in-addr.arpa", PTR);
	queries_nothing();
}

/* Full, all silent, all given up, and as empty as before. */
static void
holds_as_many_as_it_says(void **state)
{
	struct addr a;
	unsigned n = 0, timeouts = 0;
	struct resolved found;

	(void)state;
	for (; lookups_has_room(l); n++) {
		a = addr_from4(0xc0000200 + n);
		lookups_add(l, &a);
	}
	assert_int_equal(n, LOOKUPS_MAX);
	lookups_add(l, &a);
	assert_int_equal(lookups_count(l), LOOKUPS_MAX);
	while (lookups_has_query(l)) {
		while (lookups_query(l, now, query) > 0)
			;
		now += LOOKUP_WAIT_MS;
		timeouts += lookups_expire(l, now);
	}
	assert_int_equal(timeouts, LOOKUPS_MAX * LOOKUP_TRIES);
	for (n = 0; lookups_result(l, &found); n++) {
		assert_int_equal(addr_to4(&found.addr), 0xc0000200 + n);
		ends("", false, true);
	}
	assert_int_equal(n, LOOKUPS_MAX);
	ends_all();
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(confirms_a_name),
		EACH(tells_a_name_that_does_not_lead_back),
		EACH(tries_several_names),
		EACH(tells_that_there_is_none),
		EACH(gives_up_on_silence),
		EACH(asks_again_after_a_failure),
		EACH(passes_over_strange_replies),
		EACH(finishes_what_it_began),
		EACH(holds_as_many_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
