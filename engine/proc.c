/* proc.c: the children of the parent: wires, start, death. */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/log.h"
#include "engine/proc.h"
#include "engine/wire.h"

/* Above every fixed descriptor: where copies wait to be put in place. */
enum { FD_ASIDE = 64, ENV_MAX = 4, ENV_TEXT = 256 };

/* Each wire: who holds its two ends, and how much it takes. */
static const struct {
	int fd;
	enum role a, b;
	size_t bytes;
} wires[] = {
	{ FD_HANDOFF, ROLE_PACKET, ROLE_DIAL, 4 << 20 },
	{ FD_DIALED, ROLE_DIAL, ROLE_PROBE, 1 << 20 },
	{ FD_RECORDS, ROLE_PROBE, ROLE_STORE, 4 << 20 },
	{ FD_NOTES_SEND, ROLE_SEND, ROLE_STORE, 1 << 20 },
	{ FD_NOTES_PACKET, ROLE_PACKET, ROLE_STORE, 4 << 20 },
	{ FD_DONE, ROLE_PROBE, ROLE_PACKET, 1 << 20 },
	{ FD_DUE, ROLE_STORE, ROLE_SEND, 1 << 18 },
	{ FD_RESOLVE, ROLE_STORE, ROLE_RESOLVE, 1 << 18 },
};

enum { WIRES = sizeof wires / sizeof *wires, CONTROL_BYTES = 1 << 16 };

uint64_t
proc_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int
procs_init(struct procs *p, int snapshot, int stats)
{
	memset(p, 0, sizeof *p);
	p->snapshot = snapshot;
	p->stats = stats;
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		p->v[i].control = -1;
	memset(p->ends, 0xff, sizeof p->ends); /* -1 everywhere */
	for (unsigned i = 0; i < WIRES; i++) {
		int fds[2];

		if (wire_pair(fds, wires[i].bytes) < 0) {
			procs_end(p);
			return -1;
		}
		p->ends[wires[i].a][wires[i].fd] = fds[0];
		p->ends[wires[i].b][wires[i].fd] = fds[1];
	}
	return 0;
}

bool
proc_is_replaced(enum role role)
{
	return role == ROLE_PROBE || role == ROLE_RESOLVE;
}

void
procs_close_started(struct procs *p)
{
	for (enum role r = 0; r < ROLE_COUNT; r++)
		for (int fd = 0; !proc_is_replaced(r) && fd < FD_FIRST_FREE;
		     fd++)
			close_end(&p->ends[r][fd]);
}

void
procs_end(struct procs *p)
{
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		if (p->v[i].pid > 0)
			kill(p->v[i].pid, SIGKILL);
	for (unsigned i = 0; i < STATS_SLOTS; i++) {
		if (p->v[i].pid > 0)
			waitpid(p->v[i].pid, NULL, 0);
		p->v[i].pid = 0;
		close_end(&p->v[i].control);
	}
	for (enum role r = 0; r < ROLE_COUNT; r++)
		for (int fd = 0; fd < FD_FIRST_FREE; fd++)
			close_end(&p->ends[r][fd]);
}

/*
 * Put the role's descriptors in their places and close all others. All are
 * first copied aside: a place may hold what belongs in another.
 */
static void
place_descriptors(const int *ends)
{
	int aside[FD_FIRST_FREE], nothing = open("/dev/null", O_RDONLY);

	for (int fd = 0; fd < FD_FIRST_FREE; fd++) {
		aside[fd] = -1;
		if (ends[fd] >= 0)
			aside[fd] = fcntl(ends[fd], F_DUPFD_CLOEXEC, FD_ASIDE);
	}
	if (nothing >= 0)
		dup2(nothing, STDIN_FILENO);
	for (int fd = FD_CONTROL; fd < FD_FIRST_FREE; fd++) {
		if (aside[fd] < 0)
			close(fd);
		else if (dup2(aside[fd], fd) < 0)
			fatal("dup2: %s", strerror(errno));
	}
	close_range(FD_FIRST_FREE, ~0U, 0);
}

/* Stops come over the control wire, whatever the terminal sends. */
static void
settle_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * A child gets no environment, but for what test builds ask for. A hook is
 * for the first process of its place, so that its successor can go on.
 */
