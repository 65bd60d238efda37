/* test_feed_make.c: the files of a feed, and the statistics beside them. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "storage/statistics.h"
#include "storage/text.h"
#include "test/unit/feed_help.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

static char datadir[64];

/* python3's csv module and the expressions of others' tools agree. */
static void
read_elsewhere(const char *dir)
{
	struct buf banner = { 0 };
	int status;
	pid_t pid;

	text_add(&banner, hostile_greeting, hostile_length);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("python3", "python3", "test/unit/feed_roundtrip.py", dir,
		    "storage/feeds", banner.s, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	buf_free(&banner);
}

static void
test_everything(void **state)
{
	static const struct {
		const char *name;
		unsigned rows;
	} files[] = {
		{ "2026-11-21-scan_pop3-all-all.csv", 6 },
		{ "2026-11-21-scan_pop3_vulnerable-all-all.csv",
		    SAMPLE_POP3_VULNERABLE4 },
		{ "2026-11-21-scan_imap-all-all.csv", 3 },
		{ "2026-11-21-scan_imap_vulnerable-all-all.csv",
		    SAMPLE_IMAP_VULNERABLE4 },
		{ "2026-11-21-scan_smtp-all-all.csv", 3 },
		{ "2026-11-21-scan_smtp_vulnerable-all-all.csv", 1 },
		{ "2026-11-21-scan6_pop3-all-all.csv", 1 },
		{ "2026-11-21-scan6_pop3_vulnerable-all-all.csv", 1 },
		{ "2026-11-21-scan6_imap-all-all.csv", 1 },
	};
	struct recipient all = { .name = "all", .everything = true };
	struct recipients one = { &all, 1 };
	char dir[64];
	uint64_t rows = help_feeds(datadir, dir, &one, FEED_ALL_ROWS, false),
		 sum = 0;

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (help_rows(dir, files[i].name) != files[i].rows)
			fail_msg("%s: %u rows", files[i].name,
			    help_rows(dir, files[i].name));
		sum += files[i].rows;
	}
	assert_int_equal(rows, sum);
	/* No rows, no file; nothing temporary is left. */
	assert_int_equal(help_files(dir), sizeof files / sizeof files[0]);
	read_elsewhere(dir);
	help_remove(dir);
}

static void
test_filters(void **state)
{
	char poland[][3] = { "PL" }, type[] = "scan_pop3",
	     column[] = "x_evidence";
	char *types[] = { type }, *columns[] = { column };
	uint32_t asns[] = { 64502 };
	struct recipient v[] = {
		{ .name = "cert_pl",
		    .countries = poland,
		    .ncountries = 1,
		    .columns = columns,
		    .ncolumns = 1 },
		{ .name = "as_x",
		    .asns = asns,
		    .nasns = 1,
		    .min_severity = SEVERITY_CRITICAL },
		{ .name = "typed",
		    .everything = true,
		    .types = types,
		    .ntypes = 1 },
	};
	struct recipients all = { v, 3 };
	char dir[64];

	(void)state;
	help_feeds(datadir, dir, &all, FEED_NEW_ROWS, false);
	assert_int_equal(
	    help_rows(dir, "2026-11-21-scan_pop3-cert_pl_new-geo.csv"), 3);
	assert_int_equal(help_rows(dir,
			     "2026-11-21-scan_pop3_vulnerable-cert_pl_new-"
			     "geo.csv"),
	    1);
	assert_int_equal(help_rows(dir,
			     "2026-11-21-scan_smtp_vulnerable-as_x_new-"
			     "asn.csv"),
	    1);
	assert_int_equal(
	    help_rows(dir, "2026-11-21-scan_pop3-typed_new-all.csv"), 6);
	assert_int_equal(help_files(dir), 4);
	read_elsewhere(dir);
	help_remove(dir);
	help_feeds(datadir, dir, &all, FEED_GONE_ROWS, false);
	assert_int_equal(help_files(dir), 0);
	help_remove(dir);
}

