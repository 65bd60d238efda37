/* control.c: the socket that `mailsweep status` asks. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/control.h"

enum { CLIENTS_MAX = CONTROL_POLL_MAX - 1, REQUEST_MAX = 64 };

struct client {
	int fd; /* -1: free */
	char request[REQUEST_MAX];
	size_t len;
	char *answer; /* what is being written */
	size_t written;
};

struct control_socket {
	int fd;
	struct sockaddr_un name;
	struct client clients[CLIENTS_MAX];
};

struct control_socket *
control_open(const char *path)
{
	struct control_socket *s = calloc(1, sizeof *s);
	mode_t old;
	int bound;

	if (s == NULL)
		return NULL;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	s->name.sun_family = AF_UNIX;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (strlen(path) >= sizeof s->name.sun_path) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	memcpy(s->name.sun_path, path, strlen(path) + 1);
	if (s->fd < 0 || (unlink(path) < 0 && errno != ENOENT))
		goto fail;
	old = umask(0177); /* made as it is to stay: no moment of more */
	bound = bind(s->fd, (const struct sockaddr *)&s->name, sizeof s->name);
	umask(old);
	if (bound < 0 || listen(s->fd, CLIENTS_MAX) < 0)
		goto fail;
	return s;
fail:
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

static void
drop(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->answer);
	memset(c, 0, sizeof *c);
	c->fd = -1;
}

void
control_close(struct control_socket *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		drop(&s->clients[i]);
	close(s->fd);
	unlink(s->name.sun_path);
	free(s);
}

unsigned
control_poll(const struct control_socket *s, struct pollfd *fds)
{
	unsigned n = 0;

	if (s == NULL)
		return 0;
	fds[n++] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			fds[n++] = (struct pollfd){
				.fd = s->clients[i].fd,
				.events =
				    s->clients[i].answer ? POLLOUT : POLLIN,
			};
	return n;
}

/* Who comes when all places are taken takes that of the first. */
static void
accept_all(struct control_socket *s)
{
	int fd;

	while ((fd = accept4(
		    s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		unsigned i = 0;

		while (i < CLIENTS_MAX && s->clients[i].fd >= 0)
			i++;
		i %= CLIENTS_MAX;
		drop(&s->clients[i]);
		s->clients[i].fd = fd;
	}
}

/* False: it is gone, or says more than a request is long. */
static bool
read_request(struct client *c)
{
	ssize_t n =
	    read(c->fd, c->request + c->len, sizeof c->request - 1 - c->len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->len += (size_t)n;
	c->request[c->len] = '\0';
	return n > 0;
}

static bool
write_answer(struct client *c)
{
	size_t left = strlen(c->answer) - c->written;
	ssize_t n = send(c->fd, c->answer + c->written, left, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->written += (size_t)n;
	if ((size_t)n == left) {
		free(c->answer);
		c->answer = NULL;
	}
	return true;
}

static bool
serve(struct client *c, control_answer *answer, void *context)
{
	char *end;

	if (c->answer != NULL)
		return write_answer(c);
	if (!read_request(c))
		return false;
	end = strchr(c->request, '\n');
	if (end == NULL)
		return c->len < sizeof c->request - 1;
	*end++ = '\0';
	c->answer = answer(c->request, context);
	c->written = 0;
	c->len = strlen(end);
	memmove(c->request, end, c->len + 1);
	return c->answer != NULL && write_answer(c);
}

void
control_turn(struct control_socket *s, control_answer *answer, void *context)
{
	if (s == NULL)
		return;
	accept_all(s);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0 &&
		    !serve(&s->clients[i], answer, context))
			drop(&s->clients[i]);
}
