/* test_reach.c: whose rows have changed: those that a feed sends them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

#define BEFORE "20261122T020000Z-test"
#define NOW    "20261123T020000Z-test"

enum {
	CLEAR = 1 << FINDING_NO_TLS | 1 << FINDING_CLEARTEXT_LOGIN,
	EXPIRED = 1 << FINDING_EXPIRED,
	BODY_CAP = 128
};

/* What a target was or is; named: with the certificate of mail.example.net. */
struct state {
	bool there, named;
	uint32_t findings;
	enum outcome outcome;
	const char *exim; /* SMTP, of this version */
};

#define ABSENT                 \
	{                      \
		.there = false \
	}
#define POP3(findings)                                         \
	{                                                      \
		true, false, findings, OUTCOME_COMPLETED, NULL \
	}
#define NAMED(findings)                                       \
	{                                                     \
		true, true, findings, OUTCOME_COMPLETED, NULL \
	}
#define SMTP(findings, version)                                   \
	{                                                         \
		true, false, findings, OUTCOME_COMPLETED, version \
	}

static const struct {
	const char *addr, *country;
	struct state before, now;
} all[] = {
	{ "192.0.2.1", "DE", POP3(CLEAR), POP3(0) }, /* fixed */
	{ "192.0.2.2", "DE", ABSENT, POP3(0) }, /* new */
	{ "192.0.2.3", "PL", NAMED(EXPIRED), POP3(0) }, /* fixed */
	{ "192.0.2.4", "PL", NAMED(0), ABSENT }, /* not seen */
	{ "192.0.2.5", "PL", POP3(0), NAMED(CLEAR) }, /* worse */
	/* The same, but without a dialog no feed has it any more. */
	{ "192.0.2.6", "DE", POP3(0), { true, true, 0, OUTCOME_BROKEN, NULL } },
	/* Fixed, which the version of the earlier row says. */
	{ "192.0.2.7", "PL", SMTP(EXPIRED, "4.91"), SMTP(0, "4.99") },
	{ "192.0.2.8", "PL", SMTP(0, "4.91"), SMTP(0, "4.91") }, /* same */
};
enum { ALL = sizeof all / sizeof all[0] };

static const char recipients[] =
    "helo = scan.example.net\ncontact = a@example.net\n"
    "targets = 192.0.2.0/24\nexclude = 192.0.2.255\n"
    "recipient de { country = DE }\n"
    "recipient named { domain = example.net }\n"
    "recipient typed { everything = true types = scan_pop3_vulnerable }\n"
    "recipient severe { everything = true min_severity = critical }\n";

/* The certificate of the sample, which is kept for all sweeps. */
static void
find_leaf(uint8_t leaf[SHA256_LEN])
{
	struct target t = help_target("192.0.2.2", 110);
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(sample_datadir, SAMPLE_ID, error);
	const uint8_t *body;
	struct head h;
	uint32_t len;

	assert_non_null(s);
	assert_true(store_get(s, &t, &h, &body, &len));
	memcpy(leaf, h.leaf, SHA256_LEN);
	store_close(s);
}

static struct head
head_of(const struct target *t, const struct state *s, const char *country,
    const uint8_t leaf[SHA256_LEN])
{
	struct head h = help_head(t, s->outcome, s->findings, 1000);

	h.starttls = s->outcome == OUTCOME_COMPLETED ? STARTTLS_NOT_OFFERED
						     : STARTTLS_UNKNOWN;
	if (s->exim)
		h.protocol = PROTOCOL_SMTP;
	if (s->named)
		memcpy(h.leaf, leaf, SHA256_LEN);
	memcpy(h.country, country, sizeof h.country);
	return h;
}

static void
seal_one(const char *id, bool now, const uint8_t leaf[SHA256_LEN])
{
	static uint8_t bodies[ALL][BODY_CAP];
	struct record records[ALL];
	struct help_row rows[ALL];
	unsigned n = 0;

	for (unsigned i = 0; i < ALL; i++) {
		const struct state *s = now ? &all[i].now : &all[i].before;
		struct record *r = &records[i];

		if (!s->there)
			continue;
		record_init(r, bodies[i], BODY_CAP);
		if (s->exim) {
			record_put(r, TAG_PRODUCT, "Exim", 4);
			record_put(r, TAG_VERSION, s->exim, strlen(s->exim));
		}
		rows[n].target = help_target(all[i].addr, 110);
		rows[n].head =
		    head_of(&rows[n].target, s, all[i].country, leaf);
		rows[n++].body = s->exim ? r : NULL;
	}
	help_seal(sample_datadir, id, 1000, rows, n, 0);
}

static void
by_recipient(const char *conf, const char *expected)
{
	char path[96], arguments[256], *text;
	FILE *f;

	snprintf(path, sizeof path, "%s/test.conf", sample_datadir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(conf, f) >= 0);
	assert_int_equal(fclose(f), 0);
	snprintf(arguments, sizeof arguments,
	    "-f %s --by recipient --csv " BEFORE " " NOW, path);
	text = run_command(&command_diff, sample_datadir, arguments, TOOL_OK);
	assert_string_equal(text, expected);
	free(text);
}

static void
test_diff_by_recipient(void **state)
{
	uint8_t leaf[SHA256_LEN];

	(void)state;
	find_leaf(leaf);
	seal_one(BEFORE, false, leaf);
	seal_one(NOW, true, leaf);
	by_recipient(recipients,
	    "\"recipient\",\"new\",\"back\",\"fixed\",\"worse\",\"not_seen\","
	    "\"gone\",\"same\"\n"
	    "\"named\",0,0,1,1,1,0,0\n"
	    "\"typed\",0,0,1,1,0,0,0\n"
	    "\"de\",1,0,1,0,0,0,0\n"
	    "\"severe\",0,0,1,0,0,0,1\n"
	    "\"all\",1,0,3,1,1,0,2\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff_by_recipient),
	};

	return cmocka_run_group_tests_name(
	    "reach", tests, sample_setup, sample_teardown);
}
