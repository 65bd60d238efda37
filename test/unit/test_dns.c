/* test_dns.c: queries, and replies of resolvers that mean no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "test/unit/dns_help.h"

enum { ID = 0x1234, CNAME = 5, PTR = 12, TXT = 16 };
enum { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };

static struct addr v4, v6;
static uint8_t query[DNS_QUERY_MAX];
static size_t qlen;
static struct reply r;
static char names[DNS_NAMES_MAX][HOSTNAME_CAP];

static int
make(void **state)
{
	(void)state;
	assert_int_equal(addr_parse("192.0.2.7", &v4), 0);
	assert_int_equal(addr_parse("2001:db8::25", &v6), 0);
	qlen = dns_ask_names(&v4, ID, query);
	assert_true(qlen > 0);
	reply_to(&r, query, NOERROR);
	return 0;
}

static enum dns_reply
says(void)
{
	return dns_reply(query, qlen, r.b, r.len);
}

static void
asks(void **state)
{
	char name[256];
	uint16_t type, id;

	(void)state;
	query_asks(query, name, &type);
	assert_string_equal(name, "7.2.0.192.in-addr.arpa");
	assert_int_equal(type, 12);
	assert_true(dns_id(query, qlen, &id));
	assert_int_equal(id, ID);
	assert_false(dns_id(query, 11, &id));
	/* Recursion is desired, and the size we take is said. */
	assert_int_equal(query[2], 1);
	assert_int_equal(query[11], 1);

	assert_true(dns_ask_names(&v6, ID, query) > 0);
	query_asks(query, name, &type);
	assert_string_equal(name,
	    "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "ip6.arpa");

	assert_true(dns_ask_addresses("mail.example.net", &v4, 1, query) > 0);
	query_asks(query, name, &type);
	assert_string_equal(name, "mail.example.net");
	assert_int_equal(type, 1);
	assert_true(dns_ask_addresses("mail.example.net", &v6, 1, query) > 0);
	query_asks(query, name, &type);
	assert_int_equal(type, 28);
}

/* The longest name that there is fits a query. */
static void
asks_for_the_longest_name(void **state)
{
	char name[HOSTNAME_CAP], asked[256];
	uint16_t type;

	(void)state;
	for (unsigned i = 0; i < 253; i++)
		name[i] = i % 2 ? '.' : 'x';
	name[253] = '\0';
	qlen = dns_ask_addresses(name, &v6, 1, query);
	assert_true(qlen > 0 && qlen <= DNS_QUERY_MAX);
	query_asks(query, asked, &type);
	assert_string_equal(asked, name);
}

static void
reads_a_name(void **state)
{
	(void)state;
	reply_ptr(&r, "Mail.Example.NET");
	assert_int_equal(says(), DNS_ANSWER);
	assert_int_equal(dns_names(r.b, r.len, names), 1);
	assert_string_equal(names[0], "mail.example.net");
}

/* In the same order, whatever order the resolver has them in. */
static void
orders_names(void **state)
{
	static const char *const turns[][5] = {
		{ "d.example", "b.example", "e.example", "a.example",
		    "c.example" },
		{ "a.example", "b.example", "c.example", "d.example",
		    "e.example" },
		{ "e.example", "d.example", "c.example", "b.example",
		    "a.example" },
		{ "c.example", "A.example", "a.example", "b.example",
		    "B.example" },
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		reply_to(&r, query, NOERROR);
		for (unsigned j = 0; j < 5; j++)
			reply_ptr(&r, turns[i][j]);
		assert_int_equal(dns_names(r.b, r.len, names), 3);
		assert_string_equal(names[0], "a.example");
		assert_string_equal(names[1], "b.example");
		assert_string_equal(names[2], "c.example");
	}
}

/* RFC 2317: a net smaller than a /24 has its names elsewhere. */
static void
follows_an_alias(void **state)
{
	static const char *const to[] = { "7.0-63.2.0.192.in-addr.arpa",
		"7.0/26.2.0.192.in-addr.arpa" };
	uint8_t wire[256];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		reply_to(&r, query, NOERROR);
		reply_add(&r, CNAME, wire, wire_name(to[i], wire));
		reply_named(
		    &r, to[i], PTR, wire, wire_name("mx.example.net", wire));
		assert_int_equal(dns_names(r.b, r.len, names), 1);
		assert_string_equal(names[0], "mx.example.net");
	}
}

