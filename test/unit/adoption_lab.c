/* adoption_lab.c: two network namespaces, and a mail server in the other. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "test/unit/adoption_lab.h"

static const char greeting[] = GREETING;

void
must(bool what, const char *why)
{
	if (!what) {
		fprintf(
		    stderr, "test_adoption: %s: %s\n", why, strerror(errno));
		_exit(1);
	}
}

/* The script's words are constants of this file. */
static void
run(const char *script)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, script);
}

static void
tell(int report, char what)
{
	must(write(report, &what, 1) == 1, "report");
}

bool
write_all(int fd, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, (const char *)bytes + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

bool
read_all(int fd, void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (char *)bytes + at, len - at);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

void
fill(uint8_t *big)
{
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
}

/* Four-letter commands; false at the end, however it came. */
static bool
serve_one(int fd, const uint8_t *pattern)
{
	static uint8_t big[BIG];
	char command[6];

	if (!read_all(fd, command, sizeof command))
		return false;
	if (memcmp(command, "CAPA\r\n", 6) == 0)
		return write_all(fd, "+OK\r\nSTLS\r\n.\r\n", 14);
	if (memcmp(command, "GIVE\r\n", 6) == 0)
		return write_all(fd, pattern, BIG);
	if (memcmp(command, "TAKE\r\n", 6) == 0)
		return read_all(fd, big, BIG) &&
		    write_all(fd,
			memcmp(big, pattern, BIG) == 0 ? "same\r\n"
						       : "else\r\n",
			6);
	write_all(fd, "+OK\r\n", 5);
	return false;
}

static _Noreturn void
leave(int report, char how)
{
	tell(report, how);
	_exit(0);
}

static _Noreturn void
serve(int fd, unsigned port, int report)
{
	static uint8_t pattern[BIG];
	int one = 1;
	char end;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	fill(pattern);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	tell(report, SAYS_ACCEPTED);
	if (port == POP3 &&
	    !(write_all(fd, greeting, 4) && write_all(fd, greeting + 4, 4) &&
		write_all(fd, greeting + 8, sizeof greeting - 1 - 8)))
		leave(report, SAYS_RESET);
	errno = 0;
	if (port == SILENT)
		(void)!read(fd, &end, 1);
	else
		while (serve_one(fd, pattern))
			;
	leave(report,
	    errno == ECONNRESET || errno == EPIPE ? SAYS_RESET : SAYS_CLEAN);
}

static int
listen_on(unsigned port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), no = 0;

	must(fd >= 0, "socket");
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	must(bind(fd, (struct sockaddr *)&any, sizeof any) == 0 &&
		listen(fd, 64) == 0,
	    "listen");
	return fd;
}

static const char there[] =
    "set -e; sysctl -qw net.ipv6.conf.net0.accept_dad=0"
    " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.net0.rp_filter=0;"
    "ip link set lo up; ip link set net0 up;"
    "ip addr add 203.0.113.1/24 dev net0;"
    "ip -6 addr add fd00:198:20::1/64 dev net0 nodad;"
    "ip route add local 198.18.0.0/15 dev lo;"
    "ip -6 route add local fd00:198:18::/64 dev lo";

/* Wait for the link, then serve until the test ends. */
static void
be_server(int go, int report)
{
	static const unsigned ports[] = { POP3, IMAPS, SILENT };
	struct pollfd fds[3];
	char word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	must(unshare(CLONE_NEWNET) == 0, "unshare");
	tell(report, SAYS_READY);
	must(read(go, &word, 1) == 1, "go");
	signal(SIGCHLD, SIG_DFL);
	run(there);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++)
		fds[i] = (struct pollfd){ listen_on(ports[i]), POLLIN, 0 };
	tell(report, SAYS_READY);
	while (poll(fds, 3, -1) > 0)
		for (int i = 0; i < 3; i++) {
			int fd;

			if (fds[i].revents == 0)
				continue;
			fd = accept(fds[i].fd, NULL, NULL);
			if (fd >= 0 && fork() == 0)
				serve(fd, ports[i], report);
			close(fd);
		}
	_exit(0);
}

static struct {
	pid_t server;
	int report, go;
} lab;

char
hear_server(int wait_ms)
{
	struct pollfd p = { lab.report, POLLIN, 0 };
	char what;

	if (poll(&p, 1, wait_ms) != 1 || read(lab.report, &what, 1) != 1)
		return 0;
	return what;
}

static const char here[] =
    "set -e; sysctl -qw net.ipv6.conf.scan0.accept_dad=0;"
    "ip link set lo up; ip link set scan0 up;"
    "ip addr add 203.0.113.2/24 dev scan0;"
    "ip -6 addr add fd00:198:20::2/64 dev scan0 nodad;"
    "ip route add 198.18.0.0/15 via 203.0.113.1;"
    "ip -6 route add fd00:198:18::/64 via fd00:198:20::1";

/* Nothing but a pair of our own: no packet can leave. */
int
lab_up(void **state)
{
	char command[128];
	int report[2], go[2];

	(void)state;
	if (geteuid() != 0)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	must(unshare(CLONE_NEWNET) == 0, "unshare");
	must(
	    pipe2(report, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipe");
	lab.report = report[0];
	lab.go = go[1];
	lab.server = fork();
	must(lab.server >= 0, "fork");
	if (lab.server == 0)
		be_server(go[0], report[1]);
	must(hear_server(WAIT_MS) == SAYS_READY, "server");
	snprintf(command, sizeof command,
	    "ip link add scan0 type veth peer name net0 netns %d",
	    (int)lab.server);
	run(command);
	tell(lab.go, 'g');
	run(here);
	must(hear_server(WAIT_MS) == SAYS_READY, "server");
	return 0;
}

int
lab_down(void **state)
{
	(void)state;
	if (lab.server > 0) {
		kill(lab.server, SIGKILL);
		waitpid(lab.server, NULL, 0);
	}
	return 0;
}

void
set_there(const char *what)
{
	char command[160];

	snprintf(command, sizeof command, "nsenter -t %d -n sysctl -qw %s",
	    (int)lab.server, what);
	run(command);
}
