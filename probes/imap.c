/* imap.c: IMAP (RFC 3501, 9051) with STARTTLS and ID (RFC 2971). */
#include <string.h>
#include <strings.h>

#include "probes/probe.h"

enum {
	END,
	GREETING,
	CAPABILITY,
	STARTTLS,
	ID,
	TLS,
	CAPABILITY_TLS,
	ID_TLS,
	WRAP,
	GREETING_TLS,
	LOGOUT
};

/* A word behind "* " or a tag: is it this one? */
static bool
says(const struct line *line, size_t at, const char *word)
{
	struct word w;

	return word_next(line->bytes, line->len, &at, &w) &&
	    bytes_equal(w.bytes, w.len, word);
}

static bool
untagged(const struct line *line)
{
	return bytes_start(line->bytes, line->len, "* ");
}

/*
 * Any reply: it ends at the line with our tag. BYE without being asked, or an
 * untagged BAD (the server did not even find the tag), end it as well.
 */
static enum verdict
tagged(struct facts *f, const struct line *line)
{
	size_t tag = strcspn(f->said, " ") + 1;

	if (untagged(line)) {
		if (says(line, 2, "BYE"))
			return GONE;
		return says(line, 2, "BAD") ? NO : MORE;
	}
	/* Some give the tag back in capitals. */
	if (line->len < tag ||
	    strncasecmp((const char *)line->bytes, f->said, tag) != 0)
		return MORE;
	if (says(line, tag, "OK"))
		return OK;
	return says(line, tag, "NO") || says(line, tag, "BAD") ? NO : BAD;
}

static enum verdict
logout(struct facts *f, const struct line *line)
{
	if (untagged(line))
		return MORE;
	return tagged(f, line);
}

/* What stands in a list of capabilities; put: keep each in the record. */
static void
capabilities(struct facts *f, const uint8_t *s, size_t len, bool put)
{
	static const char auth[] = "AUTH=";
	uint8_t sasl[512];
	size_t at = 0, n = 0;
	struct word w;

	while (word_next(s, len, &at, &w)) {
		if (put)
			facts_capability(f, w.bytes, w.len);
		if (bytes_equal(w.bytes, w.len, "STARTTLS"))
			facts_offer(f);
		else if (bytes_equal(w.bytes, w.len, "LOGINDISABLED") ||
		    bytes_equal(w.bytes, w.len, "XTLSREQUIRED")) /* GNU */
			f->login_disabled = f->login_disabled || !f->tls;
		else if (bytes_equal(w.bytes, w.len, "ID"))
			f->id_offered = true;
		else if (bytes_start(w.bytes, w.len, auth) &&
		    n + w.len < sizeof sasl) {
			if (n > 0)
				sasl[n++] = ' ';
			memcpy(sasl + n, w.bytes + sizeof auth - 1,
			    w.len - (sizeof auth - 1));
			n += w.len - (sizeof auth - 1);
		}
	}
	if (put && n > 0)
		facts_sasl(f, sasl, n);
	if (!f->tls)
		f->proof = true;
}

/* [CAPABILITY ...] counts only right behind the status word, which is at at. */
static bool
coded_list(const uint8_t *s, size_t len, size_t at, struct word *list)
{
	static const char code[] = "[CAPABILITY ";
	struct word w;
	const uint8_t *end;

	if (!word_next(s, len, &at, &w))
		return false;
	while (at < len && s[at] == ' ')
		at++;
	if (!bytes_start(s + at, len - at, code))
		return false;
	at += sizeof code - 1;
	end = memchr(s + at, ']', len - at);
	if (!end)
		return false;
	*list = (struct word){ s + at, (size_t)(end - s) - at };
	return true;
}

static enum verdict
greeting(struct facts *f, const struct line *line)
{
	struct word list;

	if (bytes_start(line->bytes, line->len, "BYE "))
		return NO;
	if (!untagged(line))
		return BAD;
	if (coded_list(line->bytes, line->len, 2, &list))
		capabilities(f, list.bytes, list.len, false);
	if (says(line, 2, "OK"))
		return OK;
	if (says(line, 2, "PREAUTH")) {
		f->greeted = GREETED_PREAUTH;
		return NO;
	}
	return says(line, 2, "BYE") || says(line, 2, "NO") ||
		says(line, 2, "BAD")
	    ? NO
	    : BAD;
}

