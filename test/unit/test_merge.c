/* test_merge.c: what second connections add: phantoms, versions, injection. */
#include <string.h>

#include "engine/cookie.h"
#include "storage/outcome.h"
#include "storage/second.h"
#include "test/unit/second_help.h"

/* ---- the canary ---------------------------------------------------------- */

static void
canary_for(const char *addr)
{
	struct target t = help_target(addr, 110);

	second_canary(&c, &t.addr);
}

static void
one_canary_a_network(void **state)
{
	(void)state;
	conf.canary = CANARY_ONE_PER_24;
	canary_for("192.0.2.1");
	canary_for("192.0.2.77");
	canary_for("2001:db8::1");
	canary_for("2001:db8:0:9::1");
	canary_for("192.0.3.1");
	assert_int_equal(after(0), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(due[i].kind, KIND_CANARY);
		assert_int_equal(due[i].target.port, CANARY);
	}
	/* nobody waits for an answer, and nobody is asked twice */
	nothing_left();
	canary_for("192.0.2.1");
	nothing_left();
}

static void
a_canary_for_every_host_or_none(void **state)
{
	(void)state;
	conf.canary = CANARY_EVERY;
	canary_for("192.0.2.1");
	canary_for("192.0.2.77");
	canary_for("192.0.2.1");
	assert_int_equal(after(0), 2);
	conf.canary = CANARY_OFF;
	canary_for("192.0.2.78");
	nothing_left();
}

/* What a reader of live/ is told of an address. */
static void
assert_phantom(const char *addr, bool is)
{
	static const char info[] = "version 1\nsweep.id x\n";
	struct target t = help_target(addr, 110);
	struct store *s;

	live_meta_put(l, "info", info, sizeof info - 1);
	assert_int_equal(live_commit(l), LIVE_DONE);
	live_close(l);
	s = store_open(dir, "live", error);
	assert_non_null(s);
	assert_int_equal(store_is_phantom(s, &t.addr), is);
	store_close(s);
	l = c.live = live_open(dir, conf.map_size, error);
	assert_non_null(l);
	live_begin(l);
}

static void
who_answers_is_a_phantom(void **state)
{
	struct addr a = help_target("192.0.2.1", 110).addr;
	struct addr b = help_target("192.0.3.1", 110).addr;

	(void)state;
	conf.canary = CANARY_EVERY;
	canary_for("192.0.2.1");
	canary_for("192.0.2.2");
	live_canary_answered(l, &a);
	live_canary_answered(l, &b); /* was not asked */
	assert_phantom("192.0.2.1", true);
	assert_phantom("192.0.2.2", false);
	assert_phantom("192.0.3.1", false);
	conf.canary = CANARY_ONE_PER_24;
	canary_for("192.0.3.9");
	live_canary_answered(l, &b);
	assert_phantom("192.0.3.200", true);
	assert_phantom("192.0.4.1", false);
}

/* ---- versions of TLS ----------------------------------------------------- */

static void
shakes(enum syn_kind kind, unsigned attempt, uint16_t version)
{
	struct head h = head_of(kind, attempt, OUTCOME_COMPLETED);

	h.starttls =
	    version != 0 ? STARTTLS_COMPLETED : STARTTLS_HANDSHAKE_FAILED;
	h.tls_version = version;
	says(&h, kind == KIND_PLAIN ? "the first" : "a later one");
}

static void
assert_versions(const uint16_t *want, size_t n)
{
	uint8_t body[4096];
	uint32_t len = live_body(l, &target, body, sizeof body), at = 0;
	struct field f;
	unsigned said = 0;

	assert_true(body_find(body, len, TAG_TLS_VERSIONS, &f));
	assert_int_equal(f.len, n * sizeof *want);
	assert_memory_equal(f.bytes, want, f.len);
	/* all else is as the first connection had it, and all is whole */
	while (body_next(body, len, &at, &f))
		said += f.tag == TAG_TRANSCRIPT && f.len == 8 + 9;
	assert_int_equal(at, len);
	assert_int_equal(said, 1);
}

static void
versions_are_asked_one_by_one(void **state)
{
	static const uint16_t want[] = { 0x304, 0x302, 0x303 };

	(void)state;
	conf.tls_versions = TLS_VERSIONS_ALL;
	shakes(KIND_PLAIN, 0, 0x304);
	assert_int_equal(live_queue_count(l), 3);
	for (unsigned attempt = 1; attempt <= 3; attempt++) {
		assert_int_equal(after(2 * SECOND), 1);
		assert_int_equal(due[0].kind, KIND_TLS_VERSION);
		assert_int_equal(due[0].attempt, attempt);
		answers(&due[0]);
		/* all but the oldest are accepted */
		shakes(KIND_TLS_VERSION, attempt,
		    attempt == 1 ? 0 : TLS_VERSION_OF_ATTEMPT(attempt));
	}
	assert_versions(want, 3);
	assert_int_equal(row().tls_version, 0x304);
	assert_int_equal(row().kind, KIND_PLAIN);
	nothing_left();
	/* the same answer again changes nothing, nor a plain try asks anew */
	shakes(KIND_TLS_VERSION, 2, 0x302);
	assert_versions(want, 3);
	shakes(KIND_PLAIN, 0, 0x304);
	nothing_left();
}

