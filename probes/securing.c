/* securing.c: a conversation's way into TLS, and what stands in it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/cookie.h"
#include "probes/conversation_parts.h"
#include "probes/ending.h"

enum {
	PEEK = 2048,
	TLS_HANDSHAKE = 0x16, /* first bytes of records, RFC 8446 5.1 */
	TLS_ALERT = 0x15
};

/* An attempt that is none of ours would be an offer of nothing. */
static uint16_t
highest(const struct contact *k)
{
	if (k->kind != KIND_TLS_VERSION || k->attempt == 0)
		return 0;
	return TLS_VERSION_OF_ATTEMPT(k->attempt);
}

/* Until our turn comes nothing is read, and only our own time can end. */
static bool
wait_for_turn(struct conversation *c)
{
	c->place = PLACE_TURN;
	c->window_ms = 0;
	c->deadline_ms = c->end_ms;
	return false;
}

/* Say ClientHello, and wait for what they answer in. */
static bool
tls_begin(struct conversation *c)
{
	const struct conf *conf = c->all->conf;
	uint32_t n;
	const uint8_t *left;

	if (!turn_take(c))
		return wait_for_turn(c);
	left = line_left(&c->lines, &n);
	conversation_room(c, n);
	if (n > 0 && c->dialog.facts.asked)
		dialog_clear(&c->dialog, left, n);
	line_drop(&c->lines);
	c->tls = tls_new(
	    c->all->tls, c->fd, highest(&c->contact), conf->conversation_max);
	if (!c->tls) {
		conversation_cut(c, ENDING_CLOSED, "no memory for TLS");
		return true;
	}
	c->all->handshakes++;
	c->tls_begun_ms = c->all->now_ms;
	c->window_ms = 0;
	conversation_within(c,
	    c->dialog.facts.asked ? conf->handshake_ms : conf->server_hello_ms);
	c->place = PLACE_PEEK;
	if (tls_handshake(c->tls) != TLS_AGAIN)
		conversation_cut_by_peer(c, true);
	return true;
}

/* Clear text in place of TLS; on a TLS port the dialog goes on in clear. */
static bool
peeked_clear(struct conversation *c, uint8_t *bytes, size_t n)
{
	conversation_heard(c, n);
	conversation_room(c, n);
	if (!dialog_clear(&c->dialog, bytes, n)) {
		tls_free(c->tls);
		c->tls = NULL;
		turn_give(c);
		c->place = PLACE_TALK;
		conversation_expect(c);
		return true;
	}
	if (recv(c->fd, bytes, n, 0) != (ssize_t)n) {
		conversation_cut_by_peer(c, true);
		return true;
	}
	c->bytes += (uint32_t)n;
	if (c->bytes > c->all->conf->conversation_max)
		conversation_too_much(c);
	if (c->all->now_ms + CLEAR_MS < c->deadline_ms)
		conversation_within(c, CLEAR_MS);
	return true;
}

/* No line of text holds either byte: the first of them begins a record. */
static size_t
clear_len(const uint8_t *bytes, size_t n)
{
	size_t i = 0;

	while (i < n && bytes[i] != TLS_HANDSHAKE && bytes[i] != TLS_ALERT)
		i++;
	return i;
}

static bool
peek(struct conversation *c)
{
	uint8_t bytes[PEEK];
	ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_PEEK);
	size_t clear;

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		conversation_cut_by_peer(c, n < 0);
		return true;
	}
	clear = clear_len(bytes, (size_t)n);
	if (clear > 0)
		return peeked_clear(c, bytes, clear);
	conversation_heard(c, 0);
	c->window_ms = 0;
	c->place = PLACE_SHAKE;
	conversation_within(c, c->all->conf->handshake_ms);
	dialog_begun(&c->dialog);
	tls_listen(c->tls);
	return true;
}

static bool
shake(struct conversation *c)
{
	char text[TLS_TEXT_MAX];

	switch (tls_handshake(c->tls)) {
	case TLS_DONE:
		turn_give(c);
		c->record.head.tls_ms =
		    (uint32_t)(c->all->now_ms - c->tls_begun_ms);
		c->place = PLACE_TALK;
		tls_text(c->tls, text);
		conversation_room(c, sizeof text);
		dialog_secured(&c->dialog, conversation_since(c), text);
		conversation_expect(c);
		return true;
	case TLS_AGAIN:
		return false;
	case TLS_FAILED:
		tls_error(c->tls, text);
		conversation_room(c, sizeof text);
		dialog_failed(&c->dialog, conversation_since(c), text);
		return true;
	case TLS_CLOSED:
		conversation_cut_by_peer(c, false);
		return true;
	case TLS_RESET:
		conversation_cut_by_peer(c, true);
		return true;
	case TLS_MUCH:
		conversation_too_much(c);
		return true;
	}
	return true;
}

bool
conversation_secure(struct conversation *c)
{
	switch (c->place) {
	case PLACE_TALK:
	case PLACE_TURN:
		return tls_begin(c);
	case PLACE_PEEK:
		return peek(c);
	default:
		return shake(c);
	}
}
