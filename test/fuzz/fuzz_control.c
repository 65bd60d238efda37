/*
 * fuzz_control.c: clients of the control socket, whatever they write and
 * whenever they leave. Each step: what, and for which of four clients; modulo
 * 8: 0 comes, 1 leaves, 2 reads, 3 a turn, else writes (a length, then bytes).
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { CLIENTS = 4, ANSWER_CAP = 300000, STEPS_MAX = 256 };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* One line, long when it is asked for, so that a reader has to come back. */
static char *
answer(const char *request, void *context)
{
	unsigned *asked = context;
	char *line;
	size_t n = strcmp(request, "long") == 0 ? ANSWER_CAP : 16;

	must(strchr(request, '\n') == NULL);
	(*asked)++;
	if (strcmp(request, "none") == 0 || (line = malloc(n + 2)) == NULL)
		return NULL;
	memset(line, 'a', n);
	memcpy(line + n, "\n", 2);
	return line;
}

static int
come(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	must(fd >= 0);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
leave(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Only answers come, and those are of one letter. */
static void
read_answer(int fd)
{
	static char bytes[65536];
	ssize_t n = fd >= 0 ? recv(fd, bytes, sizeof bytes, 0) : 0;

	for (ssize_t i = 0; i < n; i++)
		must(bytes[i] == 'a' || bytes[i] == '\n');
}

static void
turn(struct control_socket *s, unsigned *asked)
{
	struct pollfd fds[CONTROL_POLL_MAX];

	must(control_poll(s, fds) <= CONTROL_POLL_MAX);
	control_turn(s, answer, asked);
}

static size_t
step(struct control_socket *s, const struct sockaddr_un *to, int clients[],
    const uint8_t *b, size_t len)
{
	int *fd = &clients[b[0] / 8 % CLIENTS];
	unsigned asked = 0;
	size_t n;

	switch (b[0] % 8) {
	case 0:
		leave(fd);
		*fd = come(to);
		return 1;
	case 1:
		leave(fd);
		return 1;
	case 2:
		read_answer(*fd);
		return 1;
	case 3:
		turn(s, &asked);
		return 1;
	default:
		n = len > 1 ? b[1] : 0;
		n = n < len - 1 ? n : len - 1;
		if (*fd >= 0 && n > 0)
			(void)send(*fd, b + 1, n, MSG_NOSIGNAL);
		return 1 + n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct sockaddr_un to = { .sun_family = AF_UNIX };
	int clients[CLIENTS] = { -1, -1, -1, -1 };
	struct control_socket *s;
	unsigned asked = 0;

	if (to.sun_path[0] == '\0')
		snprintf(to.sun_path, sizeof to.sun_path,
		    "/tmp/mailsweep-fuzz-control-%ld", (long)getpid());
	s = control_open(to.sun_path);
	must(s != NULL);
	for (int i = 0; i < STEPS_MAX && len > 0; i++) {
		size_t n = step(s, &to, clients, bytes, len);

		bytes += n;
		len -= n;
	}
	turn(s, &asked);
	for (int i = 0; i < CLIENTS; i++)
		leave(&clients[i]);
	turn(s, &asked);
	control_close(s);
	return 0;
}
