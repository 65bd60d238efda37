/* record.c: what is kept of one target, as flat bytes. */
#include <string.h>

#include "engine/cookie.h"
#include "storage/record.h"

#define AT(field, where) \
	_Static_assert(offsetof(struct head, field) == (where), #field)
AT(port, 4);
AT(flags, 6);
AT(addr, 8);
AT(time_us, 24);
AT(last_seen_us, 40);
AT(findings, 48);
AT(starttls, 56);
AT(tls_version, 60);
AT(key_type, 72);
AT(asn, 76);
AT(country, 80);
AT(leaf, 88);
AT(source, 120);
AT(not_before, 136);
AT(rtt_us, 152);
AT(findings_before, 168);
AT(chain_len, 176);
AT(missed, 180);
AT(kind, 182);
AT(names, 183);
AT(open_since, 184);
AT(sum, 188);
_Static_assert(sizeof(struct head) == HEAD_SIZE, "head");

enum { FIELD_HEAD = 6, ENTRY_HEAD = 8 };

const char *const protocol_names[PROTOCOL_COUNT] = { "unknown", "pop3", "imap",
	"smtp" };

/* clang-format off */
const char *const outcome_names[OUTCOME_COUNT] = {
	[OUTCOME_NONE] = "none",
	[OUTCOME_SILENT] = "silent",
	[OUTCOME_RESET] = "reset",
	[OUTCOME_CLOSED] = "closed",
	[OUTCOME_LOST] = "lost",
	[OUTCOME_DIAL_FAILED] = "dial_failed",
	[OUTCOME_LIMITED] = "limited",
	[OUTCOME_TIMED_OUT] = "timed_out",
	[OUTCOME_TARPIT] = "tarpit",
	[OUTCOME_TOO_MUCH] = "too_much",
	[OUTCOME_BROKEN] = "broken",
	[OUTCOME_OTHER_PROTOCOL] = "other_protocol",
	[OUTCOME_REFUSED_US] = "refused_us",
	[OUTCOME_TLS_FAILED] = "tls_failed",
	[OUTCOME_COMPLETED] = "completed",
};

const char *const starttls_names[STARTTLS_COUNT] = {
	[STARTTLS_NONE] = "none",
	[STARTTLS_NOT_OFFERED] = "not_offered",
	[STARTTLS_UNKNOWN] = "unknown",
	[STARTTLS_REFUSED] = "refused",
	[STARTTLS_CLOSED] = "closed",
	[STARTTLS_NOT_TLS] = "not_tls",
	[STARTTLS_HANDSHAKE_FAILED] = "handshake_failed",
	[STARTTLS_TIMED_OUT] = "timed_out",
	[STARTTLS_COMPLETED] = "completed",
	[STARTTLS_IMPLICIT] = "implicit",
};

const char *const finding_names[FINDING_COUNT] = {
	[FINDING_NO_TLS] = "no_tls",
	[FINDING_CLEARTEXT_LOGIN] = "cleartext_login",
	[FINDING_STARTTLS_BROKEN] = "starttls_broken",
	[FINDING_STRAY_PLAINTEXT] = "stray_plaintext",
	[FINDING_OBSOLETE_TLS] = "obsolete_tls",
	[FINDING_WEAK_KEY] = "weak_key",
	[FINDING_WEAK_SIGNATURE] = "weak_signature",
	[FINDING_EXPIRED] = "expired",
	[FINDING_NOT_YET_VALID] = "not_yet_valid",
	[FINDING_SELF_SIGNED] = "self_signed",
	[FINDING_UNTRUSTED] = "untrusted",
	[FINDING_TLS_ON_CLEARTEXT_PORT] = "tls_on_cleartext_port",
	[FINDING_CLEARTEXT_ON_TLS_PORT] = "cleartext_on_tls_port",
	[FINDING_MASKED] = "masked",
	[FINDING_REFUSED_US] = "refused_us",
	[FINDING_PREAUTH] = "preauth",
	[FINDING_OTHER_PROTOCOL] = "other_protocol",
	[FINDING_PHANTOM] = "phantom",
	[FINDING_STARTTLS_INJECTION] = "starttls_injection",
};
/* clang-format on */

const char *const chain_names[CHAIN_COUNT] = { "none", "trusted", "self_signed",
	"untrusted", "unparsed" };
const char *const key_names[KEY_COUNT] = { "none", "rsa", "ec", "ed25519",
	"dsa", "other" };
const char *const change_names[CHANGE_COUNT] = { "none", "new", "back", "same",
	"fixed", "worse" };

const char *
tls_version_name(uint16_t version)
{
	static const char *const names[] = { "SSLv3", "TLSv1.0", "TLSv1.1",
		"TLSv1.2", "TLSv1.3" };

	return version < 0x300 || version > 0x304 ? "" : names[version & 7];
}

int
name_find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

bool
outcome_replaces(enum outcome newer, enum outcome older)
{
	return newer >= older;
}

void
record_init(struct record *r, uint8_t *body, uint32_t cap)
{
	memset(r, 0, sizeof *r);
	r->head.version = RECORD_VERSION;
	memcpy(r->head.country, "??", 2);
	r->head.wscale = 255;
	r->body = body;
	r->cap = cap;
}

/* Room for a field of len bytes; NULL, and the mark, when there is none. */
static uint8_t *
room(struct record *r, enum tag tag, size_t len)
{
	uint16_t tag16 = (uint16_t)tag;
	uint32_t len32 = (uint32_t)len;
	uint8_t *at;

	if (len > r->cap - r->len || r->cap - r->len - len < FIELD_HEAD) {
		r->head.flags |= HEAD_TRUNCATED;
		return NULL;
	}
	at = r->body + r->len;
	memcpy(at, &tag16, sizeof tag16);
	memcpy(at + 2, &len32, sizeof len32);
	r->len += FIELD_HEAD + len32;
	return at + FIELD_HEAD;
}

int
record_put(struct record *r, enum tag tag, const void *bytes, size_t len)
{
	uint8_t *at = room(r, tag, len);

	if (!at)
		return -1;
	if (len > 0)
		memcpy(at, bytes, len);
	return 0;
}

int
record_transcript(struct record *r, enum speaker who, uint32_t ms,
    const void *bytes, size_t len)
{
	uint16_t len16 = len > UINT16_MAX ? UINT16_MAX : (uint16_t)len;
	uint8_t *at = room(r, TAG_TRANSCRIPT, ENTRY_HEAD + (size_t)len16);

	if (!at)
		return -1;
	at[0] = (uint8_t)who;
	at[1] = 0;
	memcpy(at + 2, &len16, sizeof len16);
	memcpy(at + 4, &ms, sizeof ms);
	if (len16 > 0)
		memcpy(at + ENTRY_HEAD, bytes, len16);
	return 0;
}

size_t
record_flatten(const struct record *r, uint8_t *out, size_t cap)
{
	size_t len = HEAD_SIZE + sizeof r->len + r->len;

	if (len > cap)
		return 0;
	memcpy(out, &r->head, HEAD_SIZE);
	memcpy(out + HEAD_SIZE, &r->len, sizeof r->len);
	if (r->len > 0)
		memcpy(out + HEAD_SIZE + sizeof r->len, r->body, r->len);
	return len;
}

struct target
head_target(const struct head *h)
{
	struct target t = { .port = h->port };

	memcpy(t.addr.b, h->addr, sizeof t.addr.b);
	return t;
}

/* Two capitals, or "??": it is printed as it is, on terminals too. */
static bool
country_check(const char country[2])
{
	return memcmp(country, "??", 2) == 0 ||
	    (country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' &&
		country[1] <= 'Z');
}

bool
head_check(const struct head *h)
{
	return h->version == RECORD_VERSION && h->outcome < OUTCOME_COUNT &&
	    h->protocol < PROTOCOL_COUNT && h->port_protocol < PROTOCOL_COUNT &&
	    h->starttls < STARTTLS_COUNT && h->change < CHANGE_COUNT &&
	    h->key_type < KEY_COUNT && h->chain < CHAIN_COUNT &&
	    h->chain_len <= CHAIN_MAX && h->validation <= 3 &&
	    h->kind <= KIND_INJECTION && h->names <= NAME_ALL &&
	    h->attempt < ATTEMPTS && country_check(h->country) &&
	    h->findings >> FINDING_COUNT == 0;
}

/* What store or the seal says of a row, nobody else may say. */
static bool
head_is_sent(const struct head *h)
{
	return h->first_seen_us == 0 && h->last_seen_us == 0 &&
	    h->observations == 0 && h->change == CHANGE_NONE &&
	    h->findings_before == 0 && h->missed == 0 && h->asn == 0 &&
	    h->confirmed == 0 && h->kind != KIND_CANARY &&
	    !(h->flags & HEAD_PTR_CONFIRMED) && !(h->names & NAME_PTR) &&
	    memcmp(h->country, "??", sizeof h->country) == 0 && h->sum == 0 &&
	    h->open_since == 0;
}

bool
record_check(const uint8_t *bytes, size_t len)
{
	struct head head;
	struct field field;
	uint32_t body, at = 0;

	if (len < HEAD_SIZE + sizeof body || len > RECORD_MAX)
		return false;
	memcpy(&head, bytes, HEAD_SIZE);
	memcpy(&body, bytes + HEAD_SIZE, sizeof body);
	if (!head_check(&head) || !head_is_sent(&head) ||
	    body != len - HEAD_SIZE - sizeof body)
		return false;
	bytes += HEAD_SIZE + sizeof body;
	while (body_next(bytes, body, &at, &field))
		if (field.tag >= TAG_REGION)
			return false;
	return at == body;
}

bool
body_next(const uint8_t *body, uint32_t len, uint32_t *at, struct field *f)
{
	uint16_t tag;
	uint32_t n;

	if (*at > len || len - *at < FIELD_HEAD)
		return false;
	memcpy(&tag, body + *at, sizeof tag);
	memcpy(&n, body + *at + 2, sizeof n);
	if (tag == 0 || tag >= TAG_COUNT || n > len - *at - FIELD_HEAD)
		return false;
	if (tag == TAG_TRANSCRIPT && n < ENTRY_HEAD)
		return false;
	f->tag = (enum tag)tag;
	f->bytes = body + *at + FIELD_HEAD;
	f->len = n;
	*at += FIELD_HEAD + n;
	return true;
}

bool
body_find(const uint8_t *body, uint32_t len, enum tag tag, struct field *f)
{
	uint32_t at = 0;

	while (body_next(body, len, &at, f))
		if (f->tag == tag)
			return true;
	return false;
}
