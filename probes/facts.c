/* facts.c: what a conversation has taught us, on its way into the record. */
#include <ctype.h>
#include <string.h>

#include "probes/facts.h"

enum {
	FIELD_HEAD = 6,
	ENTRY_HEAD = 8,
	GREETING_CAP = 8192, /* of the raw greeting; the transcript has all */
	LISTED_CAP = 8192, /* of capabilities, each side of TLS */
	SPARE = 16384, /* freed at once when the body is full */
	HOST_MAX = 255
};

static const uint32_t nowhere = UINT32_MAX;

void
facts_init(struct facts *f, struct record *r)
{
	*f = (struct facts){
		.record = r, .greeting_at = nowhere, .stray_at = nowhere
	};
}

/* What stands where entries were taken out: written over one of them. */
static uint32_t
gap_write(uint8_t *entry, uint32_t size)
{
	static const char text[] = "...";
	uint32_t len = ENTRY_HEAD + sizeof text - 1;
	uint16_t text_len = sizeof text - 1;

	if (size < FIELD_HEAD + len)
		return 0;
	memcpy(entry + 2, &len, sizeof len);
	entry[FIELD_HEAD] = SPEAKER_NOTE;
	memcpy(entry + FIELD_HEAD + 2, &text_len, sizeof text_len);
	memcpy(entry + FIELD_HEAD + ENTRY_HEAD, text, text_len);
	return FIELD_HEAD + len;
}

/* The first field in the second half of what the body may hold. */
static uint32_t
middle(struct facts *f)
{
	struct record *r = f->record;
	struct field field;
	uint32_t at = 0;

	if (f->middle < r->cap / 2) {
		while (
		    at < r->cap / 2 && body_next(r->body, r->len, &at, &field))
			;
		f->middle = at;
	}
	return f->middle;
}

/*
 * Take transcript entries out, the oldest first, but none from the first half
 * of the body: how the dialog began and how it ended is what is asked for.
 */
static void
middle_drop(struct facts *f, uint32_t need)
{
	struct record *r = f->record;
	uint32_t at = middle(f), from = at, to = nowhere, freed = 0;
	struct field field;

	while (freed < need && body_next(r->body, r->len, &at, &field)) {
		uint32_t size = at - from, kept = size;

		if (field.tag == TAG_TRANSCRIPT && from >= r->cap / 2) {
			kept =
			    to == nowhere ? gap_write(r->body + from, size) : 0;
			to = to == nowhere ? from : to;
			freed += size - kept;
		}
		if (to != nowhere) {
			memmove(r->body + to, r->body + from, kept);
			to += kept;
		}
		from = at;
	}
	if (to == nowhere)
		return;
	memmove(r->body + to, r->body + from, r->len - from);
	r->len -= from - to;
	r->head.flags |= HEAD_TRUNCATED;
}

static void
room(struct facts *f, size_t len)
{
	struct record *r = f->record;
	size_t need = len + FIELD_HEAD;

	if (need > r->cap - r->len && need <= r->cap)
		middle_drop(
		    f, (uint32_t)need + (r->cap > 3 * SPARE ? SPARE : 0));
}

void
facts_put(struct facts *f, enum tag tag, const void *bytes, size_t len)
{
	room(f, len);
	record_put(f->record, tag, bytes, len);
}

void
facts_transcript(struct facts *f, enum speaker who, uint32_t ms,
    const void *bytes, size_t len)
{
	room(f, len + ENTRY_HEAD);
	record_transcript(f->record, who, ms, bytes, len);
}

void
facts_note(struct facts *f, enum speaker who, uint32_t ms, const char *text)
{
	facts_transcript(f, who, ms, text, strlen(text));
}

/* Add to the field that begins at *at, or begin it; what follows moves up. */
static void
extend(struct facts *f, enum tag tag, uint32_t *at, const uint8_t *bytes,
    size_t len)
{
	struct record *r = f->record;
	uint32_t start = r->len, now;
	uint8_t *end;

	if (*at == nowhere) {
		if (record_put(r, tag, NULL, 0) < 0)
			return;
		*at = start;
	}
	memcpy(&now, r->body + *at + 2, sizeof now);
	if (now + len > GREETING_CAP || len > r->cap - r->len) {
		r->head.flags |= HEAD_TRUNCATED;
		return;
	}
	end = r->body + *at + FIELD_HEAD + now;
	f->middle = 0;
	memmove(end + len, end, (size_t)(r->body + r->len - end));
	memcpy(end, bytes, len);
	now += (uint32_t)len;
	memcpy(r->body + *at + 2, &now, sizeof now);
	r->len += (uint32_t)len;
}

