/*
 * storegen.c: a store of as many records as wanted, for measurements and
 * tests:
 *
 *	storegen sealed DIR N	one sealed sweep of N records
 *	storegen live DIR N	and, the night after, one that has just ended
 *	storegen seal DIR N	... which is joined and sealed
 *	storegen heads DIR	the newest sweep's heads as CSV, for others
 *	storegen table DIR SECONDS FILE	a sealed sweep after a table of counts
 *
 * A table has lines COUNTRY PORT/PROTOCOL STARTTLS N: so many hosts of the
 * country have that service. Those of one country begin at the same host.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "engine/conf.h"
#include "engine/ranges.h"
#include "storage/begin.h"
#include "storage/layout.h"
#include "storage/seal.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "storage/store_write.h"
#include "test/bench/storegen.h"
#include "test/bench/storegen_table.h"

enum { BATCH = 14000, DER_CAP = 2048, NIGHT_SHIFT = 20 };
#define FIRST_NIGHT_US ((uint64_t)1795140000 * 1000000)
#define DAY_US         ((uint64_t)86400 * 1000000)
#define MAP_SIZE       ((uint64_t)64 << 30)

static char error[STORE_ERROR_MAX];
static uint8_t body[BODY_MAX], leaves[GEN_CERTS][SHA256_LEN];

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "storegen: %s: %s\n", what,
	    error[0] ? error : strerror(errno));
	exit(EXIT_FAILURE);
}

/* The night before has rows 0 to N, this one N/20 to N + N/20. */
static struct population
population(uint64_t n, unsigned night)
{
	return (struct population){ .seed = 20261121,
		.most = n + n / NIGHT_SHIFT,
		.start_us = FIRST_NIGHT_US + night * DAY_US,
		.night = night,
		.leaves = leaves };
}

/* ---- certificates -------------------------------------------------------- */

static size_t
make_cert(EVP_PKEY *key, long number, uint8_t der[DER_CAP])
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *at = der;
	char text[64];
	int len;

	snprintf(text, sizeof text, "mail%ld.example.net", number);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), number + 1);
	ASN1_TIME_set(X509_getm_notBefore(x), 1790000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1890000000);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
	    (const unsigned char *)"Example, Inc", -1, -1, 0);
	X509_set_issuer_name(x, name);
	if (X509_sign(x, key, EVP_sha256()) <= 0 ||
	    (len = i2d_X509(x, NULL)) <= 0 || len > DER_CAP)
		die("certificate");
	i2d_X509(x, &at);
	X509_free(x);
	return (size_t)len;
}

/* Into certs.mdb; or only their digests, of those that are there. */
static void
make_certs(struct live *l)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t der[DER_CAP];

	live_begin(l);
	for (long i = 0; i < GEN_CERTS; i++) {
		size_t len = make_cert(key, i, der);

		SHA256(der, len, leaves[i]);
		live_put_cert(l, leaves[i], der, len);
	}
	EVP_PKEY_free(key);
	if (live_commit(l) != LIVE_DONE)
		die(live_error(l));
}

static FILE *
leaves_open(const char *dir, const char *mode)
{
	char path[LAYOUT_PATH_MAX];
	FILE *file;

	snprintf(path, sizeof path, "%s/leaves", dir);
	file = fopen(path, mode);
	if (!file)
		die(path);
	return file;
}

static void
leaves_write(const char *dir)
{
	FILE *file = leaves_open(dir, "w");

	if (fwrite(leaves, sizeof leaves, 1, file) != 1 || fclose(file) != 0)
		die("leaves");
}

static void
leaves_read(const char *dir)
{
	FILE *file = leaves_open(dir, "r");

	if (fread(leaves, sizeof leaves, 1, file) != 1 || fclose(file) != 0)
		die("leaves");
}

/* ---- what a role is given ------------------------------------------------ */

