/* test_names.c: the names of addresses, from a finding to the sealed row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "storage/batch.h"
#include "storage/begin.h"
#include "storage/seal.h"
#include "test/unit/store_help.h"

enum {
	NO_TLS = 1u << FINDING_NO_TLS,
	PHANTOM = 1u << FINDING_PHANTOM,
	BODY = 400
};

static char dir[64], error[STORE_ERROR_MAX];
static struct conf conf;
static struct role_args args;
static struct sweep_info info;
static struct batch *batch;
static struct geo *geo;
static struct live *l;
static struct pending_rules rules;

static int
set_up(void **state)
{
	(void)state;
	help_directory(dir);
	help_args(&args, &conf);
	conf.resolver_port = 53;
	geo = geo_open(&conf, error);
	l = sweep_begin(&args, dir, &info, error);
	batch = batch_new();
	rules = pending_rules_of(&conf);
	assert_true(geo != NULL && l != NULL && batch != NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	batch_free(batch);
	live_close(l);
	geo_close(geo);
	help_args_free(&args);
	help_remove(dir);
	return 0;
}

static void
saw(const char *addr, uint16_t port, uint32_t findings, size_t body_len)
{
	static uint8_t body[BODY + 100], message[BODY + 1000], text[BODY];
	struct target t = help_target(addr, port);
	struct record_header h = { .type = MSG_RECORD };
	struct record r;

	record_init(&r, body, sizeof body);
	r.head = help_head(&t, OUTCOME_COMPLETED, findings, args.now_us + 1000);
	memset(text, 'x', sizeof text);
	if (body_len > 0)
		record_put(&r, TAG_GREETING, text, body_len);
	h.len = (uint32_t)record_flatten(
	    &r, message + sizeof h, sizeof message - sizeof h);
	memcpy(message, &h, sizeof h);
	assert_int_equal(batch_take_record(batch, &args, message,
			     sizeof h + h.len, args.now_us),
	    0);
}

static int
named(const char *addr, const char *name, bool confirmed)
{
	struct resolved r = { .confirmed = confirmed };

	assert_int_equal(addr_parse(addr, &r.addr), 0);
	memcpy(r.name, name, strlen(name));
	return batch_take_name(batch, (const uint8_t *)&r, sizeof r);
}

static void
apply(void)
{
	struct batch_context c = { .args = &args,
		.geo = geo,
		.live = l,
		.rules = &rules,
		.start_us = args.now_us,
		.now_us = args.now_us };

	do {
		live_begin(l);
		batch_apply(batch, &c);
	} while (live_commit(l) == LIVE_AGAIN);
	batch_clear(batch);
}

/* What is wanted, in order, as one line. */
static void
assert_wanted(const char *want)
{
	struct addr at = { { 0 } };
	char text[ADDR_TEXT_MAX], all[512] = "";
	uint64_t n = 0;
	size_t len = 0;

	live_begin(l);
	for (; live_name_wanted_next(l, &at); n++) {
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%s",
		    n > 0 ? " " : "", addr_text(&at, text));
		assert_true(len < sizeof all);
	}
	assert_int_equal(live_name_wanted_count(l), n);
	live_abort(l);
	assert_string_equal(all, want);
}

static void
wants_those_with_a_finding(void **state)
{
	(void)state;
	saw("192.0.2.1", 110, 0, 3);
	saw("192.0.2.3", 110, NO_TLS, 3);
	saw("192.0.2.3", 143, NO_TLS, 3);
	saw("192.0.2.2", 110, PHANTOM, 3);
	saw("192.0.2.4", 110, PHANTOM | NO_TLS, 3);
	saw("2001:db8::7", 110, NO_TLS, 3);
	apply();
	assert_wanted("192.0.2.3 192.0.2.4 2001:db8::7");
}

static void
wants_none_without_a_resolver(void **state)
{
	(void)state;
	conf.resolver_port = 0;
	saw("192.0.2.3", 110, NO_TLS, 3);
	apply();
	assert_wanted("");
}

/* Each once a sweep, whatever the answer; and what is not wanted is not put. */
static void
wants_each_once(void **state)
{
	struct store *s;
	struct addr a;
	char name[HOSTNAME_CAP];
	bool confirmed;

	(void)state;
	saw("192.0.2.3", 110, NO_TLS, 3);
	saw("192.0.2.4", 110, NO_TLS, 3);
	apply();
	assert_int_equal(named("192.0.2.3", "mx.example.net", true), 0);
	assert_int_equal(named("192.0.2.4", "", false), 0);
	assert_int_equal(named("192.0.2.5", "nobody.asked.example", true), 0);
	apply();
	assert_wanted("");
	saw("192.0.2.3", 143, NO_TLS, 3);
	saw("192.0.2.4", 143, NO_TLS, 3);
	assert_int_equal(named("192.0.2.3", "late.example.net", false), 0);
	apply();
	assert_wanted("");
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(addr_parse("192.0.2.3", &a), 0);
	assert_true(store_name(s, &a, name, &confirmed));
	assert_string_equal(name, "mx.example.net");
	assert_true(confirmed);
	assert_int_equal(addr_parse("192.0.2.4", &a), 0);
	assert_false(store_name(s, &a, name, &confirmed));
	assert_int_equal(addr_parse("192.0.2.5", &a), 0);
	assert_false(store_name(s, &a, name, &confirmed));
	store_close(s);
}

