/* shares.c: work that several processes share, and that all finish or none. */
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/shares.h"

enum { SHARES_MAX = 16 };

/*
 * Children say in `ready` that they are, each with a byte, and wait for one in
 * `go`: the end of either instead says that somebody is not.
 */
struct shares {
	unsigned n, mine;
	pid_t children[SHARES_MAX];
	int ready[2], go[2];
	void *common;
	size_t len;
};

static void
close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
forget(struct shares *s)
{
	for (int i = 0; i < 2; i++) {
		close_one(&s->ready[i]);
		close_one(&s->go[i]);
	}
	if (s->common != MAP_FAILED)
		munmap(s->common, s->len);
	free(s);
}

static bool
wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
shares_wait(struct shares *s)
{
	bool good = true;

	for (; s->n > 1; s->n--)
		good = wait_for(s->children[s->n - 1]) && good;
	return good;
}

static int
start_all(struct shares *s, unsigned n)
{
	fflush(NULL); /* what waits to be written is written once */
	for (; s->n < n; s->n++) {
		pid_t child = fork();

		if (child < 0)
			return -1;
		if (child == 0) {
			s->mine = s->n;
			close_one(&s->ready[0]);
			close_one(&s->go[1]);
			return 0;
		}
		s->children[s->n] = child;
	}
	close_one(&s->ready[1]);
	close_one(&s->go[0]);
	return 0;
}

struct shares *
shares_begin(unsigned n, size_t common, unsigned *mine)
{
	struct shares *s = calloc(1, sizeof *s);
	int error;

	if (s == NULL)
		return NULL;
	s->n = 1;
	s->ready[0] = s->ready[1] = s->go[0] = s->go[1] = -1;
	s->len = common > 0 ? common : 1;
	s->common = mmap(NULL, s->len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (n <= SHARES_MAX && s->common != MAP_FAILED && pipe(s->ready) == 0 &&
	    pipe(s->go) == 0 && start_all(s, n) == 0) {
		*mine = s->mine;
		return s;
	}
	error = n > SHARES_MAX ? EINVAL : errno;
	/* Those that were started find that nobody says go. */
	close_one(&s->go[1]);
	shares_wait(s);
	forget(s);
	errno = error;
	return NULL;
}

void *
shares_common(const struct shares *s)
{
	return s->common;
}

static bool
read_byte(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static bool
ask(struct shares *s, bool good)
{
	bool go = good && write(s->ready[1], "", 1) == 1;

	close_one(&s->ready[1]);
	return go && read_byte(s->go[0]);
}

static bool
answer(struct shares *s, bool good)
{
	for (unsigned i = 1; i < s->n; i++)
		good = read_byte(s->ready[0]) && good;
	for (unsigned i = 1; good && i < s->n; i++)
		good = write(s->go[1], "", 1) == 1;
	close_one(&s->go[1]);
	return good;
}

bool
shares_agree(struct shares *s, bool good)
{
	return s->mine == 0 ? answer(s, good) : ask(s, good);
}

void
shares_end(struct shares *s, bool good)
{
	if (s->mine > 0) {
		fflush(NULL);
		_exit(good ? 0 : 1);
	}
	close_one(&s->go[1]);
	shares_wait(s);
	forget(s);
}
