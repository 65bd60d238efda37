/* conclude.c: from facts to outcome and findings; none without evidence. */
#include <string.h>

#include "probes/classify.h"
#include "probes/conclude.h"
#include "probes/product.h"
#include "probes/refusal.h"

/* RFC 8446 section 6 and its ancestors. */
enum alert {
	ALERT_UNEXPECTED_MESSAGE = 10,
	ALERT_BAD_RECORD_MAC = 20,
	ALERT_RECORD_OVERFLOW = 22,
	ALERT_BAD_CERTIFICATE = 42, /* ours: it could not be parsed */
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_DECODE_ERROR = 50,
	ALERT_DECRYPT_ERROR = 51,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_UNRECOGNIZED_NAME = 112
};

enum {
	SIDE_THEIRS = 1,
	TLS_1_1 = 0x302,
	RSA_BITS_MIN = 2048,
	EC_BITS_MIN = 224,
	GROUP_EC_LAST = 0xff /* IANA: 0x0100 on are finite fields */
};

/* We would have gone on: these alerts of ours say what the server did. */
static bool
alert_is_theirs(const struct head *h)
{
	switch (h->alert) {
	case ALERT_UNEXPECTED_MESSAGE:
	case ALERT_BAD_RECORD_MAC:
	case ALERT_RECORD_OVERFLOW:
	case ALERT_BAD_CERTIFICATE:
	case ALERT_ILLEGAL_PARAMETER:
	case ALERT_DECODE_ERROR:
	case ALERT_DECRYPT_ERROR:
	case ALERT_PROTOCOL_VERSION:
		return true;
	case ALERT_UNRECOGNIZED_NAME:
		return false; /* we name nobody: it is about us */
	default:
		return h->alert_side <= SIDE_THEIRS;
	}
}

static enum starttls
starttls_after_yes(const struct facts *f)
{
	switch (f->secured) {
	case SECURED_DONE:
		return STARTTLS_COMPLETED;
	case SECURED_CLOSED:
		return STARTTLS_CLOSED;
	case SECURED_CLEAR:
		return STARTTLS_NOT_TLS;
	case SECURED_FAILED:
		return STARTTLS_HANDSHAKE_FAILED;
	default:
		return STARTTLS_TIMED_OUT;
	}
}

static enum starttls
starttls_implicit(const struct facts *f)
{
	if (f->secured == SECURED_DONE)
		return STARTTLS_IMPLICIT;
	if (f->secured == SECURED_FAILED)
		return STARTTLS_HANDSHAKE_FAILED;
	return f->heard ? STARTTLS_TIMED_OUT : STARTTLS_NONE;
}

static enum starttls
starttls_of(const struct facts *f)
{
	bool offered = (f->record->head.flags & HEAD_OFFERED) != 0;

	if (f->implicit)
		return starttls_implicit(f);
	if (f->greeted == GREETED_NOT || f->greeted == GREETED_OTHER)
		return STARTTLS_NONE;
	if (!f->asked)
		return STARTTLS_UNKNOWN;
	switch (f->upgrade) {
	case ANSWER_YES:
		return starttls_after_yes(f);
	case ANSWER_NO:
		if (offered)
			return STARTTLS_REFUSED;
		return f->proof ? STARTTLS_NOT_OFFERED : STARTTLS_UNKNOWN;
	case ANSWER_NONE:
		return f->ending == ENDING_TIME || f->ending == ENDING_SLOW
		    ? STARTTLS_TIMED_OUT
		    : STARTTLS_UNKNOWN;
	default:
		return STARTTLS_UNKNOWN;
	}
}

/* Nothing was heard at all: what ended it says what it was. */
static enum outcome
outcome_unheard(const struct facts *f)
{
	switch (f->ending) {
	case ENDING_CLOSED:
		return OUTCOME_CLOSED;
	case ENDING_RESET:
		return OUTCOME_RESET;
	case ENDING_LATE:
		return OUTCOME_LOST;
	default:
		return OUTCOME_SILENT;
	}
}

static enum outcome
outcome_cut(const struct facts *f)
{
	if (f->leaving && f->ending != ENDING_MUCH)
		return OUTCOME_COMPLETED;
	switch (f->ending) {
	case ENDING_TIME:
	case ENDING_LATE:
		return OUTCOME_TIMED_OUT;
	case ENDING_SLOW:
		return OUTCOME_TARPIT;
	case ENDING_MUCH:
		return OUTCOME_TOO_MUCH;
	default:
		return OUTCOME_BROKEN;
	}
}

static bool
refused_us(const struct facts *f)
{
	return f->greeted == GREETED_REFUSED ||
	    (f->gone && f->upgrade == ANSWER_NONE && !f->tls);
}

static enum outcome
outcome_of(const struct facts *f)
{
	if (!f->heard)
		return outcome_unheard(f);
	if (f->greeted == GREETED_OTHER)
		return OUTCOME_OTHER_PROTOCOL;
	if (refused_us(f))
		return OUTCOME_REFUSED_US;
	if (f->ending == ENDING_SLOW || f->ending == ENDING_MUCH)
		return outcome_cut(f);
	if (f->secured == SECURED_TIMED_OUT)
		return OUTCOME_TIMED_OUT;
	if (f->secured > SECURED_DONE)
		return f->implicit ? OUTCOME_TLS_FAILED : OUTCOME_COMPLETED;
	if (f->ending != ENDING_NONE)
		return outcome_cut(f);
	return f->lost || f->gone ? OUTCOME_BROKEN : OUTCOME_COMPLETED;
}

