/* ask.c: what the tool asks a daemon that runs. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "storage/ask.h"
#include "storage/buf.h"

enum {
	ANSWER_MAX = 256 * 1024,
	ANSWER_MS = 5000 /* for the daemon to answer in */
};

void
ask_path(const struct tool *t, char path[ASK_PATH_CAP])
{
	if (t->configured && t->conf.control[0])
		snprintf(path, ASK_PATH_CAP, "%s", t->conf.control);
	else
		snprintf(path, ASK_PATH_CAP, "%.*s/control", (int)CONF_PATH_MAX,
		    t->datadir);
}

static int
connect_daemon(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof to.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One line into b, without its end. 0, or -1 with errno. */
static int
read_line(int fd, struct buf *b)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[4096];

	while (b->len < ANSWER_MAX) {
		ssize_t n;
		char *end;

		if (poll(&p, 1, ANSWER_MS) <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = read(fd, bytes, sizeof bytes);
		if (n < 0)
			return -1;
		buf_add(b, bytes, (size_t)n);
		end = memchr(b->s, '\n', b->len);
		if (end) {
			*end = '\0';
			return 0;
		}
		if (n == 0)
			break;
	}
	errno = EPROTO;
	return -1;
}

struct json_object *
ask_daemon(const char *path, const char *request)
{
	struct buf asked = { 0 };
	struct json_object *answer = NULL;
	struct buf line = { 0 };
	int fd = connect_daemon(path), saved;

	if (fd < 0)
		return NULL;
	buf_printf(&asked, "%s\n", request);
	if (send(fd, asked.s, asked.len, MSG_NOSIGNAL) == (ssize_t)asked.len &&
	    read_line(fd, &line) == 0) {
		answer = json_tokener_parse(line.s);
		errno = EPROTO;
	}
	if (answer && !json_object_is_type(answer, json_type_object)) {
		json_object_put(answer);
		answer = NULL;
	}
	saved = errno;
	close(fd);
	buf_free(&line);
	buf_free(&asked);
	errno = saved;
	return answer;
}
