/*
 * fuzz_conversation.c: a probe's conversation with a server that does what the
 * bytes say: speak, in TLS or out of it, in pieces, close, reset, wait. First
 * byte: port; second: why it was asked; then steps, modulo 8: 0 to 2 say (a
 * length, then bytes), 3 time passes, 4 a TLS server answers, 5 a line of
 * ours is heard, 6 ends its side, 7 resets.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "probes/conversation.h"
#include "probes/report.h"
#include "test/fuzz/tls_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	STEPS_MAX = 256,
	TURNS_MAX = 64,
	TICK_MS = 250,
	LONGEST_MS = 200000,
	STEP_HEAD = 2
};

#define UTC_US 1700000000000000u

struct world {
	struct conversations all;
	struct reports reports;
	int records[2], done[2];
	int server; /* -1: closed */
	SSL *ssl;
	unsigned nrecords, ndone;
};

static struct conf conf;

/* ---- what it costs and brings -------------------------------------------- */

static void
check_message(struct world *w, const uint8_t *message, size_t len)
{
	struct record_header h;

	must(len >= sizeof h);
	memcpy(&h, message, sizeof h);
	must(h.len == len - sizeof h);
	if (h.type == MSG_CERT)
		return;
	must(h.type == MSG_RECORD);
	must(record_check(message + sizeof h, h.len));
	w->nrecords++;
}

static void
read_reports(struct world *w)
{
	static uint8_t message[WIRE_MESSAGE_MAX];
	struct done_note note;
	ssize_t n;

	must(reports_send(&w->reports, &w->all) == 0);
	while ((n = wire_recv(w->records[1], message, sizeof message)) > 0)
		check_message(w, message, (size_t)n);
	while (wire_recv(w->done[1], &note, sizeof note) > 0) {
		must(note.outcome < OUTCOME_COUNT && note.sport == 40000);
		w->ndone++;
	}
	conversations_reclaim(&w->all);
}

/* As the worker does, until nothing happens any more. */
static void
turn(struct world *w)
{
	struct epoll_event events[4];
	int n;

	for (int i = 0; i < TURNS_MAX; i++) {
		n = epoll_wait(w->all.epoll, events, 4, 0);
		for (int k = 0; k < n; k++)
			conversation_event(
			    events[k].data.ptr, events[k].events);
		conversations_expire(&w->all);
		conversations_turns(&w->all);
		read_reports(w);
		if (n <= 0)
			return;
	}
}

static void
pass(struct world *w, uint64_t ms)
{
	w->all.now_ms += ms;
	w->all.now_us += ms * 1000;
	turn(w);
}

/* ---- the server ---------------------------------------------------------- */

static void
leave(struct world *w)
{
	SSL_free(w->ssl);
	w->ssl = NULL;
	if (w->server >= 0)
		close(w->server);
	w->server = -1;
}

static void
say(struct world *w, const uint8_t *bytes, size_t n)
{
	if (w->server < 0 || n == 0)
		return;
	if (w->ssl)
		(void)SSL_write(w->ssl, bytes, (int)n);
	else
		(void)send(w->server, bytes, n, MSG_NOSIGNAL);
}

static void
answer_tls(struct world *w, uint8_t which)
{
	if (w->server < 0 || w->ssl)
		return;
	w->ssl = SSL_new(servers[which % 2]);
	must(w->ssl != NULL && SSL_set_fd(w->ssl, w->server) == 1);
	SSL_set_accept_state(w->ssl);
	for (int i = 0; i < 4; i++) {
		(void)SSL_do_handshake(w->ssl);
		turn(w);
	}
}

static void
hear(struct world *w)
{
	uint8_t bytes[1024];

	if (w->server < 0)
		return;
	if (w->ssl)
		(void)SSL_read(w->ssl, bytes, sizeof bytes);
	else
		(void)recv(w->server, bytes, sizeof bytes, 0);
}

