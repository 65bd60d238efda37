/* feed_notice.c: the text that goes with a file of a feed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/feed_notice.h"
#include "storage/text.h"

enum { WIDTH = 72, GREETING_MAX = 200, SUBJECTS_MAX = 3 };

/* clang-format off */
static const struct {
	const char *what;
	const char *subjects[SUBJECTS_MAX]; /* of conf/advice */
} about[FEED_TYPES] = {
	[FEED_POP3] = {
	    "POP3 servers that can be reached from anywhere, with TLS or "
	    "without.", { "port 110" } },
	[FEED_POP3_VULNERABLE] = {
	    "POP3 servers that take a password in clear, and with which TLS "
	    "cannot be had on that port.",
	    { "finding no_tls", "finding cleartext_login", "port 110" } },
	[FEED_IMAP] = {
	    "IMAP servers that can be reached from anywhere, with TLS or "
	    "without.", { "port 143" } },
	[FEED_IMAP_VULNERABLE] = {
	    "IMAP servers that take a password in clear, and with which TLS "
	    "cannot be had on that port, or that ask for none.",
	    { "finding no_tls", "finding cleartext_login", "port 143" } },
	[FEED_SMTP] = {
	    "SMTP servers that can be reached from anywhere, with TLS or "
	    "without; the column tag says what was found.", { "port 25" } },
	[FEED_SMTP_VULNERABLE] = {
	    "SMTP servers whose greeting names a version with a known "
	    "critical hole.", { "tag banner-version" } },
};
/* clang-format on */

static char *
mapped(const struct row *r, enum tag tag)
{
	struct buf b = { 0 };
	struct field f;

	if (row_field(r, tag, &f))
		text_map(&b, f.bytes, f.len, GREETING_MAX);
	return b.s ? b.s : need_copy("", 0);
}

/* The first row is the example, or else the first with evidence. */
static void
take_example(struct notice *n, const struct row *r)
{
	struct buf evidence = { 0 };

	if (n->rows > 0 && n->evidence[0] != '\0')
		return;
	feed_evidence(r, &evidence);
	if (n->rows > 0 && evidence.len == 0)
		return;
	free(n->greeting);
	free(n->evidence);
	n->greeting = mapped(r, TAG_GREETING);
	n->evidence = evidence.s ? evidence.s : need_copy("", 0);
	n->example = r->target;
	n->example_us = r->head.time_us;
	memcpy(n->source.b, r->head.source, sizeof n->source.b);
}

void
notice_add(struct notice *n, const struct row *r)
{
	take_example(n, r);
	if (n->rows == 0 || addr_cmp(&n->last, &r->target.addr) != 0)
		n->addresses++;
	n->last = r->target.addr;
	n->preauth |= head_has(&r->head, FINDING_PREAUTH);
	n->rows++;
}

void
notice_free(struct notice *n)
{
	free(n->greeting);
	free(n->evidence);
	n->greeting = n->evidence = NULL;
}

/* Words in lines of WIDTH; a long word has a line of its own. */
static void
wrap(struct buf *b, const char *first, const char *next, const char *text)
{
	size_t at = strlen(first);

	buf_puts(b, first);
	for (bool begun = false; *text; begun = true) {
		size_t len = strcspn(text, " ");

		if (begun && at + 1 + len > WIDTH) {
			buf_printf(b, "\n%s", next);
			at = strlen(next);
		} else if (begun) {
			buf_putc(b, ' ');
			at++;
		}
		buf_add(b, text, len);
		at += len;
		text += len;
		text += strspn(text, " ");
	}
	buf_putc(b, '\n');
}

static void
wrap_buf(struct buf *b, struct buf *text)
{
	wrap(b, "", "", buf_text(text));
	buf_clear(text);
}

