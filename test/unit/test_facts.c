/* test_facts.c: what gets into a record, also when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/classify.h"
#include "probes/digests.h"
#include "probes/facts.h"
#include "probes/handshake.h"

enum { CAP = 40000 };

static uint8_t body[CAP];
static struct record record;
static struct facts facts;

static int
up(void **state)
{
	(void)state;
	record_init(&record, body, sizeof body);
	facts_init(&facts, &record);
	return 0;
}

static unsigned
entries(const char *holding)
{
	struct field f;
	uint32_t at = 0;
	unsigned n = 0;

	while (body_next(record.body, record.len, &at, &f))
		if (f.tag == TAG_TRANSCRIPT &&
		    memmem(f.bytes + 8, f.len - 8, holding, strlen(holding)))
			n++;
	assert_int_equal(at, record.len);
	return n;
}

/* The beginning, the end and what is no transcript stay; a gap is marked. */
static void
full_body_loses_the_middle(void **state)
{
	char text[100];
	struct field f;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof text, "line %d of a long dialog", i);
		facts_note(&facts, SPEAKER_SERVER, 1, text);
		if (i % 100 == 0)
			facts_put(&facts, TAG_CAPABILITY_BEFORE, text, 8);
		assert_true(record.len <= record.cap);
	}
	facts_put(&facts, TAG_STARTTLS_REPLY, "220", 3);
	assert_int_equal(entries("line 0 of"), 1);
	assert_int_equal(entries("line 2999 of"), 1);
	assert_int_equal(entries("line 1000 of"), 0);
	assert_int_equal(entries("..."), 1);
	assert_true(record.head.flags & HEAD_TRUNCATED);
	assert_true(facts_find(&facts, TAG_STARTTLS_REPLY, &f));
}

/* Whatever grows in the first half moves the second, which is looked up. */
static void
full_body_while_a_greeting_grows(void **state)
{
	char text[100];
	struct field f;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof text, "line %d of a long dialog", i);
		facts_note(&facts, SPEAKER_SERVER, 1, text);
		if (i % 10 == 0)
			facts_greeting_rest(
			    &facts, (const uint8_t *)"220-so on", 9);
	}
	assert_int_equal(entries("line 0 of"), 1);
	assert_int_equal(entries("line 100 of"), 1);
	assert_int_equal(entries("line 2999 of"), 1);
	assert_int_equal(entries("line 1000 of"), 0);
	assert_int_equal(entries("..."), 1);
	assert_true(facts_find(&facts, TAG_GREETING, &f));
	assert_in_range(f.len, 100 * 9, 300 * 9);
}

static void
greeting_grows_in_place(void **state)
{
	static const char text[] = "220-one\r\n220 two\n";
	struct line one = { (const uint8_t *)"220-one", 7, 0, false };
	struct line two = { (const uint8_t *)"220 two", 7, 1, true };
	struct field f;

	(void)state;
	facts_note(&facts, SPEAKER_SERVER, 1, "220-one");
	facts_greeting(&facts, &one);
	facts_note(&facts, SPEAKER_SERVER, 2, "220 two");
	facts_greeting(&facts, &two);
	facts_note(&facts, SPEAKER_CLIENT, 3, "EHLO");
	assert_true(facts_find(&facts, TAG_GREETING, &f));
	assert_int_equal(f.len, sizeof text - 1);
	assert_memory_equal(f.bytes, text, f.len);
	assert_int_equal(entries("220"), 2);
	assert_int_equal(entries("EHLO"), 1);
}

static void
mechanisms(void **state)
{
	struct field f;

	(void)state;
#define SASL(text) facts_sasl(&facts, (const uint8_t *)(text), strlen(text))
	assert_false(SASL(" CRAM-MD5 XPLAIN PLAIN-CLIENTTOKEN"));
	assert_true(SASL("cram-md5 plain"));
	assert_true(SASL("LOGIN"));
	assert_true(facts_find(&facts, TAG_SASL_BEFORE, &f));
	assert_memory_equal(f.bytes, "CRAM-MD5 XPLAIN", 15);
}

static void
check_host(const char *text, const char *want)
{
	struct word w;

	bool found = host_find((const uint8_t *)text, strlen(text), &w);

	assert_int_equal(found, want[0] != '\0');
	if (!found)
		return;
	assert_int_equal(w.len, strlen(want));
	assert_memory_equal(w.bytes, want, w.len);
}

static void
names(void **state)
{
	(void)state;
	check_host("mx.example.org ESMTP", "mx.example.org");
	check_host("ready <1.2@mail.example.org>", "mail.example.org");
	check_host("Welcome to mail.example.org.", "mail.example.org");
	check_host("Exim 4.94.2-rc1 v2.4.17 8.15.2/8.15.2", "");
	check_host("Dovecot ready.", "");
	check_host("192.0.2.1 [192.0.2.1]", "");
	check_host("mx.xn--p1ai", "mx.xn--p1ai");
	check_host("-a.org .a.org a..org", "");
}