static bool
starttls_broken(const struct head *h)
{
	if (!(h->flags & HEAD_OFFERED))
		return false;
	switch (h->starttls) {
	case STARTTLS_REFUSED:
	case STARTTLS_CLOSED:
	case STARTTLS_NOT_TLS:
		return true;
	case STARTTLS_HANDSHAKE_FAILED:
		return alert_is_theirs(h);
	default:
		return false;
	}
}

static bool
weak_key(const struct head *h)
{
	bool finite = h->group == 0 || h->group > GROUP_EC_LAST;

	if (h->group_bits > 0 &&
	    h->group_bits < (finite ? RSA_BITS_MIN : EC_BITS_MIN))
		return true;
	if (h->key_type == KEY_RSA || h->key_type == KEY_DSA)
		return h->key_bits < RSA_BITS_MIN;
	return h->key_type == KEY_EC && h->key_bits < EC_BITS_MIN;
}

static void
find_if(struct record *r, bool is, enum finding what)
{
	if (is)
		record_find(r, what);
}

static void
certificate_findings(struct record *r)
{
	const struct head *h = &r->head;
	int64_t now = (int64_t)(h->time_us / 1000000);

	if (h->flags & HEAD_CHAIN_PARSED) {
		find_if(r, h->not_after < now, FINDING_EXPIRED);
		find_if(r, h->not_before > now, FINDING_NOT_YET_VALID);
	}
	find_if(r, weak_key(h), FINDING_WEAK_KEY);
	find_if(r, h->chain == CHAIN_SELF_SIGNED, FINDING_SELF_SIGNED);
	find_if(r, h->chain == CHAIN_SELF_SIGNED || h->chain == CHAIN_UNTRUSTED,
	    FINDING_UNTRUSTED);
}

static void
findings(struct facts *f)
{
	struct record *r = f->record;
	const struct head *h = &r->head;
	bool mail = f->greeted != GREETED_NOT && f->greeted != GREETED_OTHER;
	struct field other;
	bool tls_spoke = facts_find(f, TAG_OTHER_PROTOCOL, &other) &&
	    bytes_equal(other.bytes, other.len, "tls");

	find_if(r, h->starttls == STARTTLS_NOT_OFFERED && !f->tls_port,
	    FINDING_NO_TLS);
	find_if(r, f->greeted == GREETED_YES && h->flags & HEAD_LOGIN_BEFORE,
	    FINDING_CLEARTEXT_LOGIN);
	find_if(r, starttls_broken(h), FINDING_STARTTLS_BROKEN);
	find_if(r, facts_strayed(f) && f->secured != SECURED_CLEAR,
	    FINDING_STRAY_PLAINTEXT);
	find_if(r, f->secured == SECURED_DONE && h->tls_version <= TLS_1_1,
	    FINDING_OBSOLETE_TLS);
	find_if(r, !f->tls_port && (tls_spoke || (f->implicit && f->heard)),
	    FINDING_TLS_ON_CLEARTEXT_PORT);
	find_if(r, f->tls_port && !f->implicit && mail,
	    FINDING_CLEARTEXT_ON_TLS_PORT);
	find_if(r, refused_us(f), FINDING_REFUSED_US);
	find_if(r, f->greeted == GREETED_PREAUTH, FINDING_PREAUTH);
	find_if(r, f->greeted == GREETED_OTHER, FINDING_OTHER_PROTOCOL);
	find_if(r, h->flags & HEAD_CANARY, FINDING_PHANTOM);
}

/* A status word or code is four bytes at most where names begin. */
static void
name_greeting(struct facts *f)
{
	struct field g;
	struct word name;
	uint8_t copy[256];

	if (f->greeted == GREETED_NOT || f->greeted == GREETED_OTHER ||
	    !facts_find(f, TAG_GREETING, &g) || g.len <= 4)
		return;
	for (g.len -= 4, g.bytes += 4; g.len > 0; g.len--)
		if (!strchr("\r\n", g.bytes[g.len - 1]))
			break;
	if (!host_find(g.bytes, g.len, &name))
		return;
	memcpy(copy, name.bytes, name.len);
	facts_put(f, TAG_GREETING_NAME, copy, name.len);
}

void
conclude(struct facts *f, const struct products *products)
{
	struct head *h = &f->record->head;

	if (f->implicit)
		h->flags |= HEAD_IMPLICIT;
	if (f->listing == ANSWER_YES)
		h->flags |= HEAD_ASKED_OFFER;
	h->starttls = (uint8_t)starttls_of(f);
	h->outcome = (uint8_t)outcome_of(f);
	refusal_find(f, refused_us(f));
	name_greeting(f);
	product_find(f, products);
	certificate_findings(f->record);
	findings(f);
}
