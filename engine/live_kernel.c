/*
 * live_kernel.c: live.bpf.c, loaded, and its runs (BPF_PROG_TEST_RUN with
 * BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18).
 *
 * At the start and at the end of a run the kernel writes the program into its
 * XDP dispatcher and out again, and waits for all processors both times: some
 * 25 ms of idleness a call. It leaves that out for a program that is attached
 * to an interface as well. So ours is attached to the `lo` of a network
 * namespace that is made for this, where no frame ever comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "engine/live_kernel.h"

enum {
	FRAMES_A_TURN = 64, /* the kernel's, inside a call */
	LOOPBACK = 1 /* in each namespace */
};

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

/* ---- aside --------------------------------------------------------------- */

/* In a thread of its own, which alone is in the new namespace. */
static void *
attach_aside(void *arg)
{
	struct live_kernel *k = arg;
	DECLARE_LIBBPF_OPTS(
	    bpf_link_create_opts, opts, .flags = XDP_FLAGS_SKB_MODE);

	if (unshare(CLONE_NEWNET) == -1)
		return NULL;
	k->aside_net = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (k->aside_net == -1)
		return NULL;
	k->aside = bpf_link_create(k->program, LOOPBACK, BPF_XDP, &opts);
	return k->aside >= 0 ? k : NULL;
}

/* errno of the thread is its own: EPERM is what there is to say. */
static int
attach(struct live_kernel *k)
{
	pthread_t thread;
	void *attached = NULL;
	int r = pthread_create(&thread, NULL, attach_aside, k);

	if (r == 0)
		r = pthread_join(thread, &attached);
	if (r == 0 && attached == NULL)
		r = EPERM;
	errno = r;
	return r == 0 ? 0 : -1;
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

static struct bpf_program *
program_of(const struct live_kernel *k, const char *name)
{
	return bpf_object__find_program_by_name(k->object, name);
}

int
live_kernel_open(struct live_kernel *k, unsigned ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "live");
	int r;

	*k = (struct live_kernel){
		.ifindex = ifindex, .aside = -1, .aside_net = -1
	};
	libbpf_set_print(NULL);
	k->object = bpf_object__open_mem(live_object, live_object_len, &opts);
	if (k->object == NULL)
		return -1;
	r = bpf_object__load(k->object);
	if (r != 0) {
		errno = -r;
		return -1;
	}
	k->ring4 =
	    map_of(k->object, "live_ring4", LIVE_RING * sizeof *k->ring4);
	k->ring6 =
	    map_of(k->object, "live_ring6", LIVE_RING * sizeof *k->ring6);
	k->state = map_of(k->object, "live.bss", sizeof *k->state);
	if (k->ring4 == NULL || k->ring6 == NULL || k->state == NULL)
		return -1;
	k->state->ifindex = ifindex;
	k->program = bpf_program__fd(program_of(k, "live_send"));
	k->offered = bpf_program__attach(program_of(k, "live_offered"));
	return k->offered == NULL ? -1 : attach(k);
}

int
live_kernel_pass(struct live_kernel *k)
{
	k->pass = bpf_program__attach_xdp(
	    program_of(k, "live_pass"), (int)k->ifindex);
	return k->pass == NULL ? -1 : 0;
}

void
live_kernel_close(struct live_kernel *k)
{
	bpf_link__destroy(k->pass);
	bpf_link__destroy(k->offered);
	if (k->aside != -1)
		close(k->aside);
	if (k->aside_net != -1)
		close(k->aside_net);
	if (k->ring4 != NULL)
		munmap(k->ring4, LIVE_RING * sizeof *k->ring4);
	if (k->ring6 != NULL)
		munmap(k->ring6, LIVE_RING * sizeof *k->ring6);
	if (k->state != NULL)
		munmap(k->state, sizeof *k->state);
	bpf_object__close(k->object);
}

/* ---- running ------------------------------------------------------------- */

int
live_kernel_run(
    struct live_kernel *k, const uint8_t *frame, uint32_t len, uint32_t n)
{
	struct xdp_md context = { .data_end = len,
		.ingress_ifindex = k->ifindex };
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
	    .data_size_in = len, .ctx_in = &context,
	    .ctx_size_in = sizeof context, .repeat = (int)n,
	    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = FRAMES_A_TURN);
	struct live_state *s = k->state;
	int r;

	s->next = s->flying = s->offered = s->nrefused = 0;
	r = bpf_prog_test_run_opts(k->program, &opts);
	if (r != 0) {
		errno = -r;
		return -1;
	}
	/* Not even offered: the device is down, say. */
	if (s->offered != n || s->nrefused > n) {
		errno = ENETDOWN;
		return -1;
	}
	return 0;
}
