/* smtp.c: SMTP (RFC 5321) with STARTTLS (RFC 3207). */
#include <ctype.h>
#include <string.h>

#include "probes/classify.h"
#include "probes/probe.h"

enum {
	END,
	GREETING,
	EHLO,
	HELO,
	STARTTLS,
	TLS,
	EHLO_TLS,
	WRAP,
	GREETING_TLS,
	QUIT
};

enum {
	CODE_READY = 220,
	CODE_CLOSING = 221,
	CODE_FAILS = 400,
	CODE_SHUTDOWN = 421
};

/* 2yz to 5yz: "100 users at most" in a banner is none (RFC 5321 4.2.1). */
static bool
has_code(const struct line *line)
{
	const uint8_t *s = line->bytes;

	return line->len >= 3 && s[0] >= '2' && s[0] <= '5' && isdigit(s[1]) &&
	    isdigit(s[2]) && (line->len == 3 || !isalnum(s[3]));
}

/*
 * Any reply: it ends at code and space (RFC 5321 section 4.2.1). A line with
 * no code inside a reply is a banner broken in two: it is passed over.
 */
static enum verdict
reply(struct facts *f, const struct line *line)
{
	const uint8_t *s = line->bytes;

	if (!has_code(line))
		return line->number == 0 ? BAD : MORE;
	if (line->len > 3 && s[3] == '-')
		return MORE;
	f->code =
	    (uint16_t)((s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0'));
	if (f->code == CODE_SHUTDOWN)
		return GONE;
	return f->code < CODE_FAILS ? OK : NO;
}

/* Stars in place of letters: an inspecting firewall's hand. */
static bool
masked_text(const uint8_t *s, size_t len)
{
	size_t stars = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '*')
			stars++;
		else if (s[i] != ' ' && s[i] != '0' && s[i] != '2')
			return false;
	}
	return stars >= 4;
}

static enum verdict
greeting(struct facts *f, const struct line *line)
{
	enum verdict v = reply(f, line);

	if (line->number == 0 && greeting_not_smtp(line->bytes, line->len))
		return BAD;
	if (v == BAD || v == MORE)
		return v;
	f->record->head.code = f->code;
	if (line->len > 4 && masked_text(line->bytes + 4, line->len - 4))
		record_find(f->record, FINDING_MASKED);
	if (v == OK && f->code != CODE_READY) {
		f->greeted = GREETED_ODD;
		return NO;
	}
	return v == GONE ? NO : v;
}

/* XXXXXXXA stands where the firewall took STARTTLS out. */
static bool
masked_word(const struct word *w)
{
	size_t n = 0;

	while (n < w->len && w->bytes[n] == 'X')
		n++;
	return n >= 3 && n + 1 == w->len && isupper(w->bytes[n]);
}

static void
capability(struct facts *f, const uint8_t *s, size_t len)
{
	static const char old[] = "AUTH="; /* before RFC 2554, still seen */
	struct word name;
	size_t at = 0;
	bool password = false;

	facts_capability(f, s, len);
	if (!word_next(s, len, &at, &name))
		return;
	if (bytes_equal(name.bytes, name.len, "STARTTLS"))
		facts_offer(f);
	else if (bytes_equal(name.bytes, name.len, "AUTH"))
		password = facts_sasl(f, s + at, len - at);
	else if (bytes_start(s, len, old))
		password =
		    facts_sasl(f, s + sizeof old - 1, len - (sizeof old - 1));
	else if (masked_word(&name))
		record_find(f->record, FINDING_MASKED);
	if (password)
		facts_login(f);
}

static void
name_put(struct facts *f, const uint8_t *s, size_t len)
{
	struct word name;
	struct field there;
	size_t at = 0;

	if (word_next(s, len, &at, &name) &&
	    !facts_find(f, TAG_EHLO_NAME, &there))
		facts_put(f, TAG_EHLO_NAME, name.bytes, name.len);
}

/* Lines of a yes are kept as they come: their code says 250 on each. */
static enum verdict
ehlo(struct facts *f, const struct line *line)
{
	enum verdict v = reply(f, line);

	if (has_code(line) && line->bytes[0] == '2' && line->len > 4) {
		if (line->number == 0)
			name_put(f, line->bytes + 4, line->len - 4);
		else
			capability(f, line->bytes + 4, line->len - 4);
	}
	if (v == OK && !f->tls) {
		f->listing = ANSWER_YES;
		f->proof = true;
	}
	return v;
}

static bool
ehlo_unknown(const struct facts *f)
{
	return f->code >= 500;
}

static enum verdict
helo(struct facts *f, const struct line *line)
{
	enum verdict v = reply(f, line);

	if (v == OK)
		f->record->head.flags |= HEAD_HELO_ONLY;
	return v;
}

/* Only 220 is a yes; only 4xx and 5xx are a no. */
static enum verdict
starttls(struct facts *f, const struct line *line)
{
	enum verdict v = reply(f, line);

	if (v != OK || f->code == CODE_READY)
		return v;
	f->upgrade = ANSWER_ODD;
	return NO;
}

/* EHLO has an answer and QUIT one, the last of all: 221. */
static bool
injected(struct facts *f, const struct line *line)
{
	enum verdict v = reply(f, line);

	if (v == MORE || v == BAD)
		return false;
	if (f->answers > 0)
		return true;
	if (f->code != CODE_CLOSING && f->code != CODE_SHUTDOWN)
		f->answers++;
	return false;
}

/* clang-format off */
static const struct step steps[] = {
	[GREETING]	= { PHASE_GREETING, NULL, greeting, EHLO, QUIT, NULL },
	[EHLO]		= { PHASE_ASK, "EHLO %h", ehlo, STARTTLS, HELO, NULL },
	[HELO]		= { PHASE_ASK, "HELO %h", helo,
			    STARTTLS, STARTTLS, ehlo_unknown },
	[STARTTLS]	= { PHASE_UPGRADE, "STARTTLS", starttls,
			    TLS, QUIT, NULL },
	[TLS]		= { PHASE_TLS, NULL, NULL, EHLO_TLS, END, NULL },
	[EHLO_TLS]	= { PHASE_ASK, "EHLO %h", ehlo, QUIT, QUIT, NULL },
	[WRAP]		= { PHASE_TLS, NULL, NULL, GREETING_TLS, END, NULL },
	[GREETING_TLS]	= { PHASE_GREETING, NULL, greeting,
			    EHLO_TLS, QUIT, NULL },
	[QUIT]		= { PHASE_LEAVE, "QUIT", reply, END, END, NULL },
};
/* clang-format on */

const struct probe probe_smtp = {
	.name = "smtp",
	.protocol = PROTOCOL_SMTP,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.first = GREETING,
	.first_tls = WRAP,
	.inject = "EHLO %h",
	.injected = injected,
};