/* resolve may be in a stranger's hands. */
static void
refuses_what_is_no_name(void **state)
{
	static const char *const bad[] = { "localhost", "192.0.2.1",
		"Mail.example.net", "mail.example.net.", "a b.net", "a..net",
		"<b>.example.net", "=1+1.example\n", "\xff.example.net" };
	struct resolved r = { .confirmed = 0 };

	(void)state;
	saw("192.0.2.3", 110, NO_TLS, 3);
	apply();
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(named("192.0.2.3", bad[i], false), -1);
	assert_int_equal(named("192.0.2.3", "", true), -1);
	assert_int_equal(addr_parse("192.0.2.3", &r.addr), 0);
	memset(r.name, 'a', sizeof r.name); /* no end */
	assert_int_equal(
	    batch_take_name(batch, (const uint8_t *)&r, sizeof r), -1);
	memcpy(r.name, "a.example", 10);
	r.confirmed = 2;
	assert_int_equal(
	    batch_take_name(batch, (const uint8_t *)&r, sizeof r), -1);
	r.confirmed = 1;
	assert_int_equal(
	    batch_take_name(batch, (const uint8_t *)&r, sizeof r - 1), -1);
	assert_true(batch_is_empty(batch));
	assert_wanted("192.0.2.3");
}

/* No probe may say it in its place. */
static void
refuses_names_of_probes(void **state)
{
	uint8_t body[64], flat[HEAD_SIZE + 100];
	struct target t = help_target("192.0.2.3", 110);
	struct record r;
	size_t len;

	(void)state;
	record_init(&r, body, sizeof body);
	r.head = help_head(&t, OUTCOME_COMPLETED, NO_TLS, args.now_us);
	len = record_flatten(&r, flat, sizeof flat);
	assert_true(record_check(flat, len));
	r.head.flags |= HEAD_PTR_CONFIRMED;
	len = record_flatten(&r, flat, sizeof flat);
	assert_false(record_check(flat, len));
	r.head.flags = 0;
	r.head.names = NAME_GREETING | NAME_EHLO;
	len = record_flatten(&r, flat, sizeof flat);
	assert_true(record_check(flat, len));
	r.head.names = NAME_PTR;
	len = record_flatten(&r, flat, sizeof flat);
	assert_false(record_check(flat, len));
	r.head.names = 0;
	record_put(&r, TAG_PTR, "a.example", 9);
	len = record_flatten(&r, flat, sizeof flat);
	assert_false(record_check(flat, len));
}

static void
assert_row(struct store *s, const char *addr, uint16_t port, const char *name,
    bool confirmed, size_t greeting)
{
	struct target t = help_target(addr, port);
	const uint8_t *body;
	struct field f;
	struct head h;
	uint32_t len;

	assert_true(store_get(s, &t, &h, &body, &len));
	assert_int_equal((h.flags & HEAD_PTR_CONFIRMED) != 0, confirmed);
	assert_int_equal(body_find(body, len, TAG_PTR, &f), name != NULL);
	if (name != NULL) {
		assert_int_equal(f.len, strlen(name));
		assert_memory_equal(f.bytes, name, f.len);
		/* The last one: a reader that does not know it loses none. */
		assert_ptr_equal(f.bytes + f.len, body + len);
	}
	assert_int_equal(body_find(body, len, TAG_GREETING, &f), greeting > 0);
	if (greeting > 0)
		assert_int_equal(f.len, greeting);
}