static void
versions_below_the_negotiated_one_alone(void **state)
{
	(void)state;
	shakes(KIND_PLAIN, 0, 0x304);
	nothing_left();
	conf.tls_versions = TLS_VERSIONS_ALL;
	target.port = 143;
	shakes(KIND_PLAIN, 0, 0x301);
	nothing_left();
	target.port = 25;
	shakes(KIND_PLAIN, 0, 0);
	nothing_left();
	target.port = 993;
	shakes(KIND_PLAIN, 0, 0x303);
	assert_int_equal(live_queue_count(l), 2);
}

/* One that nobody answers does not hold up the next. */
static void
a_version_that_is_not_answered(void **state)
{
	struct target from = { .port = 0 };

	(void)state;
	conf.tls_versions = TLS_VERSIONS_ALL;
	shakes(KIND_PLAIN, 0, 0x303);
	assert_int_equal(after(SECOND), 1);
	c.now_us += rules.unanswered_us;
	pending_expire(l, &rules, c.now_us, &from, 10, batch_give_up, &c);
	assert_int_equal(after(SECOND), 1);
	assert_int_equal(due[0].attempt, 2);
}

/* ---- injection ----------------------------------------------------------- */

static void
injection_after_a_clean_session(void **state)
{
	const uint32_t bit = 1u << FINDING_STARTTLS_INJECTION;
	uint8_t body[4096];
	uint32_t len, at = 0;
	unsigned entries = 0;
	struct field f;
	struct head h;

	(void)state;
	conf.injection = 1;
	conf.tls_versions = TLS_VERSIONS_ALL;
	shakes(KIND_PLAIN, 0, 0x302);
	assert_int_equal(after(SECOND), 1);
	shakes(KIND_TLS_VERSION, 1, 0);
	assert_int_equal(after(SECOND), 1);
	assert_int_equal(due[0].kind, KIND_INJECTION);
	answers(&due[0]);
	h = head_of(KIND_INJECTION, 0, OUTCOME_COMPLETED);
	h.findings = bit | 1u << FINDING_STRAY_PLAINTEXT;
	says(&h, "250 in TLS");
	/* the finding alone, and its evidence */
	assert_int_equal(row().findings, bit);
	len = live_body(l, &target, body, sizeof body);
	while (body_next(body, len, &at, &f))
		entries += f.tag == TAG_TRANSCRIPT;
	assert_int_equal(entries, 3);
	assert_memory_equal(f.bytes + 8, "250 in TLS", 10);
	nothing_left();
}

static void
injection_that_finds_nothing(void **state)
{
	struct head h;

	(void)state;
	conf.injection = 1;
	shakes(KIND_PLAIN, 0, 0x304);
	assert_int_equal(after(SECOND), 1);
	h = head_of(KIND_INJECTION, 0, OUTCOME_BROKEN);
	h.findings = 1u << FINDING_NO_TLS;
	says(&h, "500 what?");
	assert_int_equal(row().findings, 0);
	assert_int_equal(row().outcome, OUTCOME_COMPLETED);
	assert_int_equal(row().starttls, STARTTLS_COMPLETED);
	nothing_left();
}

static void
injection_where_it_makes_sense(void **state)
{
	struct head h = head_of(KIND_PLAIN, 0, OUTCOME_COMPLETED);

	(void)state;
	shakes(KIND_PLAIN, 0, 0x304); /* switched off */
	nothing_left();
	conf.injection = 1;
	h.port = target.port = 993;
	h.tls_version = 0x304;
	h.starttls = STARTTLS_IMPLICIT;
	says(&h, NULL);
	nothing_left();
	h.port = target.port = 25;
	h.starttls = STARTTLS_COMPLETED;
	h.findings = 1u << FINDING_STRAY_PLAINTEXT;
	says(&h, NULL);
	nothing_left();
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, second_up, second_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(one_canary_a_network),
		EACH(a_canary_for_every_host_or_none),
		EACH(who_answers_is_a_phantom),
		EACH(versions_are_asked_one_by_one),
		EACH(versions_below_the_negotiated_one_alone),
		EACH(a_version_that_is_not_answered),
		EACH(injection_after_a_clean_session),
		EACH(injection_that_finds_nothing),
		EACH(injection_where_it_makes_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
