/* dialog.c: walks the steps of a protocol; how replies end is the table's. */
#include <stdio.h>
#include <string.h>

#include "probes/classify.h"
#include "probes/conclude.h"
#include "probes/dialog.h"
#include "probes/refusal.h"

static const struct probe *const probes[PROTOCOL_COUNT] = {
	[PROTOCOL_POP3] = &probe_pop3,
	[PROTOCOL_IMAP] = &probe_imap,
	[PROTOCOL_SMTP] = &probe_smtp,
};

const struct probe *
probe_of(enum protocol p)
{
	return probes[p];
}

static const struct step *
step_of(const struct dialog *d)
{
	return &d->probe->steps[d->step];
}

static void
reply_begin(struct dialog *d)
{
	d->bytes = d->lines = d->number = 0;
	d->facts.list_begun = false;
}

/* Go to a step, or past it when it does not apply. */
static void
go(struct dialog *d, int step)
{
	const struct step *s;

	d->step = step;
	while (d->step != 0 && step_of(d)->when && !step_of(d)->when(&d->facts))
		d->step = step_of(d)->no;
	s = step_of(d);
	reply_begin(d);
	if (d->step == 0)
		d->want = WANT_NOTHING;
	else if (!s->hear)
		d->want = WANT_TLS;
	else
		d->want = s->say ? WANT_SAY : WANT_LINE;
	if (d->step == 0 || s->phase >= PHASE_LAST)
		d->facts.leaving = true;
}

/* Say goodbye, where the table does. */
static void
leave(struct dialog *d)
{
	for (unsigned i = 1; i < d->probe->nsteps; i++) {
		if (d->probe->steps[i].phase == PHASE_LEAVE) {
			go(d, (int)i);
			return;
		}
	}
	go(d, 0);
}

void
dialog_start(struct dialog *d, const struct manners *m, struct record *r,
    const struct probe *p, enum port_kind kind)
{
	*d = (struct dialog){ .manners = m, .probe = p };
	facts_init(&d->facts, r);
	d->inject = kind == PORT_INJECTION;
	d->facts.tls_port = kind == PORT_TLS;
	d->facts.implicit = kind == PORT_TLS || kind == PORT_HELLO;
	go(d, d->facts.implicit ? p->first_tls : p->first);
}

/* Copy text that goes into a command: what could end or quote it is left out */
static size_t
say_text(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	for (; *text && n < cap; text++)
		if (*text >= ' ' && *text < 127 && *text != '"' &&
		    *text != '\\')
			out[n++] = *text;
	return n;
}

/* A line of ours with its end, at most room bytes long. */
static size_t
say_line(struct dialog *d, uint32_t ms, const char *say, char *out, size_t room)
{
	size_t n = 0;

	room -= 2;
	for (const char *c = say; *c && n < room; c++) {
		if (*c == '%' && (c[1] == 'h' || c[1] == 'c'))
			n += say_text(out + n, room - n,
			    *++c == 'h' ? d->manners->helo
					: d->manners->contact);
		else
			out[n++] = *c;
	}
	facts_transcript(&d->facts, SPEAKER_CLIENT, ms, out, n);
	memcpy(out + n, "\r\n", 2);
	return n + 2;
}

size_t
dialog_say(struct dialog *d, uint32_t ms, char out[DIALOG_SAY_MAX])
{
	const char *say = d->garbled ? "" : step_of(d)->say;
	size_t n = say_line(d, ms, say, out, DIALOG_SAY_MAX);

	d->facts.said = say;
	if (!d->garbled && step_of(d)->phase == PHASE_UPGRADE) {
		d->facts.asked = true;
		if (d->inject)
			n += say_line(d, ms, d->probe->inject, out + n,
			    DIALOG_SAY_MAX - n);
	}
	d->want = d->garbled ? WANT_QUIET : WANT_LINE;
	return n;
}

/* The same line as another mail protocol's greeting, or no protocol of ours. */
static enum verdict
greeting_elsewhere(struct dialog *d, const struct line *line)
{
	enum protocol p = greeting_protocol(line->bytes, line->len);
	const struct probe *other = probe_of(p);
	const char *name = classify(line->bytes, line->len);
	enum verdict v = BAD;

	if (other && other != d->probe) {
		d->probe = other;
		d->step = d->facts.tls ? other->steps[other->first_tls].yes
				       : other->first;
		v = step_of(d)->hear(&d->facts, line);
	}
	if (v != BAD)
		return v;
	d->facts.greeted = GREETED_OTHER;
	facts_put(&d->facts, TAG_OTHER_PROTOCOL, name, strlen(name));
	return BAD;
}

