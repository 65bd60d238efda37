/*
 * wire.c: what the benchmarks put onto a wire: the product's senders, and bare
 * loops to hold against them. Runs until it is killed; whoever called it reads
 * the device's counters.
 *
 *	wire send PATH IF THREADS RATE [6]	auto, packet, libnet, xdp, live
 *	wire floor xdp|libnet IF		one constant frame
 *	wire drop IF				XDP_DROP on the interface
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libnet.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <xdp/xsk.h>

#include "engine/link_pcap.h"
#include "engine/log.h"
#include "engine/sender.h"

enum { FRAMES = 2048 };
#define CHUNK ((size_t)2048)

static const char *const path_names[TX_PATHS] = { "auto", "packet", "libnet",
	"xdp", "live" };

static void
add(struct ranges *r, const char *text)
{
	const char *expected;

	if (ranges_add_text(r, text, &expected) == -1)
		fatal("%s: %s", text, expected);
}

/* 10.0.0.0/8 or fd10::/16's first 2^40, seven ports, some exclusions. */
static void
make_sweep(struct conf *conf, struct sweep *sweep, struct ranges *targets,
    struct ranges *excluded, bool six)
{
	static const uint16_t ports[] = { 25, 110, 143, 465, 587, 993, 995 };

	add(targets, six ? "fd10::/88" : "10.0.0.0/8");
	add(excluded, six ? "fd10::80/121" : "10.255.255.0/24");
	add(excluded, "192.168.0.0/16");
	if (ranges_seal(targets) == -1 || ranges_seal(excluded) == -1)
		fatal("ranges: %s", strerror(errno));
	conf->sport_first = 40000;
	conf->sport_last = 56383;
	conf->nports = sizeof ports / sizeof ports[0];
	for (uint32_t i = 0; i < conf->nports; i++)
		conf->ports[i].port = ports[i];
	conf->capture_buffer = 64 << 20;
	conf->nsources = 1;
	if (addr_parse(six ? "fd00:192::2" : "192.0.2.2", &conf->sources[0]) ==
	    -1)
		fatal("source");
	sweep->n = ranges_count(targets) * conf->nports;
	sweep->seed = 1;
	sweep->shards = 1;
}

/* All threads until the end of the index, which is far. */
static void
send_by(enum tx_path tx, const char *interface, unsigned threads, uint64_t rate,
    bool six)
{
	static const struct frame_link links[2] = {
		{ { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 } },
		{ { 2, 0, 0, 0, 0, 2 }, { 2, 0, 0, 0, 0, 1 } },
	};
	static struct sender_plan plan;
	static struct conf conf;
	static struct sweep sweep;
	struct ranges *targets = ranges_new(), *excluded = ranges_new();
	struct capture *capture;

	make_sweep(&conf, &sweep, targets, excluded, six);
	sweep.threads = threads;
	snprintf(conf.interface, sizeof conf.interface, "%s", interface);
	capture = capture_open(&conf);
	if (capture == NULL ||
	    sender_plan_init(&plan, &conf, targets, excluded, &sweep, links) ==
		-1)
		fatal("plan: %s", strerror(errno));
	for (unsigned i = 0; i < threads; i++) {
		const struct link_want want = { i, rate / threads };
		struct link *l = link_open(tx, interface, &want);
		struct sender *s = l ? sender_start(&plan, i, l) : NULL;

		if (s == NULL)
			fatal("%s: %s", path_names[tx], strerror(errno));
		log_info("thread %u: %s", i, link_name(l));
		sender_rate(s, rate / threads);
	}
	pause();
}

/* ---- bare loops ---------------------------------------------------------- */

static void
constant_frame(uint8_t frame[FRAME_MAX], uint32_t *len)
{
	static const struct frame_link link = { { 2, 0, 0, 0, 0, 2 },
		{ 2, 0, 0, 0, 0, 1 } };
	struct addr source = addr_from4(0xc0000202);
	struct target to = { addr_from4(0x0a010203), 25 };
	struct frame_template t;

	if (frame_template_init(&t, &link, &source) == -1)
		fatal("template");
	*len = (uint32_t)frame_syn(&t, frame, &to, 40000, 1);
}

