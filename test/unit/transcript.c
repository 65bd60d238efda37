/* transcript.c: reads, replays and checks dialogs that are kept as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "probes/chain.h"
#include "test/unit/transcript.h"

enum { LINE_CAP = 70000, NOW_S = 1800000000 };

/* \xNN and \\ in text stand for a byte. */
static size_t
unescape(const char *text, uint8_t *out)
{
	size_t n = 0;

	while (*text) {
		char hex[3] = { 0 };

		if (text[0] == '\\' && text[1] == 'x') {
			memcpy(hex, text + 2, 2);
			out[n++] = (uint8_t)strtoul(hex, NULL, 16);
			text += 4;
		} else if (text[0] == '\\' && text[1] == '\\') {
			out[n++] = '\\';
			text += 2;
		} else {
			out[n++] = (uint8_t)*text++;
		}
	}
	return n;
}

static void
stretch_add(struct transcript *t, const char *text, const char *end)
{
	struct stretch *s = &t->stretches[t->nstretches];
	size_t need = s->len + strlen(text) + strlen(end) + 1;

	if (need > s->cap) {
		s->cap = need * 2;
		s->bytes = realloc(s->bytes, s->cap);
		assert_non_null(s->bytes);
	}
	s->len += unescape(text, s->bytes + s->len);
	memcpy(s->bytes + s->len, end, strlen(end));
	s->len += strlen(end);
}

/* "imap 143", "smtp 465 tls", "pop3 110 hello" */
static void
port_read(struct transcript *t, const char *text)
{
	char protocol[16] = "", *kind;
	size_t n = strcspn(text, " ");

	assert_true(n < sizeof protocol);
	memcpy(protocol, text, n);
	t->protocol =
	    (enum protocol)name_find(protocol_names, PROTOCOL_COUNT, protocol);
	t->port = (uint16_t)strtoul(text + n, &kind, 10);
	t->kind = strcmp(kind, " tls") == 0 ? PORT_TLS
	    : strcmp(kind, " hello") == 0   ? PORT_HELLO
	    : strcmp(kind, " inject") == 0  ? PORT_INJECTION
					    : PORT_CLEAR;
}

/* "REPEAT n text": the same line so many times. */
static void
repeat(struct transcript *t, const char *text)
{
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);

	while (n-- > 0)
		stretch_add(t, rest + 1, "\r\n");
}

static void
line_read(struct transcript *t, const char *line)
{
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (strncmp(line, "PORT ", 5) == 0)
		port_read(t, line + 5);
	else if (strncmp(line, "S: ", 3) == 0 || strcmp(line, "S:") == 0)
		stretch_add(t, line[2] ? line + 3 : "", "\r\n");
	else if (strncmp(line, "L: ", 3) == 0)
		stretch_add(t, line + 3, "\n");
	else if (strncmp(line, "P: ", 3) == 0)
		stretch_add(t, line + 3, "");
	else if (strncmp(line, "REPEAT ", 7) == 0)
		repeat(t, line + 7);
	else if (strncmp(line, "C: ", 3) == 0 || strcmp(line, "C:") == 0)
		t->said[t->nsaid++] = strdup(line[2] ? line + 3 : "");
	else if (strncmp(line, "= ", 2) == 0)
		t->expect[t->nexpect++] = strdup(line + 2);
	else
		snprintf(t->stretches[t->nstretches++].mark,
		    sizeof t->stretches->mark, "%s", line);
	assert_true(t->nsaid < SAID_MAX && t->nexpect < EXPECT_MAX &&
	    t->nstretches < 15);
}

