/*
 * test_feed_lands.c: where FEEDS.md puts a host that could go to two places:
 * in both families, of two recipients, with LOGINDISABLED, with implicit TLS
 * beside cleartext.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ranges.h"
#include "test/unit/feed_help.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

#define F(name) (1u << FINDING_##name)
#define CLEAR   (F(NO_TLS) | F(CLEARTEXT_LOGIN))

enum { ROWS = 8, BODY_CAP = 512 };

/* In the order of their keys. */
static const struct {
	const char *addr;
	uint32_t port, protocol, starttls, findings;
	const char *country;
	uint32_t asn;
} hosts[ROWS] = {
	/* the same host in both families */
	{ "192.0.2.10", 110, PROTOCOL_POP3, STARTTLS_NOT_OFFERED, CLEAR, "NL",
	    64510 },
	/* of two recipients, by its country and by its prefix */
	{ "192.0.2.20", 110, PROTOCOL_POP3, STARTTLS_NOT_OFFERED, CLEAR, "DE",
	    64520 },
	/* lets nobody in without TLS, and has none; its twin lets all in */
	{ "192.0.2.30", 143, PROTOCOL_IMAP, STARTTLS_NOT_OFFERED, F(NO_TLS),
	    "PL", 64530 },
	{ "192.0.2.31", 143, PROTOCOL_IMAP, STARTTLS_NOT_OFFERED, CLEAR, "PL",
	    64530 },
	/* implicit TLS beside cleartext */
	{ "192.0.2.40", 110, PROTOCOL_POP3, STARTTLS_NOT_OFFERED, CLEAR, "FR",
	    64540 },
	{ "192.0.2.40", 995, PROTOCOL_POP3, STARTTLS_IMPLICIT, 0, "FR", 64540 },
	{ "2001:db8::10", 110, PROTOCOL_POP3, STARTTLS_NOT_OFFERED, CLEAR, "NL",
	    64510 },
	{ "2001:db8::10", 143, PROTOCOL_IMAP, STARTTLS_NOT_OFFERED, F(NO_TLS),
	    "NL", 64510 },
};

static char datadir[64];

static int
make_store(void **state)
{
	static uint8_t bodies[ROWS][BODY_CAP];
	struct record records[ROWS];
	struct help_row rows[ROWS];

	(void)state;
	help_directory(datadir);
	for (unsigned i = 0; i < ROWS; i++) {
		struct target t =
		    help_target(hosts[i].addr, (uint16_t)hosts[i].port);
		struct head h = help_head(&t, OUTCOME_COMPLETED,
		    hosts[i].findings, SAMPLE_START_US + i * (uint64_t)1000000);

		h.protocol = (uint8_t)hosts[i].protocol;
		h.starttls = (uint8_t)hosts[i].starttls;
		h.tls_version =
		    hosts[i].starttls == STARTTLS_IMPLICIT ? 0x0304 : 0;
		h.asn = hosts[i].asn;
		h.change = CHANGE_NEW;
		memcpy(h.country, hosts[i].country, 2);
		record_init(&records[i], bodies[i], BODY_CAP);
		assert_int_equal(
		    record_put(&records[i], TAG_GREETING, "ready", 5), 0);
		rows[i] = (struct help_row){ t, h, &records[i] };
	}
	help_seal(datadir, SAMPLE_ID, SAMPLE_START_US, rows, ROWS, 0);
	return 0;
}

static int
remove_store(void **state)
{
	(void)state;
	help_remove(datadir);
	return 0;
}

/* How often a file has the address with the port: cells 2 and 4 of its rows. */
static unsigned
times(const char *dir, const char *type, const char *to, const char *addr,
    unsigned port)
{
	char path[256], cell[128], *text, *save, *line;
	unsigned n = 0;

	snprintf(path, sizeof path, "2026-11-21-%s-%s.csv", type, to);
	if (help_rows(dir, path) == 0)
		return 0;
	snprintf(path, sizeof path, "%s/2026-11-21-%s-%s.csv", dir, type, to);
	snprintf(cell, sizeof cell, "\"%s\",\"tcp\",%u,", addr, port);
	text = file_text(path, NULL);
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		n += strstr(line, cell) != NULL;
	free(text);
	return n;
}

/* Each where it is once: of all files for one who receives everything. */
struct place {
	const char *type, *addr;
	unsigned port, times;
};