static void
greeting_ends(struct dialog *d, enum verdict v)
{
	struct facts *f = &d->facts;

	if (v == BAD) {
		f->lost = true;
		go(d, 0);
		return;
	}
	f->record->head.protocol = (uint8_t)d->probe->protocol;
	if (f->greeted == GREETED_NOT)
		f->greeted = v == OK ? GREETED_YES : GREETED_REFUSED;
	if (!d->garbled) {
		go(d, v == OK ? step_of(d)->yes : step_of(d)->no);
		return;
	}
	/* What we sent for TLS waits there as half a line: end that first. */
	d->next = v == OK ? step_of(d)->yes : step_of(d)->no;
	reply_begin(d);
	d->want = WANT_SAY;
}

void
dialog_quiet(struct dialog *d)
{
	d->garbled = false;
	go(d, d->next);
}

/* The answer to STARTTLS is evidence, whatever it says. */
static void
upgrade_ends(struct facts *f, enum verdict v, const struct line *line)
{
	static const uint8_t answers[] = {
		[OK] = ANSWER_YES,
		[NO] = ANSWER_NO,
		[GONE] = ANSWER_GONE,
		[BAD] = ANSWER_ODD,
	};

	if (f->upgrade == ANSWER_NONE)
		f->upgrade = answers[v];
	if (f->upgrade == ANSWER_NO && refusal_passes(line->bytes, line->len))
		f->upgrade = ANSWER_LATER;
	facts_put(f, TAG_STARTTLS_REPLY, line->bytes, line->len);
}

static void
reply_ends(struct dialog *d, enum verdict v, const struct line *line)
{
	const struct step *s = step_of(d);

	if (s->phase == PHASE_GREETING) {
		greeting_ends(d, v);
		return;
	}
	if (s->phase == PHASE_UPGRADE)
		upgrade_ends(&d->facts, v, line);
	if (s->phase == PHASE_LEAVE)
		go(d, 0);
	else if (v == GONE) {
		d->facts.gone = !d->facts.leaving;
		d->want = WANT_NOTHING;
	} else if (v == BAD) {
		d->facts.lost = !d->facts.leaving;
		leave(d);
	} else {
		go(d, v == OK ? s->yes : s->no);
	}
}

/*
 * Goodbye was said inside TLS, where nothing else was: what is answered beside
 * it came from the command in clear.
 */
static void
hear_injected(struct dialog *d, const struct line *line)
{
	if (!d->probe->injected(&d->facts, line))
		return;
	record_find(d->facts.record, FINDING_STARTTLS_INJECTION);
	go(d, 0);
}

void
dialog_hear(struct dialog *d, uint32_t ms, const struct line *in)
{
	struct facts *f = &d->facts;
	struct line line = *in;
	enum verdict v;

	f->heard = true;
	facts_transcript(f, SPEAKER_SERVER, ms, line.bytes, line.len);
	if (line.lf_only)
		f->record->head.flags |= HEAD_LF_ONLY;
	d->bytes += (uint32_t)line.len + 2;
	d->lines++;
	if (d->bytes > d->manners->reply_max ||
	    d->lines > d->manners->reply_lines_max) {
		dialog_end(d, ms, ENDING_MUCH, NULL, 0, "reply over our cap");
		return;
	}
	if (d->want == WANT_QUIET)
		return;
	if (step_of(d)->phase == PHASE_GREETING)
		facts_greeting(f, &line);
	if (line.len == 0 && d->number == 0)
		return; /* empty lines before a reply mean nothing */
	line.number = d->number++;
	if (d->inject && f->tls) {
		hear_injected(d, &line);
		return;
	}
	v = step_of(d)->hear(f, &line);
	if (v == BAD && step_of(d)->phase == PHASE_GREETING && line.number == 0)
		v = greeting_elsewhere(d, &line);
	if (v != MORE)
		reply_ends(d, v, &line);
}