void
facts_greeting_rest(struct facts *f, const uint8_t *bytes, size_t len)
{
	extend(f, TAG_GREETING, &f->greeting_at, bytes, len);
}

void
facts_greeting(struct facts *f, const struct line *line)
{
	static const uint8_t crlf[] = { '\r', '\n' };

	facts_greeting_rest(f, line->bytes, line->len);
	facts_greeting_rest(f, line->lf_only ? crlf + 1 : crlf,
	    line->lf_only ? 1 : sizeof crlf);
}

void
facts_stray(struct facts *f, const uint8_t *bytes, size_t len)
{
	extend(f, TAG_STRAY, &f->stray_at, bytes, len);
}

bool
facts_strayed(const struct facts *f)
{
	return f->stray_at != nowhere;
}

void
facts_capability(struct facts *f, const void *bytes, size_t len)
{
	if (f->listed + len > LISTED_CAP) {
		f->record->head.flags |= HEAD_TRUNCATED;
		return;
	}
	f->listed += (uint32_t)len;
	facts_put(f, f->tls ? TAG_CAPABILITY_AFTER : TAG_CAPABILITY_BEFORE,
	    bytes, len);
}

bool
facts_sasl(struct facts *f, const uint8_t *bytes, size_t len)
{
	enum tag tag = f->tls ? TAG_SASL_AFTER : TAG_SASL_BEFORE;
	bool password = false;
	struct field field;
	struct word w;
	size_t at = 0;

	while (word_next(bytes, len, &at, &w))
		if (bytes_equal(w.bytes, w.len, "PLAIN") ||
		    bytes_equal(w.bytes, w.len, "LOGIN"))
			password = true;
	at = 0;
	if (word_next(bytes, len, &at, &w) && !facts_find(f, tag, &field))
		facts_put(f, tag, w.bytes, (size_t)(bytes + len - w.bytes));
	return password;
}

void
facts_login(struct facts *f)
{
	if (!f->tls)
		f->record->head.flags |= HEAD_LOGIN_BEFORE;
}

void
facts_offer(struct facts *f)
{
	if (!f->tls)
		f->record->head.flags |= HEAD_OFFERED;
}

bool
facts_find(const struct facts *f, enum tag tag, struct field *field)
{
	return body_find(f->record->body, f->record->len, tag, field);
}

/* Labels of letters, digits and hyphens; the last one letters, or xn--. */
static bool
host_is(const uint8_t *s, size_t len)
{
	size_t last = 0;

	if (len == 0 || len > HOST_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' && (i + 1 == len || s[i + 1] == '.'))
			return false;
		if (!isalnum(s[i]) && s[i] != '-' && s[i] != '.')
			return false;
		if (s[i] == '.')
			last = i + 1;
	}
	if (last == 0 || len - last < 2)
		return false;
	for (size_t i = last; i < len; i++)
		if (!isalpha(s[i]))
			return bytes_start(s + last, len - last, "xn--");
	return true;
}

bool
host_find(const uint8_t *bytes, size_t len, struct word *name)
{
	struct word w;
	size_t at = 0;

	while (word_next(bytes, len, &at, &w)) {
		/* The end of an APOP stamp, RFC 1939: <pid.clock@host> */
		const uint8_t *sign = memchr(w.bytes, '@', w.len);

		if (sign && w.bytes[w.len - 1] == '>') {
			w.len -= (size_t)(sign + 1 - w.bytes) + 1;
			w.bytes = sign + 1;
		}
		while (w.len > 0 && strchr(".,;:!", w.bytes[w.len - 1]))
			w.len--;
		if (host_is(w.bytes, w.len)) {
			*name = w;
			return true;
		}
	}
	return false;
}
