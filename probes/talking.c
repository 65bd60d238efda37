/* talking.c: a conversation's lines, out and in, in clear or inside TLS. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probes/conversation_parts.h"
#include "probes/ending.h"

/*
 * Bytes of a command; those that do not go at once are kept. A connection
 * that takes none is not over yet: what the server said before it left (an
 * alert, a 421) may still wait to be read, and reading finds the end.
 */
static void
send_bytes(struct conversation *c, const char *bytes, size_t len)
{
	size_t sent = len;
	enum tls_state s;
	ssize_t n;

	if (c->tls) {
		s = tls_write(c->tls, bytes, len);
		sent = s == TLS_AGAIN ? 0 : len;
		c->refused = s != TLS_DONE && s != TLS_AGAIN;
	} else {
		n = send(c->fd, bytes, len, MSG_NOSIGNAL);
		if (n >= 0)
			sent = (size_t)n;
		else if (errno == EAGAIN)
			sent = 0;
		else
			c->refused = true;
	}
	c->unsent_len = len - sent;
	if (c->unsent_len == 0)
		return;
	if (!c->unsent)
		c->unsent = malloc(DIALOG_SAY_MAX);
	if (c->unsent)
		memmove(c->unsent, bytes + sent, c->unsent_len);
	else
		c->unsent_len = 0; /* half a command: their time-out or ours */
}

bool
conversation_speak(struct conversation *c)
{
	char say[DIALOG_SAY_MAX];
	size_t n;

	conversation_said_room(c, sizeof say);
	n = dialog_say(&c->dialog, conversation_since(c), say);
	conversation_expect(c);
	send_bytes(c, say, n);
	return true;
}

bool
conversation_flush(struct conversation *c)
{
	size_t before = c->unsent_len;

	if (!c->unsent)
		return false;
	send_bytes(c, c->unsent, c->unsent_len);
	return c->unsent_len < before;
}

/* The alert that revokes a handshake of TLS 1.3 comes in its first read. */
static void
tls_broke(struct conversation *c)
{
	char text[TLS_TEXT_MAX];

	tls_error(c->tls, text);
	if (tls_revocable(c->tls) && !c->dialog.facts.secure_heard)
		dialog_failed(&c->dialog, conversation_since(c), text);
	else
		conversation_cut(c, ENDING_RESET, text);
}

static bool
fill_tls(struct conversation *c, uint8_t *space, uint32_t room)
{
	size_t n;

	switch (tls_read(c->tls, space, room, &n)) {
	case TLS_DONE:
		c->dialog.facts.secure_heard = true;
		line_fed(&c->lines, (uint32_t)n);
		conversation_heard(c, n);
		if (c->bytes + tls_bytes(c->tls) >
		    c->all->conf->conversation_max)
			conversation_too_much(c);
		return true;
	case TLS_AGAIN:
		return false;
	case TLS_CLOSED:
		conversation_cut_by_peer(c, false);
		return true;
	case TLS_RESET:
		conversation_cut_by_peer(c, true);
		return true;
	case TLS_MUCH:
		conversation_too_much(c);
		return true;
	case TLS_FAILED:
		tls_broke(c);
		return true;
	}
	return true;
}

/* So little of a line at once, for so long, that it comes by the byte. */
static void
count_crumb(struct conversation *c, size_t n)
{
	if (n >= CRUMB)
		c->crumbs = 0;
	else if (c->crumbs < CRUMBS)
		c->crumbs++;
	if (c->crumbs == CRUMBS && !c->sipped &&
	    c->all->now_ms - c->window_ms >= CRUMBS_MS)
		conversation_sip(c, true);
}

/* Lines go to a buffer of their own, once. */
static bool
enlarge(struct conversation *c)
{
	uint32_t cap = c->all->conf->line_max;

	if (!c->line_large && cap > LINE_SMALL)
		c->line_large = malloc(cap);
	else
		cap = 0;
	if (!c->line_large || cap == 0)
		return false;
	line_move(&c->lines, c->line_large, cap);
	return true;
}

/* What the length of a read says of those to come. */
static void
weigh(struct conversation *c, uint32_t n, uint32_t room)
{
	c->drained = c->woken && n < room;
	if (n < room)
		c->brims = 0;
	else if (c->brims < BRIMS)
		c->brims++;
	count_crumb(c, n);
}

static bool
fill_clear(struct conversation *c, uint8_t *space, uint32_t room)
{
	ssize_t n;

	if (c->drained)
		return false;
	n = recv(c->fd, space, room, 0);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		conversation_cut_by_peer(c, n < 0);
		return true;
	}
	line_fed(&c->lines, (uint32_t)n);
	conversation_heard(c, (size_t)n);
	weigh(c, (uint32_t)n, room);
	c->bytes += (uint32_t)n;
	if (c->bytes > c->all->conf->conversation_max)
		conversation_too_much(c);
	return true;
}

static bool
fill(struct conversation *c)
{
	uint32_t room;
	uint8_t *space;

	/* More than fits, again and again: fewer reads take it. */
	if (c->brims == BRIMS && !c->line_large)
		enlarge(c);
	space = line_space(&c->lines, &room);
	return c->tls ? fill_tls(c, space, room) : fill_clear(c, space, room);
}

/* A long line goes on in a large buffer; one that is longer is too much. */
static void
widen(struct conversation *c)
{
	if (!enlarge(c))
		conversation_cut(c, ENDING_MUCH, "line over our cap");
}

bool
conversation_listen(struct conversation *c)
{
	struct line line;

	switch (line_next(&c->lines, &line)) {
	case LINE_GOT:
		c->crumbs = 0;
		if (c->sipped)
			conversation_sip(c, false);
		conversation_room(c, line.len);
		dialog_hear(&c->dialog, c->line_ms, &line);
		return true;
	case LINE_FULL:
		widen(c);
		return true;
	case LINE_NEED:
		break;
	}
	return fill(c);
}
