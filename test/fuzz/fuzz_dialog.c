/*
 * fuzz_dialog.c: whatever a server says to any of the three protocols. First
 * byte: protocol and kind of port; second: size of the pieces and the body;
 * then the server's bytes, and 0xF5 N for what is no byte: TLS and ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/dialog.h"

enum {
	MARK = 0xf5,
	LINE_CAP = 1024,
	LINE_MAX_CAP = 8192,
	BODY_CAP = 59804,
	SAYS_MAX = 64
};

struct run {
	struct dialog dialog;
	struct record record;
	struct line_reader lines;
	unsigned said;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
say(struct run *r)
{
	char out[DIALOG_SAY_MAX];
	size_t n = dialog_say(&r->dialog, 1, out);

	/* One line; only an injection says two at once. */
	must(n >= 2 && n <= sizeof out && out[n - 2] == '\r');
	must(r->dialog.inject || !memchr(out, '\n', n - 1));
	must(++r->said <= SAYS_MAX);
}

static bool
clear(struct run *r)
{
	uint32_t n;
	const uint8_t *left = line_left(&r->lines, &n);

	if (n > 0 && dialog_clear(&r->dialog, left, n))
		line_drop(&r->lines);
	return n > 0;
}

/* As a conversation does: a long line goes on in a larger buffer, once. */
static void
widen(struct run *r)
{
	static uint8_t large[LINE_MAX_CAP];

	if (r->lines.cap < sizeof large)
		line_move(&r->lines, large, sizeof large);
	else
		dialog_end(&r->dialog, 3, ENDING_MUCH, NULL, 0, "line");
}

static bool
hear(struct run *r)
{
	struct line line;

	switch (line_next(&r->lines, &line)) {
	case LINE_GOT:
		dialog_hear(&r->dialog, 2, &line);
		return true;
	case LINE_FULL:
		widen(r);
		return true;
	default:
		return false;
	}
}

static void
pump(struct run *r)
{
	bool on = true;

	while (on) {
		switch (dialog_want(&r->dialog)) {
		case WANT_SAY:
			say(r);
			break;
		case WANT_TLS:
			on = clear(r);
			break;
		case WANT_NOTHING:
			on = false;
			break;
		default:
			on = hear(r);
		}
	}
}

static void
end(struct run *r, enum ending why)
{
	uint32_t n;
	const uint8_t *left = line_left(&r->lines, &n);

	dialog_end(&r->dialog, 4, why, left, n, "ended");
}

static void
mark(struct run *r, uint8_t what)
{
	bool tls = dialog_want(&r->dialog) == WANT_TLS;

	switch (what % 8) {
	case 0:
		if (tls) {
			dialog_begun(&r->dialog);
			dialog_secured(&r->dialog, 5, "TLSv1.3");
			r->record.head.tls_version = 0x304;
		}
		break;
	case 1:
		if (tls || r->dialog.facts.tls)
			dialog_failed(&r->dialog, 5, "failed");
		break;
	case 2:
		if (dialog_want(&r->dialog) == WANT_QUIET)
			dialog_quiet(&r->dialog);
		break;
	case 3:
		if (tls)
			dialog_begun(&r->dialog);
		break;
	default:
		end(r, (enum ending)(what % 8 - 3));
	}
}

/* No verdict without its evidence in the record. */
static void
evidence(const struct run *r)
{
	const struct head *h = &r->record.head;
	struct field f;

	if (h->findings & 1u << FINDING_NO_TLS)
		must(r->dialog.facts.upgrade == ANSWER_NO &&
		    (h->flags & HEAD_TRUNCATED ||
			facts_find(&r->dialog.facts, TAG_STARTTLS_REPLY, &f)));
	if (h->findings & 1u << FINDING_STARTTLS_BROKEN)
		must(h->flags & HEAD_OFFERED && r->dialog.facts.asked);
	if (h->findings & 1u << FINDING_STARTTLS_INJECTION)
		must(r->dialog.inject && r->dialog.facts.tls);
	if (h->findings & 1u << FINDING_CLEARTEXT_LOGIN)
		must(h->flags & HEAD_LOGIN_BEFORE &&
		    r->dialog.facts.greeted == GREETED_YES);
}

static void
check(struct run *r)
{
	static uint8_t flat[RECORD_MAX];
	size_t len;

	must(r->record.len <= r->record.cap);
	must(strlen(dialog_place(&r->dialog)) > 0);
	must(!(dialog_greeting(&r->dialog) && dialog_left(&r->dialog)));
	len = record_flatten(&r->record, flat, sizeof flat);
	must(len > 0 && record_check(flat, len));
	evidence(r);
}

static void
feed(struct run *r, const uint8_t *bytes, size_t len, size_t step)
{
	while (len > 0 && dialog_want(&r->dialog) != WANT_NOTHING) {
		uint32_t room;
		uint8_t *space = line_space(&r->lines, &room);
		size_t n = len < step ? len : step;

		if (n > room)
			n = room;
		must(n > 0);
		memcpy(space, bytes, n);
		line_fed(&r->lines, (uint32_t)n);
		bytes += n;
		len -= n;
		pump(r);
	}
}

/* The table that is installed: what was said goes through it as well. */
static const struct products *
shipped_products(void)
{
	static char text[1 << 18], error[PRODUCTS_ERROR_MAX];
	FILE *file = fopen("conf/products", "r");
	const struct products *all;

	must(file != NULL);
	must(fread(text, 1, sizeof text - 1, file) > 0);
	(void)fclose(file);
	all = products_read("conf/products", text, NULL, error);
	must(all != NULL);
	return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct manners manners = { "probe.example.org", "a\"b\\\r\nc",
		4096, 64, NULL };
	static uint8_t line[LINE_CAP], body[BODY_CAP];
	struct run r = { .said = 0 };
	const uint8_t *at = bytes + 2, *stop = bytes + len;

	if (len < 2)
		return 0;
	if (!manners.products)
		manners.products = shipped_products();
	record_init(&r.record, body, bytes[1] & 1 ? BODY_CAP : 700);
	line_init(&r.lines, line, sizeof line);
	dialog_start(&r.dialog, &manners, &r.record,
	    probe_of((enum protocol)(1 + bytes[0] % 3)),
	    (enum port_kind)(bytes[0] / 3 % 4));
	pump(&r);
	while (at < stop) {
		const uint8_t *m = memchr(at, MARK, (size_t)(stop - at));
		const uint8_t *until = m ? m : stop;

		feed(&r, at, (size_t)(until - at), bytes[1] / 2 + 1u);
		at = until;
		if (m && stop - m >= 2) {
			mark(&r, m[1]);
			pump(&r);
		}
		at += m ? (stop - m >= 2 ? 2 : 1) : 0;
	}
	end(&r, ENDING_CLOSED);
	dialog_conclude(&r.dialog);
	check(&r);
	return 0;
}
