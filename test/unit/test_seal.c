/* test_seal.c: sweeps joined night after night, and their account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/begin.h"
#include "storage/purge.h"
#include "storage/seal.h"
#include "storage/store_catalog.h"
#include "test/unit/nights_help.h"
#include "test/unit/store_help.h"

enum {
	NO_TLS = 1u << FINDING_NO_TLS,
	EXPIRED = 1u << FINDING_EXPIRED,
	PHANTOM = 1u << FINDING_PHANTOM
};
static struct head
row(struct store *s, const char *addr)
{
	struct target t = help_target(addr, 110);
	const uint8_t *body;
	struct head h;
	uint32_t len;

	if (!store_get(s, &t, &h, &body, &len))
		fail_msg("%s has no row", addr);
	assert_int_equal(len, 4);
	return h;
}

static void
assert_change(struct store *s, const char *addr, enum change change,
    uint32_t observations, uint64_t first_seen_us, uint32_t before)
{
	struct head h = row(s, addr);

	if (h.change != change)
		fail_msg("%s is %s", addr, change_names[h.change]);
	assert_int_equal(h.observations, observations);
	assert_true(h.first_seen_us == first_seen_us);
	assert_int_equal(h.findings_before, before);
	assert_true(h.last_seen_us == h.time_us);
}

static struct store *
newest(void)
{
	struct store *s = store_open(night.dir, NULL, night.error);

	if (s == NULL)
		fail_msg("%s", night.error);
	return s;
}

static void
first_night(void)
{
	night_begins();
	night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS);
	night_saw("192.0.2.2", OUTCOME_COMPLETED, NO_TLS);
	night_saw("192.0.2.3", OUTCOME_COMPLETED, EXPIRED);
	night_saw("192.0.2.4", OUTCOME_COMPLETED, 0);
	night_saw("192.0.2.5", OUTCOME_COMPLETED, NO_TLS);
	night_saw("192.0.2.6", OUTCOME_COMPLETED, NO_TLS);
	night_saw("2001:db8::1", OUTCOME_COMPLETED, 0);
	night_silent("192.0.2.99");
	night_ends(1);
}

static void
second_night(void)
{
	night_begins();
	night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS); /* same */
	night_saw("192.0.2.2", OUTCOME_COMPLETED, 0); /* fixed */
	night_saw("192.0.2.3", OUTCOME_COMPLETED, NO_TLS); /* worse */
	/* 4 is gone; 5 timed out, which shows nothing; 6 is silent now */
	night_saw("192.0.2.5", OUTCOME_TIMED_OUT, 0);
	night_silent("192.0.2.6");
	night_saw("192.0.2.7", OUTCOME_COMPLETED, 0); /* new */
	night_saw("2001:db8::1", OUTCOME_COMPLETED, PHANTOM);
	night_ends(1);
}

/* The canary was answered after the rows were there; readers see it at once. */
static void
test_phantoms(void **state)
{
	struct addr a = help_target("192.0.2.2", 0).addr;
	struct addr six = help_target("2001:db8::1", 0).addr;
	uint8_t key[PHANTOM_KEY_LEN];
	struct store *s;

	(void)state;
	night_begins();
	night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS);
	night_saw("2001:db8::1", OUTCOME_COMPLETED, 0);
	night_silent("192.0.2.99");
	live_canary_ask(night.live, &a, PHANTOM_NETWORK);
	live_canary_ask(night.live, &six, PHANTOM_ADDRESS);
	live_canary_answered(night.live, &a);
	night_ends(1);
	s = newest();
	assert_int_equal(row(s, "192.0.2.1").findings, NO_TLS | PHANTOM);
	assert_true(row(s, "192.0.2.1").flags & HEAD_CANARY);
	assert_int_equal(row(s, "2001:db8::1").findings, 0);
	assert_int_equal(store_info(s)->silent_phantoms, 1);
	a.b[15] = 99;
	assert_true(store_is_phantom(s, &a));
	assert_false(store_is_phantom(s, &six));
	phantom_key(&a, PHANTOM_NETWORK, key);
	assert_int_equal(key[PHANTOM_KEY_LEN - 1], 120);
	assert_int_equal(key[15], 0);
	store_close(s);
}

