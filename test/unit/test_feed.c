/* test_feed.c: which reports a row goes to, and what stands in its columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ranges.h"
#include "storage/feed.h"
#include "storage/feed_match.h"
#include "test/unit/tool_help.h"

enum { BODY_CAP = 24576 };

#define F(name) (1u << FINDING_##name)
#define T(name) (1u << FEED_##name)

/* clang-format off */
static const struct {
	const char *what;
	uint8_t protocol, outcome, starttls, confirmed;
	uint32_t findings;
	bool holed;
	unsigned types;
} rules[] = {
	{ "POP3 with TLS", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_COMPLETED, 0, F(CLEARTEXT_LOGIN), false, T(POP3) },
	{ "POP3 by implicit TLS", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_IMPLICIT, 0, 0, false, T(POP3) },
	{ "POP3 without TLS", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, F(NO_TLS) | F(CLEARTEXT_LOGIN), false,
	    T(POP3) | T(POP3_VULNERABLE) },
	{ "no TLS, but no login either", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, F(NO_TLS), false, T(POP3) },
	{ "refused once", PROTOCOL_POP3, OUTCOME_COMPLETED, STARTTLS_REFUSED,
	    0, F(CLEARTEXT_LOGIN), false, T(POP3) },
	{ "refused twice", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_REFUSED, 1, F(CLEARTEXT_LOGIN), false,
	    T(POP3) | T(POP3_VULNERABLE) },
	{ "closed once", PROTOCOL_IMAP, OUTCOME_BROKEN, STARTTLS_CLOSED, 0,
	    F(CLEARTEXT_LOGIN), false, T(IMAP) },
	{ "closed twice", PROTOCOL_IMAP, OUTCOME_BROKEN, STARTTLS_CLOSED, 1,
	    F(CLEARTEXT_LOGIN), false, T(IMAP) | T(IMAP_VULNERABLE) },
	{ "not TLS, twice", PROTOCOL_IMAP, OUTCOME_COMPLETED,
	    STARTTLS_NOT_TLS, 1, F(CLEARTEXT_LOGIN), false,
	    T(IMAP) | T(IMAP_VULNERABLE) },
	{ "handshake failed, often", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_HANDSHAKE_FAILED, 9, F(CLEARTEXT_LOGIN), false,
	    T(POP3) },
	{ "could not ask", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_UNKNOWN, 3, F(CLEARTEXT_LOGIN), false, T(POP3) },
	{ "IMAP LOGINDISABLED, no STARTTLS", PROTOCOL_IMAP,
	    OUTCOME_COMPLETED, STARTTLS_NOT_OFFERED, 0, F(NO_TLS), false,
	    T(IMAP) },
	{ "IMAP preauth", PROTOCOL_IMAP, OUTCOME_COMPLETED, STARTTLS_UNKNOWN,
	    0, F(PREAUTH), false, T(IMAP) | T(IMAP_VULNERABLE) },
	{ "SMTP without TLS", PROTOCOL_SMTP, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, F(NO_TLS) | F(CLEARTEXT_LOGIN), false,
	    T(SMTP) },
	{ "SMTP with a hole", PROTOCOL_SMTP, OUTCOME_COMPLETED,
	    STARTTLS_COMPLETED, 0, 0, true, T(SMTP) | T(SMTP_VULNERABLE) },
	{ "refused us", PROTOCOL_SMTP, OUTCOME_REFUSED_US, STARTTLS_UNKNOWN,
	    0, F(REFUSED_US), true, 0 },
	{ "refused us, dialog to its end", PROTOCOL_SMTP, OUTCOME_COMPLETED,
	    STARTTLS_UNKNOWN, 0, F(REFUSED_US), true, 0 },
	{ "SSH", PROTOCOL_UNKNOWN, OUTCOME_OTHER_PROTOCOL, STARTTLS_NONE, 0,
	    F(OTHER_PROTOCOL), false, 0 },
	{ "silent", PROTOCOL_UNKNOWN, OUTCOME_SILENT, STARTTLS_NONE, 0, 0,
	    false, 0 },
	{ "timed out before STARTTLS", PROTOCOL_POP3, OUTCOME_TIMED_OUT,
	    STARTTLS_NONE, 0, F(CLEARTEXT_LOGIN), false, 0 },
	{ "timed out in the handshake", PROTOCOL_POP3, OUTCOME_TIMED_OUT,
	    STARTTLS_TIMED_OUT, 0, F(CLEARTEXT_LOGIN), false, 0 },
	{ "tarpit", PROTOCOL_SMTP, OUTCOME_TARPIT, STARTTLS_NONE, 0, 0,
	    false, 0 },
	{ "phantom that talked", PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, F(CLEARTEXT_LOGIN) | F(PHANTOM), false,
	    T(POP3) | T(POP3_VULNERABLE) },
};
/* clang-format on */

