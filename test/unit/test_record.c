/* test_record.c: records as flat bytes, and bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/cookie.h"
#include "storage/record.h"

static uint8_t body[1024], flat[RECORD_MAX + 1];

/* A record with three fields, flattened; its length. */
static size_t
make(struct record *r)
{
	record_init(r, body, sizeof body);
	r->head.outcome = OUTCOME_COMPLETED;
	r->head.port = 110;
	record_find(r, FINDING_NO_TLS);
	assert_int_equal(record_put(r, TAG_GREETING, "+OK\0ready", 9), 0);
	assert_int_equal(record_put(r, TAG_STRAY, "", 0), 0);
	assert_int_equal(record_transcript(r, SPEAKER_SERVER, 12, "+OK", 3), 0);
	return record_flatten(r, flat, sizeof flat);
}

static void
test_round_trip(void **state)
{
	struct record r;
	struct head h;
	struct field f;
	uint32_t at = 0, len;
	size_t n = make(&r);

	(void)state;
	assert_true(record_check(flat, n));
	memcpy(&h, flat, sizeof h);
	assert_memory_equal(&h, &r.head, sizeof h);
	memcpy(&len, flat + HEAD_SIZE, sizeof len);
	assert_int_equal(len, n - HEAD_SIZE - 4);
	assert_true(body_next(flat + HEAD_SIZE + 4, len, &at, &f));
	assert_int_equal(f.tag, TAG_GREETING);
	assert_int_equal(f.len, 9);
	assert_memory_equal(f.bytes, "+OK\0ready", 9);
	assert_true(body_next(flat + HEAD_SIZE + 4, len, &at, &f));
	assert_int_equal(f.tag, TAG_STRAY);
	assert_int_equal(f.len, 0);
	assert_true(body_next(flat + HEAD_SIZE + 4, len, &at, &f));
	assert_int_equal(f.tag, TAG_TRANSCRIPT);
	assert_memory_equal(f.bytes, "S\0\3\0\14\0\0\0+OK", 11);
	assert_false(body_next(flat + HEAD_SIZE + 4, len, &at, &f));
	assert_true(body_find(flat + HEAD_SIZE + 4, len, TAG_TRANSCRIPT, &f));
	assert_false(body_find(flat + HEAD_SIZE + 4, len, TAG_CITY, &f));
	assert_int_equal(record_flatten(&r, flat, n - 1), 0);
}

static void
test_full(void **state)
{
	uint8_t small[16];
	struct record r;

	(void)state;
	record_init(&r, small, sizeof small);
	assert_int_equal(record_put(&r, TAG_GREETING, "0123456789", 10), 0);
	assert_int_equal(r.head.flags & HEAD_TRUNCATED, 0);
	assert_int_equal(record_put(&r, TAG_GREETING, "", 0), -1);
	assert_int_equal(r.head.flags & HEAD_TRUNCATED, HEAD_TRUNCATED);
	assert_int_equal(r.len, 16);
	record_init(&r, small, sizeof small);
	assert_int_equal(record_put(&r, TAG_GREETING, small, 11), -1);
	assert_int_equal(record_put(&r, TAG_GREETING, small, SIZE_MAX), -1);
	assert_int_equal(r.len, 0);
}

/* Every cut of a record is none. */
static void
test_cut(void **state)
{
	struct record r;
	size_t n = make(&r);

	(void)state;
	for (size_t len = 0; len < n; len++)
		assert_false(record_check(flat, len));
	assert_false(record_check(flat, n + 1));
}

