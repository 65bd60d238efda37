/* link_libnet.c: frames out by libnet's link-layer write, the portable way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libnet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>

#include "engine/link.h"

/*
 * libnet's socket is one of ETH_P_ALL: without this every frame of the
 * interface would be queued on it, and it is never read.
 */
static int
receive_nothing(int fd)
{
	struct sock_filter drop = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog program = { 1, &drop };

	return setsockopt(
	    fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

struct libnet_state {
	libnet_t *l;
	uint8_t frames[LINK_BATCH][FRAME_MAX];
	struct link_slot slots[LINK_BATCH];
};

static libnet_t *
libnet_ready(const char *interface)
{
	char why[LIBNET_ERRBUF_SIZE];
	libnet_t *l;
	int fd, saved, yes = 1;

	errno = 0;
	l = libnet_init(LIBNET_LINK_ADV, interface, why);
	if (l == NULL) {
		errno = errno != 0 ? errno : ENODEV;
		return NULL;
	}
	fd = libnet_getfd(l);
	/* Past the queueing, as link_packet.c: it only makes it faster. */
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
	if (receive_nothing(fd) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return l;
	saved = errno;
	libnet_destroy(l);
	errno = saved;
	return NULL;
}

static void *
libnet_path_open(const char *interface, unsigned queue)
{
	struct libnet_state *s = calloc(1, sizeof *s);

	(void)queue;
	if (s == NULL)
		return NULL;
	s->l = libnet_ready(interface);
	if (s->l == NULL) {
		int saved = errno;

		free(s);
		errno = saved;
		return NULL;
	}
	for (int i = 0; i < LINK_BATCH; i++)
		s->slots[i].frame = s->frames[i];
	return s;
}

static unsigned
libnet_path_take(void *state, struct link_slot *slots[], unsigned n)
{
	struct libnet_state *s = state;

	for (unsigned i = 0; i < n; i++)
		slots[i] = &s->slots[i];
	return n;
}

/* An error after some frames is left for the next call to meet again. */
static int
libnet_path_push(void *state, struct link_slot *const slots[], unsigned n)
{
	struct libnet_state *s = state;

	for (unsigned i = 0; i < n; i++) {
		int r =
		    libnet_adv_write_link(s->l, slots[i]->frame, slots[i]->len);

		if (r == (int)slots[i]->len)
			continue;
		if (i > 0)
			return (int)i;
		if (r == -1 && errno != EAGAIN && errno != ENOBUFS &&
		    errno != EINTR)
			return -1;
		return 0;
	}
	return (int)n;
}

static void
libnet_path_close(void *state)
{
	struct libnet_state *s = state;

	libnet_destroy(s->l);
	free(s);
}

const struct link_path link_libnet = {
	.name = "libnet",
	.open = libnet_path_open,
	.take = libnet_path_take,
	.push = libnet_path_push,
	.close = libnet_path_close,
};
