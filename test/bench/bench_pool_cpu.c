/*
 * bench_pool_cpu.c: what a conversation costs a probe in user space, beside
 * OpenSSL's own handshake and the least client that says the same.
 *
 * Both ends live in this thread, over socket pairs; only the client's calls
 * are timed. BATCH conversations are open at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "probes/conversation.h"
#include "probes/heap.h"
#include "test/bench/mailsim.h"
#include "test/bench/pool_least.h"

enum {
	BATCH = 32,
	ROUNDS = 9, /* of each kind, in turn; the median counts */
	BATCHES = 8, /* in a round */
	TURNS_MAX = 64, /* a conversation that takes more is stuck */
	PAIR_BUFFER = 20000,
	PATH_CAP = 64,
	POP3_PORT = 110,
	POP3S_PORT = 995
};

/* ---- time --------------------------------------------------------------- */

static uint64_t spent_ns, sections;

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Not inlined: a profiler collects inside it (callgrind --toggle-collect). */
static __attribute__((noinline)) void
timed(void (*call)(void *), void *arg)
{
	uint64_t from = cpu_ns();

	call(arg);
	spent_ns += cpu_ns() - from;
	sections++;
}

static void
nothing(void *arg)
{
	(void)arg;
}

/* What an empty section takes. */
static double
clock_cost_ns(void)
{
	spent_ns = 0;
	for (int i = 0; i < 100000; i++)
		timed(nothing, NULL);
	return (double)spent_ns / 100000;
}

static void
fail(const char *what)
{
	fprintf(stderr, "bench_pool_cpu: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(1);
}

/* ---- the server's side --------------------------------------------------- */

static SSL_CTX *server_tls;

static void
serve_say(struct sim_conn *c)
{
	int n = c->reply_len;

	if (c->ssl)
		n = SSL_write(c->ssl, c->out, c->reply_len);
	else if (send(c->fd, c->out, c->reply_len, MSG_NOSIGNAL) < 0)
		n = -1;
	if (n != c->reply_len)
		fail("a reply");
	if (c->after == SIM_START_TLS) {
		c->ssl = SSL_new(server_tls);
		SSL_set_fd(c->ssl, c->fd);
		SSL_set_accept_state(c->ssl);
		c->shaking = true;
	} else if (c->after == SIM_CLOSE) {
		if (c->ssl)
			SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
		c->ssl = NULL;
		close(c->fd);
		c->fd = -1;
	}
}

static void
serve(struct sim_conn *c)
{
	char *end;
	int n;

	if (c->fd < 0)
		return;
	ERR_clear_error();
	if (c->shaking) {
		if (SSL_do_handshake(c->ssl) != 1)
			return;
		c->shaking = false;
	}
	n = c->ssl ? SSL_read(c->ssl, c->in + c->heard, SIM_LINE - c->heard)
		   : (int)recv(c->fd, c->in + c->heard,
			 (size_t)(SIM_LINE - c->heard), 0);
	if (n <= 0)
		return;
	c->heard = (uint16_t)(c->heard + n);
	end = memchr(c->in, '\r', c->heard);
	if (!end)
		return;
	*end = '\0';
	c->heard = 0;
	sim_answer(c, c->in);
	serve_say(c);
}

static struct sim_conn servers[BATCH];
static int ours[BATCH];

static void
connect_all(enum sim_kind kind)
{
	for (int i = 0; i < BATCH; i++) {
		struct sim_conn *c = &servers[i];
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) <
		    0)
			fail("socketpair");
		memset(c, 0, sizeof *c);
		c->fd = pair[1];
		c->addr = 0x0a000001;
		c->protocol = SIM_POP3;
		c->kind = (uint8_t)kind;
		ours[i] = pair[0];
		sim_greet(c);
		serve_say(c);
	}
}

/* ---- OpenSSL's handshake alone ------------------------------------------- */

static SSL_CTX *client_tls;

struct shake {
	SSL *ssl;
	BIO *bio;
	int r;
};

static void
shake_begin(void *arg)
{
	struct shake *s = arg;

	s->ssl = SSL_new(client_tls);
	SSL_set_bio(s->ssl, s->bio, s->bio);
	SSL_set_connect_state(s->ssl);
	s->r = SSL_do_handshake(s->ssl);
}

static void
shake_on(void *arg)
{
	struct shake *s = arg;

	s->r = SSL_do_handshake(s->ssl);
}

