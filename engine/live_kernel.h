/* live_kernel.h: live.bpf.c, loaded, and its runs. */
#ifndef ENGINE_LIVE_KERNEL_H
#define ENGINE_LIVE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/live.h"

struct bpf_object;
struct bpf_link;

struct live_kernel {
	struct bpf_object *object;
	struct bpf_link *offered; /* to the tracepoint */
	struct bpf_link *pass; /* NULL: the driver does without */
	int program; /* live_send */
	int aside, aside_net; /* where it is attached, see live_kernel.c */
	unsigned ifindex;
	/* Shared with the program, LIVE_RING descriptors each. */
	struct live4 *ring4;
	struct live6 *ring6;
	struct live_state *state;
};

/*
 * Load it, to send out of that interface. 0, or -1 with errno, and then
 * live_kernel_close() is due all the same. Needs CAP_SYS_ADMIN; running does
 * not.
 */
int live_kernel_open(struct live_kernel *, unsigned ifindex);
void live_kernel_close(struct live_kernel *);

/* There are drivers that take frames only with a program on the card. */
int live_kernel_pass(struct live_kernel *);

/*
 * n frames that begin as this one, with the first n descriptors of its family.
 * 0: each was offered to the card; state->refused has the nrefused of them
 * that it did not take, ascending. -1 with errno: nobody knows.
 */
int live_kernel_run(
    struct live_kernel *, const uint8_t *frame, uint32_t len, uint32_t n);

#endif
