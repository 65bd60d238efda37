/* store_help.c: data directories made for the unit tests of storage/. */
#include <sys/stat.h>

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "test/unit/store_help.h"

void
help_directory(char path[64])
{
	char sealed[128];

	snprintf(path, 64, "/tmp/mailsweep-test-XXXXXX");
	assert_non_null(mkdtemp(path));
	snprintf(sealed, sizeof sealed, "%s/sealed", path);
	assert_int_equal(mkdir(sealed, 0700), 0);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
help_remove(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

struct target
help_target(const char *addr, uint16_t port)
{
	struct target t = { .port = port };

	assert_int_equal(addr_parse(addr, &t.addr), 0);
	return t;
}

struct head
help_head(const struct target *t, enum outcome outcome, uint32_t findings,
    uint64_t time_us)
{
	struct record r;

	record_init(&r, NULL, 0);
	r.head.outcome = (uint8_t)outcome;
	r.head.findings = findings;
	r.head.time_us = time_us;
	r.head.port = t->port;
	r.head.protocol = r.head.port_protocol = PROTOCOL_POP3;
	memcpy(r.head.addr, t->addr.b, sizeof r.head.addr);
	return r.head;
}

static struct ranges *
set_of(const char *const *texts)
{
	struct ranges *r = ranges_new();
	const char *expected;

	assert_non_null(r);
	for (; *texts != NULL; texts++)
		assert_int_equal(ranges_add_text(r, *texts, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

void
help_args(struct role_args *args, struct conf *conf)
{
	static const char *const targets[] = { "192.0.2.0/24", "2001:db8::/120",
		NULL };
	static const char *const excluded[] = { "192.0.2.200", "10.0.0.0/8",
		NULL };
	static const struct conf_port ports[] = { { 110, PROTOCOL_POP3, 0 },
		{ 143, PROTOCOL_IMAP, 0 }, { 993, PROTOCOL_IMAP, 1 },
		{ 25, PROTOCOL_SMTP, 0 } };

	memset(conf, 0, sizeof *conf);
	memset(args, 0, sizeof *args);
	snprintf(conf->sensor, sizeof conf->sensor, "test");
	memcpy(conf->ports, ports, sizeof ports);
	conf->nports = 4;
	conf->shards = conf->tx_threads = 1;
	conf->map_size = 1 << 20;
	conf->answer_window_ms = 1000;
	conf->checkpoint_ms = 1000;
	conf->retries = 3;
	args->conf = conf;
	args->targets = set_of(targets);
	args->excluded = set_of(excluded);
	args->now_us = (uint64_t)1795226400 * 1000000; /* 2026-11-21 02:00 */
}

void
help_args_free(struct role_args *args)
{
	/* Constant for the role, ours to free. */
	ranges_free((struct ranges *)(uintptr_t)args->targets);
	ranges_free((struct ranges *)(uintptr_t)args->excluded);
}

static void
account_fill(struct account *a, const struct help_row *rows, size_t nrows,
    unsigned nsilent)
{
	uint64_t all = nrows + nsilent;

	a->incarnations = 1;
	a->index_total = a->counted[SEND_SENT] = 1000;
	a->events[STAT_SEND_PASSED] = a->events[STAT_SEND_SENT_N] = 1000;
	a->rows = a->rows_new = all;
	a->events[STAT_STORE_RECEIVED] = a->events[STAT_STORE_NEW] = all;
	for (size_t i = 0; i < nrows; i++)
		a->outcomes[rows[i].head.outcome]++;
	a->outcomes[OUTCOME_SILENT] += nsilent;
	a->without_answer = 1000 - all;
}

uint64_t help_geo_build_us;

void
help_seal(const char *path, const char *id, uint64_t start_us,
    const struct help_row *rows, size_t nrows, unsigned nsilent)
{
	char error[STORE_ERROR_MAX];
	struct sweep_info info = { .version = STORE_VERSION,
		.end_us = start_us + 60000000,
		.balanced = 1,
		.rate = 10000,
		.sensor = "test" };
	struct sealed *s = sealed_new(path, id, error);
	struct target t = help_target("198.51.100.0", 25);
	uint8_t key[PHANTOM_KEY_LEN];

	assert_non_null(s);
	for (size_t i = 0; i < nrows; i++)
		assert_int_equal(
		    sealed_head(s, &rows[i].target, &rows[i].head), 0);
	for (size_t i = 0; i < nrows; i++)
		if (rows[i].body != NULL)
			assert_int_equal(
			    sealed_body(s, &rows[i].target, rows[i].body->body,
				rows[i].body->len),
			    0);
	for (unsigned i = 0; i < nsilent; i++, t.addr.b[15]++)
		assert_int_equal(sealed_silent(s, &t, i), 0);
	if (nsilent > 0) {
		t.addr.b[15]--;
		phantom_key(&t.addr, PHANTOM_ADDRESS, key);
		assert_int_equal(sealed_phantom(s, key), 0);
	}
	snprintf(info.sweep.id, sizeof info.sweep.id, "%s", id);
	info.sweep.start_us = start_us;
	info.sweep.n = 1000;
	info.geo_build_us = help_geo_build_us;
	info.sweep.shards = info.sweep.threads = 1;
	for (size_t i = 0; i < nrows; i++)
		info.changes[rows[i].head.change]++;
	account_fill(&info.account, rows, nrows, nsilent);
	assert_int_equal(sealed_finish(s, &info), 0);
	assert_int_equal(catalog_put(path, &info, error), 0);
}