static void
shake_end(void *arg)
{
	struct shake *s = arg;

	SSL_free(s->ssl);
}

static void
handshake_once(void)
{
	struct shake c = { 0 };
	SSL *server = SSL_new(server_tls);
	BIO *theirs;
	int r = 0;

	if (BIO_new_bio_pair(&c.bio, PAIR_BUFFER, &theirs, PAIR_BUFFER) != 1)
		fail("BIO pair");
	SSL_set_bio(server, theirs, theirs);
	SSL_set_accept_state(server);
	timed(shake_begin, &c);
	for (int i = 0; i < TURNS_MAX && (r != 1 || c.r != 1); i++) {
		if (r != 1)
			r = SSL_do_handshake(server);
		if (c.r != 1)
			timed(shake_on, &c);
	}
	if (r != 1 || c.r != 1)
		fail("no handshake");
	timed(shake_end, &c);
	SSL_free(server);
}

static void
handshakes(void)
{
	for (int i = 0; i < BATCH; i++)
		handshake_once();
}

/* ---- the least client ---------------------------------------------------- */

static struct least clients[BATCH];
static int least_epoll;

static void
watch(int epoll, int fd, void *what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		fail("epoll_ctl");
}

static void
least_start(void *arg)
{
	for (int i = 0; i < BATCH; i++) {
		least_begin(&clients[i], arg, ours[i], client_tls);
		watch(least_epoll, ours[i], &clients[i]);
	}
}

static void
least_turn(void *arg)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(least_epoll, events, BATCH, 0);

	(void)arg;
	for (int i = 0; i < n; i++)
		least_ready(events[i].data.ptr);
}

static void
least_all(const char *const *says, enum sim_kind kind)
{
	int over = 0;

	connect_all(kind);
	timed(least_start, (void *)says);
	for (int turn = 0; turn < TURNS_MAX && over < BATCH; turn++) {
		timed(least_turn, NULL);
		over = 0;
		for (int i = 0; i < BATCH; i++) {
			serve(&servers[i]);
			over += clients[i].over;
		}
	}
	if (over < BATCH)
		fail("the least client is stuck");
}

static void
least_with_tls(void)
{
	least_all(least_says_tls, SIM_GOOD);
}

static void
least_in_clear(void)
{
	least_all(least_says_clear, SIM_NO_TLS);
}

/* ---- ours ---------------------------------------------------------------- */

static struct conversations all;
static struct conf conf;
static int ended;
static uint16_t port = POP3_PORT;

static void
probe_start(void *arg)
{
	struct dialed d;

	(void)arg;
	memset(&d, 0, sizeof d);
	d.contact.target.port = port;
	d.contact.protocol = PROTOCOL_POP3;
	d.contact.target.addr = addr_from4(0x0a000001);
	for (int i = 0; i < BATCH; i++)
		if (conversation_begin(&all, &d, ours[i]) < 0)
			fail("a conversation");
}

static void
probe_turn(void *arg)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(all.epoll, events, BATCH, 0);

	(void)arg;
	for (int i = 0; i < n; i++)
		conversation_event(events[i].data.ptr, events[i].events);
	while (all.over) {
		struct conversation *c = all.over;

		if (c->record.head.outcome != OUTCOME_COMPLETED ||
		    c->record.head.tls_version == 0)
			fail("a conversation that did not complete");
		all.over = c->next;
		if (!all.over)
			all.over_tail = &all.over;
		conversation_release(c);
		ended++;
	}
	conversations_reclaim(&all);
}

static void
probe_all(void)
{
	connect_all(SIM_GOOD);
	ended = 0;
	timed(probe_start, NULL);
	for (int turn = 0; turn < TURNS_MAX && ended < BATCH; turn++) {
		timed(probe_turn, NULL);
		for (int i = 0; i < BATCH; i++)
			serve(&servers[i]);
	}
	if (ended < BATCH)
		fail("a conversation is stuck");
}

static void
silent_turn(void *arg)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(all.epoll, events, BATCH, 0);

	(void)arg;
	for (int i = 0; i < n; i++)
		conversation_event(events[i].data.ptr, events[i].events);
	all.now_ms += conf.server_hello_ms + WHEEL_TICK_MS;
	conversations_expire(&all);
	while (all.over) {
		struct conversation *c = all.over;

		if (c->record.head.outcome != OUTCOME_SILENT)
			fail("a server that was not silent");
		all.over = c->next;
		if (!all.over)
			all.over_tail = &all.over;
		conversation_release(c);
	}
	conversations_reclaim(&all);
}