static void
test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		struct head h = { .protocol = rules[i].protocol,
			.outcome = rules[i].outcome,
			.starttls = rules[i].starttls,
			.confirmed = rules[i].confirmed,
			.findings = rules[i].findings };

		if (feed_types(&h, rules[i].holed) != rules[i].types)
			fail_msg("%s: %x, not %x", rules[i].what,
			    feed_types(&h, rules[i].holed), rules[i].types);
	}
}

static void
test_severities(void **state)
{
	struct head h = { 0 };

	(void)state;
	assert_int_equal(feed_severity(FEED_POP3, &h), SEVERITY_LOW);
	assert_int_equal(
	    feed_severity(FEED_POP3_VULNERABLE, &h), SEVERITY_MEDIUM);
	assert_int_equal(
	    feed_severity(FEED_IMAP_VULNERABLE, &h), SEVERITY_MEDIUM);
	assert_int_equal(feed_severity(FEED_SMTP, &h), SEVERITY_INFO);
	assert_int_equal(
	    feed_severity(FEED_SMTP_VULNERABLE, &h), SEVERITY_CRITICAL);
	h.findings = F(PREAUTH);
	assert_int_equal(
	    feed_severity(FEED_IMAP_VULNERABLE, &h), SEVERITY_CRITICAL);
	assert_int_equal(feed_severity(FEED_IMAP, &h), SEVERITY_LOW);
}

/* "a\nb\n" as "a","b" and a line end */
static void
quote_list(const char *list, struct buf *to)
{
	while (*list) {
		size_t n = strcspn(list, "\n");

		buf_puts(to, to->len ? ",\"" : "\"");
		buf_add(to, list, n);
		buf_putc(to, '"');
		list += n + (list[n] == '\n');
	}
	buf_putc(to, '\n');
}

/* The header is the official list, for all twelve types. */
static void
test_headers(void **state)
{
	(void)state;
	for (int n = 0; n < 2 * FEED_TYPES; n++) {
		enum feed_type type = (enum feed_type)(n / 2);
		struct buf header = { 0 }, want = { 0 };
		char path[128], *list;

		snprintf(path, sizeof path, "storage/feeds/%s.txt",
		    feed_type_name(type, n & 1));
		list = file_text(path, NULL);
		quote_list(list, &want);
		feed_header(&header, type, NULL, 0);
		assert_string_equal(header.s, want.s);
		free(list);
		buf_free(&header);
		buf_free(&want);
	}
}

/* The value in a column of a line; "" when there is none. */
static void
column(const char *header, const char *line, const char *name, struct buf *to)
{
	char quoted[64];
	const char *at;
	unsigned before = 0;
	bool inside = false;

	snprintf(quoted, sizeof quoted, "\"%s\"", name);
	at = strstr(header, quoted);
	assert_non_null(at);
	for (; header < at; header++)
		before += *header == ',';
	buf_clear(to);
	buf_puts(to, "");
	for (; *line && *line != '\n'; line++) {
		if (*line == '"')
			inside = !inside;
		if (*line == ',' && !inside && before-- == 0)
			return;
		if (before == 0 && (*line != ',' || inside))
			buf_putc(to, *line);
	}
}

struct made {
	struct buf header, line, value;
};

static void
make(struct made *m, const struct feed_item *item, char *const *extra, size_t n)
{
	feed_header(&m->header, item->type, extra, n);
	feed_line(&m->line, item, extra, n);
}

static void
is(struct made *m, const char *name, const char *want)
{
	column(m->header.s, m->line.s, name, &m->value);
	if (strcmp(buf_text(&m->value), want) != 0)
		fail_msg("%s: %s, not %s", name, buf_text(&m->value), want);
}

