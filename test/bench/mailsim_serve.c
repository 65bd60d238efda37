/* mailsim_serve.c: one process of the simulator: its sockets and its clock. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "test/bench/mailsim.h"

enum {
	EVENTS = 256,
	BACKLOG = 65535,
	ACCEPTS = 64, /* before anything else is looked at */
	LATE_MS = 3000,
	TARPIT_MS = 1000, /* for one byte */
	ENDLESS_MS = 200, /* for a chunk */
	ENDLESS_CHUNK = 4096,
	IDLE_MS = 1000
};

/* Those that wait for their time; each queue has one delay for all. */
enum queue_name { Q_REPLY, Q_LATE, Q_TARPIT, Q_ENDLESS, Q_COUNT };

struct queue {
	struct sim_conn *first, **end;
	uint64_t delay_ms;
};

struct server {
	const struct sim_options *options;
	const int *fds;
	SSL_CTX *tls;
	struct sim_counts *counts;
	struct queue queues[Q_COUNT];
	struct sim_conn *made; /* all there ever were */
	struct sim_conn *spare, *gone; /* gone: spare after this batch */
	int epoll, signals;
	uint64_t now_ms;
};

static const struct {
	uint16_t port;
	uint8_t protocol; /* enum sim_protocol */
	bool implicit;
} services[SIM_PORTS] = {
	{ 25, SIM_SMTP, false },
	{ 110, SIM_POP3, false },
	{ 143, SIM_IMAP, false },
	{ 465, SIM_SMTP, true },
	{ 587, SIM_SMTP, false },
	{ 993, SIM_IMAP, true },
	{ 995, SIM_POP3, true },
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int
sim_listen(int fds[SIM_PORTS])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int one = 1;

	for (int i = 0; i < SIM_PORTS; i++) {
		a.sin_port = htons(services[i].port);
		fds[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fds[i] < 0 ||
		    setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &one,
			sizeof one) < 0 ||
		    setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &one,
			sizeof one) < 0 ||
		    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one,
			sizeof one) < 0 ||
		    bind(fds[i], (struct sockaddr *)&a, sizeof a) < 0 ||
		    listen(fds[i], BACKLOG) < 0)
			return -1;
	}
	return 0;
}

/* ---- queues ------------------------------------------------------------- */

static void
queue_put(struct server *s, enum queue_name name, struct sim_conn *c)
{
	struct queue *q = &s->queues[name];

	c->due_ms = s->now_ms + q->delay_ms;
	c->next = NULL;
	c->before = q->end;
	*q->end = c;
	q->end = &c->next;
}

static void
queue_take(struct server *s, struct sim_conn *c)
{
	if (!c->before)
		return;
	*c->before = c->next;
	if (c->next)
		c->next->before = c->before;
	for (int i = 0; i < Q_COUNT; i++)
		if (s->queues[i].end == &c->next)
			s->queues[i].end = c->before;
	c->before = NULL;
}

/* ---- connections -------------------------------------------------------- */

static struct sim_conn *
conn_new(struct server *s)
{
	struct sim_conn *c = s->spare, *made;

	if (c) {
		s->spare = c->next;
		made = c->made;
	} else {
		c = malloc(sizeof *c);
		made = s->made;
		s->made = c;
	}
	if (!c)
		abort();
	memset(c, 0, offsetof(struct sim_conn, in));
	c->made = made;
	return c;
}

static void
conn_close(struct server *s, struct sim_conn *c)
{
	queue_take(s, c);
	if (c->ssl && c->quit)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->fd = -1;
	s->counts->closed++;
	s->counts->open--;
	c->next = s->gone;
	s->gone = c;
}

static void
conn_reset(struct server *s, struct sim_conn *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	conn_close(s, c);
}

