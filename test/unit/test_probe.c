/* test_probe.c: a probe process against real TLS and scripted servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "engine/cookie.h"
#include "test/unit/probe_lab.h"

#define SAY(text)             \
	{                     \
		ACT_SAY, text \
	}
#define HEAR(text)             \
	{                      \
		ACT_HEAR, text \
	}

/* POP3 up to STLS, and from there on. */
#define POP3_BEFORE                                          \
	SAY("+OK mail.example.org ready\r\n"), HEAR("CAPA"), \
	    SAY("+OK\r\nSTLS\r\nSASL\r\n.\r\n"), HEAR("STLS")
#define POP3_AFTER                                               \
	HEAR("CAPA"), SAY("+OK\r\nUSER\r\n.\r\n"), HEAR("QUIT"), \
	    SAY("+OK bye\r\n")

static const struct act stls[] = { POP3_BEFORE, SAY("+OK go\r\n"),
	{ ACT_TLS, NULL }, POP3_AFTER, { ACT_END, NULL } };

static uint32_t
bit(enum finding f)
{
	return 1u << f;
}

/* The line of the transcript by this speaker that holds this text. */
static bool
heard(const struct lab_result *r, enum speaker who, const char *text)
{
	struct field f;
	uint32_t at = 0;

	while (body_next(r->body, r->body_len, &at, &f))
		if (f.tag == TAG_TRANSCRIPT && f.bytes[0] == who &&
		    memmem(f.bytes + 8, f.len - 8, text, strlen(text)))
			return true;
	return false;
}

static void
expect(const struct lab_result *r, enum outcome o, enum starttls s,
    uint32_t findings)
{
	if (r->head.outcome != o || r->head.starttls != s ||
	    r->head.findings != findings)
		fail_msg("outcome %s starttls %s findings %x, not %s %s %x",
		    outcome_names[r->head.outcome],
		    starttls_names[r->head.starttls], r->head.findings,
		    outcome_names[o], starttls_names[s], findings);
	assert_int_equal(r->done.outcome, o);
	assert_int_equal(r->done.sport, 40001);
}

static void
starttls_with(enum lab_certificate c, int version, struct lab_result *r)
{
	struct lab_tls tls = { .certificate = c, .version = version };

	lab_probe(110, stls, &tls, r);
	assert_int_equal(r->server_status, 0);
	assert_int_equal(r->head.outcome, OUTCOME_COMPLETED);
}

static void
tls13_good(void **state)
{
	static struct lab_result r;
	struct field chain;

	(void)state;
	starttls_with(CERT_GOOD, 0, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, 0);
	assert_int_equal(r.head.tls_version, TLS1_3_VERSION);
	assert_int_equal(r.head.cipher, 0x1301);
	assert_int_equal(r.head.group, 29);
	assert_int_equal(r.head.group_bits, 253);
	assert_int_equal(r.head.peer_sigalg, 0x0804);
	assert_int_equal(r.head.chain, CHAIN_TRUSTED);
	assert_int_equal(r.head.chain_len, 2);
	assert_int_equal(r.head.key_type, KEY_RSA);
	assert_int_equal(r.head.key_bits, 2048);
	assert_int_equal(r.head.validation, 1);
	assert_int_equal(r.head.ttl, 57);
	assert_in_range(r.head.rtt_us, 1, 1000000); /* the kernel's own */
	assert_true(r.head.flags & HEAD_CHAIN_PARSED);
	assert_true(r.head.flags & HEAD_NAME_MATCH);
	assert_int_equal(r.head.names, NAME_GREETING);
	assert_true(r.head.flags & HEAD_TICKET);
	assert_int_equal(r.certificates, 2);
	assert_true(body_find(r.body, r.body_len, TAG_CHAIN, &chain));
	assert_int_equal(chain.len, 2 * SHA256_LEN);
	assert_memory_equal(chain.bytes, r.head.leaf, SHA256_LEN);
	assert_true(
	    heard(&r, SPEAKER_TLS, "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519"));
	assert_true(heard(&r, SPEAKER_CLIENT, "STLS"));
	assert_true(heard(&r, SPEAKER_SERVER, "+OK bye"));
}

/* The chain of the test before: store has it, so nothing is sent again. */
static void
certificates_travel_once(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_GOOD, TLS1_2_VERSION, &r);
	assert_int_equal(r.certificates, 0);
	assert_int_equal(r.head.chain, CHAIN_TRUSTED);
	assert_int_equal(r.head.tls_version, TLS1_2_VERSION);
	assert_int_equal(r.head.group, 29);
	assert_int_equal(r.head.peer_sigalg, 0x0804);
}