struct transcript *
transcript_read(const char *path)
{
	struct transcript *t = calloc(1, sizeof *t);
	char *line = malloc(LINE_CAP);
	FILE *in = fopen(path, "r");

	assert_non_null(t);
	assert_non_null(line);
	if (!in)
		fail_msg("%s: cannot be opened", path);
	snprintf(t->name, sizeof t->name, "%s", path);
	while (fgets(line, LINE_CAP, in)) {
		line[strcspn(line, "\n")] = '\0';
		line_read(t, line);
	}
	t->nstretches++;
	fclose(in);
	free(line);
	if (t->protocol == PROTOCOL_UNKNOWN || t->nexpect == 0)
		fail_msg("%s: no PORT line, or nothing expected", path);
	return t;
}

void
transcript_free(struct transcript *t)
{
	for (size_t i = 0; i < t->nstretches; i++)
		free(t->stretches[i].bytes);
	for (size_t i = 0; i < t->nsaid; i++)
		free(t->said[i]);
	for (size_t i = 0; i < t->nexpect; i++)
		free(t->expect[i]);
	free(t);
}

/* What goes out in one write, line by line. */
static void
say(struct replay *r)
{
	char out[DIALOG_SAY_MAX + 1];
	size_t n = dialog_say(&r->dialog, 1, out);
	char *line = out, *end;

	assert_true(n >= 2 && memcmp(out + n - 2, "\r\n", 2) == 0);
	out[n] = '\0';
	for (; *line; line = end + 2) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		*end = '\0';
		assert_true(r->nsaid < SAID_MAX);
		r->said[r->nsaid++] = strdup(line);
	}
}

/* Bytes where TLS is wanted: stray, or the dialog goes on in clear. */
static bool
clear(struct replay *r)
{
	uint32_t n;
	const uint8_t *left = line_left(&r->lines, &n);

	if (n == 0)
		return false;
	if (dialog_clear(&r->dialog, left, n))
		line_drop(&r->lines);
	return true;
}

static void
end(struct replay *r, enum ending why, const char *text)
{
	uint32_t n;
	const uint8_t *left = line_left(&r->lines, &n);

	dialog_end(&r->dialog, 4, why, left, n, text);
}

static bool
hear(struct replay *r)
{
	struct line line;

	switch (line_next(&r->lines, &line)) {
	case LINE_GOT:
		dialog_hear(&r->dialog, 2, &line);
		return true;
	case LINE_FULL:
		end(r, ENDING_MUCH, "line over our cap");
		return false;
	default:
		return false;
	}
}

/* Give the dialog what it wants until it wants what is not there. */
static void
pump(struct replay *r)
{
	for (;;) {
		switch (dialog_want(&r->dialog)) {
		case WANT_SAY:
			say(r);
			break;
		case WANT_TLS:
			if (!clear(r))
				return;
			break;
		case WANT_NOTHING:
			return;
		default:
			if (!hear(r))
				return;
		}
	}
}

static void
feed(struct replay *r, const uint8_t *bytes, size_t len)
{
	while (len > 0 && dialog_want(&r->dialog) != WANT_NOTHING) {
		uint32_t room, n;
		uint8_t *space = line_space(&r->lines, &room);

		assert_true(room > 0);
		n = len < room ? (uint32_t)len : room;
		memcpy(space, bytes, n);
		line_fed(&r->lines, n);
		bytes += n;
		len -= n;
		pump(r);
	}
}

/* What a server's certificate says: test/transcript/certs/NAME.pem. */
static void
certificate(struct replay *r, const char *name)
{
	static const char dir[] = "test/transcript/certs";
	static struct chains *chains;
	char path[300], *pem_name = NULL, *header = NULL;
	struct chain chain;
	struct der der;
	uint8_t *bytes = NULL;
	long len = 0;
	FILE *in;

	snprintf(path, sizeof path, "%s/ca.pem", dir);
	if (!chains)
		chains = chains_new(path);
	assert_non_null(chains);
	snprintf(path, sizeof path, "%s/%s.pem", dir, name);
	in = fopen(path, "r");
	if (!in || PEM_read(in, &pem_name, &header, &bytes, &len) != 1)
		fail_msg("%s: no certificate", path);
	fclose(in);
	der = (struct der){ bytes, (size_t)len };
	chain_judge(chains, &der, 1, &chain);
	chain_report(&chain, &r->dialog.facts);
	OPENSSL_free(pem_name);
	OPENSSL_free(header);
	OPENSSL_free(bytes);
}

