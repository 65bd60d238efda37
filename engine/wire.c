/* wire.c: messages between the processes, with or without descriptors. */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "engine/wire.h"

/* Room for the descriptors of one message, aligned as cmsg(3) wants it. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
};

int
wire_pair(int fds[2], size_t bytes)
{
	int size = bytes > 1 << 30 ? 1 << 30 : (int)bytes;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) < 0)
		return -1;
	/* A sender's buffer is the wire; over wmem_max only root may ask. */
	for (int i = 0; i < 2; i++)
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof size) < 0 &&
		    setsockopt(
			fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) < 0)
			goto fail;
	return 0;
fail:
	close(fds[0]);
	close(fds[1]);
	return -1;
}

size_t
wire_unread(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? 0 : (size_t)bytes;
}

int
wire_send(int fd, const void *bytes, size_t len)
{
	return wire_send_fds(fd, bytes, len, NULL, 0);
}

static void
attach_fds(struct msghdr *msg, union ancillary *room, const int *fds, size_t n)
{
	struct cmsghdr *c;

	memset(room, 0, sizeof *room);
	msg->msg_control = room->bytes;
	msg->msg_controllen = CMSG_SPACE(sizeof(int) * n);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
}

/* 0, or -1 with one of the errors in wire.h. */
static int
send_message(int fd, const struct msghdr *msg)
{
	ssize_t n;

	do {
		n = sendmsg(fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	/*
	 * Too many descriptors in flight, or no memory for the moment: both
	 * pass when the reader has read.
	 */
	if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM)
		errno = EAGAIN;
	if (errno == ECONNRESET || errno == ENOTCONN)
		errno = EPIPE;
	return -1;
}

int
wire_send_parts(int fd, struct iovec *parts, size_t n)
{
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = n };

	return send_message(fd, &msg);
}

int
wire_send_fds(
    int fd, const void *bytes, size_t len, const int *fds, size_t nfds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes,
		.iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union ancillary room;

	if (len == 0 || nfds > WIRE_FDS_MAX) {
		errno = EINVAL; /* no bytes would read as the end of the wire */
		return -1;
	}
	if (len > WIRE_MESSAGE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (fds != NULL && nfds > 0)
		attach_fds(&msg, &room, fds, nfds);
	return send_message(fd, &msg);
}

ssize_t
wire_recv(int fd, void *bytes, size_t cap)
{
	int fds[WIRE_FDS_MAX];
	size_t nfds;
	ssize_t n = wire_recv_fds(fd, bytes, cap, fds, WIRE_FDS_MAX, &nfds);
	int error = errno;

	for (size_t i = 0; n > 0 && i < nfds; i++)
		close(fds[i]);
	errno = error;
	return n;
}

/* Take what came into fds; what is over the cap is closed. */
static size_t
detach_fds(struct msghdr *msg, int *fds, size_t cap)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (n < cap)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

/*
 * No bytes: the end, or an empty message from somebody who means us to
 * believe it was the end. Only a hang-up is the end.
 */
static bool
hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}

ssize_t
wire_recv_fds(
    int fd, void *bytes, size_t cap, int *fds, size_t cap_fds, size_t *nfds)
{
	struct iovec iov = { .iov_base = bytes, .iov_len = cap };
	union ancillary room;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes };
	bool broken;
	ssize_t n;

	*nfds = 0;
	do {
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return -1;
	*nfds = detach_fds(&msg, fds, cap_fds);
	broken = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	if (n > 0 && !broken)
		return n;
	for (size_t i = 0; i < *nfds; i++)
		close(fds[i]);
	*nfds = 0;
	if (!broken && hung_up(fd))
		return 0;
	errno = EMSGSIZE;
	return -1;
}

int
control_send(int fd, enum control_type type, const void *payload, size_t len)
{
	struct control c;

	memset(&c, 0, sizeof c);
	if (len > sizeof c.u) {
		errno = EMSGSIZE;
		return -1;
	}
	c.type = type;
	c.len = (uint32_t)len;
	if (len > 0)
		memcpy(&c.u, payload, len);
	return wire_send(fd, &c, sizeof c);
}

int
control_recv(int fd, struct control *c)
{
	ssize_t n = wire_recv(fd, c, sizeof *c);

	if (n <= 0)
		return (int)n;
	if (n != (ssize_t)sizeof *c || c->len > sizeof c->u) {
		errno = EBADMSG;
		return -1;
	}
	return 1;
}
