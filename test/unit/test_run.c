/*
 * test_run.c: one sweep of the parent with roles that do next to nothing:
 * start order, rights, deaths, stops. This program is parent and children; the
 * roles are in run_roles.c.
 * It wants root, and makes a network namespace of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/proc.h"
#include "engine/ranges.h"
#include "engine/run_state.h"
#include "engine/sandbox.h"
#include "engine/sports.h"
#include "engine/wire.h"

enum { FIRST = 40000, LAST = 41023, CHILDREN_MAX = 32, PATIENCE_MS = 60000 };

/* ---- the parent ---------------------------------------------------------- */

struct fixture {
	struct conf conf;
	struct ranges *targets, *excluded;
	struct run *run;
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *expected;
	char dir[] = "/tmp/test_run.XXXXXX";

	assert_non_null(f);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	snprintf(f->conf.store, sizeof f->conf.store, "%s", dir);
	snprintf(f->conf.interface, sizeof f->conf.interface, "lo");
	f->conf.sources[0] = addr_from4(0x7f000001);
	f->conf.nsources = 1;
	f->conf.sport_first = FIRST;
	f->conf.sport_last = LAST;
	f->conf.probes = 2;
	f->conf.rate = 1234;
	f->conf.conversation_ms = 2000;
	f->conf.uid_base = 64900;
	f->conf.log_level = LOG_LEVEL_ERROR;
	f->targets = ranges_new();
	f->excluded = ranges_new();
	assert_int_equal(
	    ranges_add_text(f->targets, "127.0.0.1", &expected), 0);
	assert_int_equal(
	    ranges_add_text(f->excluded, "127.0.0.2", &expected), 0);
	assert_int_equal(ranges_seal(f->targets), 0);
	assert_int_equal(ranges_seal(f->excluded), 0);
	*state = f;
	return 0;
}

static int
unmake(void **state)
{
	struct fixture *f = *state;

	if (f->run != NULL)
		run_end(f->run);
	ranges_free(f->targets);
	ranges_free(f->excluded);
	rmdir(f->conf.store);
	free(f);
	return 0;
}

static void
begin(struct fixture *f, const char *what)
{
	snprintf(f->conf.sensor, sizeof f->conf.sensor, "%s", what);
	f->run = run_start(&f->conf, f->targets, f->excluded, "");
	assert_non_null(f->run);
}

static void
turn(struct fixture *f)
{
	struct pollfd fds[RUN_POLL_MAX];

	poll(fds, run_poll(f->run, fds), 20);
	run_turn(f->run);
}

static void
go_until(struct fixture *f, enum run_stage stage)
{
	uint64_t until = proc_now_ms() + PATIENCE_MS;

	while (run_stage(f->run) != stage) {
		assert_true(proc_now_ms() < until);
		assert_int_not_equal(run_stage(f->run), RUN_OVER);
		turn(f);
	}
}

