/* report.c: records and certificates to store, done notes to packet. */
#include <errno.h>
#include <string.h>

#include "probes/report.h"

/* What has been told of a conversation. */
enum { TOLD_NOTHING, TOLD_CERTIFICATES, TOLD_RECORD };

struct message {
	struct record_header header;
	uint8_t bytes[WIRE_MESSAGE_MAX - sizeof(struct record_header)];
};

/* The one message being made; filled and sent before the next. */
static struct message message;

/* 1 sent, 0 full, -1 gone. */
static int
tell(int fd, const void *bytes, size_t len, bool *full)
{
	if (wire_send(fd, bytes, len) == 0)
		return 1;
	*full = errno == EAGAIN;
	return errno == EAGAIN ? 0 : -1;
}

static int
tell_record(struct reports *r, enum record_type type, size_t len)
{
	message.header.type = type;
	message.header.len = (uint32_t)len;
	return tell(r->records, &message, sizeof message.header + len,
	    &r->records_full);
}

/* Certificates that store has not seen from this process. */
static int
tell_certificates(struct reports *r, struct conversation *c)
{
	struct digests *sent = tls_sent(c->all->tls);
	bool any = false;

	for (const struct held *h = tls_held(c->tls); h; h = h->next) {
		int told;

		if (digests_find(sent, h->sha256) ||
		    h->len > sizeof message.bytes)
			continue;
		memcpy(message.header.sha256, h->sha256, SHA256_LEN);
		memcpy(message.bytes, h->der, h->len);
		told = tell_record(r, MSG_CERT, h->len);
		if (told < 0 && errno == EMSGSIZE)
			continue; /* larger than any wire: never kept */
		if (told <= 0)
			return told;
		digests_add(sent, h->sha256, NULL);
		any = true;
	}
	r->chains += any;
	return 1;
}

static int
tell_outcome(struct reports *r, const struct conversation *c)
{
	size_t len = record_flatten(&c->record, message.bytes, RECORD_MAX);
	int told;

	memset(message.header.sha256, 0, SHA256_LEN);
	told = tell_record(r, MSG_RECORD, len);
	if (told > 0) {
		r->reported++;
		r->dialogs += c->record.head.protocol != PROTOCOL_UNKNOWN;
		r->refused[c->dialog.facts.refusal]++;
	}
	return told;
}

static int
tell_done(struct reports *r, const struct conversation *c)
{
	struct done_note note;

	memset(&note, 0, sizeof note);
	note.target = c->contact.target;
	note.sport = c->contact.sport;
	note.outcome = c->record.head.outcome;
	note.kind = c->contact.kind;
	return tell(r->done, &note, sizeof note, &r->done_full);
}

/* Go on where it stood: what was told once is not told again. */
static int
report(struct reports *r, struct conversation *c)
{
	int told = 1;

	/* Whom packet waits for; store has forgotten it. */
	if (c->withdrawn) {
		told = tell_done(r, c);
		r->withdrawn += told > 0;
		return told;
	}
	if (c->told == TOLD_NOTHING) {
		told = c->tls ? tell_certificates(r, c) : 1;
		c->told = told > 0 ? TOLD_CERTIFICATES : c->told;
	}
	if (told > 0 && c->told == TOLD_CERTIFICATES) {
		told = tell_outcome(r, c);
		c->told = told > 0 ? TOLD_RECORD : c->told;
	}
	return told > 0 ? tell_done(r, c) : told;
}

int
reports_send(struct reports *r, struct conversations *all)
{
	r->records_full = r->done_full = false;
	while (all->over) {
		struct conversation *c = all->over;
		int told = report(r, c);

		if (told <= 0)
			return told;
		all->over = c->next;
		if (!all->over)
			all->over_tail = &all->over;
		conversation_release(c);
	}
	return 0;
}
