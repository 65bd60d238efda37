/*
 * link_live.c: frames out by live frames: descriptors of 24 bytes laid down in
 * memory that a BPF program reads, which the kernel runs over recycled frames.
 *
 * Several times what AF_XDP carries, a few thousand a call. What the card has
 * no room for the kernel drops, but says so (live.bpf.c): those go out once
 * more. And what counts as sent is in the device's counters as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <net/if.h>

#include "engine/link.h"
#include "engine/live_kernel.h"

enum {
	COUNTED_MS = 200, /* until the device has counted what left */
	STUCK_MS = 200, /* while the card takes not a single one */
	TEST_FRAMES = 64,
	TEST_LEN = 60,
	COUNTERS_CAP = 32768, /* of all interfaces, as text */
	TX_PACKETS = 10, /* which number of a line */
	FAMILIES = 2
};

/* From the start of the frame. */
enum { IP4 = 14, TCP4 = IP4 + 20, IP6 = 14, TCP6 = IP6 + 40 };

struct live_link {
	struct live_kernel kernel;
	char interface[IF_NAMESIZE];
	int counters; /* /proc/self/net/dev: of our own namespace */

	uint8_t template[FAMILIES][FRAME_MAX]; /* of the frames laid down */
	uint32_t len[FAMILIES];
	uint32_t laid[FAMILIES];
	uint8_t frames[LINK_BATCH][FRAME_MAX];
	struct link_slot slots[LINK_BATCH];
};

/* ---- the device's word --------------------------------------------------- */

/*
 * The line of the interface in net/dev: NAME: eight numbers of what came in,
 * bytes that left, packets that left.
 */
static int
read_counter(const struct live_link *l, uint64_t *n)
{
	char text[COUNTERS_CAP];
	ssize_t len = pread(l->counters, text, sizeof text - 1, 0);
	size_t name = strlen(l->interface);

	if (len <= 0)
		return -1;
	text[len] = '\0';
	for (char *at = text; at != NULL; at = strchr(at + 1, '\n')) {
		at += strspn(at, "\n ");
		if (strncmp(at, l->interface, name) != 0 || at[name] != ':')
			continue;
		at += name + 1;
		for (int i = 0; i < TX_PACKETS; i++)
			*n = strtoull(at, &at, 10);
		return 0;
	}
	errno = ENODEV;
	return -1;
}

/* How many of n the device has counted since; it may lag a little. */
static uint64_t
counted_since(const struct live_link *l, uint64_t before, uint64_t n)
{
	uint64_t now = before;

	for (int ms = 0; ms < COUNTED_MS; ms++) {
		if (read_counter(l, &now) == -1 || now - before >= n)
			break;
		poll(NULL, 0, 1);
	}
	return now - before < n ? now - before : n;
}

/* ---- opening ------------------------------------------------------------- */

static int
own_mac(const char *interface, uint8_t mac[MAC_LEN])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;
	struct ifreq q;

	memset(&q, 0, sizeof q);
	snprintf(q.ifr_name, sizeof q.ifr_name, "%s", interface);
	r = fd == -1 ? -1 : ioctl(fd, SIOCGIFHWADDR, &q);
	memcpy(mac, q.ifr_hwaddr.sa_data, MAC_LEN);
	if (fd != -1)
		close(fd);
	return r;
}

/*
 * Does a burst arrive in the device's counters? It is addressed to ourselves,
 * in the EtherType for experiments (IEEE 802): no switch forwards it.
 */
static bool
burst_shows(struct live_link *l, const uint8_t mac[MAC_LEN])
{
	uint8_t frame[FRAME_MAX] = { 0 };
	uint64_t before;

	memcpy(frame, mac, MAC_LEN);
	memcpy(frame + MAC_LEN, mac, MAC_LEN);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	return read_counter(l, &before) == 0 &&
	    live_kernel_run(&l->kernel, frame, TEST_LEN, TEST_FRAMES) == 0 &&
	    l->kernel.state->nrefused == 0 &&
	    counted_since(l, before, TEST_FRAMES) == TEST_FRAMES;
}

static bool
device_takes(struct live_link *l)
{
	uint8_t mac[MAC_LEN];

	if (own_mac(l->interface, mac) == -1)
		return false;
	if (burst_shows(l, mac) ||
	    (live_kernel_pass(&l->kernel) == 0 && burst_shows(l, mac)))
		return true;
	errno = EOPNOTSUPP;
	return false;
}

