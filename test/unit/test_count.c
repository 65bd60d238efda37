/* test_count.c: several processes count a sweep as one does. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "storage/count.h"
#include "storage/cut.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

/* In key order, and both sides of the lines along which a sweep is cut. */
static const char *const addrs[] = { "::", "::1", "::fffe:ffff:ffff", "0.0.0.0",
	"1.63.255.255", "1.64.0.0", "1.64.0.1", "9.127.255.255", "9.128.0.0",
	"127.255.255.255", "128.0.0.0", "255.191.255.255", "255.192.0.0",
	"255.255.255.255", "::1:0:0:0", "1fff:ffff:ffff:ffff::1",
	"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::", "2001:db8::1",
	"2003:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2004::", "2a00::1",
	"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
static const uint16_t ports[] = { 25, 110, 143, 993 };

enum {
	ADDRS = sizeof addrs / sizeof addrs[0],
	PORTS = sizeof ports / sizeof ports[0],
	ROWS = ADDRS * PORTS,
	BODY_CAP = 64,
	SYSTEMS = 5, /* so that each is in several pieces */
	LITTLE = 64,
	MARK = 0x5eed1234
};
static const char id[] = "20261121T020000Z-test";

static char dir[64], error[STORE_ERROR_MAX];
static struct filter all;

static void
fill(struct help_row *r, struct record *body, uint8_t *bytes, unsigned i)
{
	static const char *const countries[] = { "DE", "PL", "??" };
	struct target t = help_target(addrs[i / PORTS], ports[i % PORTS]);
	char name[16];
	int len = snprintf(name, sizeof name, "AS of %u", i);

	record_init(body, bytes, BODY_CAP);
	/* The first of an AS has none, or another than those behind it. */
	if (i >= 2 * PORTS)
		record_put(body, TAG_AS_NAME, name, (size_t)len);
	r->target = t;
	r->body = body;
	r->head = help_head(&t, OUTCOME_COMPLETED,
	    i % 3 ? 1u << FINDING_NO_TLS | 1u << FINDING_CLEARTEXT_LOGIN
		  : 1u << FINDING_PHANTOM,
	    1000000 + i);
	r->head.protocol = t.port == 25 ? PROTOCOL_SMTP
	    : t.port == 110             ? PROTOCOL_POP3
	    : i % 7 == 0                ? PROTOCOL_UNKNOWN
					: PROTOCOL_IMAP;
	r->head.starttls = i % 3 ? STARTTLS_NOT_OFFERED : STARTTLS_COMPLETED;
	r->head.tls_version = i % 3 ? 0 : 0x0303;
	r->head.asn = i / PORTS % SYSTEMS;
	memcpy(r->head.country, countries[i / PORTS % 3], 2);
	r->head.rtt_us = MARK + i;
}

static void
make(void)
{
	static struct help_row rows[ROWS];
	static struct record bodies[ROWS];
	static uint8_t bytes[ROWS][BODY_CAP];

	for (unsigned i = 0; i < ROWS; i++)
		fill(&rows[i], &bodies[i], bytes[i], i);
	help_seal(dir, id, 1000000, rows, ROWS, 0);
}

static struct statistics *
by_one(const enum cut cuts[CUTS_MAX], const struct filter *f)
{
	struct statistics *counted = statistics_new(cuts);
	struct store *s = store_open(dir, id, error);

	assert_non_null(s);
	assert_true(count_rows(s, f, counted));
	store_close(s);
	return counted;
}

static struct statistics *
by_several(const enum cut cuts[CUTS_MAX], const struct filter *f, unsigned n,
    uint64_t *damaged)
{
	struct statistics *counted = statistics_new(cuts);

	if (!count_shared(dir, id, f, n, counted, damaged, error))
		fail_msg("%s", error);
	return counted;
}

static void
assert_same(struct statistics *a, struct statistics *b)
{
	const struct stat_row *v, *w;
	char label[CUT_LABEL_MAX], other[CUT_LABEL_MAX];
	size_t n, m;

	v = statistics_rows(a, &n);
	w = statistics_rows(b, &m);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(v[i].key, w[i].key, sizeof v->key);
		assert_memory_equal(
		    &v[i].counts, &w[i].counts, sizeof v->counts);
		assert_int_equal(v[i].rank, w[i].rank);
		assert_int_equal(
		    statistics_group(a, &v[i]), statistics_group(b, &w[i]));
		assert_string_equal(statistics_label(a, &v[i], 0, label),
		    statistics_label(b, &w[i], 0, other));
	}
	for (unsigned asn = 0; asn < SYSTEMS; asn++)
		assert_string_equal(
		    statistics_as_name(a, asn), statistics_as_name(b, asn));
	assert_memory_equal(statistics_headline(a), statistics_headline(b),
	    sizeof(struct headline));
	assert_memory_equal(
	    statistics_total(a), statistics_total(b), sizeof(struct counts));
	assert_memory_equal(statistics_phantoms(a), statistics_phantoms(b),
	    sizeof(struct counts));
}