static void
joins_at_the_seal(void **state)
{
	struct store *s;

	(void)state;
	saw("192.0.2.3", 110, NO_TLS, 3);
	saw("192.0.2.3", 143, 0, 0); /* the address has a name, then */
	saw("192.0.2.4", 110, NO_TLS, BODY);
	saw("192.0.2.5", 110, NO_TLS, 3); /* its name does not come */
	saw("192.0.2.6", 110, 0, 3);
	saw("2001:db8::7", 110, NO_TLS, 3);
	apply();
	assert_int_equal(named("192.0.2.3", "mx.example.net", true), 0);
	assert_int_equal(named("192.0.2.4", "www.bank.example", false), 0);
	assert_int_equal(named("2001:db8::7", "six.example.net", true), 0);
	apply();
	live_close(l);
	l = NULL;
	if (seal(&args, dir, args.now_us + 60000000, 0, &info, error) != 0)
		fail_msg("%s", error);
	s = store_open(dir, NULL, error);
	assert_non_null(s);
	assert_row(s, "192.0.2.3", 110, "mx.example.net", true, 3);
	assert_row(s, "192.0.2.3", 143, "mx.example.net", true, 0);
	assert_row(s, "192.0.2.4", 110, "www.bank.example", false, BODY);
	assert_row(s, "192.0.2.5", 110, NULL, false, 3);
	assert_row(s, "192.0.2.6", 110, NULL, false, 3);
	assert_row(s, "2001:db8::7", 110, "six.example.net", true, 3);
	store_close(s);
}

/* A certificate in certs.mdb for one name, and its digest. */
static void
put_certificate(const char *name, uint8_t sha256[SHA256_LEN])
{
	static uint8_t der[2048];
	X509 *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t *at = der;
	int len;

	assert_true(x != NULL && key != NULL);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, NULL);
	assert_true(len > 0 && len <= (int)sizeof der);
	i2d_X509(x, &at);
	SHA256(der, (size_t)len, sha256);
	X509_free(x);
	EVP_PKEY_free(key);
	live_begin(l);
	live_put_cert(l, sha256, der, (size_t)len);
	assert_int_equal(live_commit(l), LIVE_DONE);
}

/* A row with that leaf, and names that the probe found to fit. */
static void
saw_leaf(const char *addr, const uint8_t sha256[SHA256_LEN], uint8_t names)
{
	uint8_t message[sizeof(struct record_header) + HEAD_SIZE + 4], body[1];
	struct target t = help_target(addr, 110);
	struct record_header h = { .type = MSG_RECORD };
	struct record r;

	record_init(&r, body, sizeof body);
	r.head = help_head(
	    &t, OUTCOME_COMPLETED, 1u << FINDING_UNTRUSTED, args.now_us + 1000);
	r.head.names = names;
	memcpy(r.head.leaf, sha256, SHA256_LEN);
	h.len = (uint32_t)record_flatten(
	    &r, message + sizeof h, sizeof message - sizeof h);
	assert_true(h.len > 0);
	memcpy(message, &h, sizeof h);
	assert_int_equal(batch_take_record(batch, &args, message,
			     sizeof h + h.len, args.now_us),
	    0);
}

static void
assert_names(struct store *s, const char *addr, uint8_t names)
{
	struct target t = help_target(addr, 110);
	const uint8_t *body;
	struct head h;
	uint32_t len;

	assert_true(store_get(s, &t, &h, &body, &len));
	assert_int_equal(h.names, names);
}

/* The name comes when the probe is long done: the seal puts them together. */
static void
compares_with_the_leaf(void **state)
{
	static const uint8_t unknown[SHA256_LEN] = { 7 };
	uint8_t sha256[SHA256_LEN];
	struct store *s;

	(void)state;
	put_certificate("mx.example.net", sha256);
	saw_leaf("192.0.2.3", sha256, NAME_GREETING);
	saw_leaf("192.0.2.4", sha256, NAME_EHLO);
	saw_leaf("192.0.2.5", sha256, 0);
	saw_leaf("192.0.2.6", unknown, 0);
	saw("192.0.2.7", 110, NO_TLS, 3);
	apply();
	assert_int_equal(named("192.0.2.3", "mx.example.net", true), 0);
	assert_int_equal(named("192.0.2.4", "www.bank.example", true), 0);
	assert_int_equal(named("192.0.2.5", "", false), 0);
	assert_int_equal(named("192.0.2.6", "mx.example.net", false), 0);
	assert_int_equal(named("192.0.2.7", "mx.example.net", false), 0);
	apply();
	live_close(l);
	l = NULL;
	if (seal(&args, dir, args.now_us + 60000000, 0, &info, error) != 0)
		fail_msg("%s", error);
	s = store_open(dir, NULL, error);
	assert_non_null(s);
	assert_names(s, "192.0.2.3", NAME_GREETING | NAME_PTR);
	assert_names(s, "192.0.2.4", NAME_EHLO);
	assert_names(s, "192.0.2.5", 0);
	assert_names(s, "192.0.2.6", 0);
	assert_names(s, "192.0.2.7", 0);
	store_close(s);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(wants_those_with_a_finding),
		EACH(wants_none_without_a_resolver),
		EACH(wants_each_once),
		EACH(refuses_what_is_no_name),
		EACH(refuses_names_of_probes),
		EACH(joins_at_the_seal),
		EACH(compares_with_the_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