static void
tls10_only(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_GOOD, TLS1_VERSION, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_OBSOLETE_TLS));
	assert_int_equal(r.head.tls_version, TLS1_VERSION);
	assert_int_equal(r.head.peer_sigalg, 0);
}

/*
 * One write: the server that reads on in clear has the command before TLS, and
 * answers it inside; the other has thrown it away.
 */
static void
a_command_behind_starttls(void **state)
{
	static const struct act carried_out[] = { POP3_BEFORE, HEAR("CAPA"),
		SAY("+OK go\r\n"), { ACT_TLS, NULL },
		SAY("+OK\r\nUSER\r\n.\r\n"), HEAR("QUIT"), SAY("+OK bye\r\n"),
		{ ACT_END, NULL } };
	static const struct act thrown_away[] = { POP3_BEFORE, HEAR("CAPA"),
		SAY("+OK go\r\n"), { ACT_TLS, NULL }, HEAR("QUIT"),
		SAY("+OK bye\r\n"), { ACT_END, NULL } };
	static const struct lab_tls tls = { .version = 0 };
	static struct lab_result r;

	(void)state;
	lab_probe_second(KIND_INJECTION, 0, 110, carried_out, &tls, &r);
	assert_int_equal(r.server_status, 0);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_STARTTLS_INJECTION));
	assert_true(heard(&r, SPEAKER_SERVER, "USER"));
	lab_probe_second(KIND_INJECTION, 0, 110, thrown_away, &tls, &r);
	assert_int_equal(r.server_status, 0);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, 0);
}

/* The attempt says which version is the highest that we offer. */
static void
one_version_after_the_other(void **state)
{
	static const struct {
		unsigned attempt;
		int server, negotiated;
	} each[] = { { 3, TLS1_2_VERSION, TLS1_2_VERSION },
		{ 3, TLS1_3_VERSION, 0 }, { 2, TLS1_2_VERSION, 0 },
		{ 2, TLS1_1_VERSION, TLS1_1_VERSION },
		{ 1, TLS1_VERSION, TLS1_VERSION }, { 1, TLS1_1_VERSION, 0 } };
	static struct lab_result r;

	(void)state;
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		struct lab_tls tls = { .version = each[i].server };

		lab_probe_second(
		    KIND_TLS_VERSION, each[i].attempt, 110, stls, &tls, &r);
		assert_int_equal(r.head.kind, KIND_TLS_VERSION);
		assert_int_equal(r.head.tls_version, each[i].negotiated);
		assert_int_equal(r.head.starttls,
		    each[i].negotiated ? STARTTLS_COMPLETED
				       : STARTTLS_HANDSHAKE_FAILED);
	}
}

static void
expired(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_EXPIRED, 0, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, bit(FINDING_EXPIRED));
	assert_int_equal(r.head.chain, CHAIN_TRUSTED);
}

static void
not_yet_valid(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_FUTURE, 0, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_NOT_YET_VALID));
}

static void
self_signed(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_SELF_SIGNED, 0, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_SELF_SIGNED) | bit(FINDING_UNTRUSTED));
	assert_int_equal(r.head.chain, CHAIN_SELF_SIGNED);
	assert_int_equal(r.certificates, 1);
}

static void
other_ca(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_OTHER_CA, 0, &r);
	expect(
	    &r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, bit(FINDING_UNTRUSTED));
	assert_int_equal(
	    r.head.verify_error, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

static void
rsa_1024(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_RSA1024, 0, &r);
	expect(
	    &r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, bit(FINDING_WEAK_KEY));
	assert_int_equal(r.head.key_bits, 1024);
}

static void
sha1_signed(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_SHA1, 0, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_WEAK_SIGNATURE));
}

static void
elliptic_curve(void **state)
{
	static struct lab_result r;

	(void)state;
	starttls_with(CERT_EC, TLS1_2_VERSION, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, 0);
	assert_int_equal(r.head.key_type, KEY_EC);
	assert_int_equal(r.head.key_bits, 256);
	assert_int_equal(r.head.peer_sigalg, 0x0403);
}