/* How many bytes the step has taken. */
static size_t
step(struct world *w, const uint8_t *b, size_t len)
{
	size_t n = len > 1 ? b[1] : 0;

	switch (b[0] % 8) {
	case 3:
		pass(w, n * TICK_MS);
		return len > 1 ? STEP_HEAD : 1;
	case 4:
		answer_tls(w, b[0] / 8);
		return 1;
	case 5:
		hear(w);
		return 1;
	case 6:
		if (w->server >= 0)
			(void)shutdown(w->server, SHUT_WR);
		return 1;
	case 7:
		leave(w);
		return 1;
	default:
		if (len < STEP_HEAD)
			return len;
		n = n < len - STEP_HEAD ? n : len - STEP_HEAD;
		say(w, b + STEP_HEAD, n);
		return STEP_HEAD + n;
	}
}

/* ---- begin and end ------------------------------------------------------- */

static void
configure(void)
{
	static const struct conf_port ports[] = { { 110, PROTOCOL_POP3, 0 },
		{ 995, PROTOCOL_POP3, 1 }, { 143, PROTOCOL_IMAP, 0 },
		{ 993, PROTOCOL_IMAP, 1 }, { 25, PROTOCOL_SMTP, 0 },
		{ 465, PROTOCOL_SMTP, 1 } };

	memcpy(conf.ports, ports, sizeof ports);
	conf.nports = sizeof ports / sizeof ports[0];
	snprintf(conf.helo, sizeof conf.helo, "probe.example.org");
	snprintf(conf.contact, sizeof conf.contact, "abuse@example.org");
	conf.greeting_ms = conf.reply_ms = 10000;
	conf.greeting_smtp_ms = 20000;
	conf.handshake_ms = conf.server_hello_ms = 5000;
	conf.conversation_ms = 60000;
	conf.line_max = 8192;
	conf.reply_max = 16384;
	conf.reply_lines_max = 64;
	conf.conversation_max = 65536;
	conf.min_rate = 16;
	conf.min_rate_window_ms = 20000;
}

static void
open_all(struct world *w)
{
	must(wire_pair(w->records, 1 << 20) == 0);
	must(wire_pair(w->done, 1 << 16) == 0);
	must(conversations_init(&w->all, &conf, context, 1000, UTC_US) == 0);
	w->reports =
	    (struct reports){ .records = w->records[0], .done = w->done[0] };
}

static void
begin(struct world *w, uint8_t port, uint8_t kind)
{
	const struct conf_port *p = &conf.ports[port % conf.nports];
	struct dialed d = { .contact = { .target.port = p->port,
				.protocol = p->protocol,
				.sport = 40000,
				.kind = kind % (KIND_INJECTION + 1),
				.attempt = kind / 8 % ATTEMPTS,
				.synack_us = w->all.now_us } };
	int fds[2];

	if (d.contact.kind == KIND_CANARY)
		d.contact.kind = KIND_PLAIN;
	d.contact.target.addr = addr_from4(0xc0000201);
	d.contact.source = addr_from4(0xc0000202);
	if (p->implicit_tls || d.contact.kind == KIND_CLIENT_HELLO)
		d.contact.flags = HANDOFF_TLS;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	w->server = fds[1];
	w->nrecords = w->ndone = 0;
	drawn = 1;
	must(conversation_begin(&w->all, &d, fds[0]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct world w;

	if (len < 2)
		return 0;
	if (context == NULL) {
		make_all();
		configure();
		open_all(&w);
	}
	begin(&w, bytes[0], bytes[1]);
	bytes += 2;
	len -= 2;
	for (int i = 0; i < STEPS_MAX && len > 0; i++) {
		size_t n = step(&w, bytes, len);

		bytes += n;
		len -= n;
		turn(&w);
	}
	/* Whatever the server did: in time it is over, and told once. */
	for (int i = 0; i < 8; i++)
		pass(&w, LONGEST_MS / 8);
	must(w.nrecords == 1 && w.ndone == 1 && w.all.open == 0);
	leave(&w);
	return 0;
}