/* Packed it is the same file, under the same name inside. */
static void
test_zip(void **state)
{
	struct recipient v[] = { { .name = "all", .everything = true } };
	struct recipients all = { v, 1 };
	static const char name[] = "2026-11-21-scan_pop3-all-all.csv";
	char plain[64], packed[64], path[256], *text, bytes[65536];
	zip_file_t *file;
	size_t len;
	zip_t *z;

	(void)state;
	help_feeds(datadir, plain, &all, FEED_ALL_ROWS, false);
	v[0].zip = true;
	help_feeds(datadir, packed, &all, FEED_ALL_ROWS, false);
	assert_int_equal(help_files(packed), help_files(plain));
	snprintf(path, sizeof path, "%s/%s.zip", packed, name);
	z = zip_open(path, ZIP_RDONLY, NULL);
	assert_non_null(z);
	assert_int_equal(zip_get_num_entries(z, 0), 1);
	file = zip_fopen(z, name, 0);
	assert_non_null(file);
	snprintf(path, sizeof path, "%s/%s", plain, name);
	text = file_text(path, &len);
	assert_true(len < sizeof bytes);
	assert_int_equal(zip_fread(file, bytes, sizeof bytes), len);
	assert_memory_equal(bytes, text, len);
	zip_fclose(file);
	zip_discard(z);
	free(text);
	help_remove(plain);
	help_remove(packed);
}

/* FEEDS.md 3: what the text beside a file must say. */
static void
test_notice(void **state)
{
	static const char *const parts[] = {
		"Vulnerable IMAP report for all, 2026-11-21\n\n",
		"\n2 services on 2 IPv4 addresses.\n",
		"\nFile: 2026-11-21-scan_imap_vulnerable-all-all.csv\n",
		"The connection is logged in without a password",
		"  - Close the port to the outside now",
		"User names, passwords and mail can be read",
		"(CWE-319; RFC 8314)\n",
		"In the sweep " SAMPLE_ID ", which began 2026-11-21 02:00:00",
		"\nFor example\n\n192.0.2.",
		" port 143, 2026-11-21 0",
		"abuse@lab.test. No",
	};
	struct recipient one = { .name = "all", .everything = true };
	struct recipients all = { &one, 1 };
	char dir[64], path[256], *text;

	(void)state;
	help_feeds(datadir, dir, &all, FEED_ALL_ROWS, true);
	assert_int_equal(help_files(dir), 2 * 9);
	snprintf(path, sizeof path,
	    "%s/2026-11-21-scan_imap_vulnerable-all-all.txt", dir);
	text = file_text(path, NULL);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strstr(text, parts[i]))
			fail_msg("\"%s\" is not in:\n%s", parts[i], text);
	for (const char *c = text, *end; (end = strchr(c, '\n')); c = end + 1)
		assert_true(end - c <= 240);
	free(text);
	help_remove(dir);
}

/* What was begun and not finished leaves nothing behind. */
static void
test_unfinished(void **state)
{
	struct recipient all = { .name = "all", .everything = true };
	struct recipients one = { &all, 1 };
	char dir[] = "/tmp/mailsweep-feeds-XXXXXX";
	struct buf line = { 0 };
	struct row row = { 0 };
	struct feed_files *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	f = feed_files_new(dir, SAMPLE_START_US, FEED_ALL_ROWS, &one);
	for (int i = 0; i < 100000; i++)
		buf_putc(&line, 'x');
	assert_int_equal(
	    feed_files_add(f, 0, FEED_POP3, false, &row, &line), 0);
	assert_int_equal(feed_files_add(f, 0, FEED_IMAP, true, &row, &line), 0);
	assert_int_equal(help_files(dir), 2);
	feed_files_free(f);
	assert_int_equal(help_files(dir), 0);
	assert_int_equal(rmdir(dir), 0);
	f = feed_files_new(dir, SAMPLE_START_US, FEED_ALL_ROWS, &one);
	assert_int_equal(
	    feed_files_add(f, 0, FEED_POP3, false, &row, &line), -1);
	feed_files_free(f);
	buf_free(&line);
}