static void
test_three_nights(void **state)
{
	uint64_t first = night.args.now_us + 5, third;
	struct store_scan *scan;
	struct store *s;
	struct target t;
	struct head h;

	(void)state;
	first_night();
	s = newest();
	assert_change(s, "192.0.2.1", CHANGE_NEW, 1, first, 0);
	assert_string_equal(store_info(s)->previous, "");
	assert_int_equal(store_info(s)->changes[CHANGE_NEW], 7);
	assert_int_equal(store_silent_count(s), 1);
	assert_int_equal(store_info(s)->balanced, 1);
	store_close(s);

	second_night();
	s = newest();
	assert_string_equal(store_info(s)->previous, "20261121T020000Z-test");
	assert_change(s, "192.0.2.1", CHANGE_SAME, 2, first, NO_TLS);
	assert_change(s, "192.0.2.2", CHANGE_FIXED, 2, first, NO_TLS);
	assert_change(s, "192.0.2.3", CHANGE_WORSE, 2, first, EXPIRED);
	assert_change(s, "192.0.2.5", CHANGE_SAME, 2, first, NO_TLS);
	assert_change(s, "192.0.2.7", CHANGE_NEW, 1, first + DAY_US, 0);
	assert_change(s, "2001:db8::1", CHANGE_SAME, 2, first, 0);
	assert_int_equal(store_info(s)->gone, 1);
	scan = store_scan_gone(s);
	assert_true(store_scan_next(scan, &t, &h));
	assert_int_equal(addr_to4(&t.addr), 0xc0000204);
	assert_int_equal(h.missed, 1);
	assert_true(store_scan_next(scan, &t, &h)); /* silent: not missed */
	assert_int_equal(addr_to4(&t.addr), 0xc0000206);
	assert_int_equal(h.missed, 0);
	assert_false(store_scan_next(scan, &t, &h));
	store_scan_free(scan);
	store_close(s);

	third = night.args.now_us + 5;
	night_begins();
	night_saw("192.0.2.2", OUTCOME_COMPLETED, NO_TLS);
	night_saw("192.0.2.4", OUTCOME_COMPLETED, 0); /* back */
	night_saw("192.0.2.6", OUTCOME_COMPLETED, NO_TLS);
	night_saw("192.0.2.8", OUTCOME_COMPLETED, 0);
	night_ends(1);
	s = newest();
	assert_change(s, "192.0.2.2", CHANGE_WORSE, 3, first, 0);
	assert_change(s, "192.0.2.4", CHANGE_BACK, 2, first, 0);
	assert_change(s, "192.0.2.6", CHANGE_BACK, 2, first, NO_TLS);
	assert_change(s, "192.0.2.8", CHANGE_NEW, 1, third, 0);
	assert_int_equal(store_info(s)->gone, 5);
	assert_int_equal(store_info(s)->changes[CHANGE_BACK], 2);
	store_close(s);
}

/* Not asked is not gone: another night with fewer ports. */
static void
test_not_asked(void **state)
{
	struct store_scan *scan;
	struct store *s;
	struct target t;
	struct head h;

	(void)state;
	first_night();
	night.conf.ports[0].port = 111;
	night_begins();
	night_ends(1);
	s = newest();
	assert_int_equal(store_info(s)->gone, 0);
	scan = store_scan_gone(s);
	assert_true(store_scan_next(scan, &t, &h));
	assert_int_equal(h.missed, 0);
	store_scan_free(scan);
	store_close(s);
	/* And back again it is back. */
	night.conf.ports[0].port = 110;
	night_begins();
	night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS);
	night_ends(1);
	s = newest();
	assert_int_equal(row(s, "192.0.2.1").change, CHANGE_BACK);
	store_close(s);
}