static void
passes_over_what_is_no_name(void **state)
{
	static const char *const bad[] = { "localhost", "192.0.2.7", "a b.net",
		"<b>.net", "\xff\xfe.net", "a,b.net", "\"=1.net", "a\n.net" };

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		reply_to(&r, query, NOERROR);
		reply_ptr(&r, bad[i]);
		assert_int_equal(dns_names(r.b, r.len, names), 0);
	}
	/* One that c-ares refuses spoils the answer, one of ours does not. */
	reply_to(&r, query, NOERROR);
	reply_ptr(&r, "a b.net");
	reply_ptr(&r, "mx.example.net");
	assert_int_equal(dns_names(r.b, r.len, names), 0);
	reply_to(&r, query, NOERROR);
	reply_ptr(&r, "localhost");
	reply_ptr(&r, "mx.example.net");
	assert_int_equal(dns_names(r.b, r.len, names), 1);
	assert_string_equal(names[0], "mx.example.net");
	/* A NUL inside a label must not make a good name of a bad one. */
	reply_to(&r, query, NOERROR);
	reply_add(&r, PTR,
	    "\x09"
	    "a.net\0x.y\x03net",
	    15);
	assert_int_equal(dns_names(r.b, r.len, names), 0);
	/* A dot inside a label must not make two of it. */
	reply_to(&r, query, NOERROR);
	reply_add(&r, PTR,
	    "\x08"
	    "bank.com\x07"
	    "example",
	    18);
	assert_int_equal(dns_names(r.b, r.len, names), 0);
}

/* A name of another question's must not be taken for this one's. */
static void
keeps_to_the_question(void **state)
{
	uint8_t wire[256];
	size_t n = wire_name("bank.example.com", wire);

	(void)state;
	reply_named(&r, "8.2.0.192.in-addr.arpa", PTR, wire, n);
	assert_int_equal(dns_names(r.b, r.len, names), 0);
	reply_to(&r, query, NOERROR);
	reply_add(&r, TXT, wire, n);
	assert_int_equal(dns_names(r.b, r.len, names), 0);
}

static void
knows_strange_replies(void **state)
{
	(void)state;
	assert_int_equal(says(), DNS_ANSWER);
	r.b[0] ^= 1; /* another id */
	assert_int_equal(says(), DNS_STRANGE);
	r.b[0] ^= 1;
	r.b[2] &= 0x7f; /* a query */
	assert_int_equal(says(), DNS_STRANGE);
	r.b[2] |= 0x80;
	r.b[2] |= 0x28; /* an update */
	assert_int_equal(says(), DNS_STRANGE);
	r.b[2] &= 0x87;
	r.b[5] = 0; /* no question */
	assert_int_equal(says(), DNS_STRANGE);
	r.b[5] = 2;
	assert_int_equal(says(), DNS_STRANGE);
	r.b[5] = 1;
	r.b[13] ^= 1; /* another name */
	assert_int_equal(says(), DNS_STRANGE);
	r.b[13] ^= 1;
	r.b[r.len - 3] = TXT; /* another type */
	assert_int_equal(says(), DNS_STRANGE);
	r.b[r.len - 3] = PTR;
	r.len--; /* cut off */
	assert_int_equal(says(), DNS_STRANGE);
	r.len++;
	assert_int_equal(says(), DNS_ANSWER);
	/* The case of letters is the resolver's to choose. */
	for (size_t i = 12; i < r.len; i++)
		if (r.b[i] >= 'a' && r.b[i] <= 'z')
			r.b[i] ^= 0x20;
	assert_int_equal(says(), DNS_ANSWER);
}

static void
knows_refusals(void **state)
{
	(void)state;
	reply_to(&r, query, SERVFAIL);
	assert_int_equal(says(), DNS_FAILED);
	reply_to(&r, query, REFUSED);
	assert_int_equal(says(), DNS_FAILED);
	r.len = 12; /* some do not repeat the question then */
	r.b[5] = 0;
	assert_int_equal(says(), DNS_FAILED);
	reply_to(&r, query, NXDOMAIN);
	assert_int_equal(says(), DNS_NOTHING);
	r.len = 12;
	assert_int_equal(says(), DNS_STRANGE);
}