static struct statistics *
count_by(const enum cut cuts[CUTS_MAX])
{
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(datadir, NULL, error);
	struct statistics *st = statistics_new(cuts);
	struct store_scan *scan;
	struct row r = { 0 };

	assert_non_null(s);
	scan = store_scan_new(s);
	while (store_scan_next(scan, &r.target, &r.head)) {
		r.body = NULL;
		if (statistics_wants_body(st, &r.head))
			assert_true(store_scan_body(scan, &r.body, &r.len));
		statistics_add(st, &r);
	}
	store_scan_free(scan);
	store_close(s);
	return st;
}

static struct statistics *
count(enum cut a, enum cut b)
{
	const enum cut cuts[CUTS_MAX] = { a, b };

	return count_by(cuts);
}

static uint64_t
sum_states(const struct counts *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < TLS_STATES; i++)
		sum += c->tls[i];
	return sum;
}

/* An address has one value of it, so that hosts add up as well. */
static bool
is_of_address(enum cut c)
{
	return c == CUT_NONE || c == CUT_COUNTRY || c == CUT_ASN ||
	    c == CUT_REGION || c == CUT_FAMILY;
}

static void
assert_sums(struct statistics *s, bool exact, bool hosts)
{
	const struct counts *total = statistics_total(s);
	struct counts sum = { 0 };
	const struct stat_row *rows;
	size_t n;

	rows = statistics_rows(s, &n);
	for (size_t i = 0; i < n; i++)
		counts_add(&sum, &rows[i].counts);
	assert_int_equal(sum_states(&sum), sum.services);
	assert_int_equal(total->services, SAMPLE_SERVICES);
	if (exact)
		assert_memory_equal(
		    &sum, total, offsetof(struct counts, hosts));
	else
		assert_true(sum.services >= SAMPLE_SERVICES);
	if (hosts)
		assert_memory_equal(&sum, total, sizeof sum);
	assert_int_equal(total->hosts[0] + total->hosts[1], 14);
}

/* Whatever the cuts: rows sum to the total, states to the services. */
static void
test_sums_close(void **state)
{
	(void)state;
	for (int a = CUT_NONE; a < CUT_COUNT; a++)
		for (int b = CUT_NONE; b < CUT_COUNT; b++) {
			struct statistics *s = count((enum cut)a, (enum cut)b);

			/* Findings overlap; all others divide. */
			assert_sums(s, a != CUT_FINDING && b != CUT_FINDING,
			    is_of_address((enum cut)a) &&
				is_of_address((enum cut)b));
			statistics_free(s);
		}
}

/* Four at once, and the same row found in another count. */
static void
test_four_cuts(void **state)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_REGION, CUT_ASN,
		CUT_PRODUCT, CUT_PORT };
	struct statistics *s = count_by(cuts), *other = count_by(cuts);
	const struct stat_row *rows, *same;
	size_t n;

	(void)state;
	assert_int_equal(statistics_cut_count(s), 4);
	assert_sums(s, true, false);
	rows = statistics_rows(s, &n);
	for (size_t i = 0; i < n; i++) {
		same = statistics_find(other, s, &rows[i]);
		assert_non_null(same);
		assert_memory_equal(
		    &same->counts, &rows[i].counts, sizeof same->counts);
		if (i > 0 && rows[i].key[0] != rows[i - 1].key[0])
			assert_true(rows[i].rank == 0 ||
			    rows[i].rank > rows[i - 1].rank);
	}
	statistics_free(s);
	statistics_free(other);
}