static void
test_retention(void **state)
{
	struct store_scan *scan;
	struct store *s;
	struct target t;
	struct head h;

	(void)state;
	night.conf.retention_days = 5;
	first_night();
	night.args.now_us += 9 * DAY_US;
	night_begins();
	night_saw("192.0.2.1", OUTCOME_COMPLETED, NO_TLS);
	night_ends(1);
	/* The file of the first night is gone, and so are those gone since. */
	assert_null(
	    store_open(night.dir, "20261121T020000Z-test", night.error));
	s = newest();
	assert_int_equal(row(s, "192.0.2.1").observations, 2);
	scan = store_scan_gone(s);
	assert_false(store_scan_next(scan, &t, &h));
	store_scan_free(scan);
	store_close(s);
}

/* Opted out while it ran: no night.rows of it, counted as purged. */
static void
test_optout(void **state)
{
	struct optout one = { help_target("192.0.2.2", 0).addr, 128, 1, "" };
	size_t added;

	(void)state;
	assert_int_equal(
	    catalog_optouts_add(night.dir, &one, 1, &added, night.error), 0);
	first_night();
	assert_int_equal(night.info.account.rows, 7);
	assert_int_equal(night.info.account.purged, 1);
	assert_int_equal(night.info.account.rows_new, 8);
	assert_int_equal(night.info.balanced, 1);
}

/* Where a row, of any kind, can still be read past the filter. */
static bool
keeps(const char *addr)
{
	struct target t = help_target(addr, 110);
	struct addr a = t.addr;
	char path[256], *bytes;
	bool found = false;
	long n;
	FILE *f;

	snprintf(path, sizeof path, "%s/sealed/20261121T020000Z-test.mdb",
	    night.dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	bytes = malloc((size_t)n);
	assert_int_equal(fread(bytes, 1, (size_t)n, f), n);
	fclose(f);
	for (long i = 0; i + (long)sizeof a.b <= n && !found; i++)
		found = memcmp(bytes + i, a.b, sizeof a.b) == 0;
	free(bytes);
	return found;
}

static void
opt_out(const char *addr, unsigned bits)
{
	struct optout o = { help_target(addr, 0).addr, bits, 1, "" };
	size_t added;

	assert_int_equal(
	    catalog_optouts_add(night.dir, &o, 1, &added, night.error), 0);
	assert_int_equal(added, 1);
}

static bool
wrong_line(const struct sweep_info *each, void *arg)
{
	unsigned *n = arg;
	struct store *s = store_open(night.dir, each->sweep.id, night.error);

	assert_non_null(s);
	assert_int_equal(store_info(s)->account.rows, each->account.rows);
	assert_int_equal(store_info(s)->account.purged, each->account.purged);
	assert_int_equal(each->balanced, 1);
	store_close(s);
	(*n)++;
	return true;
}

static char said[1024];

static void
say(const char *why)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof said - n, "%s\n", why);
}

/* Opted out afterwards: hidden at once, and gone from the file at a purge. */
static void
test_purge_sealed(void **state)
{
	struct target t = help_target("192.0.2.5", 110);
	struct purged p;
	const uint8_t *body;
	struct head h;
	uint32_t len;
	unsigned n = 0;
	struct store *s;

	(void)state;
	first_night();
	assert_int_equal(purge_sealed(night.dir, &p, say), 0);
	assert_int_equal(p.files, 0);
	assert_true(keeps("192.0.2.5"));
	opt_out("192.0.2.4", 127); /* .4 and .5 */
	opt_out("2001:db8::", 32);
	s = newest();
	assert_false(store_get(s, &t, &h, &body, &len));
	store_close(s);
	assert_true(keeps("192.0.2.5"));
	if (purge_sealed(night.dir, &p, say) != 0)
		fail_msg("%s", said);
	assert_int_equal(p.files, 1);
	assert_int_equal(p.rows, 3);
	assert_false(keeps("192.0.2.4"));
	assert_false(keeps("192.0.2.5"));
	assert_false(keeps("2001:db8::1"));
	assert_true(keeps("192.0.2.1"));
	s = newest();
	assert_int_equal(store_info(s)->account.rows, 5);
	assert_int_equal(store_info(s)->account.purged, 3);
	assert_int_equal(store_info(s)->changes[CHANGE_NEW], 4);
	assert_int_equal(store_info(s)->balanced, 1);
	assert_int_equal(row(s, "192.0.2.1").observations, 1);
	store_close(s);
	assert_int_equal(
	    store_sweeps(night.dir, wrong_line, &n, night.error), 0);
	assert_int_equal(n, 1);
	/* once is enough */
	assert_int_equal(purge_sealed(night.dir, &p, say), 0);
	assert_int_equal(p.files, 0);
}