static void
live_close(void *state)
{
	struct live_link *l = state;

	live_kernel_close(&l->kernel);
	if (l->counters != -1)
		close(l->counters);
	free(l);
}

static void *
live_open(const char *interface, unsigned queue)
{
	unsigned ifindex = if_nametoindex(interface);
	struct live_link *l;
	int saved;

	(void)queue;
	if (ifindex == 0)
		return NULL;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	snprintf(l->interface, sizeof l->interface, "%s", interface);
	l->counters = open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < LINK_BATCH; i++)
		l->slots[i].frame = l->frames[i];
	if (live_kernel_open(&l->kernel, ifindex) == 0 && l->counters != -1 &&
	    device_takes(l))
		return l;
	saved = errno;
	live_close(l);
	errno = saved;
	return NULL;
}

/* ---- sending ------------------------------------------------------------- */

static unsigned
live_take(void *state, struct link_slot *slots[], unsigned n)
{
	struct live_link *l = state;

	for (unsigned i = 0; i < n; i++)
		slots[i] = &l->slots[i];
	return n;
}

static void
lay4(struct live4 *d, const uint8_t *f)
{
	memcpy(&d->src, f + IP4 + 12, 8); /* and dst */
	memcpy(&d->seq, f + TCP4 + 4, 4);
	memcpy(&d->sport, f + TCP4, 4); /* and dport */
	memcpy(&d->id, f + IP4 + 4, 2);
	memcpy(&d->ip_sum, f + IP4 + 10, 2);
	memcpy(&d->tcp_sum, f + TCP4 + 16, 2);
}

static void
lay6(struct live6 *d, const uint8_t *f)
{
	memcpy(d->src, f + IP6 + 8, 32); /* and dst */
	memcpy(&d->seq, f + TCP6 + 4, 4);
	memcpy(&d->sport, f + TCP6, 4); /* and dport */
	memcpy(&d->tcp_sum, f + TCP6 + 16, 2);
}

/* Laid down, to leave when all is flushed. */
static int
live_push(void *state, struct link_slot *const slots[], unsigned n)
{
	struct live_link *l = state;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *f = slots[i]->frame;
		int family = f[12] == 0x08 ? 0 : 1;
		uint32_t at = l->laid[family];

		if (at == LIVE_RING)
			return (int)i;
		if (at == 0) {
			memcpy(l->template[family], f, FRAME_MAX);
			l->len[family] = slots[i]->len;
		}
		if (family == 0)
			lay4(&l->kernel.ring4[at], f);
		else
			lay6(&l->kernel.ring6[at], f);
		l->laid[family]++;
	}
	return (int)n;
}

/* What was refused, to the front: how many. */
static uint32_t
gather_refused(struct live_link *l, int family, uint32_t n)
{
	struct live_kernel *k = &l->kernel;
	uint32_t left = 0;

	for (uint32_t i = 0; i < k->state->nrefused; i++) {
		uint32_t at = k->state->refused[i];

		if (at >= n)
			continue;
		if (family == 0)
			k->ring4[left++] = k->ring4[at];
		else
			k->ring6[left++] = k->ring6[at];
	}
	return left;
}

/* Until the card has taken all of a family's. 0, or -1 with errno. */
static int
run_all(struct live_link *l, int family, uint32_t n)
{
	for (int stuck_ms = 0; n > 0;) {
		uint32_t left;

		if (live_kernel_run(&l->kernel, l->template[family],
			l -> len[family], n) == -1)
			return -1;
		left = gather_refused(l, family, n);
		if (left == n && ++stuck_ms > STUCK_MS) {
			errno = ENOBUFS;
			return -1;
		}
		if (left < n)
			stuck_ms = 0;
		else
			poll(NULL, 0, 1);
		n = left;
	}
	return 0;
}

/* The whole of it, or nothing of it counts: the caller makes it again. */
static int
live_flush(void *state)
{
	struct live_link *l = state;
	uint32_t n = 0;
	uint64_t before;
	int r = read_counter(l, &before);

	for (int family = 0; family < FAMILIES; family++) {
		if (r == 0)
			r = run_all(l, family, l->laid[family]);
		n += l->laid[family];
		l->laid[family] = 0;
	}
	if (r == 0 && counted_since(l, before, n) < n) {
		errno = ENOBUFS;
		r = -1;
	}
	return r;
}

const struct link_path link_live = {
	.name = "live",
	.burst = LIVE_RING,
	.open = live_open,
	.take = live_take,
	.push = live_push,
	.flush = live_flush,
	.close = live_close,
};