/* One address on two ports of a protocol is one host, in every row. */
static void
test_hosts_are_distinct(void **state)
{
	struct statistics *s = count(CUT_COUNTRY, CUT_NONE);
	const struct stat_row *rows;
	char label[CUT_LABEL_MAX];
	size_t n, seen = 0;

	(void)state;
	rows = statistics_rows(s, &n);
	for (size_t i = 0; i < n; i++) {
		const struct counts *c = &rows[i].counts;

		statistics_label(s, &rows[i], 0, label);
		if (strcmp(label, "DE") == 0) {
			seen++;
			assert_int_equal(c->services, 3);
			assert_int_equal(c->hosts[0], 2);
			assert_int_equal(c->pop3[0], 1);
			assert_int_equal(c->imap[0], 1);
		} else if (strcmp(label, "NL") == 0) {
			seen++;
			assert_int_equal(c->hosts[0], 0);
			assert_int_equal(c->hosts[1], 1);
			assert_int_equal(c->pop3[1], 1);
		}
	}
	assert_int_equal(seen, 2);
	statistics_free(s);
}

static void
test_states(void **state)
{
	struct statistics *s = count(CUT_NONE, CUT_NONE);
	const struct counts *t = statistics_total(s);

	(void)state;
	assert_int_equal(t->tls[TLS_COMPLETED], 3);
	assert_int_equal(t->tls[TLS_IMPLICIT], 1);
	assert_int_equal(t->tls[TLS_BROKEN], 3);
	assert_int_equal(t->tls[TLS_REFUSED], 1);
	assert_int_equal(t->tls[TLS_NOT_OFFERED], 5);
	assert_int_equal(t->tls[TLS_UNKNOWN], 3);
	assert_int_equal(t->no_tls, 5);
	assert_int_equal(t->cleartext_login, 7);
	assert_int_equal(t->phantoms, 1);
	statistics_free(s);
}

/* The headline is what an unfiltered recipient's file has, by address. */
static void
test_headline(void **state)
{
	struct statistics *s = count(CUT_COUNTRY, CUT_PROTOCOL);
	const struct headline *h = statistics_headline(s);

	(void)state;
	assert_int_equal(h->pop3[0], SAMPLE_POP3_VULNERABLE4);
	assert_int_equal(h->pop3[1], 1);
	/* The other one is open without a password. */
	assert_int_equal(h->imap[0], SAMPLE_IMAP_VULNERABLE4 - 1);
	assert_int_equal(h->both[0], 1);
	assert_int_equal(h->only_pop3[0], 1);
	assert_int_equal(h->only_imap[0], 0);
	assert_int_equal(h->only_pop3[1], 1);
	assert_int_equal(h->preauth[0], 1);
	assert_int_equal(h->addresses[0], 13);
	assert_int_equal(h->addresses[1], 1);
	assert_int_equal(h->rows, SAMPLE_ROWS);
	assert_int_equal(h->services, SAMPLE_SERVICES);
	assert_int_equal(h->other, 1);
	statistics_free(s);
}

static void
test_labels(void **state)
{
	struct statistics *s = count(CUT_ASN, CUT_PRODUCT);
	const struct stat_row *rows;
	char label[CUT_LABEL_MAX];
	size_t n;

	(void)state;
	rows = statistics_rows(s, &n);
	assert_true(n >= 6);
	for (size_t i = 0; i < n; i++) {
		statistics_label(s, &rows[i], 0, label);
		if (statistics_is_unknown(s, &rows[i]))
			assert_string_equal(label, "(unknown)");
		statistics_label(s, &rows[i], 1, label);
		assert_true(label[0] != '\0');
	}
	assert_string_equal(statistics_as_name(s, 64500), "Example, Inc");
	assert_string_equal(statistics_as_name(s, 1), "");
	statistics_free(s);
}

static int
make_sample(void **state)
{
	(void)state;
	sample_make(datadir);
	return 0;
}

static int
remove_sample(void **state)
{
	(void)state;
	help_remove(datadir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_notice),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_sums_close),
		cmocka_unit_test(test_four_cuts),
		cmocka_unit_test(test_hosts_are_distinct),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_headline),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, make_sample, remove_sample);
}