static void
small_dh(void **state)
{
	static struct lab_result r;
	static const struct lab_tls tls = { CERT_GOOD, TLS1_2_VERSION,
		"DHE-RSA-AES256-GCM-SHA384", "modp_1536", 0 };

	(void)state;
	lab_probe(110, stls, &tls, &r);
	expect(
	    &r, OUTCOME_COMPLETED, STARTTLS_COMPLETED, bit(FINDING_WEAK_KEY));
	assert_int_equal(r.head.group, 0);
	assert_int_equal(r.head.group_bits, 1536);
	assert_int_equal(r.head.cipher, 0x009f);
	assert_int_equal(r.head.peer_sigalg, 0x0804);
}

static void
client_certificate(void **state)
{
	static struct lab_result r;
	static const struct lab_tls tls = { CERT_GOOD, TLS1_3_VERSION, NULL,
		NULL, 1 };
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_TLS, NULL }, { ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, &tls, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_HANDSHAKE_FAILED,
	    bit(FINDING_STARTTLS_BROKEN));
	assert_int_equal(r.head.alert, 116);
	assert_int_equal(r.head.alert_side, 1);
}

static void
client_certificate_tls12(void **state)
{
	static struct lab_result r;
	static const struct lab_tls tls = { CERT_GOOD, TLS1_2_VERSION, NULL,
		NULL, 1 };
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_TLS, NULL }, { ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, &tls, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_HANDSHAKE_FAILED,
	    bit(FINDING_STARTTLS_BROKEN));
	assert_int_equal(r.head.alert, 40);
}

static void
not_tls(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_PAUSE, NULL }, SAY("-ERR what was that\r\n"),
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, NULL, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_NOT_TLS,
	    bit(FINDING_STARTTLS_BROKEN));
}

static void
closed_after_yes(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, NULL, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_CLOSED,
	    bit(FINDING_STARTTLS_BROKEN));
}

/* In one segment with the yes, or in a later one: the same verdict. */
static void
stray_plaintext(void **state)
{
	static struct lab_result r;
	static const struct lab_tls tls = { 0 };
	static const struct act at_once[] = { POP3_BEFORE,
		SAY("+OK go\r\n+OK stray\r\n"), { ACT_TLS, NULL }, POP3_AFTER,
		{ ACT_END, NULL } };
	static const struct act later[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_PAUSE, NULL }, SAY("+OK stray\r\n"), { ACT_PAUSE, NULL },
		{ ACT_TLS, NULL }, POP3_AFTER, { ACT_END, NULL } };
	struct field stray;

	(void)state;
	lab_probe(110, at_once, &tls, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_STRAY_PLAINTEXT));
	lab_probe(110, later, &tls, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_COMPLETED,
	    bit(FINDING_STRAY_PLAINTEXT));
	assert_true(body_find(r.body, r.body_len, TAG_STRAY, &stray));
	assert_int_equal(stray.len, strlen("+OK stray\r\n"));
}

static void
endless_clear_for_tls(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_FOREVER, "-ERR what was that\r\n" }, { ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, NULL, &r);
	expect(&r, OUTCOME_TOO_MUCH, STARTTLS_NOT_TLS,
	    bit(FINDING_STARTTLS_BROKEN));
}

/* They never end the handshake, and never let go of who reads them. */
static void
endless_handshake(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		{ ACT_HELLO_REQUESTS, NULL }, { ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, NULL, &r);
	assert_int_equal(r.head.outcome, OUTCOME_TOO_MUCH);
}

static void
garbage_for_tls(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { POP3_BEFORE, SAY("+OK go\r\n"),
		SAY("\026\003\001garbage that is no record at all........"),
		{ ACT_WAIT, NULL }, { ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, NULL, &r);
	assert_int_equal(r.head.starttls, STARTTLS_HANDSHAKE_FAILED);
	assert_int_equal(r.head.outcome, OUTCOME_COMPLETED);
}

static void
implicit_good(void **state)
{
	static struct lab_result r;
	static const struct lab_tls tls = { 0 };
	static const struct act acts[] = { { ACT_TLS, NULL },
		SAY("* OK [CAPABILITY IMAP4rev1] ready\r\n"),
		HEAR("d CAPABILITY"),
		SAY("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nd OK\r\n"),
		HEAR("f LOGOUT"), SAY("* BYE\r\nf OK\r\n"), { ACT_END, NULL } };

	(void)state;
	lab_probe(993, acts, &tls, &r);
	assert_int_equal(r.server_status, 0);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_IMPLICIT, 0);
	assert_true(r.head.flags & HEAD_IMPLICIT);
}

