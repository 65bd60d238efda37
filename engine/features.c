/* features.c: what this kernel offers, each tried and not looked up. */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/features.h"
#include "engine/landlock.h"
#include "engine/nft.h"

enum { REPAIR_ON = 1, REPAIR_OFF_SILENT = -1, FRAME_BYTES = 64 };

/* Later than some headers. */
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

struct feature {
	const char *name;
	const char *without; /* what happens when it is not there */
	bool (*try)(char why[NFT_ERROR_MAX]);
};

static bool
say_errno(char why[NFT_ERROR_MAX])
{
	snprintf(why, NFT_ERROR_MAX, "%s", strerror(errno));
	return false;
}

static bool
try_repair(char why[NFT_ERROR_MAX])
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = REPAIR_ON, off = REPAIR_OFF_SILENT;
	bool there = fd >= 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off) == 0;

	if (!there)
		say_errno(why);
	if (fd >= 0)
		close(fd);
	return there;
}

static bool
try_landlock(char why[NFT_ERROR_MAX])
{
	int version = landlock_version();

	if (version == 0) {
		errno = ENOSYS;
		return say_errno(why);
	}
	snprintf(why, NFT_ERROR_MAX, "version %d", version);
	return true;
}

static bool
try_bypass(char why[NFT_ERROR_MAX])
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
	bool there = fd >= 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) ==
		0;

	if (!there)
		say_errno(why);
	if (fd >= 0)
		close(fd);
	return there;
}

static bool
try_xdp(char why[NFT_ERROR_MAX])
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return say_errno(why);
	close(fd);
	return true;
}

/* Two instructions: r0 = XDP_DROP; exit. */
static int
load_xdp(void)
{
	static const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		    .dst_reg = BPF_REG_0,
		    .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uint64_t)(uintptr_t)program;
	attr.insn_cnt = sizeof program / sizeof *program;
	attr.license = (uint64_t)(uintptr_t) "ISC";
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

/* One frame through BPF_PROG_TEST_RUN in live mode; the program drops it. */
static bool
try_live(char why[NFT_ERROR_MAX])
{
	static const uint8_t frame[FRAME_BYTES];
	struct xdp_md context = { .data_end = sizeof frame };
	int fd = load_xdp();
	union bpf_attr attr;
	bool there;

	if (fd < 0)
		return say_errno(why);
	memset(&attr, 0, sizeof attr);
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uint64_t)(uintptr_t)frame;
	attr.test.data_size_in = sizeof frame;
	attr.test.ctx_in = (uint64_t)(uintptr_t)&context;
	attr.test.ctx_size_in = sizeof context;
	attr.test.repeat = 1;
	attr.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
	there = syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof attr) == 0;
	if (!there)
		say_errno(why);
	close(fd);
	return there;
}

static bool
try_owner(char why[NFT_ERROR_MAX])
{
	if (!nft_try(why))
		return false;
	why[0] = '\0';
	return true;
}

static const struct feature features[] = {
	{ "TCP_REPAIR", "adoption is not possible: set follow = connect",
	    try_repair },
	{ "nft owner tables", "adoption is not possible: set follow = connect",
	    try_owner },
	{ "Landlock", "store is confined by its user id alone", try_landlock },
	{ "qdisc bypass", "tx = packet fails, auto takes libnet", try_bypass },
	{ "AF_XDP", "tx = xdp fails, auto takes packet", try_xdp },
	{ "live frames", "tx = live fails, auto takes xdp", try_live },
};

void
features_print(FILE *to, const struct conf *conf)
{
	fprintf(to, "this kernel%s\n",
	    geteuid() == 0 ? "" : ", tried without root: most is refused");
	for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
		const struct feature *f = &features[i];
		char why[NFT_ERROR_MAX] = "";
		bool there = f->try(why);

		fprintf(to, "  %-17s %s%s%s%s", f->name, there ? "yes" : "no",
		    *why ? " (" : "", why, *why ? ")" : "");
		if (!there)
			fprintf(to, "; %s", f->without);
		fprintf(to, "\n");
	}
	fprintf(to, "  %-17s %s\n", "sends by",
	    conf->tx == TX_LIBNET    ? "libnet"
		: conf->tx == TX_XDP ? "AF_XDP"
		: conf->tx == TX_LIVE
		? "live frames"
		: "AF_PACKET with sendmmsg, AF_XDP or live frames at high "
		  "rates, or libnet");
	fprintf(to, "  %-17s %s\n", "follows by",
	    conf->follow == FOLLOW_ADOPT ? "adoption" : "connect");
}
