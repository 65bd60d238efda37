/* row.c: questions about a stored row. */
#include <ctype.h>
#include <string.h>

#include "storage/row.h"
#include "storage/text.h"

enum { ENTRY_HEAD = 8 };

const char *const tls_state_names[TLS_STATES] = { "completed", "implicit",
	"broken", "refused", "not_offered", "unknown" };

const struct claimed_name claimed_names[CLAIMED_NAMES] = {
	{ TAG_GREETING_NAME, NAME_GREETING, "greeting", "greeting name" },
	{ TAG_EHLO_NAME, NAME_EHLO, "ehlo", "EHLO name" },
	{ TAG_PTR, NAME_PTR, "ptr", "PTR name" },
};

bool
head_is_service(const struct head *h)
{
	return h->protocol != PROTOCOL_UNKNOWN;
}

bool
head_had_dialog(const struct head *h)
{
	if (!head_is_service(h) || head_has(h, FINDING_REFUSED_US))
		return false;
	if (h->outcome == OUTCOME_COMPLETED)
		return true;
	if (h->outcome != OUTCOME_BROKEN && h->outcome != OUTCOME_TIMED_OUT)
		return false;
	return h->starttls != STARTTLS_NONE &&
	    h->starttls != STARTTLS_UNKNOWN &&
	    h->starttls != STARTTLS_TIMED_OUT;
}

enum tls_state
head_tls_state(const struct head *h)
{
	switch ((enum starttls)h->starttls) {
	case STARTTLS_COMPLETED:
		return TLS_COMPLETED;
	case STARTTLS_IMPLICIT:
		return TLS_IMPLICIT;
	case STARTTLS_CLOSED:
	case STARTTLS_NOT_TLS:
	case STARTTLS_HANDSHAKE_FAILED:
		return TLS_BROKEN;
	case STARTTLS_REFUSED:
		return TLS_REFUSED;
	case STARTTLS_NOT_OFFERED:
		return TLS_NOT_OFFERED;
	case STARTTLS_NONE:
	case STARTTLS_UNKNOWN:
	case STARTTLS_TIMED_OUT:
	case STARTTLS_COUNT:
		break;
	}
	return TLS_UNKNOWN;
}

bool
head_has_leaf(const struct head *h)
{
	static const uint8_t none[SHA256_LEN];

	return memcmp(h->leaf, none, sizeof none) != 0;
}

bool
row_field(const struct row *r, enum tag tag, struct field *f)
{
	return r->body && body_find(r->body, r->len, tag, f) && f->len > 0;
}

void
row_text(const struct row *r, enum tag tag, struct buf *b)
{
	struct field f;

	if (row_field(r, tag, &f))
		text_add(b, f.bytes, f.len);
}

void
row_product(const struct row *r, struct buf *b)
{
	struct field f;

	if (!row_field(r, TAG_PRODUCT, &f))
		return;
	for (uint32_t i = 0; i < f.len; i++) {
		int c = f.bytes[i];

		if (c < 0x80 && (isalnum(c) || c == '.' || c == '_'))
			buf_putc(b, (char)tolower(c));
		else
			buf_putc(b, '-');
	}
}

bool
field_entry(const struct field *f, struct entry *e)
{
	uint16_t len;

	if (f->tag != TAG_TRANSCRIPT || f->len < ENTRY_HEAD)
		return false;
	memcpy(&len, f->bytes + 2, sizeof len);
	memcpy(&e->ms, f->bytes + 4, sizeof e->ms);
	e->speaker = (enum speaker)f->bytes[0];
	e->bytes = f->bytes + ENTRY_HEAD;
	e->len = len < f->len - ENTRY_HEAD ? len : f->len - ENTRY_HEAD;
	return true;
}