static enum run_result
go_to_the_end(struct fixture *f)
{
	uint64_t until = proc_now_ms() + PATIENCE_MS;
	enum run_result result;

	while (run_stage(f->run) != RUN_OVER) {
		assert_true(proc_now_ms() < until);
		turn(f);
	}
	result = run_result(f->run);
	run_end(f->run);
	f->run = NULL;
	/* Nobody is left, not even as a zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return result;
}

static bool
shell(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Our children of a name, "" is all; their pids. */
static unsigned
children(const char *word, pid_t pids[CHILDREN_MAX])
{
	char path[64], text[512], *at = text;
	FILE *f;
	unsigned n = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	while (n < CHILDREN_MAX && (pids[n] = (pid_t)strtol(at, &at, 10)) > 0) {
		char line[256] = "";
		size_t len;

		snprintf(path, sizeof path, "/proc/%d/cmdline", pids[n]);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		len = fread(line, 1, sizeof line - 1, f);
		fclose(f);
		for (size_t i = 0; i + 1 < len; i++)
			line[i] = line[i] ? line[i] : ' ';
		n += strstr(line, word) != NULL;
	}
	return n;
}

static unsigned long long
status_of(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	unsigned long long value = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoull(line + strlen(name) + 1, NULL, base);
	fclose(f);
	return value;
}

static void
sweeps_to_the_seal(void **state)
{
	struct fixture *f = *state;

	assert_true(shell("echo 39999,50000 > "
			  "/proc/sys/net/ipv4/ip_local_reserved_ports"));
	begin(f, "");
	go_until(f, RUN_CLOSING);
	assert_true(shell("nft list table inet mailsweep_40000 | "
			  "grep -q 'sport 40000-41023.*mark != .*drop'"));
	assert_true(shell("nft list table netdev mailsweep_40000 | "
			  "grep -q 'dport 40000-41023.*drop'"));
	assert_true(shell("grep -qx 39999-41023,50000 "
			  "/proc/sys/net/ipv4/ip_local_reserved_ports"));
	assert_string_equal(run_sweep(f->run)->id, "test");
	assert_int_equal(go_to_the_end(f), RESULT_OK);
	assert_true(shell("! nft list ruleset | grep -q ."));
	assert_true(shell("grep -qx 39999,50000 "
			  "/proc/sys/net/ipv4/ip_local_reserved_ports"));
}

static void
says_that_the_account_does_not_balance(void **state)
{
	begin(*state, "unbalanced");
	assert_int_equal(go_to_the_end(*state), RESULT_UNBALANCED);
}

/* DESIGN.md 2, the table. */
static void
leaves_each_process_only_its_rights(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *word;
		unsigned n, uid;
		unsigned long long rights;
	} table[] = { { "--role send", 1, 64901, 0 },
		{ "--role packet", 1, 64901, 0 },
		{ "--role dial", 1, 64902, 1 << 12 /* CAP_NET_ADMIN */ },
		{ "--role store", 1, 64900, 0 },
		{ "--role probe", 2, 64903, 0 },
		{ "--role resolve", 1, 64904, 0 } };

	f->conf.resolver_port = 53;
	begin(f, "nothing-ends");
	go_until(f, RUN_DRAINING);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		pid_t pids[CHILDREN_MAX];
		char path[128], root[256] = "";
		pid_t pid;

		assert_int_equal(children(table[i].word, pids), table[i].n);
		pid = pids[0];
		assert_int_equal(status_of(pid, "Uid:", 10), table[i].uid);
		assert_int_equal(status_of(pid, "Gid:", 10), table[i].uid);
		assert_int_equal(
		    status_of(pid, "CapEff:", 16), table[i].rights);
		assert_int_equal(
		    status_of(pid, "CapPrm:", 16), table[i].rights);
		assert_int_equal(status_of(pid, "CapBnd:", 16), 0);
		assert_int_equal(status_of(pid, "Seccomp:", 10), 2);
		assert_int_equal(status_of(pid, "NoNewPrivs:", 10), 1);
		snprintf(path, sizeof path, "/proc/%d/root", pid);
		assert_true(readlink(path, root, sizeof root - 1) > 0);
		if (strstr(table[i].word, "store") == NULL) {
			assert_string_not_equal(root, "/");
			snprintf(path, sizeof path,
			    "test -z \"$(ls -A /proc/%d/root/)\"", pid);
			assert_true(shell(path));
		}
		/* Nobody else holds the pipe that holds up the rules. */
		snprintf(path, sizeof path,
		    "! ls -l /proc/%d/fd | grep -q '[3-9] -> pipe:'", pid);
		assert_true(shell(path));
	}
	run_stop(f->run);
	assert_int_equal(go_to_the_end(f), RESULT_OK);
}

static void
replaces_a_probe_that(struct fixture *f, const char *what)
{
	const struct stats *s;

	begin(f, what);
	go_until(f, RUN_CLOSING);
	s = run_stats(f->run);
	/* Four lives in two places, and nothing open in the dead ones. */
	assert_int_equal(stats_sum(s, STAT_PROBE_HANDSHAKES), 4);
	assert_int_equal(stats_sum(s, STAT_PROBE_OPEN), 0);
	assert_int_equal(go_to_the_end(f), RESULT_OK);
}

static void
replaces_a_probe_that_makes_a_socket(void **state)
{
	replaces_a_probe_that(*state, "probe-socket");
}

#ifndef SANITIZED
/* The sanitizers' run-time opens files, and is told that there are none. */
static void
replaces_a_probe_that_opens(void **state)
{
	replaces_a_probe_that(*state, "probe-open");
}
#endif

static void
replaces_a_probe_that_forks(void **state)
{
	replaces_a_probe_that(*state, "probe-fork");
}

