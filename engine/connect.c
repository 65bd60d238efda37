/* connect.c: plain connect(2), where adoption is not to be had. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "engine/abort.h"
#include "engine/buffer.h"
#include "engine/connect.h"

enum { NONE = -1 };

/* In use: in the order of their start. Free: a chain by next. */
struct place {
	struct contact contact;
	uint64_t started_ms;
	int fd, previous, next;
};

struct connects {
	struct place *places;
	unsigned cap, count;
	uint32_t deadline_ms;
	int epoll, oldest, newest, spare;
	uint64_t first_place;
};

struct connects *
connects_new(
    unsigned cap, uint32_t deadline_ms, int epoll, uint64_t first_place)
{
	struct connects *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->places = calloc(cap, sizeof *c->places);
	if (c->places == NULL) {
		free(c);
		return NULL;
	}
	for (unsigned i = 0; i < cap; i++) {
		c->places[i].fd = NONE;
		c->places[i].next = i + 1 < cap ? (int)i + 1 : NONE;
	}
	c->cap = cap;
	c->deadline_ms = deadline_ms;
	c->epoll = epoll;
	c->first_place = first_place;
	c->oldest = c->newest = NONE;
	c->spare = cap > 0 ? 0 : NONE;
	return c;
}

void
connects_free(struct connects *c)
{
	if (c == NULL)
		return;
	for (int i = c->oldest; i != NONE; i = c->places[i].next)
		close(c->places[i].fd);
	free(c->places);
	free(c);
}

unsigned
connects_room(const struct connects *c)
{
	return c->cap - c->count;
}

unsigned
connects_count(const struct connects *c)
{
	return c->count;
}

static int
place_take(struct connects *c)
{
	int i = c->spare;
	struct place *p = &c->places[i];

	c->spare = p->next;
	p->previous = c->newest;
	p->next = NONE;
	if (c->newest != NONE)
		c->places[c->newest].next = i;
	else
		c->oldest = i;
	c->newest = i;
	c->count++;
	return i;
}

static void
place_give(struct connects *c, int i)
{
	struct place *p = &c->places[i];

	if (p->previous != NONE)
		c->places[p->previous].next = p->next;
	else
		c->oldest = p->next;
	if (p->next != NONE)
		c->places[p->next].previous = p->previous;
	else
		c->newest = p->previous;
	p->fd = NONE;
	p->next = c->spare;
	c->spare = i;
	c->count--;
}

static uint32_t
rtt_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return 0;
	return info.tcpi_rtt;
}

static void
fail(struct connected *ended, const struct contact *contact, int fd,
    enum dial_step step, int error)
{
	if (fd >= 0)
		close(fd);
	*ended = (struct connected){
		.contact = *contact, .fd = -1, .step = step, .error = error
	};
}

/* The port is chosen at connect(2), when it need only differ per target. */
static enum dial_step
begin(int fd, const struct contact *c)
{
	struct sockaddr_storage ss;
	socklen_t len = dial_sockaddr(&c->source, 0, &ss);
	int yes = 1;

	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes,
		sizeof yes) < 0 ||
	    bind(fd, (struct sockaddr *)&ss, len) < 0)
		return STEP_BIND;
	len = dial_sockaddr(&c->target.addr, c->target.port, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 &&
	    errno != EINPROGRESS)
		return STEP_CONNECT;
	return STEP_COUNT;
}

int
connects_start(struct connects *c, const struct contact *contact,
    uint64_t now_ms, struct connected *ended)
{
	int fd = dial_socket(&contact->target.addr);
	struct epoll_event e = { .events = EPOLLOUT };
	enum dial_step step = STEP_SOCKET;
	int i;

	if (fd >= 0) {
		buffer_limit(fd);
		step = begin(fd, contact);
	}
	if (step != STEP_COUNT) {
		fail(ended, contact, fd, step, errno);
		return 1;
	}
	i = place_take(c);
	c->places[i].contact = *contact;
	c->places[i].started_ms = now_ms;
	c->places[i].fd = fd;
	e.data.u64 = c->first_place + (uint64_t)i;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return 0;
	fail(ended, contact, fd, STEP_SOCKET, errno);
	place_give(c, i);
	return 1;
}

/* Its descriptor leaves for another process, and the epoll set with it. */
static void
succeed(struct connects *c, int i, struct connected *ended)
{
	int fd = c->places[i].fd;

	epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
	*ended = (struct connected){ .contact = c->places[i].contact,
		.fd = fd,
		.rtt_us = rtt_of(fd),
		.step = STEP_COUNT };
	place_give(c, i);
}

int
connects_event(struct connects *c, uint64_t place, struct connected *ended)
{
	int i = (int)(place - c->first_place), error = 0;
	socklen_t len = sizeof error;
	int fd;

	if (place - c->first_place >= c->cap || c->places[i].fd < 0)
		return 0;
	fd = c->places[i].fd;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		succeed(c, i, ended);
		return 1;
	}
	fail(ended, &c->places[i].contact, fd, STEP_ANSWER, error);
	place_give(c, i);
	return 1;
}

int
connects_due(struct connects *c, uint64_t now_ms, struct connected *ended)
{
	struct place *p;

	if (c->oldest == NONE)
		return 0;
	p = &c->places[c->oldest];
	if (now_ms - p->started_ms < c->deadline_ms)
		return 0;
	fail(ended, &p->contact, p->fd, STEP_ANSWER, ETIMEDOUT);
	place_give(c, c->oldest);
	return 1;
}

unsigned
connects_withdraw(struct connects *c, const struct ranges *set,
    void (*withdrawn)(void *, const struct contact *), void *context)
{
	unsigned n = 0;

	for (int i = c->oldest; i != NONE;) {
		struct place *p = &c->places[i];
		int next = p->next;

		if (ranges_has(set, &p->contact.target.addr)) {
			socket_abort(p->fd);
			withdrawn(context, &p->contact);
			place_give(c, i);
			n++;
		}
		i = next;
	}
	return n;
}