static void
assert_places(const char *to, struct recipient *one, const struct place *p)
{
	struct recipients all = { one, 1 };
	char dir[64];

	help_feeds(datadir, dir, &all, FEED_ALL_ROWS, false);
	for (; p->type != NULL; p++)
		if (times(dir, p->type, to, p->addr, p->port) != p->times)
			fail_msg("%s %s:%u: %u times, not %u", p->type, p->addr,
			    p->port, times(dir, p->type, to, p->addr, p->port),
			    p->times);
	help_remove(dir);
}

/* Each family has its own files, and neither file has the other's address. */
static void
same_host_in_v4_and_v6(void **state)
{
	static const struct place places[] = {
		{ "scan_pop3", "192.0.2.10", 110, 1 },
		{ "scan_pop3_vulnerable", "192.0.2.10", 110, 1 },
		{ "scan6_pop3", "192.0.2.10", 110, 0 },
		{ "scan6_pop3", "2001:db8::10", 110, 1 },
		{ "scan6_pop3_vulnerable", "2001:db8::10", 110, 1 },
		{ "scan_pop3", "2001:db8::10", 110, 0 },
		{ "scan_pop3_vulnerable", "2001:db8::10", 110, 0 },
		{ NULL, NULL, 0, 0 },
	};
	struct recipient all = { .name = "all", .everything = true };

	(void)state;
	assert_places("all-all", &all, places);
}

/* Both have it, once each, though one of them has two filters that match. */
static void
same_host_in_two_recipients(void **state)
{
	char germany[][3] = { "DE" };
	uint32_t asns[] = { 64520 };
	struct ranges *prefix = ranges_new();
	const char *expected;
	struct recipient v[] = {
		{ .name = "cert_de",
		    .countries = germany,
		    .ncountries = 1,
		    .asns = asns,
		    .nasns = 1 },
		{ .name = "net", .prefixes = prefix },
		{ .name = "other", .asns = asns, .nasns = 0 },
	};
	struct recipients all = { v, 3 };
	char dir[64];

	(void)state;
	assert_int_equal(
	    ranges_add_text(prefix, "192.0.2.20/30", &expected), 0);
	assert_int_equal(ranges_seal(prefix), 0);
	assert_int_equal(
	    help_feeds(datadir, dir, &all, FEED_ALL_ROWS, false), 4);
	assert_int_equal(
	    times(dir, "scan_pop3", "cert_de-asn", "192.0.2.20", 110), 1);
	assert_int_equal(times(dir, "scan_pop3_vulnerable", "cert_de-asn",
			     "192.0.2.20", 110),
	    1);
	assert_int_equal(
	    times(dir, "scan_pop3", "net-cidr", "192.0.2.20", 110), 1);
	assert_int_equal(
	    times(dir, "scan_pop3_vulnerable", "net-cidr", "192.0.2.20", 110),
	    1);
	assert_int_equal(help_files(dir), 4);
	help_remove(dir);
	ranges_free(prefix);
}

/* RFC 9051 7.2.2: with LOGINDISABLED nobody's password crosses the network. */
static void
logindisabled_is_accessible_only(void **state)
{
	static const struct place places[] = {
		{ "scan_imap", "192.0.2.30", 143, 1 },
		{ "scan_imap_vulnerable", "192.0.2.30", 143, 0 },
		{ "scan_imap", "192.0.2.31", 143, 1 },
		{ "scan_imap_vulnerable", "192.0.2.31", 143, 1 },
		{ "scan6_imap", "2001:db8::10", 143, 1 },
		{ "scan6_imap_vulnerable", "2001:db8::10", 143, 0 },
		{ NULL, NULL, 0, 0 },
	};
	struct recipient all = { .name = "all", .everything = true };

	(void)state;
	assert_places("all-all", &all, places);
}

/* Each ip + port is judged alone: the one port does not excuse the other. */
static void
implicit_tls_beside_cleartext(void **state)
{
	static const struct place places[] = {
		{ "scan_pop3", "192.0.2.40", 110, 1 },
		{ "scan_pop3", "192.0.2.40", 995, 1 },
		{ "scan_pop3_vulnerable", "192.0.2.40", 110, 1 },
		{ "scan_pop3_vulnerable", "192.0.2.40", 995, 0 },
		{ NULL, NULL, 0, 0 },
	};
	struct recipient all = { .name = "all", .everything = true };

	(void)state;
	assert_places("all-all", &all, places);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_host_in_v4_and_v6),
		cmocka_unit_test(same_host_in_two_recipients),
		cmocka_unit_test(logindisabled_is_accessible_only),
		cmocka_unit_test(implicit_tls_beside_cleartext),
	};

	return cmocka_run_group_tests(tests, make_store, remove_store);
}