/* The parent would read its messages for ever, or wake for ever. */
static void
replaces_a_probe_that_floods(void **state)
{
	alarm(PATIENCE_MS / 1000);
	replaces_a_probe_that(*state, "probe-floods");
	alarm(0);
}

static void
replaces_a_probe_that_hangs_up(void **state)
{
	replaces_a_probe_that(*state, "probe-is-deaf");
}

/* Its READY may be lost with it. */
static void
replaces_a_probe_that_said_nothing(void **state)
{
	replaces_a_probe_that(*state, "probe-begins-late");
}

static void
gives_up_on_a_probe_that_never_begins(void **state)
{
	struct fixture *f = *state;

	f->conf.probes = 1;
	begin(f, "probe-never-begins");
	while (run_stage(f->run) != RUN_OVER)
		turn(f);
	assert_int_equal(
	    stats_sum(run_stats(f->run), STAT_PROBE_HANDSHAKES), 3);
	assert_int_equal(go_to_the_end(f), RESULT_ERROR);
}

/* Slower each time, and then no more. */
static void
gives_up_on_a_probe_that_crashes(void **state)
{
	struct fixture *f = *state;
	uint64_t from = proc_now_ms();

	f->conf.probes = 1;
	begin(f, "probe-crashes");
	while (run_stage(f->run) != RUN_OVER)
		turn(f);
	assert_int_equal(
	    stats_sum(run_stats(f->run), STAT_PROBE_HANDSHAKES), 8);
	assert_true(proc_now_ms() - from > 15000);
	assert_int_equal(go_to_the_end(f), RESULT_ERROR);
}

/* The one that is replaced is heard on the wire of the first. */
static void
replaces_resolve(void **state)
{
	struct fixture *f = *state;

	f->conf.resolver_port = 53;
	begin(f, "resolves");
	go_until(f, RUN_CLOSING);
	assert_int_equal(stats_sum(run_stats(f->run), STAT_RESOLVE_QUERIES), 2);
	assert_int_equal(stats_sum(run_stats(f->run), STAT_RESOLVE_OPEN), 0);
	assert_int_equal(go_to_the_end(f), RESULT_OK);
}

static void
keeps_store_in_its_directory(void **state)
{
	begin(*state, "store-escapes");
	assert_int_equal(go_to_the_end(*state), RESULT_OK);
}

static void
ends_when_dial_dies(void **state)
{
	begin(*state, "dial-dies");
	assert_int_equal(go_to_the_end(*state), RESULT_ERROR);
}

/* Its next start sweeps on: nothing of this one is sealed. */
static void
ends_when_the_source_address_is_gone(void **state)
{
	struct fixture *f = *state;

	f->conf.sources[0] = addr_from4(0x7f000009);
	begin(f, "nothing-ends");
	go_until(f, RUN_DRAINING);
	while (run_stage(f->run) == RUN_DRAINING)
		turn(f);
	assert_int_equal(run_stage(f->run), RUN_OVER);
	assert_int_equal(go_to_the_end(f), RESULT_ERROR);
}

/* A list of opt-outs may lie on the wire. */
static void
pauses_when_the_wire_was_full(void **state)
{
	struct fixture *f = *state;
	const struct proc *send;

	f->conf.sources[0] = addr_from4(0x7f000009);
	assert_true(shell("ip addr add 127.0.0.9/32 dev lo"));
	begin(f, "nothing-ends");
	go_until(f, RUN_DRAINING);
	send = &f->run->procs.v[ROLE_SEND];
	kill(send->pid, SIGSTOP);
	while (control_send(send->control, CTL_SWEEP, NULL, 0) == 0)
		;
	assert_true(shell("ip addr del 127.0.0.9/32 dev lo"));
	while (!f->run->packet_knows)
		turn(f);
	assert_false(f->run->send_knows);
	kill(send->pid, SIGCONT);
	while (!f->run->send_knows && run_stage(f->run) == RUN_DRAINING)
		turn(f);
	assert_int_equal(run_stage(f->run), RUN_DRAINING);
	run_stop(f->run);
	assert_int_equal(go_to_the_end(f), RESULT_OK);
}

static void
ends_when_the_seal_fails(void **state)
{
	begin(*state, "seal-fails");
	assert_int_equal(go_to_the_end(*state), RESULT_ERROR);
}