static void
compare(const enum cut cuts[CUTS_MAX], const struct filter *f)
{
	static const unsigned processes[] = { 1, 2, 5 };
	uint64_t damaged;

	for (int i = 0; i < 3; i++) {
		struct statistics *one = by_one(cuts, f),
				  *several = by_several(
				      cuts, f, processes[i], &damaged);

		assert_int_equal(damaged, 0);
		assert_same(one, several);
		statistics_free(one);
		statistics_free(several);
	}
}

static void
all_cuts(void **state)
{
	(void)state;
	for (enum cut a = CUT_NONE; a < CUT_COUNT; a++)
		for (enum cut b = CUT_NONE; b < CUT_COUNT; b++) {
			const enum cut cuts[CUTS_MAX] = { a, b };

			if (!cut_has_labels(a) && !cut_has_labels(b) &&
			    (a != CUT_NONE || b == CUT_NONE))
				compare(cuts, &all);
		}
}

static void
of_four_and_filtered(void **state)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_ASN, CUT_FINDING,
		CUT_PROTOCOL, CUT_FAMILY };
	struct filter f = all;

	(void)state;
	f.any = true;
	f.family = 6;
	f.port = 143;
	compare(cuts, &f);
	compare(cuts, &all);
}

/* A host on four ports is one, wherever the sweep is cut. */
static void
hosts_are_counted_once(void **state)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_FAMILY };
	uint64_t damaged;
	struct statistics *s = by_several(cuts, &all, 3, &damaged);
	const struct headline *h = statistics_headline(s);
	const unsigned four = 11;

	(void)state;
	assert_int_equal(h->rows, ROWS);
	assert_int_equal(h->addresses[0], four);
	assert_int_equal(h->addresses[1], ADDRS - four);
	assert_int_equal(statistics_total(s)->hosts[0], four);
	assert_int_equal(statistics_total(s)->hosts[1], ADDRS - four);
	statistics_free(s);
}

/* The head of a row. */
static void
spoil(unsigned row)
{
	char path[128];

	snprintf(path, sizeof path, "%s/sealed/%s.mdb", dir, id);
	spoil_sealed(path, MARK + row);
}

/* What is spoiled is counted by whose piece it is in, and by nobody else. */
static void
damage_is_counted_once(void **state)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_COUNTRY };
	struct statistics *one, *several;
	uint64_t damaged;

	(void)state;
	/* The first of 1.64.0.0 is where a scan of the piece below ends. */
	spoil(5 * PORTS);
	spoil(17 * PORTS + 1);
	one = by_one(cuts, &all);
	several = by_several(cuts, &all, 2, &damaged);
	assert_int_equal(damaged, 2);
	assert_int_equal(statistics_headline(several)->rows, ROWS - 2);
	assert_same(one, several);
	statistics_free(one);
	statistics_free(several);
}

static void
no_such_sweep(void **state)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_COUNTRY };
	struct statistics *s = statistics_new(cuts);
	uint64_t damaged;

	(void)state;
	assert_false(count_shared(
	    dir, "20001121T020000Z-no", &all, 2, s, &damaged, error));
	assert_non_null(strstr(error, "20001121T020000Z-no"));
	statistics_free(s);
}

/*
 * A process that cannot hand on what it has counted, or dies of it: half a
 * count is none.
 */
static void
a_part_is_missed(void **state)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_ASN, CUT_PORT, CUT_FINDING,
		CUT_COUNTRY };
	struct rlimit was, little;
	uint64_t damaged;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	little = (struct rlimit){ LITTLE, was.rlim_max };
	for (int dies = 0; dies < 2; dies++) {
		struct statistics *s = statistics_new(cuts);
		bool good;

		fflush(NULL); /* it may go to a file */
		signal(SIGXFSZ, dies ? SIG_DFL : SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
		good = count_shared(dir, id, &all, 2, s, &damaged, error);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		assert_false(good);
		assert_non_null(strstr(
		    error, dies ? "a process has died" : "File too large"));
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		statistics_free(s);
	}
}

static void
only_what_is_large_is_shared(void **state)
{
	(void)state;
	assert_int_equal(count_processes(ROWS), 1);
	assert_in_range(count_processes(10000000), 1, 8);
}

static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	filter_init(&all);
	make();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	filter_free(&all);
	help_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cuts),
		cmocka_unit_test(of_four_and_filtered),
		cmocka_unit_test(hosts_are_counted_once),
		cmocka_unit_test(no_such_sweep),
		cmocka_unit_test(a_part_is_missed),
		cmocka_unit_test(only_what_is_large_is_shared),
		cmocka_unit_test(damage_is_counted_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