static void
fill_environment(char *env[ENV_MAX], bool first)
{
	unsigned n = 0;

#ifdef TESTHOOKS
	static char hook[ENV_TEXT];
	const char *text = getenv("MAILSWEEP_HOOK");

	if (text != NULL && first) {
		snprintf(hook, sizeof hook, "MAILSWEEP_HOOK=%s", text);
		env[n++] = hook;
	}
#endif
#ifdef SANITIZED
	/* The leak check wants ptrace, which no role may. */
	static char asan[ENV_TEXT];
	const char *options = getenv("ASAN_OPTIONS");

	snprintf(asan, sizeof asan, "ASAN_OPTIONS=%s:detect_leaks=0",
	    options ? options : "");
	env[n++] = asan;
#endif
	(void)first;
	env[n] = NULL;
}

static _Noreturn void
exec_role(struct procs *p, const struct proc *c, int control)
{
	char number[16], role[16];
	char *argv[] = { (char[]){ "mailsweepd" }, (char[]){ "--role" }, role,
		(char[]){ "--instance" }, number, NULL };
	char *env[ENV_MAX];
	int ends[FD_FIRST_FREE];

	snprintf(number, sizeof number, "%u", c->instance);
	snprintf(role, sizeof role, "%s", role_names[c->role]);
	memcpy(ends, p->ends[c->role], sizeof ends);
	ends[FD_CONTROL] = control;
	ends[FD_SNAPSHOT] = p->snapshot;
	ends[FD_STATS] = p->stats;
	fill_environment(env, c->deaths == 0);
	place_descriptors(ends);
	settle_signals();
	execve("/proc/self/exe", argv, env);
	fatal("exec of /proc/self/exe: %s", strerror(errno));
}

int
proc_start(struct procs *p, enum role role, unsigned instance)
{
	struct proc *c = &p->v[stats_slot(role, instance)];
	int fds[2];

	c->role = role;
	c->instance = instance;
	if (wire_pair(fds, CONTROL_BYTES) < 0)
		return -1;
	c->pid = fork();
	if (c->pid == 0)
		exec_role(p, c, fds[1]);
	close(fds[1]);
	if (c->pid < 0) {
		c->pid = 0;
		close(fds[0]);
		return -1;
	}
	c->control = fds[0];
	c->ready = c->stopping = false;
	c->optouts_sent = c->optouts_done = 0;
	c->started_ms = proc_now_ms();
	c->restart_ms = 0;
	return 0;
}

struct proc *
procs_reap(struct procs *p, int *status)
{
	for (unsigned i = 0; i < STATS_SLOTS; i++) {
		struct proc *c = &p->v[i];

		if (c->pid <= 0 || waitpid(c->pid, status, WNOHANG) != c->pid)
			continue;
		c->pid = 0;
		return c;
	}
	return NULL;
}

void
proc_close(struct proc *c)
{
	close_end(&c->control);
}

void
procs_stop(struct procs *p, enum role role)
{
	for (unsigned i = 0; i < STATS_SLOTS; i++) {
		struct proc *c = &p->v[i];

		if (c->pid == 0 || c->role != role || c->stopping)
			continue;
		c->stopping = true;
		/* Gone already: its death will be reaped. */
		(void)control_send(c->control, CTL_STOP, NULL, 0);
	}
}

void
procs_kill(struct procs *p, enum role role)
{
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		if (p->v[i].pid > 0 && p->v[i].role == role)
			kill(p->v[i].pid, SIGKILL);
}

unsigned
procs_running_of(const struct procs *p, enum role role)
{
	unsigned n = 0;

	for (unsigned i = 0; i < STATS_SLOTS; i++)
		n += p->v[i].pid > 0 && p->v[i].role == role;
	return n;
}

unsigned
procs_running(const struct procs *p)
{
	unsigned n = 0;

	for (enum role r = 0; r < ROLE_COUNT; r++)
		n += procs_running_of(p, r);
	return n;
}

const char *
proc_status_text(int status, char *buf, size_t cap)
{
	if (WIFSIGNALED(status))
		snprintf(buf, cap, "signal %d", WTERMSIG(status));
	else
		snprintf(buf, cap, "status %d", WEXITSTATUS(status));
	return buf;
}
