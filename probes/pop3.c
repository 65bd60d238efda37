/* pop3.c: POP3 (RFC 1939) with CAPA (2449) and STLS (2595). */
#include <string.h>

#include "probes/probe.h"
#include "probes/refusal.h"

enum { END, GREETING, CAPA, STLS, TLS, CAPA_TLS, WRAP, GREETING_TLS, QUIT };

static enum verdict
status(struct facts *f, const struct line *line)
{
	(void)f;
	if (bytes_start(line->bytes, line->len, "+OK"))
		return OK;
	return bytes_start(line->bytes, line->len, "-ERR") ? NO : BAD;
}

/* A time stamp <...@...> in the greeting: APOP (RFC 1939 section 7). */
static enum verdict
greeting(struct facts *f, const struct line *line)
{
	enum verdict v = status(f, line);
	const uint8_t *left = memchr(line->bytes, '<', line->len), *right;
	size_t n;

	if (v != OK || !left)
		return v;
	n = (size_t)(line->bytes + line->len - left);
	right = memchr(left, '>', n);
	if (right && memchr(left, '@', (size_t)(right - left)) &&
	    !memchr(left, ' ', (size_t)(right - left)))
		f->record->head.flags |= HEAD_APOP;
	return v;
}

static void
mechanisms(struct facts *f, const struct word *listed)
{
	struct word first;
	size_t at = 0;

	if (facts_sasl(f, listed->bytes, listed->len))
		facts_login(f);
	if (!f->tls && !word_next(listed->bytes, listed->len, &at, &first))
		f->sasl_empty = true;
}

static void
capability(struct facts *f, const struct line *line)
{
	struct word name, rest;
	size_t at = 0;

	facts_capability(f, line->bytes, line->len);
	if (!word_next(line->bytes, line->len, &at, &name))
		return;
	rest = (struct word){ line->bytes + at, line->len - at };
	if (bytes_equal(name.bytes, name.len, "STLS"))
		facts_offer(f);
	else if (bytes_equal(name.bytes, name.len, "USER"))
		facts_login(f);
	else if (bytes_equal(name.bytes, name.len, "SASL"))
		mechanisms(f, &rest);
	else if (bytes_equal(name.bytes, name.len, "IMPLEMENTATION") &&
	    word_next(line->bytes, line->len, &at, &rest))
		facts_put(f, TAG_IMPLEMENTATION, rest.bytes,
		    (size_t)(line->bytes + line->len - rest.bytes));
}

/*
 * Dovecot with ssl = required and disable_plaintext_auth = no lists USER, but
 * no mechanism, and refuses USER before STLS. nginx with pop3_auth apop lists
 * the same and takes USER: it has a time stamp.
 */
static void
listed_before_tls(struct facts *f)
{
	uint16_t *flags = &f->record->head.flags;
	struct field field;

	f->listing = ANSWER_YES;
	f->proof = true;
	if (f->sasl_empty && (*flags & HEAD_OFFERED) && !(*flags & HEAD_APOP) &&
	    !facts_find(f, TAG_SASL_BEFORE, &field))
		*flags &= (uint16_t)~HEAD_LOGIN_BEFORE;
}

/* A refusal that asks for TLS first: CAPA is known, and USER not on offer. */
static bool
wants_tls(const struct line *line)
{
	return bytes_find(line->bytes, line->len, "TLS") ||
	    bytes_find(line->bytes, line->len, "SSL");
}

/*
 * CAPA. Without it the server is of RFC 1939: it takes USER, and knows no
 * STLS unless it says yes to it. One that is too busy to answer may know both.
 */
static enum verdict
listing(struct facts *f, const struct line *line)
{
	enum verdict v;

	if (line->number == 0) {
		v = status(f, line);
		if (v == NO && !f->tls &&
		    !refusal_is_ours(line->bytes, line->len)) {
			f->listing = ANSWER_NO;
			f->proof = true;
			if (!wants_tls(line))
				facts_login(f);
		}
		return v == OK ? MORE : v;
	}
	if (line->len == 1 && line->bytes[0] == '.') {
		if (!f->tls)
			listed_before_tls(f);
		return OK;
	}
	capability(f, line);
	return MORE;
}

/* CAPA has an answer and QUIT one; what stands in a listing is none. */
static bool
injected(struct facts *f, const struct line *line)
{
	return status(f, line) != BAD && ++f->answers > 1;
}

/* clang-format off */
static const struct step steps[] = {
	[GREETING]	= { PHASE_GREETING, NULL, greeting, CAPA, QUIT, NULL },
	[CAPA]		= { PHASE_ASK, "CAPA", listing, STLS, STLS, NULL },
	[STLS]		= { PHASE_UPGRADE, "STLS", status, TLS, QUIT, NULL },
	[TLS]		= { PHASE_TLS, NULL, NULL, CAPA_TLS, END, NULL },
	[CAPA_TLS]	= { PHASE_ASK, "CAPA", listing, QUIT, QUIT, NULL },
	[WRAP]		= { PHASE_TLS, NULL, NULL, GREETING_TLS, END, NULL },
	[GREETING_TLS]	= { PHASE_GREETING, NULL, greeting,
			    CAPA_TLS, QUIT, NULL },
	[QUIT]		= { PHASE_LEAVE, "QUIT", status, END, END, NULL },
};
/* clang-format on */

const struct probe probe_pop3 = {
	.name = "pop3",
	.protocol = PROTOCOL_POP3,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.first = GREETING,
	.first_tls = WRAP,
	.inject = "CAPA",
	.injected = injected,
};