static void
clear_on_implicit(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { { ACT_PAUSE, NULL },
		SAY("* OK ready\r\n"), HEAR("\026"), SAY("* BAD what\r\n"),
		{ ACT_UNTIL, "a CAPABILITY" },
		SAY("* CAPABILITY IMAP4rev1\r\na OK\r\n"), HEAR("c STARTTLS"),
		SAY("c BAD no\r\n"), HEAR("f LOGOUT"), SAY("f OK\r\n"),
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(993, acts, NULL, &r);
	expect(&r, OUTCOME_COMPLETED, STARTTLS_NOT_OFFERED,
	    bit(FINDING_CLEARTEXT_ON_TLS_PORT) | bit(FINDING_CLEARTEXT_LOGIN));
}

static void
implicit_silent(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { { ACT_WAIT, NULL },
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(993, acts, NULL, &r);
	expect(&r, OUTCOME_SILENT, STARTTLS_NONE, 0);
	assert_in_range(r.head.duration_ms, 1400, 2500);
}

static void
silent(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { { ACT_WAIT, NULL },
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(25, acts, NULL, &r);
	expect(&r, OUTCOME_SILENT, STARTTLS_NONE, 0);
}

static void
tarpit(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = {
		{ ACT_DRIP,
		    "220-"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
		{ ACT_END, NULL }
	};

	(void)state;
	lab_probe(25, acts, NULL, &r);
	expect(&r, OUTCOME_TARPIT, STARTTLS_NONE, 0);
}

static void
endless(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { SAY("220 mx.example.org\r\n"),
		HEAR("EHLO"), { ACT_FOREVER, "250-XENDLESS xxxxxxxxxxx\r\n" },
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(25, acts, NULL, &r);
	expect(&r, OUTCOME_TOO_MUCH, STARTTLS_UNKNOWN, 0);
	assert_true(r.head.flags & HEAD_TRUNCATED);
}

static void
endless_line(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { { ACT_FOREVER, "220-xxxxxxxxxxxx" },
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(25, acts, NULL, &r);
	expect(&r, OUTCOME_TOO_MUCH, STARTTLS_NONE, 0);
}

static void
reset_at_once(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { { ACT_RESET, NULL },
		{ ACT_END, NULL } };

	(void)state;
	lab_probe(143, acts, NULL, &r);
	expect(&r, OUTCOME_RESET, STARTTLS_NONE, 0);
}

/* The server never closes: we do, after a while, and the record is whole. */
static void
farewell_is_bounded(void **state)
{
	static struct lab_result r;
	static const struct act acts[] = { SAY("-ERR busy\r\n"), HEAR("QUIT"),
		SAY("+OK\r\n"), { ACT_WAIT, NULL }, { ACT_END, NULL } };

	(void)state;
	lab_probe(110, acts, NULL, &r);
	expect(
	    &r, OUTCOME_REFUSED_US, STARTTLS_UNKNOWN, bit(FINDING_REFUSED_US));
	assert_in_range(r.head.duration_ms, 4900, 6000);
}

/* Nobody reads the records: the probe stops taking, and loses nothing. */
static void
full_wires_stop_it(void **state)
{
	unsigned taken;

	(void)state;
	taken = lab_flood(3000);
	assert_in_range(taken, 100, 2900);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls13_good),
		cmocka_unit_test(certificates_travel_once),
		cmocka_unit_test(tls10_only),
		cmocka_unit_test(one_version_after_the_other),
		cmocka_unit_test(a_command_behind_starttls),
		cmocka_unit_test(expired),
		cmocka_unit_test(not_yet_valid),
		cmocka_unit_test(self_signed),
		cmocka_unit_test(other_ca),
		cmocka_unit_test(rsa_1024),
		cmocka_unit_test(sha1_signed),
		cmocka_unit_test(elliptic_curve),
		cmocka_unit_test(small_dh),
		cmocka_unit_test(client_certificate),
		cmocka_unit_test(client_certificate_tls12),
		cmocka_unit_test(not_tls),
		cmocka_unit_test(closed_after_yes),
		cmocka_unit_test(stray_plaintext),
		cmocka_unit_test(endless_clear_for_tls),
		cmocka_unit_test(endless_handshake),
		cmocka_unit_test(garbage_for_tls),
		cmocka_unit_test(implicit_good),
		cmocka_unit_test(clear_on_implicit),
		cmocka_unit_test(implicit_silent),
		cmocka_unit_test(silent),
		cmocka_unit_test(tarpit),
		cmocka_unit_test(endless),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(reset_at_once),
		cmocka_unit_test(farewell_is_bounded),
		cmocka_unit_test(full_wires_stop_it),
	};

	return cmocka_run_group_tests(tests, lab_up, lab_down);
}
