/* test_control.c: the control socket, with clients of all manners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/control.h"

enum { PATH = 64, BIG = 1 << 20, TURNS = 4 };

struct fixture {
	char dir[PATH], path[PATH];
	struct control_socket *socket;
	size_t big; /* the answer's length; 0: the request itself */
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	snprintf(f->dir, sizeof f->dir, "/tmp/test_control.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%.40s/s", f->dir);
	f->socket = control_open(f->path);
	assert_non_null(f->socket);
	*state = f;
	return 0;
}

static int
unmake(void **state)
{
	struct fixture *f = *state;

	control_close(f->socket);
	assert_int_equal(access(f->path, F_OK), -1);
	rmdir(f->dir);
	free(f);
	return 0;
}

static char *
answer(const char *request, void *context)
{
	const struct fixture *f = context;
	char *text;

	if (f->big == 0)
		return asprintf(&text, "<%s>\n", request) < 0 ? NULL : text;
	text = malloc(f->big + 1);
	assert_non_null(text);
	memset(text, 'a', f->big);
	text[f->big] = '\0';
	return text;
}

static void
turns(struct fixture *f)
{
	for (int i = 0; i < TURNS; i++)
		control_turn(f->socket, answer, f);
}

static int
client(const struct fixture *f)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(to.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static void
hears(int fd, const char *text)
{
	char got[64] = "";

	assert_int_equal(read(fd, got, sizeof got - 1), strlen(text));
	assert_string_equal(got, text);
}

static void
answers_lines(void **state)
{
	struct fixture *f = *state;
	int a = client(f), b = client(f);

	assert_int_equal(write(a, "stat", 4), 4);
	turns(f);
	assert_int_equal(write(b, "x\n", 2), 2);
	turns(f);
	hears(b, "<x>\n");
	assert_int_equal(write(a, "us\n", 3), 3);
	turns(f);
	hears(a, "<status>\n");
	assert_int_equal(write(a, "again\n", 6), 6); /* the same connection */
	turns(f);
	hears(a, "<again>\n");
	close(a);
	close(b);
	turns(f);
}

static void
is_for_its_own_user_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
drops_who_never_ends_a_line(void **state)
{
	struct fixture *f = *state;
	char many[500], one;
	int fd = client(f);

	memset(many, 'y', sizeof many);
	assert_int_equal(send(fd, many, sizeof many, 0), sizeof many);
	turns(f);
	/* Closed, or reset since it had said more. */
	assert_true(read(fd, &one, 1) <= 0 && errno != EAGAIN);
	close(fd);
}

static void
does_not_wait_for_who_does_not_read(void **state)
{
	struct fixture *f = *state;
	static char got[BIG];
	int lazy = client(f), quick;
	size_t sum = 0;

	f->big = BIG;
	assert_int_equal(write(lazy, "q\n", 2), 2);
	turns(f);
	f->big = 0;
	quick = client(f);
	assert_int_equal(write(quick, "q\n", 2), 2);
	turns(f);
	hears(quick, "<q>\n");
	while (sum < BIG) {
		ssize_t n = read(lazy, got, sizeof got);

		assert_true(n > 0);
		sum += (size_t)n;
		turns(f);
	}
	assert_int_equal(sum, BIG);
	close(lazy);
	close(quick);
}

static void
serves_the_newest_of_many(void **state)
{
	struct fixture *f = *state;
	int idle[CONTROL_POLL_MAX], fd;

	for (int i = 0; i < CONTROL_POLL_MAX - 1; i++)
		idle[i] = client(f);
	turns(f);
	fd = client(f);
	assert_int_equal(write(fd, "q\n", 2), 2);
	turns(f);
	hears(fd, "<q>\n");
	close(fd);
	for (int i = 0; i < CONTROL_POLL_MAX - 1; i++)
		close(idle[i]);
}

static void
refuses_a_name_that_is_too_long(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	assert_null(control_open(path));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(control_open("/nonexistent/socket"));
}

int
main(void)
{
#define RUN(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
		RUN(answers_lines),
		RUN(is_for_its_own_user_only),
		RUN(drops_who_never_ends_a_line),
		RUN(does_not_wait_for_who_does_not_read),
		RUN(serves_the_newest_of_many),
		RUN(refuses_a_name_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