static void
list_take(struct facts *f, const struct word *list)
{
	if (!f->tls && !f->list_begun)
		f->login_disabled = false; /* this list counts now */
	f->list_begun = true;
	capabilities(f, list->bytes, list->len, true);
}

/* The list has a line of its own, or stands in the tagged OK alone. */
static enum verdict
listing(struct facts *f, const struct line *line)
{
	enum verdict v = tagged(f, line);
	struct word list;

	if (untagged(line) && says(line, 2, "CAPABILITY")) {
		size_t at = 2;

		word_next(line->bytes, line->len, &at, &list);
		list = (struct word){ line->bytes + at, line->len - at };
		list_take(f, &list);
	} else if (v == OK && !f->list_begun &&
	    coded_list(
		line->bytes, line->len, strcspn(f->said, " ") + 1, &list)) {
		list_take(f, &list);
	}
	if (v == OK && f->list_begun && !f->tls)
		f->listing = ANSWER_YES;
	return v;
}

static bool
id_offered(const struct facts *f)
{
	return f->id_offered && !f->id_asked;
}

static enum verdict
id(struct facts *f, const struct line *line)
{
	f->id_asked = true;
	if (untagged(line) && says(line, 2, "ID") && !f->list_begun) {
		f->list_begun = true;
		facts_put(f, TAG_IMPLEMENTATION, line->bytes + 5,
		    line->len > 5 ? line->len - 5 : 0);
	}
	return tagged(f, line);
}

/*
 * A login in clear is on offer unless LOGINDISABLED stands in the list; no
 * list, no conclusion. The greeting's own list is kept when it is the only.
 */
static void
conclude_imap(struct facts *f)
{
	struct field g;
	struct word list;
	uint8_t copy[1024];

	if (f->proof && f->greeted == GREETED_YES && !f->login_disabled)
		f->record->head.flags |= HEAD_LOGIN_BEFORE;
	if (f->listing == ANSWER_YES || f->tls || !f->proof ||
	    !facts_find(f, TAG_GREETING, &g) ||
	    !coded_list(g.bytes, g.len, 2, &list) || list.len > sizeof copy)
		return;
	f->listing = ANSWER_YES;
	memcpy(copy, list.bytes, list.len);
	capabilities(f, copy, list.len, true);
}

/* The injected command's own tag comes back. */
static bool
injected(struct facts *f, const struct line *line)
{
	static const char tag[] = "i ";

	(void)f;
	return line->len >= sizeof tag - 1 &&
	    memcmp(line->bytes, tag, sizeof tag - 1) == 0;
}

/*
 * ID comes after STARTTLS on either way: stunnel in front of a server passes
 * the offer on and says BYE to the command.
 */
#define ID_SAY "ID (\"name\" \"mailsweep\" \"support-url\" \"%c\")"

/* clang-format off */
static const struct step steps[] = {
	[GREETING]	= { PHASE_GREETING, NULL, greeting,
			    CAPABILITY, LOGOUT, NULL },
	[CAPABILITY]	= { PHASE_ASK, "a CAPABILITY", listing,
			    STARTTLS, STARTTLS, NULL },
	[STARTTLS]	= { PHASE_UPGRADE, "c STARTTLS", tagged,
			    TLS, ID, NULL },
	[ID]		= { PHASE_LAST, "e " ID_SAY, id,
			    LOGOUT, LOGOUT, id_offered },
	[TLS]		= { PHASE_TLS, NULL, NULL, CAPABILITY_TLS, END, NULL },
	[CAPABILITY_TLS] = { PHASE_ASK, "d CAPABILITY", listing,
			    ID_TLS, ID_TLS, NULL },
	[ID_TLS]	= { PHASE_LAST, "e " ID_SAY, id,
			    LOGOUT, LOGOUT, id_offered },
	[WRAP]		= { PHASE_TLS, NULL, NULL, GREETING_TLS, END, NULL },
	[GREETING_TLS]	= { PHASE_GREETING, NULL, greeting,
			    CAPABILITY_TLS, LOGOUT, NULL },
	[LOGOUT]	= { PHASE_LEAVE, "f LOGOUT", logout, END, END, NULL },
};
/* clang-format on */

const struct probe probe_imap = {
	.name = "imap",
	.protocol = PROTOCOL_IMAP,
	.steps = steps,
	.nsteps = sizeof steps / sizeof *steps,
	.first = GREETING,
	.first_tls = WRAP,
	.inject = "i NOOP",
	.injected = injected,
	.conclude = conclude_imap,
};