/* One byte out of its range, and it is none. */
static void
test_bad_bytes(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = { { 0, RECORD_VERSION + 1 }, { 0, 0 }, { 1, OUTCOME_COUNT },
		{ 2, PROTOCOL_COUNT }, { 3, PROTOCOL_COUNT },
		{ 32, 1 }, /* first seen */
		{ 40, 1 }, /* last seen */
		{ 51, 0xff }, /* findings that are none */
		{ 52, 1 }, /* observations */
		{ 56, STARTTLS_COUNT }, { 57, CHANGE_NEW }, { 72, KEY_COUNT },
		{ 73, CHAIN_COUNT }, { 76, 1 }, /* ASN */
		{ 80, 'D' }, { 83, ATTEMPTS }, { 168, 1 }, /* findings before */
		{ 176, CHAIN_MAX + 1 }, { 177, 4 }, { 179, 1 }, /* confirmed */
		{ 180, 1 }, { 182, KIND_CANARY }, { 182, KIND_COUNT },
		{ 183, NAME_PTR }, { 183, NAME_ALL + 1 }, { 184, 1 },
		{ 191, 1 }, { HEAD_SIZE, 0 },
		{ HEAD_SIZE + 3, 0xff }, /* body length */
		{ HEAD_SIZE + 4, 0 }, { HEAD_SIZE + 4, TAG_COUNT }, /* tag */
		{ HEAD_SIZE + 4, TAG_REGION }, { HEAD_SIZE + 4, TAG_SECTOR },
		{ HEAD_SIZE + 9, 0xff }, { HEAD_SIZE + 6, 8 } };
	struct record r;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		n = make(&r);
		assert_true(record_check(flat, n));
		flat[bad[i].at] = bad[i].value;
		if (record_check(flat, n))
			fail_msg(
			    "byte %zu = %u was taken", bad[i].at, bad[i].value);
	}
}

/* Stored rows too may come from elsewhere, and ESC c clears a terminal. */
static void
test_country(void **state)
{
	static const char *const bad[] = { "de", "D", "\033c", "?D", "D?",
		"[[" };
	struct record r;

	(void)state;
	record_init(&r, body, sizeof body);
	assert_true(head_check(&r.head));
	memcpy(r.head.country, "DE", 2);
	assert_true(head_check(&r.head));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memcpy(r.head.country, bad[i], 2);
		assert_false(head_check(&r.head));
	}
}

/* A transcript's entry has at least a head. */
static void
test_short_entry(void **state)
{
	struct record r;

	(void)state;
	record_init(&r, body, sizeof body);
	r.head.outcome = OUTCOME_COMPLETED;
	assert_int_equal(record_put(&r, TAG_TRANSCRIPT, "S\0\0\0\0\0\0", 7), 0);
	assert_false(record_check(flat, record_flatten(&r, flat, sizeof flat)));
}

static void
test_too_long(void **state)
{
	static uint8_t big[RECORD_MAX];
	struct record r;
	size_t n;

	(void)state;
	record_init(&r, big, sizeof big);
	r.head.outcome = OUTCOME_COMPLETED;
	n = RECORD_MAX - HEAD_SIZE - 4 - 6;
	assert_int_equal(record_put(&r, TAG_GREETING, flat, n), 0);
	n = record_flatten(&r, flat, sizeof flat);
	assert_int_equal(n, RECORD_MAX);
	assert_true(record_check(flat, n));
	record_init(&r, big, sizeof big);
	assert_int_equal(record_put(&r, TAG_GREETING, flat,
			     RECORD_MAX - HEAD_SIZE - 4 - 6 + 1),
	    0);
	n = record_flatten(&r, flat, sizeof flat);
	assert_int_equal(n, RECORD_MAX + 1);
	assert_false(record_check(flat, n));
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		assert_int_equal(
		    name_find(outcome_names, OUTCOME_COUNT, outcome_names[i]),
		    i);
	for (int i = 0; i < FINDING_COUNT; i++)
		assert_int_equal(
		    name_find(finding_names, FINDING_COUNT, finding_names[i]),
		    i);
	for (int i = 0; i < STARTTLS_COUNT; i++)
		assert_int_equal(name_find(starttls_names, STARTTLS_COUNT,
				     starttls_names[i]),
		    i);
	assert_int_equal(name_find(protocol_names, PROTOCOL_COUNT, "pop"), -1);
	assert_int_equal(
	    name_find(protocol_names, PROTOCOL_COUNT, "pop3"), PROTOCOL_POP3);
	assert_string_equal(tls_version_name(0), "");
	assert_string_equal(tls_version_name(0x300), "SSLv3");
	assert_string_equal(tls_version_name(0x304), "TLSv1.3");
	assert_string_equal(tls_version_name(0x305), "");
}

static void
test_replaces(void **state)
{
	(void)state;
	assert_true(outcome_replaces(OUTCOME_COMPLETED, OUTCOME_SILENT));
	assert_true(outcome_replaces(OUTCOME_COMPLETED, OUTCOME_COMPLETED));
	assert_false(outcome_replaces(OUTCOME_LOST, OUTCOME_COMPLETED));
	assert_false(outcome_replaces(OUTCOME_SILENT, OUTCOME_RESET));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_country),
		cmocka_unit_test(test_short_entry),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_replaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