static void
check_class(const char *text, enum protocol p, const char *name)
{
	const uint8_t *s = (const uint8_t *)text;

	assert_int_equal(greeting_protocol(s, strlen(text)), p);
	if (name)
		assert_string_equal(classify(s, strlen(text)), name);
}

static void
protocols(void **state)
{
	(void)state;
	check_class("+OK", PROTOCOL_POP3, NULL);
	check_class("-ERR no", PROTOCOL_POP3, NULL);
	check_class("* OK", PROTOCOL_IMAP, NULL);
	check_class("* BYE", PROTOCOL_IMAP, NULL);
	check_class("220 mx ESMTP", PROTOCOL_SMTP, NULL);
	check_class("220 ftp.example.org ESMTP", PROTOCOL_SMTP, NULL);
	check_class("220 ftp.example.org", PROTOCOL_SMTP, NULL);
	check_class("554 go away", PROTOCOL_SMTP, NULL);
	check_class("220 (vsFTPd 3.0.3)", PROTOCOL_UNKNOWN, "ftp");
	check_class("220-FileZilla FTP", PROTOCOL_UNKNOWN, "ftp");
	check_class("220 mx LMTP ready", PROTOCOL_UNKNOWN, "lmtp");
	check_class("200 news NNRP", PROTOCOL_UNKNOWN, "nntp");
	check_class("SSH-2.0-x", PROTOCOL_UNKNOWN, "ssh");
	check_class("HTTP/1.0 200", PROTOCOL_UNKNOWN, "http");
	check_class("2200 mx", PROTOCOL_UNKNOWN, "unknown");
	check_class("\026\003\001", PROTOCOL_UNKNOWN, "tls");
	check_class("", PROTOCOL_UNKNOWN, "unknown");
}

static void
digests(void **state)
{
	struct digests *d = digests_new(2, sizeof(int));
	uint8_t key[SHA256_LEN] = { 0 };
	const int *value;

	(void)state;
	assert_non_null(d);
	for (int i = 0; i < 5; i++) {
		key[31] = (uint8_t)i;
		assert_null(digests_find(d, key));
		digests_add(d, key, &i);
		value = digests_find(d, key);
		assert_non_null(value);
		assert_int_equal(*value, i);
	}
	/* One bucket, four places: the oldest has gone, no other. */
	for (int i = 0; i < 5; i++) {
		key[31] = (uint8_t)i;
		if (i == 0)
			assert_null(digests_find(d, key));
		else
			assert_non_null(digests_find(d, key));
	}
	digests_free(d);
}

static void
certificate_messages(void **state)
{
	static const uint8_t tls12[] = { 11, 0, 0, 12, 0, 0, 9, 0, 0, 2, 'a',
		'b', 0, 0, 1, 'c' };
	static const uint8_t tls13[] = { 11, 0, 0, 11, 0, 0, 0, 7, 0, 0, 2, 'a',
		'b', 0, 0 };
	struct der d[CHAIN_MAX];

	(void)state;
	assert_int_equal(
	    handshake_certificates(tls12, sizeof tls12, TLS_1_2, d), 2);
	assert_int_equal(d[1].len, 1);
	assert_memory_equal(d[1].bytes, "c", 1);
	assert_int_equal(
	    handshake_certificates(tls13, sizeof tls13, TLS_1_3, d), 1);
	assert_memory_equal(d[0].bytes, "ab", 2);
	for (size_t n = 0; n < sizeof tls12; n++)
		assert_true(handshake_certificates(tls12, n, TLS_1_2, d) <= 1);
}

static void
signature_algorithms(void **state)
{
	static const uint8_t ecdhe[] = { 12, 0, 0, 10, 3, 0, 29, 2, 9, 9, 8, 4,
		0, 0 };
	static const uint8_t verify[] = { 15, 0, 0, 4, 4, 3, 0, 0 };

	(void)state;
	assert_int_equal(
	    handshake_sigalg(ecdhe, sizeof ecdhe, TLS_1_2, EXCHANGE_ECDHE),
	    0x0804);
	assert_int_equal(
	    handshake_sigalg(ecdhe, sizeof ecdhe, 0x302, EXCHANGE_ECDHE), 0);
	assert_int_equal(
	    handshake_sigalg(verify, sizeof verify, TLS_1_3, EXCHANGE_OTHER),
	    0x0403);
	for (size_t n = 0; n < 12; n++)
		assert_int_equal(
		    handshake_sigalg(ecdhe, n, TLS_1_2, EXCHANGE_ECDHE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(full_body_loses_the_middle, up),
		cmocka_unit_test_setup(full_body_while_a_greeting_grows, up),
		cmocka_unit_test_setup(greeting_grows_in_place, up),
		cmocka_unit_test_setup(mechanisms, up),
		cmocka_unit_test(names),
		cmocka_unit_test(protocols),
		cmocka_unit_test(digests),
		cmocka_unit_test(certificate_messages),
		cmocka_unit_test(signature_algorithms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
