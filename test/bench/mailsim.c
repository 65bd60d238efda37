/* mailsim.c: plays any number of mail servers, for load. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/bench/mailsim.h"

enum { PROCESSES_MAX = 64, PERCENT = 100 };

static const char usage_text[] =
    "usage: mailsim [-j PROCESSES] [-L MS] [-2 PERCENT] [-R]\n"
    "               [-k KIND=PERCENT]... [-t ADDRESS]\n"
    "\n"
    "Listens on 25, 110, 143, 465, 587, 993 and 995 of every address that is\n"
    "local (ip route add local 10.0.0.0/8 dev lo), until SIGTERM; says\n"
    "`mailsim: ready` first, and at its end what it counted. Meant for a\n"
    "network namespace of its own.\n"
    "\n"
    "-j  processes, each with sockets of its own (SO_REUSEPORT)\n"
    "-L  milliseconds before every reply\n"
    "-2  percent of the hosts that know TLS 1.2 only\n"
    "-R  an RSA 2048 certificate in place of ECDSA P-256\n"
    "-k  percent of the hosts that are no_tls, late, silent, reset, closes\n"
    "    (after STARTTLS), tarpit, endless\n"
    "-t  all of the /24 of this address are tarpits\n";

static void
die(const char *what)
{
	fprintf(stderr, "mailsim: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static unsigned
number(const char *text, unsigned most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n > most) {
		fprintf(stderr, "mailsim: %s: not a number from 0 to %u\n",
		    text, most);
		exit(2);
	}
	return (unsigned)n;
}

static void
share(struct sim_shares *s, const char *text)
{
	size_t n = strcspn(text, "=");
	int kind = sim_kind_named(text, n);
	unsigned sum = 0;

	if (kind < 0 || text[n] != '=') {
		fprintf(stderr, "mailsim: %s: not KIND=PERCENT\n", text);
		exit(2);
	}
	s->percent[kind] = number(text + n + 1, PERCENT);
	for (int i = SIM_GOOD + 1; i < SIM_KINDS; i++)
		sum += s->percent[i];
	if (sum > PERCENT) {
		fprintf(stderr, "mailsim: over 100 percent of hosts\n");
		exit(2);
	}
}

static void
slow_network(struct sim_shares *s, const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1) {
		fprintf(stderr, "mailsim: %s: not an IPv4 address\n", text);
		exit(2);
	}
	s->slow_network = true;
	s->slow = ntohl(a.s_addr);
}

static struct sim_options
options(int argc, char **argv)
{
	struct sim_options o = { .processes = 1 };
	int c;

	while ((c = getopt(argc, argv, "j:L:2:Rk:t:")) != -1) {
		switch (c) {
		case 'j':
			o.processes = number(optarg, PROCESSES_MAX);
			break;
		case 'L':
			o.delay_ms = number(optarg, 600000);
			break;
		case '2':
			o.shares.tls12 = number(optarg, PERCENT);
			break;
		case 'R':
			o.rsa = true;
			break;
		case 'k':
			share(&o.shares, optarg);
			break;
		case 't':
			slow_network(&o.shares, optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || o.processes == 0)
		usage();
	return o;
}

static void
say(const char *name, uint64_t value)
{
	printf("mailsim: %s %llu\n", name, (unsigned long long)value);
}

static void
print(const struct sim_counts *all, unsigned n)
{
	struct sim_counts sum = { 0 };
	uint64_t connections = 0;

	for (unsigned i = 0; i < n; i++) {
		for (int k = 0; k < SIM_KINDS; k++)
			sum.connections[k] += all[i].connections[k];
		sum.handshakes += all[i].handshakes;
		sum.handshakes_failed += all[i].handshakes_failed;
		sum.quits += all[i].quits;
		sum.closed += all[i].closed;
		sum.commands += all[i].commands;
		sum.most_open += all[i].most_open;
		sum.cpu_us += all[i].cpu_us;
	}
	for (int k = 0; k < SIM_KINDS; k++)
		connections += sum.connections[k];
	say("connections", connections);
	for (int k = 0; k < SIM_KINDS; k++)
		say(sim_kind_names[k], sum.connections[k]);
	say("handshakes", sum.handshakes);
	say("handshakes_failed", sum.handshakes_failed);
	say("commands", sum.commands);
	say("quits", sum.quits);
	say("closed", sum.closed);
	say("most_open", sum.most_open);
	say("cpu_ms", sum.cpu_us / 1000);
}

static pid_t children[PROCESSES_MAX];
static unsigned nchildren;

static void
stop_children(int signal)
{
	(void)signal;
	for (unsigned i = 0; i < nchildren; i++)
		kill(children[i], SIGTERM);
}

static void
begin_child(const struct sim_options *o, int fds[][SIM_PORTS], unsigned which,
    SSL_CTX *tls, struct sim_counts *counts)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		children[nchildren++] = pid;
		return;
	}
	for (unsigned i = 0; i < o->processes; i++)
		for (int k = 0; i != which && k < SIM_PORTS; k++)
			close(fds[i][k]);
	sim_serve(o, fds[which], tls, &counts[which]);
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct sim_options o = options(argc, argv);
	struct sim_counts *counts = mmap(NULL, PROCESSES_MAX * sizeof *counts,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static int fds[PROCESSES_MAX][SIM_PORTS];
	SSL_CTX *tls = sim_tls(o.rsa);
	sigset_t term, before;

	if (counts == MAP_FAILED || !tls)
		die("cannot begin");
	for (unsigned i = 0; i < o.processes; i++)
		if (sim_listen(fds[i]) < 0)
			die("listen");
	/* Held back until all are there: none is left behind. */
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGINT);
	sigprocmask(SIG_BLOCK, &term, &before);
	puts("mailsim: ready");
	fflush(stdout);
	for (unsigned i = 0; i < o.processes; i++)
		begin_child(&o, fds, i, tls, counts);
	for (unsigned i = 0; i < o.processes; i++)
		for (int k = 0; k < SIM_PORTS; k++)
			close(fds[i][k]);
	signal(SIGTERM, stop_children);
	signal(SIGINT, stop_children);
	sigprocmask(SIG_SETMASK, &before, NULL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	print(counts, o.processes);
	return 0;
}