bool
dialog_clear(struct dialog *d, const void *bytes, size_t len)
{
	struct facts *f = &d->facts;

	f->heard = true;
	if (f->asked) {
		facts_stray(f, bytes, len);
		return true;
	}
	f->implicit = false;
	d->garbled = true;
	go(d, d->probe->first);
	return false;
}

void
dialog_begun(struct dialog *d)
{
	d->facts.heard = true;
	d->facts.secured = SECURED_BEGUN;
}

/* Bytes that stood in clear where TLS was to be, as the server said them. */
static void
stray_note(struct dialog *d, uint32_t ms)
{
	struct field stray;

	if (facts_strayed(&d->facts) &&
	    facts_find(&d->facts, TAG_STRAY, &stray)) {
		/* The entry's room is made in the body that it lies in. */
		uint8_t bytes[256];
		size_t n = stray.len < sizeof bytes ? stray.len : sizeof bytes;

		memcpy(bytes, stray.bytes, n);
		facts_transcript(&d->facts, SPEAKER_SERVER, ms, bytes, n);
	}
}

void
dialog_secured(struct dialog *d, uint32_t ms, const char *text)
{
	struct facts *f = &d->facts;

	stray_note(d, ms);
	facts_note(f, SPEAKER_TLS, ms, text);
	f->secured = SECURED_DONE;
	f->tls = true;
	f->listed = 0;
	if (d->inject)
		leave(d);
	else
		go(d, step_of(d)->yes);
}

void
dialog_failed(struct dialog *d, uint32_t ms, const char *text)
{
	struct facts *f = &d->facts;

	if (!f->tls)
		stray_note(d, ms);
	facts_note(f, SPEAKER_TLS, ms, text);
	facts_put(f, TAG_TLS_ERROR, text, strlen(text));
	f->secured = SECURED_FAILED;
	d->want = WANT_NOTHING;
}

/* It ended while TLS was wanted. */
static void
handshake_ends(struct dialog *d, uint32_t ms, enum ending why)
{
	struct facts *f = &d->facts;
	bool closed = why == ENDING_CLOSED || why == ENDING_RESET;

	if (f->secured == SECURED_BEGUN && closed)
		f->secured = SECURED_FAILED;
	else if (f->secured != SECURED_BEGUN && facts_strayed(f))
		f->secured = SECURED_CLEAR;
	else
		f->secured = closed ? SECURED_CLOSED : SECURED_TIMED_OUT;
	stray_note(d, ms);
}

void
dialog_end(struct dialog *d, uint32_t ms, enum ending why, const void *left,
    size_t len, const char *text)
{
	struct facts *f = &d->facts;
	struct line line = { .bytes = left, .len = len };

	if (d->want == WANT_NOTHING)
		return;
	if (d->want == WANT_TLS)
		handshake_ends(d, ms, why);
	if (len > 0) {
		f->heard = true;
		facts_transcript(f, SPEAKER_SERVER, ms, left, len);
	}
	if (len > 0 && d->want == WANT_LINE &&
	    step_of(d)->phase == PHASE_GREETING) {
		facts_greeting_rest(f, left, len);
		if (d->number == 0 && !greeting_begins(left, len) &&
		    greeting_protocol(left, len) == PROTOCOL_UNKNOWN)
			greeting_elsewhere(d, &line);
	}
	facts_note(f, SPEAKER_NOTE, ms, text);
	f->ending = (uint8_t)why;
	d->want = WANT_NOTHING;
}

bool
dialog_greeting(const struct dialog *d)
{
	return d->step != 0 && step_of(d)->phase == PHASE_GREETING;
}

bool
dialog_left(const struct dialog *d)
{
	return d->step == 0 && d->facts.greeted != GREETED_OTHER;
}

const char *
dialog_place(const struct dialog *d)
{
	if (d->want == WANT_TLS)
		return "the handshake";
	if (d->step == 0)
		return "the end";
	return step_of(d)->say ? step_of(d)->say : "the greeting";
}

void
dialog_conclude(struct dialog *d)
{
	struct facts *f = &d->facts;

	if (d->facts.greeted != GREETED_NOT && d->probe->conclude)
		d->probe->conclude(f);
	conclude(f, d->manners->products);
}
