/* conversation.c: one connection, driven from event to event to its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/tcp.h>

#include "engine/abort.h"
#include "engine/cookie.h"
#include "probes/conversation.h"
#include "probes/conversation_parts.h"
#include "probes/ending.h"

enum {
	SLAB = 32, /* conversations made at once */
	DISCARD = 2048, /* bytes after goodbye, read at a time */
	NOTE_CAP = 192,
	MS = 1000
};

static const uint32_t an_end = EPOLLRDHUP | EPOLLOUT | EPOLLET;
static const uint32_t anything =
    EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLOUT | EPOLLET;

/* ---- the set ------------------------------------------------------------ */

int
conversations_init(struct conversations *all, const struct conf *conf,
    struct tls_context *tls, uint64_t now_ms, uint64_t now_us)
{
	memset(all, 0, sizeof *all);
	all->conf = conf;
	all->tls = tls;
	all->manners = (struct manners){
		.helo = conf->helo,
		.contact = conf->contact,
		.reply_max = conf->reply_max,
		.reply_lines_max = conf->reply_lines_max,
	};
	wheel_init(&all->wheel, now_ms);
	all->now_ms = now_ms;
	all->now_us = now_us;
	all->over_tail = &all->over;
	turns_init(&all->turns);
	all->epoll = epoll_create1(EPOLL_CLOEXEC);
	return all->epoll < 0 ? -1 : 0;
}

struct slab {
	struct slab *next;
	struct conversation items[SLAB];
};

/* A conversation from the slabs; there only come more. */
static struct conversation *
take(struct conversations *all)
{
	struct conversation *c;

	if (!all->spare) {
		struct slab *slab = calloc(1, sizeof *slab);

		if (!slab)
			return NULL;
		slab->next = all->slabs;
		all->slabs = slab;
		for (int i = 0; i < SLAB; i++) {
			slab->items[i].next = all->spare;
			all->spare = &slab->items[i];
		}
	}
	c = all->spare;
	all->spare = c->next;
	memset(c, 0, offsetof(struct conversation, line_small));
	c->all = all;
	return c;
}

void
conversation_release(struct conversation *c)
{
	tls_free(c->tls);
	free(c->line_large);
	free(c->body_large);
	free(c->unsent);
	c->next = c->all->released;
	c->all->released = c;
	c->all->open--;
}

void
conversations_reclaim(struct conversations *all)
{
	while (all->released) {
		struct conversation *c = all->released;

		all->released = c->next;
		c->next = all->spare;
		all->spare = c;
	}
}

/* ---- times -------------------------------------------------------------- */

/* Milliseconds since the SYN-ACK. */
uint32_t
conversation_since(const struct conversation *c)
{
	return (uint32_t)(c->all->now_ms - c->base_ms);
}

void
conversation_within(struct conversation *c, uint32_t ms)
{
	c->deadline_ms = c->all->now_ms + ms;
}

/* The next reply begins: its deadline, and no rate yet. */
void
conversation_expect(struct conversation *c)
{
	const struct conf *conf = c->all->conf;
	bool greeting = dialog_greeting(&c->dialog);
	bool smtp = c->dialog.probe->protocol == PROTOCOL_SMTP;

	c->window_ms = 0;
	if (dialog_want(&c->dialog) == WANT_QUIET)
		conversation_within(c, QUIET_MS);
	else if (!greeting)
		conversation_within(c, conf->reply_ms);
	else
		conversation_within(
		    c, smtp ? conf->greeting_smtp_ms : conf->greeting_ms);
}

static void
arm(struct conversation *c)
{
	uint64_t at = c->deadline_ms < c->end_ms ? c->deadline_ms : c->end_ms;
	uint64_t window = c->window_ms + c->all->conf->min_rate_window_ms;

	if (c->window_ms > 0 && window < at)
		at = window;
	if (c->sipped && c->all->now_ms + SIP_MS < at)
		at = c->all->now_ms + SIP_MS;
	wheel_set(&c->all->wheel, &c->timer, at);
}

/* Bytes came: the first ever, or the first of a reply, set a clock going. */
void
conversation_heard(struct conversation *c, size_t n)
{
	bool captured = c->contact.greeting_us > 0 && c->greeting_us == 0;

	c->line_ms = conversation_since(c);
	if (captured)
		c->line_ms =
		    (uint32_t)((c->contact.greeting_us - c->contact.synack_us) /
			MS);
	if (c->greeting_us == 0)
		c->greeting_us =
		    captured ? c->contact.greeting_us : c->all->now_us;
	if (c->window_ms == 0)
		c->window_ms = c->all->now_ms;
	c->window_bytes += (uint32_t)n;
	if (dialog_want(&c->dialog) == WANT_QUIET)
		conversation_within(c, QUIET_MS);
}

/* Should the kernel not take it, each byte wakes us as before. */
void
conversation_sip(struct conversation *c, bool on)
{
	struct epoll_event e = {
		.events = on ? an_end : anything,
		.data.ptr = c,
	};

	c->crumbs = 0;
	if (epoll_ctl(c->all->epoll, EPOLL_CTL_MOD, c->fd, &e) == 0)
		c->sipped = on;
}

