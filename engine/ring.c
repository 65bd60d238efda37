/* ring.c: many calls on sockets for one of the kernel (io_uring). */
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/ring.h"

/* Newer than the headers of Debian 12; the kernel's numbers. */
enum { OP_BIND = 56, SET_OPTION = 3 };
#define SETUP_NO_ARRAY (1U << 16)

#define SETUP                                                      \
	(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | \
	    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED |    \
	    SETUP_NO_ARRAY)

struct ring {
	int fd;
	void *rings, *requests;
	size_t rings_len, requests_len;
	_Atomic unsigned *tail, *answers_head, *answers_tail;
	unsigned mask, answers_mask;
	unsigned at; /* of the request that is added next */
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static int
map(struct ring *r, const struct io_uring_params *p)
{
	const int how = MAP_SHARED | MAP_POPULATE;
	uint8_t *m;

	r->rings_len = p->cq_off.cqes + p->cq_entries * sizeof *r->cqes;
	r->rings = mmap(NULL, r->rings_len, PROT_READ | PROT_WRITE, how, r->fd,
	    IORING_OFF_SQ_RING);
	if (r->rings == MAP_FAILED)
		return -1;
	r->requests_len = p->sq_entries * sizeof *r->sqes;
	r->requests = mmap(NULL, r->requests_len, PROT_READ | PROT_WRITE, how,
	    r->fd, IORING_OFF_SQES);
	if (r->requests == MAP_FAILED)
		return -1;
	m = r->rings;
	r->sqes = r->requests;
	r->tail = (void *)(m + p->sq_off.tail);
	r->answers_head = (void *)(m + p->cq_off.head);
	r->answers_tail = (void *)(m + p->cq_off.tail);
	r->cqes = (void *)(m + p->cq_off.cqes);
	r->mask = p->sq_entries - 1;
	r->answers_mask = p->cq_entries - 1;
	return 0;
}

/* What it may do from now on; and no registration any more. */
static int
restrict_to_calls(int fd)
{
	static const uint8_t ops[] = { OP_BIND, IORING_OP_CONNECT,
		IORING_OP_SEND, IORING_OP_URING_CMD };
	struct io_uring_restriction only[sizeof ops + 1];

	memset(only, 0, sizeof only);
	for (size_t i = 0; i < sizeof ops; i++) {
		only[i].opcode = IORING_RESTRICTION_SQE_OP;
		only[i].sqe_op = ops[i];
	}
	only[sizeof ops].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	only[sizeof ops].sqe_flags = IOSQE_CQE_SKIP_SUCCESS;
	if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_RESTRICTIONS,
		only, sizeof ops + 1) < 0)
		return -1;
	return (int)syscall(
	    SYS_io_uring_register, fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

struct ring *
ring_new(unsigned entries)
{
	struct io_uring_params p = { .flags = SETUP };
	struct ring *r = calloc(1, sizeof *r);
	int error;

	if (r == NULL)
		return NULL;
	r->rings = r->requests = MAP_FAILED;
	r->fd = (int)syscall(SYS_io_uring_setup, entries, &p);
	if (r->fd >= 0 && map(r, &p) == 0 && restrict_to_calls(r->fd) == 0)
		return r;
	error = errno;
	ring_free(r);
	errno = error;
	return NULL;
}

void
ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	if (r->requests != MAP_FAILED)
		munmap(r->requests, r->requests_len);
	if (r->rings != MAP_FAILED)
		munmap(r->rings, r->rings_len);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static void
set_option(struct io_uring_sqe *s, const struct call *c)
{
	uint32_t which[2] = { (uint32_t)c->level, (uint32_t)c->option };

	s->opcode = IORING_OP_URING_CMD;
	s->cmd_op = SET_OPTION;
	memcpy(&s->addr, which, sizeof which);
	s->file_index = c->len;
	s->addr3 = (uintptr_t)c->value;
}

/* Only a send that took less has failed without an error: all of them tell. */
void
ring_add(struct ring *r, int fd, const struct call *c, uint64_t tag)
{
	struct io_uring_sqe *s = &r->sqes[r->at++ & r->mask];

	memset(s, 0, sizeof *s);
	s->fd = fd;
	s->user_data = tag;
	s->flags = c->kind == CALL_SEND ? 0 : IOSQE_CQE_SKIP_SUCCESS;
	s->addr = (uintptr_t)c->value;
	switch (c->kind) {
	case CALL_OPTION:
		set_option(s, c);
		break;
	case CALL_BIND:
		s->opcode = OP_BIND;
		s->addr2 = c->len;
		break;
	case CALL_CONNECT:
		s->opcode = IORING_OP_CONNECT;
		s->off = c->len;
		break;
	case CALL_SEND:
		s->opcode = IORING_OP_SEND;
		s->len = c->len;
		s->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
		break;
	}
}

/* Who is told what; then the kernel may use their places again. */
static void
tell(struct ring *r, void (*answered)(void *, uint64_t, int), void *context)
{
	unsigned at =
	    atomic_load_explicit(r->answers_head, memory_order_relaxed);
	unsigned end =
	    atomic_load_explicit(r->answers_tail, memory_order_acquire);

	for (; at != end; at++) {
		const struct io_uring_cqe *c = &r->cqes[at & r->answers_mask];

		answered(context, c->user_data, c->res);
	}
	atomic_store_explicit(r->answers_head, end, memory_order_release);
}

int
ring_run(struct ring *r, void (*answered)(void *, uint64_t tag, int result),
    void *context)
{
	unsigned made = atomic_load_explicit(r->tail, memory_order_relaxed);
	int error = 0;

	atomic_store_explicit(r->tail, r->at, memory_order_release);
	while (made != r->at && error == 0) {
		long n = syscall(
		    SYS_io_uring_enter, r->fd, r->at - made, 0, 0, NULL, 0);

		if (n > 0)
			made += (unsigned)n;
		else if (n == 0 || errno != EINTR)
			error = n == 0 ? EAGAIN : errno;
	}
	/* What it has not begun it does not look at again. */
	r->at = made;
	atomic_store_explicit(r->tail, made, memory_order_release);
	tell(r, answered, context);
	errno = error;
	return error == 0 ? 0 : -1;
}
