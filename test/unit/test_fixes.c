/* test_fixes.c: since when a target is exposed, and how long it took to mend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <xxhash.h>

#include "storage/change.h"
#include "storage/exposure.h"
#include "storage/feed_make.h"
#include "storage/fixes.h"
#include "test/unit/run_help.h"
#include "test/unit/store_help.h"

enum { NIGHTS_MAX = 6, DAY_S = 86400 };
#define START_US ((uint64_t)1795226400 * 1000000) /* 2026-11-21 02:00 */

/* What a night finds: exposed, sound, or an answer that shows neither. */
enum night { OPEN = 'o', SOUND = 's', BROKEN = 'b', NONE = '-' };

static struct head
head_of(enum night what, unsigned night)
{
	struct target t = help_target("192.0.2.1", 110);
	struct head h = help_head(&t,
	    what == BROKEN ? OUTCOME_TIMED_OUT : OUTCOME_COMPLETED,
	    what == OPEN ? 1u << FINDING_NO_TLS | 1u << FINDING_CLEARTEXT_LOGIN
			 : 0,
	    START_US + night * (uint64_t)DAY_S * 1000000);

	h.protocol = PROTOCOL_POP3;
	h.starttls = what == OPEN ? STARTTLS_NOT_OFFERED
	    : what == SOUND       ? STARTTLS_COMPLETED
				  : STARTTLS_TIMED_OUT;
	memcpy(h.country, "DE", 2);
	return h;
}

/* Days until it was mended, a digit a night, as the seals would say. */
static void
assert_nights(const char *nights, const char *mended)
{
	struct head before, now;
	bool any = false;

	for (unsigned i = 0; nights[i]; i++) {
		uint32_t seconds;

		if (nights[i] == NONE) {
			assert_int_equal(mended[i], '0');
			continue;
		}
		now = head_of((enum night)nights[i], i);
		exposure_join(&now, any ? &before : NULL);
		seconds = exposure_mended(&now);
		if (seconds != (uint32_t)(mended[i] - '0') * DAY_S)
			fail_msg("%s, night %u: %u s", nights, i, seconds);
		before = now;
		any = true;
	}
}

static void
test_since_when(void **state)
{
	(void)state;
	assert_nights("sss", "000");
	assert_nights("os", "01");
	assert_nights("ooos", "0003");
	/* Told once, and begun anew. */
	assert_nights("oossos", "002001");
	/* No answer, or half of one, shows nothing. */
	assert_nights("obs", "002");
	assert_nights("o--s", "0003");
	assert_nights("o-bbos", "000005");
	assert_nights("bbos", "0001");
}

/* A sweep of a version that did not say. */
static void
test_since_the_first_that_says(void **state)
{
	struct head before = head_of(OPEN, 0), now = head_of(SOUND, 2);

	(void)state;
	assert_int_equal(before.open_since, 0);
	exposure_join(&now, &before);
	assert_int_equal(exposure_mended(&now), 2 * DAY_S);
}

/* Which answer shows what. */
static void
test_exposure(void **state)
{
	struct head h = head_of(OPEN, 0);

	(void)state;
	assert_int_equal(exposure_of(&h), EXPOSURE_OPEN);
	h.findings = 1u << FINDING_NO_TLS; /* but no login: nobody gets in */
	assert_int_equal(exposure_of(&h), EXPOSURE_SOUND);
	h.protocol = PROTOCOL_SMTP;
	assert_int_equal(exposure_of(&h), EXPOSURE_OPEN);
	h = head_of(SOUND, 0);
	h.findings = 1u << FINDING_CLEARTEXT_LOGIN;
	assert_int_equal(exposure_of(&h), EXPOSURE_SOUND);
	/* Seen once only: not told to anybody, and no proof of health. */
	h.starttls = STARTTLS_REFUSED;
	assert_int_equal(exposure_of(&h), EXPOSURE_UNSURE);
	h.confirmed = 1;
	assert_int_equal(exposure_of(&h), EXPOSURE_OPEN);
	h = head_of(SOUND, 0);
	h.findings = 1u << FINDING_REFUSED_US;
	assert_int_equal(exposure_of(&h), EXPOSURE_UNSURE);
	h = head_of(BROKEN, 0);
	assert_int_equal(exposure_of(&h), EXPOSURE_UNSURE);
}