/* Replies are far smaller than a socket's buffer: a short write is its end. */
static bool
put(struct sim_conn *c, const char *bytes, size_t len)
{
	if (c->ssl && !c->shaking) {
		ERR_clear_error();
		return SSL_write(c->ssl, bytes, (int)len) == (int)len;
	}
	return send(c->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void conn_ready(struct server *, struct sim_conn *);

static bool
tls_start(struct server *s, struct sim_conn *c)
{
	c->ssl = SSL_new(s->tls);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
		return false;
	if (c->tls12)
		SSL_set_max_proto_version(c->ssl, TLS1_2_VERSION);
	SSL_set_accept_state(c->ssl);
	c->shaking = true;
	return true;
}

/* What comes after a reply that is out. */
static void
reply_after(struct server *s, struct sim_conn *c)
{
	c->reply_len = 0;
	if (c->after == SIM_CLOSE ||
	    (c->after == SIM_START_TLS && !tls_start(s, c)))
		conn_close(s, c);
	else if (c->missed)
		conn_ready(s, c);
}

static void
reply_now(struct server *s, struct sim_conn *c)
{
	if (!put(c, c->out, c->reply_len))
		conn_close(s, c);
	else
		reply_after(s, c);
}

static void
reply_later(struct server *s, struct sim_conn *c)
{
	if (c->kind == SIM_TARPIT)
		queue_put(s, Q_TARPIT, c);
	else if (c->kind == SIM_ENDLESS && c->asked && !c->ssl)
		queue_put(s, Q_ENDLESS, c);
	else if (s->options->delay_ms > 0)
		queue_put(s, Q_REPLY, c);
	else
		reply_now(s, c);
}

static void
drip(struct server *s, struct sim_conn *c)
{
	if (!put(c, c->out + c->said, 1))
		conn_close(s, c);
	else if (++c->said == c->reply_len)
		reply_after(s, c);
	else
		queue_put(s, Q_TARPIT, c);
}

/* Lines without end; what the socket does not take is not missed. */
static void
flood(struct server *s, struct sim_conn *c)
{
	static const char *const begins[] = {
		[SIM_POP3] = "+OK ", [SIM_IMAP] = "* OK ", [SIM_SMTP] = "250-"
	};
	char lines[ENDLESS_CHUNK];
	size_t n = 0;

	while (n + 64 < sizeof lines)
		n += (size_t)snprintf(lines + n, sizeof lines - n,
		    "%s and so on, and so on\r\n", begins[c->protocol]);
	if (send(c->fd, lines, n, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		conn_close(s, c);
	else
		queue_put(s, Q_ENDLESS, c);
}

static void
due(struct server *s, enum queue_name name, struct sim_conn *c)
{
	queue_take(s, c);
	switch (name) {
	case Q_LATE:
		if (c->implicit) {
			if (tls_start(s, c))
				conn_ready(s, c);
			else
				conn_close(s, c);
			break;
		}
		sim_greet(c);
		reply_now(s, c);
		break;
	case Q_TARPIT:
		drip(s, c);
		break;
	case Q_ENDLESS:
		flood(s, c);
		break;
	default:
		reply_now(s, c);
	}
}

static void
all_due(struct server *s)
{
	for (int i = 0; i < Q_COUNT; i++) {
		struct queue *q = &s->queues[i];

		while (q->first && q->first->due_ms <= s->now_ms)
			due(s, (enum queue_name)i, q->first);
	}
}

/* ---- what comes in ------------------------------------------------------ */

static bool
shake(struct server *s, struct sim_conn *c)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(c->ssl);
	if (r != 1) {
		int why = SSL_get_error(c->ssl, r);

		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
			return false;
		s->counts->handshakes_failed++;
		conn_close(s, c);
		return false;
	}
	s->counts->handshakes++;
	c->shaking = false;
	c->heard = 0;
	if (c->implicit) {
		sim_greet(c);
		reply_later(s, c);
	}
	return c->fd >= 0;
}

/* More bytes of commands. False: none now, or it is over. */
static bool
hear(struct server *s, struct sim_conn *c)
{
	int room = SIM_LINE - 1 - c->heard, n;

	if (room == 0) {
		conn_close(s, c);
		return false;
	}
	if (c->ssl) {
		ERR_clear_error();
		n = SSL_read(c->ssl, c->in + c->heard, room);
		if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
			return false;
	} else {
		n = (int)recv(c->fd, c->in + c->heard, (size_t)room, 0);
		if (n < 0 && errno == EAGAIN)
			return false;
	}
	if (n <= 0) {
		conn_close(s, c);
		return false;
	}
	c->heard = (uint16_t)(c->heard + n);
	return true;
}

static bool
command(struct server *s, struct sim_conn *c)
{
	char *end = memchr(c->in, '\n', c->heard);
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end - c->in);
	*end = '\0';
	if (n > 0 && end[-1] == '\r')
		end[-1] = '\0';
	s->counts->commands++;
	c->asked = true;
	sim_answer(c, c->in);
	if (c->after == SIM_CLOSE && c->quit)
		s->counts->quits++;
	/* In clear nothing may stand behind STARTTLS: dropped. */
	c->heard = c->after == SIM_START_TLS ? 0 : (uint16_t)(c->heard - n - 1);
	memmove(c->in, end + 1, c->heard);
	reply_later(s, c);
	return true;
}

static void
conn_ready(struct server *s, struct sim_conn *c)
{
	c->missed = false;
	while (c->fd >= 0 && !c->before) {
		if (c->shaking && !shake(s, c))
			return;
		if (c->before || (!command(s, c) && !hear(s, c)))
			return;
	}
}

/* While a reply is owed, and for the silent, only an end matters. */
static void
conn_event(struct server *s, struct sim_conn *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if (!c->before && c->kind != SIM_SILENT)
		conn_ready(s, c);
	else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn_close(s, c);
	else
		c->missed = true;
}

static void
conn_begin(struct server *s, struct sim_conn *c)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET,
		.data.ptr = c };

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		abort();
	if (c->kind == SIM_RESET) {
		conn_reset(s, c);
	} else if (c->kind == SIM_SILENT) {
		return;
	} else if (c->kind == SIM_LATE) {
		queue_put(s, Q_LATE, c);
	} else if (c->implicit && c->kind == SIM_NO_TLS) {
		conn_close(s, c);
	} else if (c->implicit) {
		if (!tls_start(s, c))
			conn_close(s, c);
	} else {
		sim_greet(c);
		reply_later(s, c);
	}
}