/* ---- ends --------------------------------------------------------------- */

/*
 * The kernel has a sample only once something of ours was acknowledged, so it
 * is asked at the end: the smallest, or what dial knew.
 */
static void
measure_rtt(struct conversation *c)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_rtt > 0)
		c->rtt_us =
		    info.tcpi_min_rtt > 0 && info.tcpi_min_rtt < info.tcpi_rtt
		    ? info.tcpi_min_rtt
		    : info.tcpi_rtt;
}

static void
leave(struct conversation *c)
{
	c->place = PLACE_OVER;
	turn_give(c);
	wheel_clear(&c->all->wheel, &c->timer);
	c->fd = -1;
	c->next = NULL;
	*c->all->over_tail = c;
	c->all->over_tail = &c->next;
}

static void
over(struct conversation *c)
{
	measure_rtt(c);
	close(c->fd);
	leave(c);
	conversation_conclude(c);
}

/* Not a word more, and nothing is said of it. */
static void
withdraw(struct conversation *c)
{
	c->withdrawn = true;
	socket_abort(c->fd);
	leave(c);
}

static bool
is_left_out(const struct conversation *c)
{
	const struct ranges *set = c->all->optouts;

	return set != NULL && ranges_has(set, &c->contact.target.addr);
}

/* One that was never taken belongs to nobody yet. */
static bool
is_open(const struct conversation *c)
{
	return c->all != NULL && c->place != PLACE_OVER;
}

void
conversations_optouts(struct conversations *all, const struct ranges *set)
{
	all->optouts = set;
	for (struct slab *s = all->slabs; s != NULL; s = s->next)
		for (int i = 0; i < SLAB; i++)
			if (is_open(&s->items[i]) && is_left_out(&s->items[i]))
				withdraw(&s->items[i]);
}

/* It ends from outside; bytes that never became a line are heard as well. */
void
conversation_cut(struct conversation *c, enum ending why, const char *text)
{
	uint32_t n;
	const uint8_t *left = line_left(&c->lines, &n);
	bool tls = dialog_want(&c->dialog) == WANT_TLS;

	conversation_room(c, n);
	dialog_end(
	    &c->dialog, conversation_since(c), why, left, tls ? 0 : n, text);
}

void
conversation_cut_by_peer(struct conversation *c, bool reset)
{
	reset = reset || c->refused;
	conversation_cut(c, reset ? ENDING_RESET : ENDING_CLOSED,
	    reset ? "reset by the server" : "closed by the server");
}

void
conversation_too_much(struct conversation *c)
{
	conversation_cut(c, ENDING_MUCH, "conversation over our cap on bytes");
}

/* ---- leaving ------------------------------------------------------------ */

/* Nothing more is wanted: let the server close first, if it may. */
static bool
farewell(struct conversation *c)
{
	uint8_t bytes[DISCARD];
	ssize_t n = 0;

	if (c->place != PLACE_FAREWELL) {
		if (c->dialog.facts.ending != ENDING_NONE ||
		    !dialog_left(&c->dialog)) {
			over(c);
			return false;
		}
		c->place = PLACE_FAREWELL;
		c->window_ms = 0;
		conversation_within(c, FAREWELL_MS);
	}
	while (c->bytes <= c->all->conf->conversation_max) {
		n = recv(c->fd, bytes, sizeof bytes, 0);
		if (n <= 0)
			break;
		c->bytes += (uint32_t)n;
	}
	if (n < 0 && errno == EAGAIN)
		return false;
	over(c);
	return false;
}

/* ---- events ------------------------------------------------------------- */

static bool
advance(struct conversation *c)
{
	enum want want = dialog_want(&c->dialog);

	if (want == WANT_NOTHING)
		return farewell(c);
	if (c->unsent_len > 0)
		return conversation_flush(c);
	switch (want) {
	case WANT_SAY:
		return conversation_speak(c);
	case WANT_TLS:
		return conversation_secure(c);
	default:
		return conversation_listen(c);
	}
}

/*
 * Had they a chance to say something? Not when all of our time had passed on
 * the wire to us, nor while their turn for a ClientHello did not come.
 */
static bool
heard_out(const struct conversation *c)
{
	return c->begun_ms < c->end_ms && c->place != PLACE_TURN;
}

void
conversation_ready(struct conversation *c)
{
	if (c->place == PLACE_OVER)
		return;
	c->drained = false;
	/*
	 * If others kept us from it for so long, packet may have reset the
	 * connection: what is read or refused now is not the server's word.
	 */
	if (c->all->now_ms >= c->end_ms &&
	    dialog_want(&c->dialog) != WANT_NOTHING)
		conversation_cut(c, heard_out(c) ? ENDING_TIME : ENDING_LATE,
		    "conversation over our time");
	while (advance(c))
		;
	if (c->place != PLACE_OVER)
		arm(c);
}