/* The night after, as the seal joins it: is it in a feed of what is new? */
static bool
is_new_after(struct head *now, const struct head *before)
{
	exposure_join(now, before);
	now->change = (uint8_t)change_between(now, before);
	return feed_is_new(now, FEED_POP3_VULNERABLE);
}

static void
test_what_is_new(void **state)
{
	struct head first = head_of(OPEN, 0), next = head_of(OPEN, 1);
	struct head mended = head_of(SOUND, 2), again = head_of(OPEN, 3);

	(void)state;
	exposure_join(&first, NULL);
	/* One more finding of what was told is no news. */
	next.findings |= 1u << FINDING_WEAK_KEY;
	assert_false(is_new_after(&next, &first));
	assert_int_equal(next.change, CHANGE_WORSE);
	assert_false(is_new_after(&mended, &next));
	assert_true(is_new_after(&again, &mended));
	/* Nobody was told before it had been seen twice. */
	first.starttls = next.starttls = STARTTLS_REFUSED;
	first.findings = next.findings = 1u << FINDING_CLEARTEXT_LOGIN;
	next.confirmed = 1;
	exposure_join(&first, NULL);
	assert_true(is_new_after(&next, &first));
	assert_int_equal(next.change, CHANGE_SAME);
	/* A sweep of a version that did not say since when. */
	next.open_since = 0;
	assert_false(feed_is_new(&next, FEED_POP3_VULNERABLE));
	next.change = CHANGE_WORSE;
	assert_true(feed_is_new(&next, FEED_POP3_VULNERABLE));
	assert_false(feed_is_new(&next, FEED_POP3));
}

/* Who wants to hear only of what is critical had not been told. */
static void
test_open_to_anybody_is_new(void **state)
{
	struct head first = head_of(OPEN, 0), next = head_of(OPEN, 1);

	(void)state;
	first.protocol = next.protocol = PROTOCOL_IMAP;
	next.findings |= 1u << FINDING_PREAUTH;
	exposure_join(&first, NULL);
	exposure_join(&next, &first);
	next.change = CHANGE_WORSE;
	next.findings_before = first.findings;
	assert_false(exposure_is_new(&next));
	assert_true(feed_is_new(&next, FEED_IMAP_VULNERABLE));
	assert_false(feed_is_new(&next, FEED_IMAP));
	next.findings_before = next.findings;
	assert_false(feed_is_new(&next, FEED_IMAP_VULNERABLE));
}

static void
add_days(struct fixes *f, const char *country, enum protocol p, unsigned days)
{
	struct head h = head_of(SOUND, 40);

	h.protocol = (uint8_t)p;
	h.open_since = (uint32_t)(h.time_us / 1000000) - days * DAY_S;
	memcpy(h.country, country, 2);
	fixes_add(f, &h);
}

static void
assert_times(struct fixes *f, const char *country, enum protocol p, uint64_t n,
    double quarter, double half, double three)
{
	const struct fixes_of of = { country, p };
	struct fix_times t = fixes_times(f, &of);

	assert_int_equal(t.n, n);
	assert_true(
	    t.days[0] == quarter && t.days[1] == half && t.days[2] == three);
}

static void
assert_all(struct fixes *f)
{
	char country[3];

	assert_times(f, NULL, PROTOCOL_UNKNOWN, 9, 3, 4, 9);
	assert_times(f, "DE", PROTOCOL_UNKNOWN, 4, 1, 2, 3);
	assert_times(f, "PL", PROTOCOL_IMAP, 1, 30, 30, 30);
	assert_times(f, NULL, PROTOCOL_SMTP, 0, 0, 0, 0);
	assert_true(fixes_country(f, 0, country));
	assert_string_equal(country, "DE");
	assert_true(fixes_country(f, 1, country));
	assert_string_equal(country, "PL");
	assert_false(fixes_country(f, 2, country));
}

