/*
 * link_xdp.c: frames out by AF_XDP: written once into memory that the kernel,
 * or the card, reads, and from then on only what changes.
 *
 * Nothing is received and no XDP program is loaded: the interface stays as it
 * is. One socket a queue; the card reads the frames itself where its driver
 * can (zero copy), else the kernel copies them.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#include "engine/link.h"

/*
 * The kernel takes chunks of 2,048 bytes at least. Frames begin at different
 * places in theirs: else all of them would share a few lines of the cache.
 */
enum {
	FRAMES = 2048,
	CHUNK = 2048,
	AREA = FRAMES * CHUNK,
	STAGGER = 128,
	STAGGERS = 15,
	FILL_RING = 64, /* there must be one; nothing is received */
	SEND_BUFFER = 4 << 20,
	BUSY_TRIES = 50, /* of BUSY_MS: another socket may just be closing */
	BUSY_MS = 20
};

_Static_assert((STAGGERS - 1) * STAGGER + FRAME_MAX <= CHUNK, "in its chunk");

/* Frames in one call; Linux 6.17 made it an option, before it is 32. */
#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

struct xdp_state {
	uint8_t *area;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completed;
	int fd;
	bool zero_copy;
	uint32_t seen; /* where the kernel's end of tx was */
	unsigned waiting; /* pushed, and not yet taken from tx */
	unsigned nfree;
	uint32_t free[FRAMES]; /* the last is warm in the cache */
	struct link_slot slots[FRAMES];
};

static uint64_t
address_of(uint32_t frame)
{
	return (uint64_t)frame * CHUNK + (uint64_t)(frame % STAGGERS) * STAGGER;
}

/* ---- opening ------------------------------------------------------------- */

static int
try_socket(struct xdp_state *s, const char *interface, unsigned queue,
    uint16_t bind_flags)
{
	const struct xsk_socket_config config = { .tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = (uint16_t)(bind_flags | XDP_USE_NEED_WAKEUP) };
	const struct xsk_umem_config umem = {
		.fill_size = FILL_RING, .comp_size = FRAMES, .frame_size = CHUNK
	};
	int r;

	r = xsk_umem__create(
	    &s->umem, s->area, AREA, &s->fill, &s->completed, &umem);
	if (r != 0)
		return r;
	r = xsk_socket__create(
	    &s->socket, interface, queue, s->umem, NULL, &s->tx, &config);
	if (r == 0)
		return 0;
	xsk_umem__delete(s->umem);
	s->umem = NULL;
	s->socket = NULL;
	return r;
}

/* A queue that was just let go may be busy for a while. 0 or -errno. */
static int
open_socket(struct xdp_state *s, const char *interface, unsigned queue,
    uint16_t bind_flags)
{
	int r = try_socket(s, interface, queue, bind_flags);

	for (int i = 0; i < BUSY_TRIES && r == -EBUSY; i++) {
		poll(NULL, 0, BUSY_MS);
		r = try_socket(s, interface, queue, bind_flags);
	}
	return r;
}

static void
close_socket(struct xdp_state *s)
{
	if (s->socket != NULL)
		xsk_socket__delete(s->socket);
	if (s->umem != NULL)
		xsk_umem__delete(s->umem);
	s->socket = NULL;
	s->umem = NULL;
}

