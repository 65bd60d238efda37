/* test_seal_tables.c: what the seal counts beforehand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/begin.h"
#include "storage/buf.h"
#include "storage/purge.h"
#include "storage/seal.h"
#include "storage/statistics.h"
#include "storage/store_catalog.h"
#include "test/unit/store_help.h"
#include "test/unit/tables_help.h"

static char dir[64], error[STORE_ERROR_MAX];

/* A sweep with two kinds of host, both families, and one that is no mail. */
static void
seal_some(void)
{
	static const char *const addrs[] = { "192.0.2.1", "192.0.2.2",
		"192.0.2.3", "2001:db8::1" };
	struct ledger ledger = { .begin = 0 };
	struct role_args args;
	struct sweep_info info;
	struct conf conf;
	struct live *l;

	help_args(&args, &conf);
	l = sweep_begin(&args, dir, &info, error);
	assert_non_null(l);
	live_begin(l);
	for (unsigned i = 0; i < 8; i++) {
		struct target t = help_target(addrs[i / 2], i % 2 ? 143 : 110);
		struct head h = help_head(&t, OUTCOME_COMPLETED,
		    i % 3 ? 1u << FINDING_NO_TLS | 1u << FINDING_CLEARTEXT_LOGIN
			  : 1u << FINDING_PHANTOM,
		    args.now_us + i);

		h.protocol = i == 5 ? PROTOCOL_UNKNOWN
		    : i % 2         ? PROTOCOL_IMAP
				    : PROTOCOL_POP3;
		h.starttls = i % 3 ? STARTTLS_NOT_OFFERED : STARTTLS_COMPLETED;
		h.asn = i / 2;
		memcpy(h.country, i < 4 ? "DE" : "PL", 2);
		live_put_row(l, &h, (const uint8_t *)"body", 4);
	}
	live_put_info(l, &info, &ledger);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	if (seal(&args, dir, args.now_us + 60000000, 0, &info, error) != 0)
		fail_msg("%s", error);
	help_args_free(&args);
}

static struct store *
newest(void)
{
	struct store *s = store_open(dir, NULL, error);

	if (s == NULL)
		fail_msg("%s", error);
	return s;
}

/* A byte that was damaged, wherever it is, and an end that is cut. */
static void
assert_damage_is_seen(struct store *s, const enum cut cuts[CUTS_MAX])
{
	struct buf name = { 0 };
	const uint8_t *bytes;
	uint8_t broken[8192];
	size_t len;

	cuts_name(cuts, &name);
	assert_true(store_table(s, name.s, &bytes, &len));
	assert_true(len <= sizeof broken);
	for (size_t i = 0; i < len; i += 5) {
		memcpy(broken, bytes, len);
		broken[i] ^= 4;
		assert_null(statistics_load(cuts, broken, len));
		assert_null(statistics_load(cuts, bytes, i));
	}
	buf_free(&name);
}

static void
opt_out(const char *addr, unsigned bits)
{
	struct optout one = { help_target(addr, 0).addr, bits, 1, "" };
	size_t added;

	assert_int_equal(catalog_optouts_add(dir, &one, 1, &added, error), 0);
}

static void
say(const char *why)
{
	print_message("%s\n", why);
}

static void
test_tables(void **state)
{
	static const enum cut other[CUTS_MAX] = { CUT_CHAIN };
	const uint8_t *bytes;
	struct purged p;
	struct store *s;
	size_t len;

	(void)state;
	seal_some();
	s = newest();
	assert_sealed_tables(s);
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		assert_damage_is_seen(s, sealed_tables[i]);
	assert_false(store_table(s, "chain", &bytes, &len));
	assert_true(store_table(s, "country", &bytes, &len));
	assert_null(statistics_load(other, bytes, 0));
	store_close(s);
	/* An opt-out of what has no row changes nothing; of a row it does. */
	opt_out("192.0.2.64", 122);
	s = newest();
	assert_true(store_table(s, "country", &bytes, &len));
	store_close(s);
	opt_out("192.0.2.2", 128);
	s = newest();
	assert_false(store_table(s, "country", &bytes, &len));
	store_close(s);
	/* What is written anew has them again, of what it holds. */
	if (purge_sealed(dir, &p, say) != 0)
		fail_msg("not purged");
	assert_int_equal(p.files, 1);
	assert_int_equal(p.rows, 2);
	s = newest();
	assert_sealed_tables(s);
	store_close(s);
}

static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	help_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