/* "TLS TLSv1.3": done; "ALERT 40 theirs": failed; "CLOSE", "RESET" ... */
static void
mark(struct replay *r, const char *text)
{
	struct head *h = &r->record.head;

	if (dialog_want(&r->dialog) == WANT_NOTHING)
		return;
	if (strncmp(text, "TLS ", 4) == 0) {
		assert_int_equal(dialog_want(&r->dialog), WANT_TLS);
		for (uint16_t v = 0x301; v <= 0x304; v++)
			if (strcmp(tls_version_name(v), text + 4) == 0)
				h->tls_version = v;
		assert_int_not_equal(h->tls_version, 0);
		dialog_begun(&r->dialog);
		dialog_secured(&r->dialog, 5, text + 4);
	} else if (strncmp(text, "ALERT ", 6) == 0) {
		h->alert = (uint8_t)strtoul(text + 6, NULL, 10);
		h->alert_side = strstr(text, "theirs") ? 1 : 2;
		if (dialog_want(&r->dialog) == WANT_TLS)
			dialog_begun(&r->dialog);
		dialog_failed(&r->dialog, 5, text);
	} else if (strncmp(text, "CERT ", 5) == 0) {
		certificate(r, text + 5);
	} else if (strcmp(text, "CANARY") == 0) {
		h->flags |= HEAD_CANARY;
	} else if (strcmp(text, "BEGUN") == 0) {
		dialog_begun(&r->dialog);
	} else if (strcmp(text, "QUIET") == 0) {
		assert_int_equal(dialog_want(&r->dialog), WANT_QUIET);
		dialog_quiet(&r->dialog);
	} else if (strcmp(text, "CLOSE") == 0) {
		end(r, ENDING_CLOSED, "closed by the server");
	} else if (strcmp(text, "RESET") == 0) {
		end(r, ENDING_RESET, "reset by the server");
	} else if (strcmp(text, "TIMEOUT") == 0) {
		end(r, ENDING_TIME, "timed out");
	} else if (strcmp(text, "SLOW") == 0) {
		end(r, ENDING_SLOW, "too slow");
	} else if (text[0] != '\0') {
		fail_msg("unknown mark: %s", text);
	}
	pump(r);
}