/* The next seal does it by itself; the gone ones go as well. */
static void
test_purge_at_the_next_seal(void **state)
{
	(void)state;
	first_night();
	opt_out("192.0.2.5", 128);
	assert_true(keeps("192.0.2.5"));
	second_night();
	assert_false(keeps("192.0.2.5"));
	assert_true(keeps("192.0.2.1"));
	assert_int_equal(night.info.balanced, 1);
}

/* A file that is damaged is not made to look whole, and holds up no other. */
static void
test_purge_spares_damage(void **state)
{
	struct purged p;
	char path[256];
	FILE *f;

	(void)state;
	first_night();
	second_night();
	opt_out("192.0.2.1", 128);
	snprintf(path, sizeof path, "%s/sealed/20261122T020000Z-test.mdb",
	    night.dir);
	f = fopen(path, "r+b");
	assert_non_null(f);
	fseek(f, 4096 * 2 + 4000, SEEK_SET);
	fwrite("damage", 1, 6, f);
	fclose(f);
	assert_true(keeps("192.0.2.1"));
	said[0] = '\0';
	assert_int_equal(purge_sealed(night.dir, &p, say), -1);
	assert_int_equal(p.files, 1);
	assert_int_equal(p.failed, 1);
	assert_non_null(strstr(said, "20261122T020000Z-test"));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_false(keeps("192.0.2.1"));
}

/* A row that no counter knows of: the ledgers do not agree, and say so. */
static void
test_unbalanced(void **state)
{
	(void)state;
	night_begins();
	night_saw("192.0.2.1", OUTCOME_COMPLETED, 0);
	night.rows = 0;
	night_ends(1);
	assert_int_equal(night.info.balanced, 0);
	assert_int_equal(night.info.account.rows, 1);
}

static bool
seen(const struct sweep_info *each, void *arg)
{
	unsigned *n = arg;

	assert_true(each->end_us > each->sweep.start_us);
	assert_int_equal(each->balanced, 1);
	(*n)++;
	return true;
}

static void
test_catalog(void **state)
{
	char path[128];
	unsigned n = 0;

	(void)state;
	assert_int_equal(store_sweeps(night.dir, seen, &n, night.error), 0);
	assert_int_equal(n, 0);
	first_night();
	second_night();
	assert_int_equal(store_sweeps(night.dir, seen, &n, night.error), 0);
	assert_int_equal(n, 2);
	snprintf(path, sizeof path, "%s/live", night.dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(
	    store_sweeps("/nonexistent", seen, &n, night.error), -1);
}

/* A sealed file that cannot be read does not stop the next night. */
static void
test_bad_before(void **state)
{
	char path[128];
	FILE *f;

	(void)state;
	snprintf(
	    path, sizeof path, "%s/sealed/20261101T020000Z-x.mdb", night.dir);
	assert_non_null(f = fopen(path, "w"));
	fputs("no LMDB", f);
	fclose(f);
	first_night();
	assert_int_equal(night.info.balanced, 1);
	assert_string_equal(night.info.previous, "");
}

#define EACH(test) \
	cmocka_unit_test_setup_teardown(test, night_set_up, night_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_phantoms),
		EACH(test_three_nights),
		EACH(test_not_asked),
		EACH(test_retention),
		EACH(test_optout),
		EACH(test_purge_sealed),
		EACH(test_purge_at_the_next_seal),
		EACH(test_purge_spares_damage),
		EACH(test_unbalanced),
		EACH(test_catalog),
		EACH(test_bad_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
