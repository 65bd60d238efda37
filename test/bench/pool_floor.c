/*
 * pool_floor.c: OpenSSL's client side of a handshake in memory, the server's
 * side by a process on another CPU, as a wire would have it. Bytes go through
 * memory that both share; only the client's calls of OpenSSL are timed.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "test/bench/mailsim.h"
#include "test/bench/pool_least.h"

enum {
	SLOTS = 64, /* handshakes at once */
	FLIGHT = 4096, /* bytes one side says before the other must */
	WARM = 512, /* handshakes before those that count */
	COUNTED = 4096
};

enum turn { TURN_CLIENT, TURN_SERVER };

/* What one end has said to the other; whose turn it is owns it. */
struct slot {
	_Atomic int turn;
	size_t len;
	bool fresh; /* a new handshake begins with this flight */
	uint8_t flight[FLIGHT];
};

struct shared {
	struct slot slots[SLOTS];
};

/* One end's half of a slot. */
struct end {
	SSL *ssl;
	BIO *in, *out;
};

static struct shared *shared;
static int wake[2]; /* by enum turn: eventfds */
static uint64_t spent_ns, sections, completed;

static void
fail(const char *what)
{
	fprintf(stderr, "pool_floor: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void
rouse(enum turn who)
{
	uint64_t one = 1;

	if (write(wake[who], &one, sizeof one) < 0)
		fail("eventfd");
}

static void
rest(enum turn who)
{
	uint64_t n;

	if (read(wake[who], &n, sizeof n) < 0)
		fail("eventfd");
}

static void
end_make(struct end *e, SSL_CTX *tls)
{
	e->ssl = SSL_new(tls);
	e->in = BIO_new(BIO_s_mem());
	e->out = BIO_new(BIO_s_mem());
	if (!e->ssl || !e->in || !e->out)
		fail("a connection");
	BIO_set_mem_eof_return(e->in, -1);
	SSL_set_bio(e->ssl, e->in, e->out);
}

static void
end_hears(struct end *e, const struct slot *s)
{
	if (s->len > 0 && BIO_write(e->in, s->flight, (int)s->len) < 0)
		fail("BIO");
}

/* What it has said; then it is the other's turn. */
static void
end_says(struct end *e, struct slot *s, enum turn next)
{
	int n = BIO_read(e->out, s->flight, FLIGHT);

	if (BIO_pending(e->out) > 0)
		fail("a flight is too long");
	s->len = n > 0 ? (size_t)n : 0;
	atomic_store_explicit(&s->turn, next, memory_order_release);
}

static bool
is_turn(struct slot *s, enum turn who)
{
	return atomic_load_explicit(&s->turn, memory_order_acquire) == (int)who;
}

/* ---- the server ---------------------------------------------------------- */

static void
run_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) < 0)
		fail("CPU");
}

static void
serve(struct end *e, struct slot *s, SSL_CTX *tls)
{
	int r;

	if (s->fresh) {
		SSL_free(e->ssl);
		end_make(e, tls);
		SSL_set_accept_state(e->ssl);
		s->fresh = false;
	}
	end_hears(e, s);
	ERR_clear_error();
	r = SSL_do_handshake(e->ssl);
	if (r != 1 && SSL_get_error(e->ssl, r) != SSL_ERROR_WANT_READ)
		fail("the server's side");
	end_says(e, s, TURN_CLIENT);
}

static _Noreturn void
server(unsigned cpu)
{
	static struct end ends[SLOTS];
	SSL_CTX *tls = sim_tls(false);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_on(cpu);
	if (!tls)
		fail("the server's context");
	for (;;) {
		rest(TURN_SERVER);
		for (int i = 0; i < SLOTS; i++) {
			struct slot *s = &shared->slots[i];

			if (!is_turn(s, TURN_SERVER))
				continue;
			serve(&ends[i], s, tls);
			rouse(TURN_CLIENT);
		}
	}
}

/* ---- the client ---------------------------------------------------------- */

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double
clock_cost_ns(void)
{
	enum { TIMES = 100000 };
	uint64_t from, spent = 0;

	for (int i = 0; i < TIMES; i++) {
		from = cpu_ns();
		spent += cpu_ns() - from;
	}
	return (double)spent / TIMES;
}

/* Timed: what OpenSSL takes, from SSL_new() to SSL_free(). */
static bool
shake(struct end *e, SSL_CTX *tls, struct slot *s)
{
	bool begins = e->ssl == NULL;
	uint64_t from;
	int r;

	if (!begins)
		end_hears(e, s);
	from = cpu_ns();
	if (begins) {
		end_make(e, tls);
		SSL_set_connect_state(e->ssl);
		s->fresh = true;
	}
	ERR_clear_error();
	r = SSL_do_handshake(e->ssl);
	if (r != 1 && SSL_get_error(e->ssl, r) != SSL_ERROR_WANT_READ)
		fail("no handshake");
	spent_ns += cpu_ns() - from;
	sections++;
	return r == 1;
}

/* TLS 1.3: it is over when the client has said its Finished. */
static void
shaken(struct end *e)
{
	uint64_t from = cpu_ns();

	SSL_free(e->ssl);
	e->ssl = NULL;
	spent_ns += cpu_ns() - from;
	sections++;
	completed++;
}

static void
client_turn(struct end ends[SLOTS], SSL_CTX *tls)
{
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &shared->slots[i];

		if (!is_turn(s, TURN_CLIENT))
			continue;
		if (shake(&ends[i], tls, s)) {
			shaken(&ends[i]);
			shake(&ends[i], tls, s);
		}
		end_says(&ends[i], s, TURN_SERVER);
		rouse(TURN_SERVER);
	}
}

static void
client(uint64_t handshakes)
{
	static struct end ends[SLOTS];
	static SSL_CTX *tls;

	if (!tls)
		tls = least_tls();
	if (!tls)
		fail("the client's context");
	completed = sections = spent_ns = 0;
	while (completed < handshakes) {
		client_turn(ends, tls);
		rest(TURN_CLIENT);
	}
}

int
main(int argc, char **argv)
{
	char *end;
	long cpu = argc == 2 ? strtol(argv[1], &end, 10) : -1;
	double clock_ns;

	if (cpu < 0 || cpu >= CPU_SETSIZE || *end != '\0' || end == argv[1]) {
		fputs("usage: pool_floor CPU\n\nCPU: the server's\n", stderr);
		return 2;
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	wake[TURN_CLIENT] = eventfd(1, EFD_CLOEXEC);
	wake[TURN_SERVER] = eventfd(0, EFD_CLOEXEC);
	if (shared == MAP_FAILED || wake[0] < 0 || wake[1] < 0)
		fail("memory");
	if (fork() == 0)
		server((unsigned)cpu);
	client(WARM);
	clock_ns = clock_cost_ns();
	client(COUNTED);
	printf("bench: pool_floor %.1f us\n",
	    ((double)spent_ns - clock_ns * (double)sections) / 1000 /
		(double)completed);
	return 0;
}