static void
finds_an_address(void **state)
{
	struct addr other;

	(void)state;
	qlen = dns_ask_addresses("mail.example.net", &v4, ID, query);
	reply_to(&r, query, NOERROR);
	reply_address(&r, "192.0.2.99");
	assert_false(dns_has_address(r.b, r.len, &v4));
	for (unsigned i = 0; i < 60; i++)
		reply_address(&r, "192.0.2.98");
	reply_address(&r, "192.0.2.7");
	assert_true(dns_has_address(r.b, r.len, &v4));
	assert_int_equal(addr_parse("192.0.2.97", &other), 0);
	assert_false(dns_has_address(r.b, r.len, &other));

	qlen = dns_ask_addresses("mail.example.net", &v6, ID, query);
	reply_to(&r, query, NOERROR);
	reply_address(&r, "2001:db8::26");
	assert_false(dns_has_address(r.b, r.len, &v6));
	reply_address(&r, "2001:db8::25");
	assert_true(dns_has_address(r.b, r.len, &v6));
	/* An IPv4 address in another record's bytes is not one. */
	assert_false(dns_has_address(r.b, r.len, &v4));
}

/* Every cut and every changed byte: no crash, no name that is none. */
static void
survives_any_byte(void **state)
{
	struct reply whole;
	uint8_t wire[256];
	size_t n;

	(void)state;
	reply_add(
	    &r, CNAME, wire, wire_name("7.0-63.2.0.192.in-addr.arpa", wire));
	n = wire_name("mx.example.net", wire);
	reply_named(&r, "7.0-63.2.0.192.in-addr.arpa", PTR, wire, n);
	reply_add(&r, PTR, "\xc0\x0c", 2);
	reply_add(&r, PTR, "\x01x\xc0\x35", 4);
	whole = r;
	for (size_t cut = 0; cut <= whole.len; cut++) {
		/* Of its own size, so that a sanitizer sees one too far. */
		uint8_t *exact = malloc(cut + 1);

		assert_non_null(exact);
		memcpy(exact, whole.b, cut);
		(void)dns_reply(query, qlen, exact, cut);
		(void)dns_names(exact, cut, names);
		(void)dns_has_address(exact, cut, &v4);
		(void)dns_has_address(exact, cut, &v6);
		free(exact);
	}
	for (size_t at = 0; at < whole.len; at++)
		for (unsigned value = 0; value < 256; value++) {
			char again[HOSTNAME_CAP];

			r = whole;
			r.b[at] = (uint8_t)value;
			n = dns_names(r.b, r.len, names);
			assert_true(n <= DNS_NAMES_MAX);
			for (size_t i = 0; i < n; i++) {
				assert_true(hostname_clean(names[i], again));
				assert_string_equal(again, names[i]);
			}
		}
}

/* Pointers that lead to each other, and to themselves. */
static void
survives_loops(void **state)
{
	(void)state;
	reply_add(&r, PTR, "\xc0\x34", 2);
	(void)dns_names(r.b, r.len, names);
	for (unsigned to = 0; to < 0x80; to++) {
		uint8_t pointer[2] = { 0xc0, (uint8_t)to };

		reply_to(&r, query, NOERROR);
		reply_add(&r, PTR, pointer, 2);
		reply_add(&r, CNAME, pointer, 2);
		reply_add(&r, CNAME, "\xc0\x0c", 2);
		(void)dns_names(r.b, r.len, names);
	}
}

#define EACH(test) cmocka_unit_test_setup(test, make)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(asks),
		EACH(asks_for_the_longest_name),
		EACH(reads_a_name),
		EACH(orders_names),
		EACH(follows_an_alias),
		EACH(passes_over_what_is_no_name),
		EACH(keeps_to_the_question),
		EACH(knows_strange_replies),
		EACH(knows_refusals),
		EACH(finds_an_address),
		EACH(survives_any_byte),
		EACH(survives_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