static void
arguments(struct role_args *args, struct conf *conf, uint64_t now_us)
{
	static const uint16_t ports[] = { 25, 110, 143, 465, 587, 993, 995 };
	struct ranges *targets = ranges_new(), *excluded = ranges_new();
	const char *expected;

	if (!targets || !excluded ||
	    ranges_add_text(targets, "1.0.0.0-223.255.255.255", &expected) ||
	    ranges_add_text(targets, "2400::/96", &expected) ||
	    ranges_seal(targets) || ranges_seal(excluded))
		die("ranges");
	snprintf(conf->sensor, sizeof conf->sensor, "bench");
	for (unsigned i = 0; i < sizeof ports / sizeof *ports; i++)
		conf->ports[i].port = ports[i];
	conf->nports = sizeof ports / sizeof *ports;
	conf->shards = conf->tx_threads = 1;
	conf->map_size = MAP_SIZE;
	args->conf = conf;
	args->targets = targets;
	args->excluded = excluded;
	args->now_us = now_us;
}

/* ---- a sealed sweep in one go -------------------------------------------- */

static void
info_of(struct sweep_info *info, uint64_t start_us, uint64_t rows)
{
	time_t seconds = (time_t)(start_us / 1000000);
	struct account *a = &info->account;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(
	    info->sweep.id, sizeof info->sweep.id, "%Y%m%dT%H%M%SZ-bench", &tm);
	snprintf(info->sensor, sizeof info->sensor, "bench");
	info->version = STORE_VERSION;
	info->balanced = 1;
	info->rate = 10000;
	info->sweep.start_us = start_us;
	info->end_us = start_us + DAY_US / 4;
	info->sweep.shards = info->sweep.threads = 1;
	info->sweep.n = a->index_total = a->counted[SEND_SENT] = rows;
	a->events[STAT_SEND_PASSED] = a->events[STAT_SEND_SENT_N] = rows;
	a->rows = a->rows_new = rows;
	a->events[STAT_STORE_RECEIVED] = a->events[STAT_STORE_NEW] = rows;
	a->outcomes[OUTCOME_COMPLETED] = rows;
	a->incarnations = 1;
	info->changes[CHANGE_NEW] = rows;
}

static struct sealed *
sealed_begin(const char *dir, struct sweep_info *info)
{
	char path[LAYOUT_PATH_MAX];
	struct sealed *s;

	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED, dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		die(path);
	s = sealed_new(dir, info->sweep.id, error);
	if (!s)
		die(dir);
	return s;
}

static void
sealed_end(const char *dir, struct sealed *s, const struct sweep_info *info)
{
	if (sealed_finish(s, info) != 0 || catalog_put(dir, info, error) != 0)
		die(dir);
	puts(info->sweep.id);
}

static void
make_sealed(const char *dir, uint64_t n)
{
	struct population p = population(n, 0);
	struct record r = { .body = body };
	struct sweep_info info = { 0 };
	struct sealed *s;
	struct target t;

	info_of(&info, p.start_us, n);
	s = sealed_begin(dir, &info);
	for (uint64_t k = 0; k < n; k++) {
		population_row(&p, k, &t, &r);
		seal_join(&r.head, NULL, false);
		if (sealed_head(s, &t, &r.head) != 0)
			die(dir);
	}
	for (uint64_t k = 0; k < n; k++) {
		population_row(&p, k, &t, &r);
		if (sealed_body(s, &t, r.body, r.len) != 0)
			die(dir);
	}
	sealed_end(dir, s, &info);
}

static void
sealed(const char *dir, uint64_t n)
{
	char path[LAYOUT_PATH_MAX];
	struct live *l;

	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		die(dir);
	l = live_open(dir, MAP_SIZE, error);
	if (!l)
		die(dir);
	make_certs(l);
	live_close(l);
	snprintf(path, sizeof path, "%s/" LAYOUT_LIVE, dir);
	if (live_remove(dir) != 0)
		die(path);
	leaves_write(dir);
	make_sealed(dir, n);
}

/* ---- the night after ----------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * What comes within a second: neighbours far apart, as of a sweep, and then in
 * the order of addresses, as storage/batch.c has it. How many.
 */
static size_t
draw_batch(uint64_t i, uint64_t n, uint64_t rows[BATCH])
{
	size_t count = 0;

	for (; count < BATCH && i < n; count++, i++)
		rows[count] = i * 7368787 % n;
	qsort(rows, count, sizeof *rows, compare_numbers);
	return count;
}

static void
commit(struct live *l)
{
	if (live_commit(l) != LIVE_DONE)
		die(live_error(l));
	live_begin(l);
}

