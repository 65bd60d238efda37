/* merge.c: what a second connection adds to the row that is there. */
#include <string.h>

#include "storage/merge.h"

enum { VERSIONS_MAX = 8 };

/* The row as it is, in a record with room for more. */
static void
row_load(struct batch_context *c, const struct head *row, struct record *r,
    uint8_t body[BODY_MAX])
{
	struct target t = head_target(row);

	record_init(r, body, BODY_MAX);
	r->head = *row;
	r->len = live_body(c->live, &t, body, BODY_MAX);
}

/* Take all fields with a tag out. */
static void
field_drop(struct record *r, enum tag tag)
{
	uint32_t at = 0, from = 0, to = 0;
	struct field field;

	while (body_next(r->body, r->len, &at, &field)) {
		if (field.tag != tag) {
			memmove(r->body + to, r->body + from, at - from);
			to += at - from;
		}
		from = at;
	}
	r->len = to;
}

static size_t
versions_of(const struct record *r, uint16_t versions[VERSIONS_MAX])
{
	struct field field;

	if (!body_find(r->body, r->len, TAG_TLS_VERSIONS, &field) ||
	    field.len > (VERSIONS_MAX - 1) * sizeof versions[0]) {
		versions[0] = r->head.tls_version;
		return 1;
	}
	memcpy(versions, field.bytes, field.len);
	return field.len / sizeof versions[0];
}

static bool
is_accepted(const struct head *h)
{
	return h->tls_version != 0 &&
	    (h->starttls == STARTTLS_COMPLETED ||
		h->starttls == STARTTLS_IMPLICIT);
}

void
merge_tls_version(
    struct batch_context *c, const struct head *row, const struct head *second)
{
	uint16_t versions[VERSIONS_MAX];
	uint8_t body[BODY_MAX];
	struct record r;
	size_t n;

	if (!is_accepted(row) || !is_accepted(second))
		return;
	row_load(c, row, &r, body);
	n = versions_of(&r, versions);
	for (size_t i = 0; i < n; i++)
		if (versions[i] == second->tls_version)
			return;
	versions[n++] = second->tls_version;
	field_drop(&r, TAG_TLS_VERSIONS);
	record_put(&r, TAG_TLS_VERSIONS, versions, n * sizeof versions[0]);
	live_put_row(c->live, &r.head, r.body, r.len);
}

void
merge_injection(struct batch_context *c, const struct head *row,
    const struct record *second)
{
	static const char text[] = "second connection: a command in clear "
				   "behind STARTTLS, in one write";
	const uint32_t bit = 1u << FINDING_STARTTLS_INJECTION;
	uint8_t body[BODY_MAX];
	struct field field;
	struct record r;
	uint32_t at = 0;

	if (!(second->head.findings & bit) || row->findings & bit)
		return;
	row_load(c, row, &r, body);
	r.head.findings |= bit;
	record_transcript(&r, SPEAKER_NOTE, 0, text, sizeof text - 1);
	while (body_next(second->body, second->len, &at, &field))
		if (field.tag == TAG_TRANSCRIPT)
			record_put(&r, TAG_TRANSCRIPT, field.bytes, field.len);
	live_put_row(c->live, &r.head, r.body, r.len);
}