/*
 * A read that was not filled has emptied the socket, and what comes later is
 * an event of its own; but not an end that has come already, nor what lies
 * behind an urgent byte, at which a read stops (tcp(7)).
 */
void
conversation_event(struct conversation *c, uint32_t events)
{
	c->woken = !(events & (EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR));
	conversation_ready(c);
	c->woken = false;
}

/* Since the window began too few bytes came; else another one begins. */
static bool
slow(struct conversation *c)
{
	const struct conf *conf = c->all->conf;
	uint64_t window = conf->min_rate_window_ms;

	if (c->window_ms == 0 || c->all->now_ms < c->window_ms + window)
		return false;
	if ((uint64_t)c->window_bytes * MS < conf->min_rate * window)
		return true;
	c->window_ms = c->all->now_ms;
	c->window_bytes = 0;
	return false;
}

static void
time_up(struct conversation *c)
{
	char text[NOTE_CAP];
	uint64_t now = c->all->now_ms;

	if (c->sipped) {
		c->drained = false;
		c->woken = now < c->deadline_ms && now < c->end_ms;
		while (c->sipped && advance(c))
			;
		c->woken = false;
		if (c->place == PLACE_OVER)
			return;
		if (!c->sipped) { /* a line: it came in time */
			conversation_ready(c);
			return;
		}
	}
	if (c->place == PLACE_FAREWELL) {
		if (c->tls)
			tls_goodbye(c->tls);
		over(c);
		return;
	}
	if (dialog_want(&c->dialog) == WANT_QUIET && now < c->end_ms) {
		dialog_quiet(&c->dialog);
	} else if (now >= c->deadline_ms && now < c->end_ms) {
		snprintf(text, sizeof text, "timed out waiting for %s",
		    dialog_place(&c->dialog));
		conversation_cut(c, ENDING_TIME, text);
	} else if (now < c->end_ms && slow(c)) {
		conversation_cut(c, ENDING_SLOW, "under our minimum rate");
	}
	conversation_ready(c);
}

void
conversations_expire(struct conversations *all)
{
	struct timer *t;

	while ((t = wheel_due(&all->wheel, all->now_ms)) != NULL)
		time_up((struct conversation *)t);
}

static enum port_kind
kind_of(const struct contact *k, bool implicit_tls)
{
	if (implicit_tls)
		return PORT_TLS;
	if (k->kind == KIND_INJECTION)
		return PORT_INJECTION;
	return k->flags & HANDOFF_TLS ? PORT_HELLO : PORT_CLEAR;
}

/*
 * Counted from when packet handed it on, as packet does: it may have waited
 * for us. Without a greeting that was when the SYN-ACK came, or later.
 */
static uint64_t
end_of(const struct conversation *c)
{
	const struct conf *conf = c->all->conf;
	bool smtp = c->contact.protocol == PROTOCOL_SMTP;
	uint64_t handed_ms = c->base_ms, now_ms = c->all->now_ms;

	if (c->contact.greeting_us > c->contact.synack_us)
		handed_ms +=
		    (c->contact.greeting_us - c->contact.synack_us) / MS;
	else
		handed_ms += smtp ? conf->greeting_smtp_ms : conf->greeting_ms;
	return conf->conversation_ms +
	    (handed_ms < now_ms ? handed_ms : now_ms);
}

int
conversation_begin(
    struct conversations *all, const struct dialed *dialed, int fd)
{
	struct epoll_event e = { .events = anything };
	const struct contact *k = &dialed->contact;
	const struct conf_port *port = conf_port(all->conf, k->target.port);
	const struct probe *probe = probe_of(
	    k->protocol < PROTOCOL_COUNT ? k->protocol : PROTOCOL_UNKNOWN);
	struct conversation *c = probe ? take(all) : NULL;
	uint64_t ago =
	    all->now_us > k->synack_us ? (all->now_us - k->synack_us) / MS : 0;

	if (!c)
		return -1;
	c->contact = *k;
	c->rtt_us = dialed->rtt_us;
	c->fd = fd;
	e.data.ptr = c;
	if (epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		c->place = PLACE_OVER;
		c->next = all->spare;
		all->spare = c;
		return -1;
	}
	all->open++;
	c->begun_ms = all->now_ms;
	c->base_ms = ago < all->now_ms ? all->now_ms - ago : 0;
	c->end_ms = end_of(c);
	record_init(&c->record, c->body_small, sizeof c->body_small);
	line_init(&c->lines, c->line_small, sizeof c->line_small);
	dialog_start(&c->dialog, &all->manners, &c->record, probe,
	    kind_of(k, port && port->implicit_tls));
	conversation_expect(c);
	if (is_left_out(c))
		withdraw(c);
	else
		arm(c);
	return 0;
}

void
conversations_free(struct conversations *all)
{
	if (all->epoll >= 0)
		close(all->epoll);
	all->epoll = -1;
	while (all->slabs) {
		struct slab *slab = all->slabs;

		all->slabs = slab->next;
		free(slab);
	}
}