static void
advise(struct buf *b, const struct advices *all, const char *subject)
{
	const struct advice *a = advice_find(all, subject);

	if (!a)
		return;
	buf_putc(b, '\n');
	if (a->risk)
		wrap(b, "", "", a->risk);
	for (size_t i = 0; i < a->ntodo; i++)
		wrap(b, "  - ", "    ", a->todo[i]);
	if (a->ask)
		wrap(b, "  ? ", "    ", a->ask);
	if (a->source)
		wrap(b, "  (", "   ", a->source);
	if (a->source && b->len > 0)
		b->s[b->len - 1] = ')';
	if (a->source)
		buf_putc(b, '\n');
}

static void
write_counts(const struct notice *n, const struct notice_of *o, struct buf *b)
{
	static const char *const kinds[] = { "",
		" Only what is new since the sweep before is listed.",
		" These no longer answer; they are told of once." };
	struct buf t = { 0 };

	wrap(b, "", "", about[o->type].what);
	buf_printf(&t,
	    "%" PRIu64 " service%s on %" PRIu64 " IPv%c address%s.%s", n->rows,
	    n->rows == 1 ? "" : "s", n->addresses, o->six ? '6' : '4',
	    n->addresses == 1 ? "" : "es", kinds[o->kind]);
	wrap_buf(b, &t);
	buf_printf(b, "File: %s\n", o->file);
	buf_free(&t);
}

static void
write_measured(const struct notice *n, const struct notice_of *o, struct buf *b)
{
	char began[TIME_TEXT_MAX], ended[TIME_TEXT_MAX], ip[ADDR_TEXT_MAX];
	struct buf t = { 0 };

	buf_printf(&t,
	    "In the sweep %s, which began %s and ended %s (UTC), sensor %s, "
	    "from %s.",
	    o->info->sweep.id, text_time(o->info->sweep.start_us, began),
	    text_time(o->info->end_us, ended), o->info->sensor,
	    addr_text(&n->source, ip));
	buf_puts(&t,
	    " A connection to the port; the greeting was read, capabilities "
	    "were asked for and TLS was tried, and the session was ended "
	    "properly. Nobody logged in and no mail was sent. Each address "
	    "and port is judged alone; times in the file are those of the "
	    "greetings.");
	wrap_buf(b, &t);
	buf_free(&t);
}

static void
write_example(const struct notice *n, struct buf *b)
{
	char when[TIME_TEXT_MAX], ip[ADDR_TEXT_MAX];

	buf_printf(b, "%s port %u, %s UTC\n", addr_text(&n->example.addr, ip),
	    n->example.port, text_time(n->example_us, when));
	if (n->greeting[0])
		buf_printf(b, "  greeting: %s\n", n->greeting);
	if (n->evidence[0])
		buf_printf(b, "  STARTTLS: %s\n", n->evidence);
}

static void
write_optout(const struct notice_of *o, struct buf *b)
{
	struct buf t = { 0 };

	buf_puts(&t,
	    "Addresses or whole prefixes are left out of all further sweeps, "
	    "and what is kept of them is deleted, as soon as their holder "
	    "says so");
	if (o->contact[0])
		buf_printf(&t, ": %s", o->contact);
	else
		buf_puts(&t, " to who sent this");
	buf_puts(&t, ". No reason is needed.");
	wrap_buf(b, &t);
	buf_free(&t);
}

void
notice_write(const struct notice *n, const struct notice_of *o, struct buf *b)
{
	char day[TIME_TEXT_MAX];

	buf_printf(b, "%s%s report for %s, %s\n\n", feed_type_title(o->type),
	    o->six ? " (IPv6)" : "", o->recipient,
	    text_day(o->info->sweep.start_us, day));
	write_counts(n, o, b);
	buf_puts(b, "\nWhat it means, and what to do\n");
	if (n->preauth)
		advise(b, o->advices, "finding preauth");
	for (int i = 0; i < SUBJECTS_MAX && about[o->type].subjects[i]; i++)
		advise(b, o->advices, about[o->type].subjects[i]);
	buf_puts(b, "\nHow it was measured\n\n");
	write_measured(n, o, b);
	buf_puts(b, "\nFor example\n\n");
	write_example(n, b);
	buf_puts(b, "\nTo be left out\n\n");
	write_optout(o, b);
}