static void
made_free(struct made *m)
{
	buf_free(&m->header);
	buf_free(&m->line);
	buf_free(&m->value);
}

static uint8_t body[BODY_CAP];

static void
put(struct record *r, enum tag tag, const char *text)
{
	assert_int_equal(record_put(r, tag, text, strlen(text)), 0);
}

static struct row
pop3_row(struct record *r)
{
	struct row row = { 0 };

	record_init(r, body, sizeof body);
	assert_int_equal(addr_parse("192.0.2.1", &row.target.addr), 0);
	row.target.port = 110;
	row.body = body;
	row.head = r->head;
	row.head.time_us = SAMPLE_START_US + 999999;
	row.head.protocol = PROTOCOL_POP3;
	row.head.outcome = OUTCOME_COMPLETED;
	row.head.starttls = STARTTLS_NOT_OFFERED;
	row.head.findings = F(NO_TLS) | F(CLEARTEXT_LOGIN);
	return row;
}

static void
test_plain_row(void **state)
{
	struct record r;
	struct row row = pop3_row(&r);
	struct feed_item item = { .row = &row, .type = FEED_POP3_VULNERABLE };
	struct made m = { 0 };

	(void)state;
	assert_int_equal(
	    record_put(&r, TAG_GREETING, hostile_greeting, hostile_length), 0);
	put(&r, TAG_PRODUCT, "Cyrus; IMAP");
	put(&r, TAG_GREETING_NAME, "mail.example.net.");
	put(&r, TAG_NAICS, "518210");
	put(&r, TAG_CITY, "Gda\xc5\x84sk");
	row.len = r.len;
	row.head.asn = 64500;
	memcpy(row.head.country, "PL", 2);
	make(&m, &item, NULL, 0);
	is(&m, "timestamp", "\"2026-11-21 02:00:00\"");
	is(&m, "severity", "\"medium\"");
	is(&m, "ip", "\"192.0.2.1\"");
	is(&m, "protocol", "\"tcp\"");
	is(&m, "port", "110");
	is(&m, "hostname", "\"mail.example.net\"");
	is(&m, "hostname_source", "\"banner\"");
	is(&m, "tag", "\"pop3;no-tls;cleartext-login;cyrus--imap\"");
	is(&m, "asn", "64500");
	is(&m, "geo", "\"PL\"");
	is(&m, "city", "\"GDANSK\"");
	is(&m, "naics", "518210");
	is(&m, "region", "");
	is(&m, "banner",
	    "\"+OK \"\"quoted\"\", comma|second|third|x\\x00y\\x1B[31m\\xFF"
	    "\xc3\xa9\\xC2\\x9B'=1+1;|\"");
	is(&m, "cert_valid", "");
	is(&m, "handshake", "");
	is(&m, "validation_level", "");
	made_free(&m);
}