/* The table that is installed, read once. */
static const struct products *
shipped_products(void)
{
	static struct products *table;
	static char text[1 << 18];
	char error[PRODUCTS_ERROR_MAX];
	FILE *file;

	if (table)
		return table;
	file = fopen("conf/products", "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	table = products_read("conf/products", text, NULL, error);
	if (!table)
		fail_msg("%s", error);
	return table;
}

void
transcript_replay(
    const struct transcript *t, struct replay *r, size_t first, size_t step)
{
	size_t pos = 0, cut = first;

	memset(r, 0, offsetof(struct replay, line));
	r->manners = (struct manners){
		.helo = "probe.example.org",
		.contact = "https://probe.example.org/",
		.reply_max = REPLY_MAX,
		.reply_lines_max = REPLY_LINES_MAX,
		.products = shipped_products(),
	};
	record_init(&r->record, r->body, sizeof r->body);
	r->record.head.port_protocol = (uint8_t)t->protocol;
	r->record.head.port = t->port;
	r->record.head.time_us = (uint64_t)NOW_S * 1000000;
	line_init(&r->lines, r->line, sizeof r->line);
	dialog_start(&r->dialog, &r->manners, &r->record, probe_of(t->protocol),
	    t->kind);
	pump(r);
	for (size_t i = 0; i < t->nstretches; i++) {
		const struct stretch *s = &t->stretches[i];

		for (size_t at = 0; at < s->len;) {
			size_t n = s->len - at;

			n = n < cut - pos ? n : cut - pos;
			feed(r, s->bytes + at, n);
			at += n;
			pos += n;
			if (pos == cut)
				cut = step > SIZE_MAX - pos ? SIZE_MAX
							    : pos + step;
		}
		mark(r, s->mark);
	}
	dialog_conclude(&r->dialog);
}

void
replay_free(struct replay *r)
{
	for (size_t i = 0; i < r->nsaid; i++)
		free(r->said[i]);
}

/* ---- what is expected --------------------------------------------------- */

struct named {
	const char *name;
	unsigned value;
};

static const struct named tags[] = {
	{ "greeting", TAG_GREETING },
	{ "capability_before", TAG_CAPABILITY_BEFORE },
	{ "capability_after", TAG_CAPABILITY_AFTER },
	{ "sasl_before", TAG_SASL_BEFORE },
	{ "sasl_after", TAG_SASL_AFTER },
	{ "starttls_reply", TAG_STARTTLS_REPLY },
	{ "stray", TAG_STRAY },
	{ "ehlo_name", TAG_EHLO_NAME },
	{ "greeting_name", TAG_GREETING_NAME },
	{ "implementation", TAG_IMPLEMENTATION },
	{ "product", TAG_PRODUCT },
	{ "version", TAG_VERSION },
	{ "other_protocol", TAG_OTHER_PROTOCOL },
};

static const struct named flags[] = {
	{ "offered", HEAD_OFFERED },
	{ "later", HEAD_TRY_LATER },
	{ "asked_offer", HEAD_ASKED_OFFER },
	{ "login_before", HEAD_LOGIN_BEFORE },
	{ "lf_only", HEAD_LF_ONLY },
	{ "apop", HEAD_APOP },
	{ "helo_only", HEAD_HELO_ONLY },
	{ "truncated", HEAD_TRUNCATED },
};

static unsigned
value_of(const struct named *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].value;
	fail_msg("no such name in a transcript: %s", name);
	return 0;
}

#define VALUE_OF(names, name) \
	value_of(names, sizeof names / sizeof *names, name)

static bool
has_field(const struct record *r, enum tag tag, const char *text)
{
	uint8_t *want = malloc(strlen(text) + 1);
	size_t len = unescape(text, want);
	struct field f;
	uint32_t at = 0;
	bool has = false;

	while (body_next(r->body, r->len, &at, &f))
		if (f.tag == tag && f.len == len &&
		    memcmp(f.bytes, want, len) == 0)
			has = true;
	free(want);
	return has;
}

static unsigned
count(const struct record *r, enum tag tag)
{
	struct field f;
	uint32_t at = 0;
	unsigned n = 0;

	while (body_next(r->body, r->len, &at, &f))
		n += f.tag == tag;
	return n;
}

static bool
agrees(const struct record *r, const char *key, const char *value)
{
	const struct head *h = &r->head;

	if (strcmp(key, "outcome") == 0)
		return strcmp(outcome_names[h->outcome], value) == 0;
	if (strcmp(key, "starttls") == 0)
		return strcmp(starttls_names[h->starttls], value) == 0;
	if (strcmp(key, "protocol") == 0)
		return strcmp(protocol_names[h->protocol], value) == 0;
	if (strcmp(key, "code") == 0)
		return h->code == strtoul(value, NULL, 10);
	if (strcmp(key, "flag") == 0)
		return h->flags & VALUE_OF(flags, value);
	if (strcmp(key, "noflag") == 0)
		return !(h->flags & VALUE_OF(flags, value));
	if (strcmp(key, "none") == 0)
		return count(r, (enum tag)VALUE_OF(tags, value)) == 0;
	return has_field(r, (enum tag)VALUE_OF(tags, key), value);
}