static void
floor_libnet(const char *interface)
{
	char why[LIBNET_ERRBUF_SIZE];
	libnet_t *l = libnet_init(LIBNET_LINK_ADV, interface, why);
	uint8_t frame[FRAME_MAX];
	uint32_t len;

	if (l == NULL)
		fatal("%s", why);
	constant_frame(frame, &len);
	for (;;)
		(void)libnet_adv_write_link(l, frame, len);
}

static void
floor_xdp(const char *interface)
{
	const struct xsk_umem_config umem_config = {
		.fill_size = 64, .comp_size = FRAMES, .frame_size = CHUNK
	};
	const struct xsk_socket_config config = { .tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP };
	uint8_t *area = mmap(NULL, FRAMES * CHUNK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons done;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	uint32_t at, len, next = 0, flying = 0;

	if (area == MAP_FAILED ||
	    xsk_umem__create(
		&umem, area, FRAMES * CHUNK, &fill, &done, &umem_config) != 0 ||
	    xsk_socket__create(
		&socket, interface, 0, umem, NULL, &tx, &config) != 0)
		fatal("floor xdp");
	for (uint32_t i = 0; i < FRAMES; i++)
		constant_frame(area + i * CHUNK, &len);
	for (;;) {
		unsigned n = xsk_ring_cons__peek(&done, FRAMES, &at);

		flying -= n;
		xsk_ring_cons__release(&done, n);
		if (flying + LINK_BATCH <= FRAMES &&
		    xsk_ring_prod__reserve(&tx, LINK_BATCH, &at) ==
			LINK_BATCH) {
			for (uint32_t i = 0; i < LINK_BATCH; i++) {
				struct xdp_desc *d =
				    xsk_ring_prod__tx_desc(&tx, at + i);

				d->addr = (uint64_t)(next++ % FRAMES) * CHUNK;
				d->len = len;
			}
			xsk_ring_prod__submit(&tx, LINK_BATCH);
			flying += LINK_BATCH;
		}
		(void)sendto(
		    xsk_socket__fd(socket), NULL, 0, MSG_DONTWAIT, NULL, 0);
	}
}

/* ---- the other side ------------------------------------------------------ */

/* return XDP_DROP, in the machine's own words */
static void
drop_all(const char *interface)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd =
	    bpf_prog_load(BPF_PROG_TYPE_XDP, "drop", "GPL", program, 2, NULL);
	int r = fd < 0 ? fd
		       : bpf_xdp_attach((int)if_nametoindex(interface), fd,
			     XDP_FLAGS_DRV_MODE, NULL);

	if (r < 0)
		fatal("%s: XDP_DROP: %s", interface, strerror(-r));
}

static void
run(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "drop") == 0) {
		drop_all(argv[2]);
		return;
	}
	if (argc == 4 && strcmp(argv[1], "floor") == 0) {
		if (strcmp(argv[2], "xdp") == 0)
			floor_xdp(argv[3]);
		floor_libnet(argv[3]);
	}
	for (int i = 0; argc >= 6 && i < TX_PATHS; i++)
		if (strcmp(argv[2], path_names[i]) == 0)
			send_by((enum tx_path)i, argv[3],
			    (unsigned)strtoul(argv[4], NULL, 10),
			    strtoull(argv[5], NULL, 10), argc == 7);
	fatal("see the head of test/bench/wire.c");
}

int
main(int argc, char **argv)
{
	log_open("wire", LOG_LEVEL_INFO);
	/* Where a real interface is to be seen this is not for. */
	if (if_nametoindex("eth0") != 0)
		fatal("an interface eth0 is visible: not isolated");
	run(argc, argv);
	return 0;
}