static bool
is_zero_copy(const struct xdp_state *s)
{
	struct xdp_options options = { 0 };
	socklen_t len = sizeof options;

	return getsockopt(s->fd, SOL_XDP, XDP_OPTIONS, &options, &len) == 0 &&
	    (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
}

/*
 * The kernel chooses zero copy by itself. There are drivers that bind so and
 * then send only when a program is attached: an empty call tells.
 */
static int
open_best(struct xdp_state *s, const char *interface, unsigned queue)
{
	int size = SEND_BUFFER, budget = LINK_BATCH, r;

	r = open_socket(s, interface, queue, 0);
	if (r != 0)
		return r;
	s->fd = xsk_socket__fd(s->socket);
	s->zero_copy = is_zero_copy(s);
	if (s->zero_copy &&
	    sendto(s->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) == -1 &&
	    errno == ENXIO) {
		close_socket(s);
		r = open_socket(s, interface, queue, XDP_COPY);
		if (r != 0)
			return r;
		s->fd = xsk_socket__fd(s->socket);
		s->zero_copy = false;
	}
	/* Both only make it faster. */
	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	(void)setsockopt(
	    s->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof budget);
	return 0;
}

static void *
xdp_open(const char *interface, unsigned queue)
{
	struct xdp_state *s = calloc(1, sizeof *s);
	int r = -ENOMEM;

	if (s == NULL)
		return NULL;
	/* What goes wrong is in the return value; they would say it again. */
	libxdp_set_print(NULL);
	libbpf_set_print(NULL);
	s->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (s->area != MAP_FAILED) {
		r = open_best(s, interface, queue);
		if (r != 0)
			munmap(s->area, AREA);
	}
	if (r != 0) {
		free(s);
		errno = -r;
		return NULL;
	}
	for (uint32_t i = 0; i < FRAMES; i++) {
		s->slots[i].frame = s->area + address_of(i);
		s->free[s->nfree++] = FRAMES - 1 - i;
	}
	return s;
}

/* ---- sending ------------------------------------------------------------- */

/* Frames that have left may be written again. */
static void
reclaim(struct xdp_state *s)
{
	uint32_t at = 0;
	unsigned n = xsk_ring_cons__peek(&s->completed, FRAMES, &at);

	for (unsigned i = 0; i < n; i++)
		s->free[s->nfree++] = (uint32_t)(*xsk_ring_cons__comp_addr(
						     &s->completed, at + i) /
		    CHUNK);
	if (n > 0)
		xsk_ring_cons__release(&s->completed, n);
}

static unsigned
xdp_take(void *state, struct link_slot *slots[], unsigned n)
{
	struct xdp_state *s = state;

	reclaim(s);
	if (n > s->nfree)
		n = s->nfree;
	for (unsigned i = 0; i < n; i++)
		slots[i] = &s->slots[s->free[s->nfree - 1 - i]];
	return n;
}

/* Of the frames that take offered these leave the free ones. */
static void
submit(struct xdp_state *s, struct link_slot *const slots[], unsigned n)
{
	uint32_t at;

	/* There is room: the ring is as long as there are frames. */
	if (xsk_ring_prod__reserve(&s->tx, n, &at) != n)
		return;
	for (unsigned i = 0; i < n; i++) {
		struct xdp_desc *d = xsk_ring_prod__tx_desc(&s->tx, at + i);

		d->addr = (uint64_t)(slots[i]->frame - s->area);
		d->len = slots[i]->len;
		d->options = 0;
	}
	s->nfree -= n;
	xsk_ring_prod__submit(&s->tx, n);
	s->waiting += n;
}

/* What the kernel has taken from the ring since it was asked last. */
static unsigned
taken(struct xdp_state *s)
{
	uint32_t at = __atomic_load_n(s->tx.consumer, __ATOMIC_ACQUIRE);
	unsigned n = at - s->seen;

	if (s->zero_copy)
		return 0; /* it lags behind what counts as taken */
	s->seen = at;
	s->waiting -= n;
	return n;
}

/*
 * Copied, and refused by the device: the last frame taken was dropped. It is
 * complete, so it is among the free ones again; it goes out once more.
 */
static bool
repeat_dropped(struct xdp_state *s)
{
	uint64_t addr = xsk_ring_prod__tx_desc(&s->tx, s->seen - 1)->addr;
	uint32_t frame = (uint32_t)(addr / CHUNK);
	struct link_slot *slot = &s->slots[frame];

	reclaim(s);
	for (unsigned i = s->nfree; i-- > 0;) {
		if (s->free[i] != frame)
			continue;
		s->free[i] = s->free[s->nfree - 1];
		s->free[s->nfree - 1] = frame;
		submit(s, &slot, 1);
		return true;
	}
	return false;
}

/* Asked to look at the ring: how many it took, and why not more. */
static unsigned
kick(struct xdp_state *s, int *why)
{
	unsigned n;

	*why = 0;
	if (xsk_ring_prod__needs_wakeup(&s->tx) &&
	    sendto(s->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) == -1)
		*why = errno;
	if (*why == EINTR || *why == ENOBUFS)
		*why = EAGAIN;
	n = taken(s);
	if (s->zero_copy && (*why == 0 || *why == EAGAIN || *why == EBUSY)) {
		/* The card comes for them when it can. */
		n = s->waiting;
		s->waiting = 0;
	} else if (*why == EBUSY && n > 0 && repeat_dropped(s)) {
		n--;
	}
	return n;
}

/* Until the kernel has all of them, is busy, or says why it cannot. */
static int
xdp_push(void *state, struct link_slot *const slots[], unsigned n)
{
	struct xdp_state *s = state;
	unsigned done = 0, now = 1;
	int why = 0;

	if (s->waiting == 0)
		submit(s, slots, n);
	while (s->waiting > 0 && now > 0) {
		now = kick(s, &why);
		done += now;
	}
	if (done > 0 || why == 0 || why == EAGAIN || why == EBUSY)
		return (int)done;
	errno = why;
	return -1;
}

static void
xdp_close(void *state)
{
	struct xdp_state *s = state;

	close_socket(s);
	munmap(s->area, AREA);
	free(s);
}

const struct link_path link_xdp = {
	.name = "xdp",
	.open = xdp_open,
	.take = xdp_take,
	.push = xdp_push,
	.close = xdp_close,
};