/* Not known is nothing between commas: no ??, no 0, no N. */
static void
test_unknown_is_empty(void **state)
{
	static const char *const names[] = { "hostname", "asn", "geo", "region",
		"city", "naics", "hostname_source", "sector", "banner",
		"cert_expired", "cert_valid", "self_signed", "cipher_suite",
		"handshake", "jarm", "sslv3_supported", "auth_ssl_response",
		"auth_tls_response", "freak_vulnerable", "tlsv13_support",
		"raw_cert" };
	struct record r;
	struct row row = pop3_row(&r);
	struct feed_item item = { .row = &row, .type = FEED_SMTP };
	struct made m = { 0 };

	(void)state;
	row.head.protocol = PROTOCOL_SMTP;
	row.head.findings = 0;
	put(&r, TAG_NAICS, "51,8");
	put(&r, TAG_GREETING_NAME, "localhost");
	row.len = r.len;
	make(&m, &item, NULL, 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		is(&m, names[i], "");
	is(&m, "tag", "\"smtp\"");
	made_free(&m);
}

static void
test_tls_row(void **state)
{
	static char *extra[] = { "x_starttls", "x_evidence", "raw_cert",
		"x_offered", "x_sweep" };
	struct cert_fields cert = { .parsed = true,
		.version = 2,
		.key_bits = 2048,
		.not_after = 1890000000,
		.serial = "0ABC" };
	const struct hole hole = { .cve = "cve-2019-10149" };
	const struct hole *holes[] = { &hole };
	struct record r;
	struct row row = pop3_row(&r);
	struct feed_item item = { .row = &row,
		.type = FEED_SMTP_VULNERABLE,
		.cert = &cert,
		.holes = holes,
		.nholes = 1,
		.sweep_id = SAMPLE_ID,
		.raw_cert = "QUJD" };
	struct made m = { 0 };

	(void)state;
	row.head.protocol = PROTOCOL_SMTP;
	row.head.findings = F(EXPIRED);
	row.head.tls_version = 0x0304;
	row.head.cipher = 0x1302;
	row.head.chain = CHAIN_TRUSTED;
	row.head.validation = 2;
	row.head.starttls = STARTTLS_COMPLETED;
	row.head.leaf[0] = 1;
	put(&r, TAG_STARTTLS_REPLY, "220 go ahead");
	row.len = r.len;
	make(&m, &item, extra, 5);
	is(&m, "severity", "\"critical\"");
	is(&m, "tag", "\"smtp;expired;cve-2019-10149;banner-version\"");
	is(&m, "auth_tls_response", "\"220 go ahead\"");
	is(&m, "cert_expiration_date", "\"2029-11-22 00:00:00\"");
	is(&m, "cert_expired", "\"Y\"");
	is(&m, "cert_valid", "\"N\""); /* trusted, but out of time */
	is(&m, "self_signed", "\"N\"");
	is(&m, "cert_length", "2048");
	is(&m, "ssl_version", "2");
	is(&m, "cert_serial_number", "\"0ABC\"");
	is(&m, "handshake", "\"TLSv1.3\"");
	is(&m, "cipher_suite", "\"TLS_AES_256_GCM_SHA384\"");
	is(&m, "tlsv13_support", "\"Y\"");
	is(&m, "tlsv13_cipher", "\"TLS_AES_256_GCM_SHA384\"");
	is(&m, "validation_level", "\"OV\"");
	is(&m, "raw_cert", "\"QUJD\"");
	is(&m, "raw_cert_chain", "");
	is(&m, "x_starttls", "\"completed\"");
	is(&m, "x_evidence", "\"220 go ahead\"");
	is(&m, "x_offered", "");
	is(&m, "x_sweep", "\"" SAMPLE_ID "\"");
	made_free(&m);
}

/* However long the greeting: 4,096 bytes of banner at most. */
static void
test_banner_cap(void **state)
{
	static char greeting[6000];
	struct record r;
	struct row row = pop3_row(&r);
	struct feed_item item = { .row = &row, .type = FEED_POP3 };
	struct made m = { 0 };

	(void)state;
	memset(greeting, '\x01', sizeof greeting - 1);
	put(&r, TAG_GREETING, greeting);
	row.len = r.len;
	make(&m, &item, NULL, 0);
	column(m.header.s, m.line.s, "banner", &m.value);
	assert_int_equal(m.value.len, 4096 + 2); /* with its quotes */
	assert_memory_equal(m.value.s + m.value.len - 5, "\\x01\"", 5);
	made_free(&m);
}

/* One row must not make a file unreadable: Python's csv stops at 131,072. */
static void
test_cell_cap(void **state)
{
	static char bytes[20000], base64[131074];
	static char *extra[] = { "x_capabilities" };
	struct record r;
	struct row row = pop3_row(&r);
	struct feed_item item = { .row = &row, .type = FEED_SMTP };
	struct made m = { 0 };

	(void)state;
	memset(bytes, '\x80', sizeof bytes - 1);
	memset(base64, 'A', sizeof base64 - 1);
	put(&r, TAG_CAPABILITY_BEFORE, bytes);
	row.len = r.len;
	row.head.tls_version = 0x303;
	row.head.leaf[0] = 1;
	item.raw_cert = item.raw_chain = base64;
	make(&m, &item, extra, 1);
	column(m.header.s, m.line.s, "x_capabilities", &m.value);
	assert_int_equal(m.value.len, 32764 + 2); /* a multiple of four */
	is(&m, "raw_cert_chain", "");
	buf_clear(&m.line);
	base64[131072] = '\0';
	feed_line(&m.line, &item, extra, 1);
	column(m.header.s, m.line.s, "raw_cert_chain", &m.value);
	assert_int_equal(m.value.len, 131072 + 2);
	made_free(&m);
}

static void
test_cert_hostname(void **state)
{
	char wildcard[] = "*.example.org", own[] = "mx.example.org";
	char *names[] = { wildcard, own };
	struct cert_fields cert = {
		.parsed = true, .names = names, .nnames = 2
	};
	struct record r;
	struct row row = pop3_row(&r);
	const char *name, *source;
	size_t len;

	(void)state;
	assert_true(feed_hostname(&row, &cert, &name, &len, &source));
	assert_string_equal(name, own);
	assert_string_equal(source, "cert");
	put(&r, TAG_EHLO_NAME, "banner.example.net");
	row.len = r.len;
	assert_true(feed_hostname(&row, &cert, &name, &len, &source));
	assert_string_equal(source, "banner");
	assert_int_equal(len, 18);
	put(&r, TAG_PTR, "ptr.example.net");
	row.len = r.len;
	assert_true(feed_hostname(&row, &cert, &name, &len, &source));
	assert_string_equal(source, "ptr");
	assert_int_equal(len, 15);
}

static struct ranges *
range(const char *text)
{
	const char *expected;
	struct ranges *r = ranges_new();

	assert_int_equal(ranges_add_text(r, text, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

/* Who gets the row, as a string of digits. */
static const char *
who(struct match *m, const char *addr, uint32_t asn, const char *country,
    const char *name)
{
	static char text[16];
	const size_t *to;
	struct record r;
	struct row row = pop3_row(&r);
	size_t n;

	assert_int_equal(addr_parse(addr, &row.target.addr), 0);
	row.head.asn = asn;
	memcpy(row.head.country, country, 2);
	if (name)
		put(&r, TAG_GREETING_NAME, name);
	row.len = r.len;
	n = match_row(m, &row, NULL, &to);
	assert_true(n < sizeof text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('0' + to[i]);
	text[n] = '\0';
	return text;
}

static void
test_match(void **state)
{
	uint32_t asns[] = { 64500, 64501 };
	char countries[][3] = { "DE", "PL" }, domain[] = "example.NET";
	char *domains[] = { domain };
	struct recipient v[] = {
		{ .name = "all", .everything = true },
		{ .name = "as", .asns = asns, .nasns = 2 },
		{ .name = "cc", .countries = countries, .ncountries = 2 },
		{ .name = "wide", .prefixes = range("192.0.2.0/24") },
		{ .name = "narrow", .prefixes = range("192.0.2.64/26") },
		{ .name = "six", .prefixes = range("2001:db8::/32") },
		{ .name = "names", .domains = domains, .ndomains = 1 },
		{ .name = "both",
		    .asns = asns,
		    .nasns = 1,
		    .countries = countries,
		    .ncountries = 1 },
	};
	struct recipients all = { v, sizeof v / sizeof v[0] };
	struct match *m = match_new(&all);

	(void)state;
	assert_true(match_by_name(m));
	assert_string_equal(who(m, "192.0.2.1", 0, "??", NULL), "03");
	assert_string_equal(who(m, "192.0.2.64", 0, "??", NULL), "034");
	assert_string_equal(who(m, "192.0.2.127", 64501, "??", NULL), "0134");
	assert_string_equal(who(m, "192.0.2.128", 0, "FR", NULL), "03");
	assert_string_equal(who(m, "192.0.3.0", 64500, "DE", NULL), "0172");
	assert_string_equal(who(m, "2001:db8::1", 0, "PL", NULL), "025");
	/* Back again: the cursor begins anew. */
	assert_string_equal(who(m, "192.0.2.70", 0, "??", NULL), "034");
	assert_string_equal(
	    who(m, "198.51.100.1", 0, "??", "mx.Example.net."), "06");
	assert_string_equal(
	    who(m, "198.51.100.1", 0, "??", "example.net"), "06");
	assert_string_equal(
	    who(m, "198.51.100.1", 0, "??", "badexample.net"), "0");
	match_free(m);
	for (size_t i = 3; i < 6; i++)
		ranges_free(v[i].prefixes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_severities),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_plain_row),
		cmocka_unit_test(test_unknown_is_empty),
		cmocka_unit_test(test_tls_row),
		cmocka_unit_test(test_banner_cap),
		cmocka_unit_test(test_cell_cap),
		cmocka_unit_test(test_cert_hostname),
		cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
