/* link_packet.c: frames out by AF_PACKET: sendmmsg, past the queueing. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <net/if.h>

#include "engine/link.h"

/* Skbs in flight count against it: 64 frames are about 50 KB of truesize. */
enum { SEND_BUFFER = 4 << 20 };

struct packet_state {
	int fd;
	uint8_t frames[LINK_BATCH][FRAME_MAX];
	struct link_slot slots[LINK_BATCH];
	struct iovec parts[LINK_BATCH];
	struct mmsghdr messages[LINK_BATCH];
};

/*
 * Protocol 0: such a socket receives nothing, so that no frame is copied to
 * it. The send buffer may stay small where CAP_NET_ADMIN is missing.
 */
static int
open_socket(unsigned ifindex)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1, size = SEND_BUFFER, saved;

	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&to, sizeof to) == -1 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) ==
		-1)
		goto fail;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) ==
		-1 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == -1)
		goto fail;
	return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void *
packet_open(const char *interface, unsigned queue)
{
	unsigned ifindex = if_nametoindex(interface);
	struct packet_state *s;

	(void)queue;
	if (ifindex == 0)
		return NULL;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->fd = open_socket(ifindex);
	if (s->fd == -1) {
		free(s);
		return NULL;
	}
	for (int i = 0; i < LINK_BATCH; i++) {
		s->slots[i].frame = s->frames[i];
		s->messages[i].msg_hdr.msg_iov = &s->parts[i];
		s->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return s;
}

static unsigned
packet_take(void *state, struct link_slot *slots[], unsigned n)
{
	struct packet_state *s = state;

	for (unsigned i = 0; i < n; i++)
		slots[i] = &s->slots[i];
	return n;
}

/*
 * Busy is ENOBUFS (the card's queue is full, or there is no carrier) and
 * EAGAIN (the send buffer is). With some frames sent an error shows up at the
 * next call.
 */
static int
packet_push(void *state, struct link_slot *const slots[], unsigned n)
{
	struct packet_state *s = state;
	int sent;

	for (unsigned i = 0; i < n; i++)
		s->parts[i] = (struct iovec){ slots[i]->frame, slots[i]->len };
	sent = sendmmsg(s->fd, s->messages, n, MSG_DONTWAIT);
	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return 0;
	return -1;
}

static void
packet_close(void *state)
{
	struct packet_state *s = state;

	close(s->fd);
	free(s);
}

const struct link_path link_packet = {
	.name = "packet",
	.open = packet_open,
	.take = packet_take,
	.push = packet_push,
	.close = packet_close,
};