/* On a TLS port: a ClientHello, and no answer until its time is up. */
static void
silent_all(void)
{
	int theirs[BATCH];

	for (int i = 0; i < BATCH; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) <
		    0)
			fail("socketpair");
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	port = POP3S_PORT;
	timed(probe_start, NULL);
	timed(silent_turn, NULL);
	port = POP3_PORT;
	for (int i = 0; i < BATCH; i++)
		close(theirs[i]);
	if (all.open > 0)
		fail("a silent server is waited for");
}

/* Any anchor will do: nobody of these servers leads to it. */
static void
anchor_write(char path[PATH_CAP])
{
	X509 *x = SSL_CTX_get0_certificate(server_tls);
	FILE *f;
	int fd;

	snprintf(path, PATH_CAP, "/tmp/mailsweep-bench-XXXXXX");
	fd = mkstemp(path);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f || PEM_write_X509(f, x) != 1 || fclose(f) != 0)
		fail(path);
}

static void
probe_open(void)
{
	char path[PATH_CAP];
	struct tls_context *tls;

	conf = (struct conf){ .helo = "scanner.bench.test",
		.contact = "abuse@bench.test",
		.greeting_ms = 60000,
		.greeting_smtp_ms = 60000,
		.reply_ms = 60000,
		.handshake_ms = 60000,
		.server_hello_ms = 60000,
		.conversation_ms = 120000,
		.line_max = 8192,
		.reply_max = 65536,
		.reply_lines_max = 512,
		.conversation_max = 262144,
		.min_rate = 1,
		.min_rate_window_ms = 60000 };
	conf.ports[conf.nports++] =
	    (struct conf_port){ POP3_PORT, PROTOCOL_POP3, 0 };
	conf.ports[conf.nports++] =
	    (struct conf_port){ POP3S_PORT, PROTOCOL_POP3, 1 };
	anchor_write(path);
	tls = tls_context_new(path);
	unlink(path);
	if (!tls || conversations_init(&all, &conf, tls, 1000, 1000) < 0)
		fail("a probe");
}

/* ---- rounds -------------------------------------------------------------- */

static const struct kind {
	const char *name;
	void (*batch)(void);
} kinds[] = {
	{ "pool_handshake", handshakes },
	{ "pool_least_clear", least_in_clear },
	{ "pool_least_tls", least_with_tls },
	{ "pool_probe", probe_all },
	{ "pool_silent", silent_all },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure(double us[KINDS], int n)
{
	static double rounds[KINDS][ROUNDS];
	double clock_ns = clock_cost_ns();

	for (int r = -1; r < ROUNDS; r++) {
		for (int k = 0; k < n; k++) {
			spent_ns = sections = 0;
			for (int i = 0; i < BATCHES; i++)
				kinds[k].batch();
			if (r >= 0)
				rounds[k][r] =
				    ((double)spent_ns -
					clock_ns * (double)sections) /
				    1000 / BATCHES / BATCH;
		}
	}
	for (int k = 0; k < n; k++) {
		qsort(rounds[k], ROUNDS, sizeof(double), ascending);
		us[k] = rounds[k][ROUNDS / 2];
		printf("bench: %s %.1f us\n", kinds[k].name, us[k]);
	}
}

static void
contexts_open(void)
{
	server_tls = sim_tls(false);
	client_tls = least_tls();
	if (!server_tls || !client_tls)
		fail("contexts");
}

int
main(int argc, char **argv)
{
	double us[KINDS];

	/* The first is OpenSSL as it comes, and so is its memory. */
	if (argc < 2 || strcmp(argv[1], "floor") != 0)
		heap_install();
	contexts_open();
	probe_open();
	least_epoll = epoll_create1(EPOLL_CLOEXEC);
	/* The first alone, for comparison; or any, for a profiler. */
	if (argc == 2 && strcmp(argv[1], "floor") == 0) {
		measure(us, 1);
		return 0;
	}
	for (int k = 0; argc == 2 && k < KINDS; k++) {
		if (strcmp(argv[1], kinds[k].name) != 0)
			continue;
		kinds[k].batch();
		kinds[k].batch();
		return 0;
	}
	measure(us, KINDS);
	printf(
	    "bench: pool_user_vs_floor %.3f ratio\n", us[3] / (us[0] + us[1]));
	printf("bench: pool_user_vs_client %.3f ratio\n", us[3] / us[2]);
	return 0;
}