static void
test_median(void **state)
{
	struct fixes *f = fixes_new(), *sum = fixes_new(), *again;
	struct head sound = head_of(SOUND, 40);
	struct buf b = { 0 };

	(void)state;
	for (unsigned i = 4; i > 0; i--)
		add_days(f, "DE", PROTOCOL_POP3, i);
	add_days(f, "PL", PROTOCOL_IMAP, 30);
	for (unsigned i = 0; i < 2; i++) {
		add_days(sum, "PL", PROTOCOL_POP3, 9);
		add_days(sum, "PL", PROTOCOL_POP3, 4);
	}
	fixes_add(sum, &sound); /* it had not been exposed */
	fixes_add_all(sum, f);
	assert_all(sum);
	fixes_save(sum, &b);
	again = fixes_load((const uint8_t *)b.s, b.len);
	assert_non_null(again);
	assert_all(again);
	for (size_t i = 0; i < b.len; i++) {
		b.s[i] ^= 8;
		assert_null(fixes_load((const uint8_t *)b.s, b.len));
		b.s[i] ^= 8;
		assert_null(fixes_load((const uint8_t *)b.s, i));
	}
	buf_free(&b);
	fixes_free(f);
	fixes_free(sum);
	fixes_free(again);
}

/* Many of the same take no more room, and few of each are all there. */
static void
test_many(void **state)
{
	struct fixes *f = fixes_new();
	struct buf b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 30000; i++)
		add_days(f, i % 2 ? "DE" : "PL", PROTOCOL_POP3, 1 + i % 300);
	assert_times(f, NULL, PROTOCOL_UNKNOWN, 30000, 75, 150, 225);
	assert_times(f, "DE", PROTOCOL_POP3, 15000, 76, 150, 226);
	fixes_save(f, &b);
	assert_int_equal(b.len, 300 * 16 + 8);
	buf_free(&b);
	fixes_free(f);
}

/* fuzz_counts: what is taken can be kept, and is taken again. */
static void
test_too_many_is_no_count(void **state)
{
	struct fixes *f = fixes_new(), *again;
	struct buf b = { 0 };
	uint64_t n = (uint64_t)1 << 39, sum;

	(void)state;
	add_days(f, "DE", PROTOCOL_POP3, 1);
	add_days(f, "DE", PROTOCOL_POP3, 2);
	fixes_save(f, &b);
	assert_int_equal(b.len, 2 * 16 + 8);
	for (unsigned more = 0; more < 2; more++) {
		n += more;
		memcpy(b.s + 8, &n, sizeof n);
		memcpy(b.s + 24, &n, sizeof n);
		sum = XXH3_64bits(b.s, 32);
		memcpy(b.s + 32, &sum, sizeof sum);
		again = fixes_load((const uint8_t *)b.s, b.len);
		assert_int_equal(again == NULL, more);
		fixes_free(again);
	}
	fixes_free(f);
	buf_free(&b);
}

/* Two nights, in each of which somebody has mended something. */
static void
seal_nights(const char *dir)
{
	static const char *const ids[] = { "20261121T020000Z-test",
		"20261122T020000Z-test" };

	for (unsigned night = 0; night < 2; night++) {
		struct help_row r = { .target = help_target("192.0.2.1", 110),
			.head = head_of(SOUND, night) };

		r.head.open_since = (uint32_t)(r.head.time_us / 1000000) -
		    (2 + 6 * night) * DAY_S;
		help_seal(dir, ids[night],
		    START_US + night * (uint64_t)DAY_S * 1000000, &r, 1, 0);
	}
}

static void
says(const char *dir, const char *arguments, const char *part)
{
	char *text = run_command(&command_fixes, dir, arguments, TOOL_OK);

	has(text, part);
	free(text);
}

static void
test_command(void **state)
{
	char dir[64];

	(void)state;
	help_directory(dir);
	seal_nights(dir);
	says(
	    dir, "", "total                 2            2.0            2.0  ");
	says(dir, "--csv --by country", "\"DE\",2,2.00,2.00,8.00\n");
	says(dir, "--csv --by protocol", "\"imap\",0,,,\n");
	says(dir, "--csv --to 2026-11-21", "\"(total)\",1,2.00,2.00,2.00\n");
	says(dir, "--json --from 2026-11-22",
	    "{\"by\":\"total\",\"mended\":1,\"quarter_days\":8.00,"
	    "\"median_days\":8.00,");
	free(run_command(
	    &command_fixes, dir, "--from 2027-01-01", TOOL_NOTHING));
	free(run_command(&command_fixes, dir, "--by port", TOOL_USAGE));
	free(run_command(&command_fixes, dir, "--from soon", TOOL_USAGE));
	help_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_since_when),
		cmocka_unit_test(test_since_the_first_that_says),
		cmocka_unit_test(test_exposure),
		cmocka_unit_test(test_what_is_new),
		cmocka_unit_test(test_open_to_anybody_is_new),
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_too_many_is_no_count),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests_name("fixes", tests, NULL, NULL);
}