/* Exactly the findings that are expected, neither more nor fewer. */
static uint32_t
findings_expected(const struct transcript *t)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < t->nexpect; i++) {
		int f;

		if (strncmp(t->expect[i], "finding ", 8) != 0)
			continue;
		f = name_find(finding_names, FINDING_COUNT, t->expect[i] + 8);
		if (f < 0)
			fail_msg("%s: no such finding: %s", t->name,
			    t->expect[i] + 8);
		bits |= 1u << f;
	}
	return bits;
}

static void
findings_check(
    const struct transcript *t, const struct record *r, const char *how)
{
	uint32_t expected = findings_expected(t), got = r->head.findings;

	for (unsigned f = 0; f < FINDING_COUNT; f++)
		if ((expected ^ got) >> f & 1)
			fail_msg("%s (%s): %s %s", t->name, how,
			    got >> f & 1 ? "unexpected" : "missing",
			    finding_names[f]);
}

/* Counts are exact where a key appears at all. */
static void
counts_check(
    const struct transcript *t, const struct record *r, const char *how)
{
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		unsigned n = 0, got = count(r, (enum tag)tags[i].value);
		size_t len = strlen(tags[i].name);

		for (size_t k = 0; k < t->nexpect; k++)
			n += strncmp(t->expect[k], tags[i].name, len) == 0 &&
			    t->expect[k][len] == ' ';
		if (n > 0 && n != got)
			fail_msg("%s (%s): %u times %s, not %u", t->name, how,
			    got, tags[i].name, n);
	}
}

static void
said_check(const struct transcript *t, const struct replay *r, const char *how)
{
	for (size_t i = 0; i < t->nsaid || i < r->nsaid; i++) {
		const char *want = i < t->nsaid ? t->said[i] : "(nothing)";
		const char *got = i < r->nsaid ? r->said[i] : "(nothing)";

		if (strcmp(want, got) != 0)
			fail_msg("%s (%s): line %zu of ours: \"%s\", not "
				 "\"%s\"",
			    t->name, how, i + 1, got, want);
	}
}

/* "refusal none": how it was said that we are not wanted. */
static void
refusal_check(
    const struct transcript *t, const struct facts *f, const char *how)
{
	static const struct named refusals[] = { { "none", REFUSAL_NONE },
		{ "later", REFUSAL_LATER }, { "554", REFUSAL_554 },
		{ "listed", REFUSAL_LISTED } };

	for (size_t i = 0; i < t->nexpect; i++) {
		const char *value = t->expect[i] + 8;

		if (strncmp(t->expect[i], "refusal ", 8) == 0 &&
		    VALUE_OF(refusals, value) != f->refusal)
			fail_msg("%s (%s): not so: %s, but %d", t->name, how,
			    t->expect[i], f->refusal);
	}
}

void
transcript_check(
    const struct transcript *t, const struct replay *r, const char *how)
{
	uint8_t *flat = malloc(RECORD_MAX);
	size_t len = record_flatten(&r->record, flat, RECORD_MAX);

	if (!record_check(flat, len))
		fail_msg(
		    "%s (%s): the record is not well formed", t->name, how);
	free(flat);
	said_check(t, r, how);
	for (size_t i = 0; i < t->nexpect; i++) {
		char key[64] = "";
		const char *value = strchr(t->expect[i], ' ');

		assert_non_null(value);
		memcpy(key, t->expect[i], (size_t)(value - t->expect[i]));
		if (strcmp(key, "finding") != 0 &&
		    strcmp(key, "refusal") != 0 &&
		    !agrees(&r->record, key, value + 1))
			fail_msg("%s (%s): not so: %s; outcome %s, starttls "
				 "%s",
			    t->name, how, t->expect[i],
			    outcome_names[r->record.head.outcome],
			    starttls_names[r->record.head.starttls]);
	}
	refusal_check(t, &r->dialog.facts, how);
	findings_check(t, &r->record, how);
	counts_check(t, &r->record, how);
}
