/* refusal.c: what a server says that does not want us. */
#include <ctype.h>
#include <string.h>

#include "probes/refusal.h"

enum { ENTRY_HEAD = 8, CODE_LEN = 3, CODE_NO_TLS = 454, CODE_FAILED = 554 };

struct phrase {
	const char *text;
	bool word; /* no letter on either side */
};

/* Not now: MAIL.md 4.3, RFC 3206 (SYS/TEMP, IN-USE), RFC 5530. */
static const struct phrase later[] = { { "too many", false },
	{ "try again", false }, { "later", true }, { "temporar", false },
	{ "busy", true }, { "[IN-USE]", false }, { "[SYS/TEMP]", false },
	{ "[UNAVAILABLE]", false }, { "connection limit", false },
	{ "rate limit", false }, { "limit exceeded", false },
	{ "limit reached", false }, { "maximum number", false },
	{ "shutting down", false } };

/* Our address is on somebody's list: MAIL.md 4.31. */
static const struct phrase listed[] = { { "spamhaus", false },
	{ "blocked using", false }, { "rbl", true }, { "dnsbl", false },
	{ "blocklist", false }, { "block list", false }, { "blacklist", false },
	{ "black list", false }, { "spamcop", false }, { "sorbs", true },
	{ "abuseat", false }, { "barracuda", false } };

/* As words: STARTTLS may only be the command given back. */
static const struct phrase tls[] = { { "TLS", true }, { "SSL", true },
	{ "certificate", false }, { "TLSv1", false } };

#define HAS(line, phrases) has(line, phrases, sizeof phrases / sizeof *phrases)

static bool
is_letter(const struct word *in, const uint8_t *at)
{
	return at >= in->bytes && at < in->bytes + in->len && isalpha(*at);
}

static bool
has_phrase(const struct word *line, const struct phrase *p)
{
	const uint8_t *at = line->bytes, *end = at + line->len;
	size_t n = strlen(p->text);

	while ((at = bytes_find(at, (size_t)(end - at), p->text)) != NULL) {
		if (!p->word ||
		    (!is_letter(line, at - 1) && !is_letter(line, at + n)))
			return true;
		at++;
	}
	return false;
}

static bool
has(const struct word *line, const struct phrase *phrases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_phrase(line, &phrases[i]))
			return true;
	return false;
}

/* The code that a line of SMTP begins with; 0: none. */
static unsigned
code_of(const struct word *line)
{
	unsigned code = 0;

	if (line->len < CODE_LEN ||
	    (line->len > CODE_LEN && isalnum(line->bytes[CODE_LEN])))
		return 0;
	for (size_t i = 0; i < CODE_LEN; i++) {
		if (!isdigit(line->bytes[i]))
			return 0;
		code = code * 10 + line->bytes[i] - '0';
	}
	return code;
}

static bool
is_temporary(unsigned code)
{
	return code >= 400 && code < 500;
}

/* It says no at all: 4xx, 5xx, -ERR, BYE. */
static bool
says_no(const struct word *line)
{
	unsigned code = code_of(line);

	return (code >= 400 && code < 600) ||
	    bytes_start(line->bytes, line->len, "-ERR") ||
	    bytes_start(line->bytes, line->len, "* BYE") ||
	    bytes_start(line->bytes, line->len, "BYE ") ||
	    bytes_start(line->bytes, line->len, "* NO");
}

/* IMAP has no code: BYE is what a server over its limits says. */
static bool
is_for_now(const struct word *line)
{
	return is_temporary(code_of(line)) || HAS(line, later) ||
	    bytes_start(line->bytes, line->len, "* BYE") ||
	    bytes_start(line->bytes, line->len, "BYE ");
}

static enum refusal
refusal_of(const struct word *line)
{
	unsigned code = code_of(line);

	if (HAS(line, listed))
		return REFUSAL_LISTED;
	if (code == CODE_FAILED)
		return REFUSAL_554;
	return is_for_now(line) ? REFUSAL_LATER : REFUSAL_NONE;
}

bool
refusal_is_ours(const uint8_t *bytes, size_t len)
{
	struct word line = { bytes, len };

	return HAS(&line, later) || HAS(&line, listed);
}

bool
refusal_passes(const uint8_t *bytes, size_t len)
{
	struct word line = { bytes, len };
	unsigned code = code_of(&line);

	if (code == CODE_NO_TLS || HAS(&line, tls))
		return false;
	return is_temporary(code) || refusal_is_ours(bytes, len);
}

static void
hear(struct facts *f, const struct word *line, bool us)
{
	enum refusal r;

	if (!says_no(line))
		return;
	r = refusal_of(line);
	if (r > f->refusal)
		f->refusal = (uint8_t)r;
	if (us && is_for_now(line))
		f->record->head.flags |= HEAD_TRY_LATER;
}

void
refusal_find(struct facts *f, bool us)
{
	const struct record *r = f->record;
	struct field field;
	uint32_t at = 0;

	/* It took its leave inside the dialog, or put off what we asked. */
	if ((us && f->gone) || f->upgrade == ANSWER_GONE ||
	    f->upgrade == ANSWER_LATER)
		f->record->head.flags |= HEAD_TRY_LATER;
	/* Who listed what it can do wants us. */
	if (!us && (f->listing == ANSWER_YES || f->tls))
		return;
	while (body_next(r->body, r->len, &at, &field)) {
		struct word line = { field.bytes + ENTRY_HEAD,
			field.len - ENTRY_HEAD };

		if (field.tag == TAG_TRANSCRIPT &&
		    field.bytes[0] == SPEAKER_SERVER)
			hear(f, &line, us);
	}
}