static bool
take(struct server *s, int i)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof a;
	struct sim_counts *n = s->counts;
	int fd = accept4(s->fds[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct sim_conn *c;

	if (fd < 0)
		return errno == ECONNABORTED;
	getsockname(fd, (struct sockaddr *)&a, &len);
	c = conn_new(s);
	c->fd = fd;
	c->addr = ntohl(a.sin_addr.s_addr);
	c->protocol = services[i].protocol;
	c->implicit = services[i].implicit;
	c->kind = (uint8_t)sim_kind_of(&s->options->shares, c->addr);
	c->tls12 = sim_tls12(&s->options->shares, c->addr);
	n->connections[c->kind]++;
	n->open++;
	if (n->open > n->most_open)
		n->most_open = n->open;
	conn_begin(s, c);
	return true;
}

/* ---- the loop ----------------------------------------------------------- */

static int
wait_ms(const struct server *s)
{
	uint64_t first = s->now_ms + IDLE_MS;

	for (int i = 0; i < Q_COUNT; i++)
		if (s->queues[i].first && s->queues[i].first->due_ms < first)
			first = s->queues[i].first->due_ms;
	return first > s->now_ms ? (int)(first - s->now_ms) : 0;
}

/* False: to end. */
static bool
event(struct server *s, void *what, uint32_t events)
{
	if (what == &s->signals)
		return false;
	for (int i = 0; i < SIM_PORTS; i++) {
		if (what != &s->fds[i])
			continue;
		for (int n = 0; n < ACCEPTS; n++)
			if (!take(s, i))
				break;
		return true;
	}
	conn_event(s, what, events);
	return true;
}

static void
reclaim(struct server *s)
{
	while (s->gone) {
		struct sim_conn *c = s->gone;

		s->gone = c->next;
		c->next = s->spare;
		s->spare = c;
	}
}

static void
watch(struct server *s, int fd, const int *what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = (void *)what };

	if (fd < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		abort();
}

static void
open_up(struct server *s)
{
	struct rlimit r;
	sigset_t stop;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	for (int i = 0; i < Q_COUNT; i++)
		s->queues[i].end = &s->queues[i].first;
	s->queues[Q_REPLY].delay_ms = s->options->delay_ms;
	s->queues[Q_LATE].delay_ms = LATE_MS;
	s->queues[Q_TARPIT].delay_ms = TARPIT_MS;
	s->queues[Q_ENDLESS].delay_ms = ENDLESS_MS;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	s->signals = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(s, s->signals, &s->signals);
	for (int i = 0; i < SIM_PORTS; i++)
		watch(s, s->fds[i], &s->fds[i]);
}

void
sim_serve(const struct sim_options *o, const int fds[SIM_PORTS], SSL_CTX *tls,
    struct sim_counts *counts)
{
	struct server s = {
		.options = o, .fds = fds, .tls = tls, .counts = counts
	};
	struct epoll_event events[EVENTS];
	struct rusage used;
	bool on = true;

	open_up(&s);
	while (on) {
		int n;

		s.now_ms = now_ms();
		all_due(&s);
		reclaim(&s);
		n = epoll_wait(s.epoll, events, EVENTS, wait_ms(&s));
		s.now_ms = now_ms();
		for (int i = 0; i < n; i++)
			on = event(&s, events[i].data.ptr, events[i].events) &&
			    on;
		reclaim(&s);
	}
	while (s.made) {
		struct sim_conn *c = s.made;

		s.made = c->made;
		free(c);
	}
	getrusage(RUSAGE_SELF, &used);
	counts->cpu_us =
	    (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}