static void
ends_when_nft_dies(void **state)
{
	pid_t pids[CHILDREN_MAX];

	begin(*state, "nothing-ends");
	go_until(*state, RUN_DRAINING);
	assert_int_equal(children("nft -i", pids), 1);
	assert_int_equal(kill(pids[0], SIGKILL), 0);
	assert_int_equal(go_to_the_end(*state), RESULT_ERROR);
}

static void
stops_and_then_at_once(void **state)
{
	struct fixture *f = *state;

	begin(f, "nothing-ends");
	go_until(f, RUN_DRAINING);
	run_stop(f->run);
	assert_int_equal(run_stage(f->run), RUN_STOPPING);
	assert_int_equal(go_to_the_end(f), RESULT_OK);

	begin(f, "nothing-ends");
	go_until(f, RUN_DRAINING);
	run_stop(f->run);
	run_stop(f->run);
	assert_int_equal(run_stage(f->run), RUN_OVER);
	assert_int_equal(go_to_the_end(f), RESULT_ERROR);

	begin(f, "nothing-ends");
	run_stop(f->run); /* before there is anything to stop */
	assert_int_equal(go_to_the_end(f), RESULT_OK);
}

/* Before anything is sent, and again whenever it is asked. */
static void
puts_optouts_in_force(void **state)
{
	struct fixture *f = *state;
	uint64_t until = proc_now_ms() + PATIENCE_MS;
	uint32_t number;

	begin(f, "nothing-ends");
	go_until(f, RUN_DRAINING);
	assert_true(run_optouts_in_force(f->run, 1));
	(void)run_optouts(f->run);
	number = run_optouts(f->run);
	assert_int_equal(number, 3);
	assert_false(run_optouts_in_force(f->run, number));
	while (!run_optouts_in_force(f->run, number)) {
		assert_true(proc_now_ms() < until);
		turn(f);
	}
	run_stop(f->run);
	assert_int_equal(go_to_the_end(f), RESULT_OK);
}

static void
refuses_a_range_that_somebody_uses(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(sports_in_use(FIRST, LAST), 0);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 1), 0); /* on a port of the kernel's */
	assert_int_not_equal(sports_in_use(1, 65535), 0);
	f->conf.sport_first = sports_in_use(1, 65535);
	f->conf.sport_last = f->conf.sport_first;
	assert_null(run_start(&f->conf, f->targets, f->excluded, ""));
	close(fd);
	assert_int_equal(sports_in_use(1, 65535), 0);
}

static int
own_network(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	/* With our source address, 127.0.0.1, in it. */
	return geteuid() == 0 && unshare(CLONE_NEWNET) == 0 &&
		shell("ip link set lo up")
	    ? 0
	    : -1;
}

int
main(int argc, char **argv)
{
#define RUN(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
		RUN(sweeps_to_the_seal),
		RUN(says_that_the_account_does_not_balance),
		RUN(leaves_each_process_only_its_rights),
		RUN(replaces_a_probe_that_makes_a_socket),
#ifndef SANITIZED
		RUN(replaces_a_probe_that_opens),
#endif
		RUN(replaces_a_probe_that_forks),
		RUN(replaces_a_probe_that_floods),
		RUN(replaces_a_probe_that_hangs_up),
		RUN(replaces_a_probe_that_said_nothing),
		RUN(gives_up_on_a_probe_that_never_begins),
		RUN(gives_up_on_a_probe_that_crashes),
		RUN(replaces_resolve),
		RUN(keeps_store_in_its_directory),
		RUN(ends_when_dial_dies),
		RUN(ends_when_the_source_address_is_gone),
		RUN(pauses_when_the_wire_was_full),
		RUN(ends_when_the_seal_fails),
		RUN(ends_when_nft_dies),
		RUN(stops_and_then_at_once),
		RUN(puts_optouts_in_force),
		RUN(refuses_a_range_that_somebody_uses),
	};

	if (argc == 5 && strcmp(argv[1], "--role") == 0)
		for (enum role r = ROLE_SEND; r < ROLE_COUNT; r++)
			if (strcmp(argv[2], role_names[r]) == 0)
				return child_main(
				    r, (unsigned)strtoul(argv[4], NULL, 10));
	if (geteuid() != 0) {
		fputs(
		    "test_run: not root: left to make check as root\n", stderr);
		return 0;
	}
	return cmocka_run_group_tests(tests, own_network, NULL);
}