/* Each target was asked once, and each row that is there was new. */
static void
all_sent(struct sweep_info *info, struct ledger *ledger, uint64_t rows)
{
	uint64_t *e = ledger->events, sent = info->account.index_total;

	info->sweep.position[0] = ledger->settled = sent;
	info->sweep.counted[0][SEND_SENT] = e[STAT_SEND_SENT_N] = sent;
	e[STAT_SEND_PASSED] = sent;
	e[STAT_STORE_RECEIVED] = e[STAT_STORE_NEW] = rows;
}

static void
live(const char *dir, uint64_t n)
{
	struct population p = population(n, 1);
	struct record r = { .body = body };
	struct role_args args = { 0 };
	struct ledger ledger = { 0 };
	struct sweep_info info;
	static struct conf conf;
	struct target t;
	struct live *l;
	uint64_t batch[BATCH];
	size_t rows;

	leaves_read(dir);
	arguments(&args, &conf, p.start_us);
	l = sweep_begin(&args, dir, &info, error);
	if (!l)
		die(dir);
	live_begin(l);
	for (uint64_t i = 0; i < n; i += rows) {
		rows = draw_batch(i, n, batch);
		for (size_t k = 0; k < rows; k++) {
			population_row(&p, batch[k] + n / NIGHT_SHIFT, &t, &r);
			live_put_row(l, &r.head, r.body, r.len);
		}
		commit(l);
	}
	all_sent(&info, &ledger, n);
	live_put_info(l, &info, &ledger);
	if (live_commit(l) != LIVE_DONE)
		die(live_error(l));
	live_close(l);
}

static void
seal_it(const char *dir, uint64_t n)
{
	struct population p = population(n, 1);
	struct role_args args = { 0 };
	struct sweep_info info;
	static struct conf conf;

	arguments(&args, &conf, p.start_us);
	if (seal(&args, dir, p.start_us + DAY_US / 4, 0, &info, error) != 0)
		die(dir);
	printf("%s rows %" PRIu64 " new %" PRIu64 " gone %" PRIu64 "\n",
	    info.sweep.id, info.account.rows, info.changes[CHANGE_NEW],
	    info.gone);
}

/* ---- for others ---------------------------------------------------------- */

static void
heads(const char *dir)
{
	struct store *s = store_open(dir, NULL, error);
	struct store_scan *scan;
	struct target t;
	struct head h;

	if (!s)
		die(dir);
	scan = store_scan_new(s);
	while (scan && store_scan_next(scan, &t, &h))
		printf("%.2s,%" PRIu32 ",%u,%s,%u,%" PRIu32 "\n", h.country,
		    h.asn, t.port, protocol_names[h.protocol], h.starttls,
		    h.findings);
	store_scan_free(scan);
	store_close(s);
}

static void
table(const char *dir, uint64_t start_us, const char *file)
{
	struct gen_table *g = gen_table_read(file, error);
	struct sweep_info info = { 0 };
	struct sealed *s;
	struct target t;
	struct head h;

	if (!g)
		die(file);
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		die(dir);
	info_of(&info, start_us, gen_table_rows(g));
	s = sealed_begin(dir, &info);
	while (gen_table_next(g, start_us, &t, &h)) {
		seal_join(&h, NULL, false);
		if (sealed_head(s, &t, &h) != 0)
			die(dir);
	}
	gen_table_free(g);
	sealed_end(dir, s, &info);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	uint64_t n = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;

	if (strcmp(what, "sealed") == 0 && n > 0)
		sealed(argv[2], n);
	else if (strcmp(what, "live") == 0 && n > 0)
		live(argv[2], n);
	else if (strcmp(what, "seal") == 0 && n > 0)
		seal_it(argv[2], n);
	else if (strcmp(what, "heads") == 0 && argc == 3)
		heads(argv[2]);
	else if (strcmp(what, "table") == 0 && argc == 5)
		table(argv[2], strtoull(argv[3], NULL, 10) * 1000000, argv[4]);
	else {
		fputs("usage: storegen sealed|live|seal DIR N, heads DIR, "
		      "table DIR SECONDS FILE\n",
		    stderr);
		return 2;
	}
	return EXIT_SUCCESS;
}
