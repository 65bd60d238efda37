/* pool_client.c: the least client against the simulator: floors on a wire. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test/bench/pool_least.h"

enum { EVENTS = 256, STARTS = 32, POP3_PORT = 110, OPEN_MAX = 4096 };

static const char usage_text[] =
    "usage: pool_client [-t] OPEN HOSTS FIRST\n"
    "\n"
    "Talks POP3 to HOSTS addresses from FIRST on, OPEN at once; -t with TLS.\n"
    "Prints how many completed and what each took of our CPU.\n";

struct clients {
	struct least slots[OPEN_MAX];
	bool busy[OPEN_MAX];
	SSL_CTX *tls;
	const char *const *says;
	unsigned open, cap, completed, failed;
	uint32_t next, last; /* addresses, host order */
	int epoll;
};

static void
fail(const char *what)
{
	fprintf(stderr, "pool_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
begin(struct clients *all, unsigned slot)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(POP3_PORT),
		.sin_addr.s_addr = htonl(all->next++) };
	struct epoll_event e = { .events = EPOLLIN,
		.data.ptr = &all->slots[slot] };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 &&
	    errno != EINPROGRESS)
		fail("connect");
	least_begin(&all->slots[slot], all->says, fd, all->tls);
	if (epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		fail("epoll_ctl");
	all->busy[slot] = true;
	all->open++;
}

static void
ended(struct clients *all, struct least *c)
{
	all->busy[c - all->slots] = false;
	all->open--;
	if (c->completed)
		all->completed++;
	else
		all->failed++;
}

static void
run(struct clients *all)
{
	struct epoll_event events[EVENTS];
	unsigned slot = 0;

	while (all->next < all->last || all->open > 0) {
		int n;

		for (int i = 0; i < STARTS && all->next < all->last &&
		     all->open < all->cap;
		     i++) {
			while (all->busy[slot])
				slot = (slot + 1) % all->cap;
			begin(all, slot);
		}
		n = epoll_wait(all->epoll, events, EVENTS,
		    all->open < all->cap && all->next < all->last ? 0 : 100);
		for (int i = 0; i < n; i++) {
			struct least *c = events[i].data.ptr;

			if (!c->over)
				least_ready(c);
			if (c->over && all->busy[c - all->slots])
				ended(all, c);
		}
	}
}

static double
us_of(const struct timeval *t)
{
	return (double)t->tv_sec * 1e6 + (double)t->tv_usec;
}

static unsigned
number(const char *text, unsigned most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n == 0 || n > most) {
		fprintf(
		    stderr, "pool_client: %s: not from 1 to %u\n", text, most);
		exit(2);
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	static struct clients all;
	bool tls = argc == 5 && strcmp(argv[1], "-t") == 0;
	char **arg = argv + tls;
	struct in_addr first;
	struct rusage used;

	if (argc != 4 + tls || inet_pton(AF_INET, arg[3], &first) != 1) {
		fputs(usage_text, stderr);
		return 2;
	}
	all.cap = number(arg[1], OPEN_MAX);
	all.next = ntohl(first.s_addr);
	all.last = all.next + number(arg[2], 1U << 24);
	all.says = tls ? least_says_tls : least_says_clear;
	all.tls = least_tls();
	all.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!all.tls || all.epoll < 0)
		fail("start");
	run(&all);
	getrusage(RUSAGE_SELF, &used);
	printf("completed %u failed %u cpu_us %.1f\n", all.completed,
	    all.failed,
	    (us_of(&used.ru_utime) + us_of(&used.ru_stime)) /
		(all.completed > 0 ? all.completed : 1));
	return all.failed > 0;
}
