/*
 * link_live.c: frames out by live frames: descriptors of 24 bytes laid down in
 * memory that a BPF program reads, which the kernel runs over recycled frames
 * (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18).
 *
 * Several times what AF_XDP carries, in bursts: the end of each call is some
 * ten milliseconds of waiting. A call reports nothing when frames vanish, so
 * what counts as sent is what the device has counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "engine/link.h"
#include "engine/live.h"

enum {
	FRAMES_A_TURN = 256, /* the kernel's, inside a call */
	COUNTED_MS = 200, /* until the device has counted what left */
	TEST_FRAMES = 64,
	TEST_LEN = 60,
	COUNTERS_CAP = 32768, /* of all interfaces, as text */
	TX_PACKETS = 10, /* which number of a line */
	FAMILIES = 2
};

/* From the start of the frame. */
enum { IP4 = 14, TCP4 = IP4 + 20, IP6 = 14, TCP6 = IP6 + 40 };

_Static_assert(sizeof(struct live4) == 24, "as live.bpf.c has it");
_Static_assert(sizeof(struct live6) == 48, "as live.bpf.c has it");

/* live.bpf.c as clang compiled it. */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	".global live_object, live_object_len\n"
	".hidden live_object, live_object_len\n"
	"live_object: .incbin \"" LIVE_OBJECT "\"\n"
	"1: .balign 8\n"
	"live_object_len: .quad 1b - live_object\n"
	".popsection\n");
extern const uint8_t live_object[];
extern const uint64_t live_object_len;

struct live_link {
	struct bpf_object *object;
	struct bpf_link *pass; /* NULL: the driver does without */
	int programs[FAMILIES];
	struct live4 *ring4;
	struct live6 *ring6;
	struct live_state *state;
	char interface[IF_NAMESIZE];
	int counters; /* /proc/self/net/dev: of our own namespace */
	unsigned ifindex;

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

/* n frames that begin as this one. 0, or -1 with errno. */
static int
run(const struct live_link *l, int program, const uint8_t *frame, uint32_t len,
    uint32_t n)
{
	struct xdp_md context = { .data_end = len,
		.ingress_ifindex = l->ifindex };
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
	    .data_size_in = len, .ctx_in = &context,
	    .ctx_size_in = sizeof context, .repeat = (int)n,
	    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = FRAMES_A_TURN);
	int r = bpf_prog_test_run_opts(program, &opts);

	if (r == 0)
		return 0;
	errno = -r;
	return -1;
}

/* ---- opening ------------------------------------------------------------- */

static void *
map_of(struct bpf_object *o, const char *name, size_t size)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);
	void *p = fd < 0
	    ? MAP_FAILED
	    : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int
program_of(const struct live_link *l, const char *name)
{
	const struct bpf_program *p =
	    bpf_object__find_program_by_name(l->object, name);

	return p == NULL ? -1 : bpf_program__fd(p);
}

static int
load(struct live_link *l)
{
	DECLARE_LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "live");
	int r;

	libbpf_set_print(NULL);
	l->object = bpf_object__open_mem(live_object, live_object_len, &opts);
	if (l->object == NULL)
		return -1;
	r = bpf_object__load(l->object);
	if (r != 0) {
		errno = -r;
		return -1;
	}
	l->ring4 =
	    map_of(l->object, "live_ring4", LIVE_RING * sizeof(struct live4));
	l->ring6 =
	    map_of(l->object, "live_ring6", LIVE_RING * sizeof(struct live6));
	l->state = map_of(l->object, "live.bss", sizeof(struct live_state));
	l->programs[0] = program_of(l, "live_send4");
	l->programs[1] = program_of(l, "live_send6");
	if (l->ring4 == NULL || l->ring6 == NULL || l->state == NULL ||
	    l->programs[0] < 0 || l->programs[1] < 0)
		return -1;
	l->state->ifindex = l->ifindex;
	return 0;
}

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
burst_shows(const struct live_link *l, const uint8_t mac[MAC_LEN])
{
	uint8_t frame[FRAME_MAX] = { 0 };
	uint64_t before;

	memcpy(frame, mac, MAC_LEN);
	memcpy(frame + MAC_LEN, mac, MAC_LEN);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	return read_counter(l, &before) == 0 &&
	    run(l, program_of(l, "live_send_plain"), frame, TEST_LEN,
		TEST_FRAMES) == 0 &&
	    counted_since(l, before, TEST_FRAMES) == TEST_FRAMES;
}

/* There are drivers that take frames only with a program on the card. */
static bool
device_takes(struct live_link *l, const char *interface)
{
	uint8_t mac[MAC_LEN];

	if (own_mac(interface, mac) == -1)
		return false;
	if (burst_shows(l, mac))
		return true;
	l->pass = bpf_program__attach_xdp(
	    bpf_object__find_program_by_name(l->object, "live_pass"),
	    (int)l->ifindex);
	if (l->pass != NULL && burst_shows(l, mac))
		return true;
	errno = EOPNOTSUPP;
	return false;
}

static void
live_close(void *state)
{
	struct live_link *l = state;

	bpf_link__destroy(l->pass);
	if (l->ring4 != NULL)
		munmap(l->ring4, LIVE_RING * sizeof(struct live4));
	if (l->ring6 != NULL)
		munmap(l->ring6, LIVE_RING * sizeof(struct live6));
	if (l->state != NULL)
		munmap(l->state, sizeof(struct live_state));
	bpf_object__close(l->object);
	if (l->counters != -1)
		close(l->counters);
	free(l);
}

static void *
live_open(const char *interface, unsigned queue)
{
	struct live_link *l = calloc(1, sizeof *l);
	int saved;

	(void)queue;
	if (l == NULL)
		return NULL;
	snprintf(l->interface, sizeof l->interface, "%s", interface);
	l->counters = open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
	l->ifindex = if_nametoindex(interface);
	for (int i = 0; i < LINK_BATCH; i++)
		l->slots[i].frame = l->frames[i];
	if (l->ifindex != 0 && l->counters != -1 && load(l) == 0 &&
	    device_takes(l, interface))
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
			lay4(&l->ring4[at], f);
		else
			lay6(&l->ring6[at], f);
		l->laid[family]++;
	}
	return (int)n;
}

/* The whole of it, or nothing of it counts: the caller makes it again. */
static int
live_flush(void *state)
{
	struct live_link *l = state;
	int r = 0;

	for (int family = 0; family < FAMILIES; family++) {
		uint32_t n = l->laid[family];
		uint64_t before;

		l->laid[family] = 0;
		if (n == 0 || r == -1)
			continue;
		l->state->next = 0;
		if (read_counter(l, &before) == -1 ||
		    run(l, l->programs[family], l->template[family],
			l -> len[family], n) == -1) {
			r = -1;
		} else if (counted_since(l, before, n) < n) {
			errno = ENOBUFS;
			r = -1;
		}
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
