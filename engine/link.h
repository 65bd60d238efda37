/* link.h: the ways out of the machine, one file a path behind it. */
#ifndef ENGINE_LINK_H
#define ENGINE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/conf.h"
#include "engine/frame.h"
#include "engine/ranges.h"

enum { LINK_BATCH = 64 };

struct link;

/* One path: packet (sendmmsg, qdisc bypass), libnet; AF_XDP joins here. */
struct link_path {
	const char *name;
	/* State of its own, or NULL with errno. */
	void *(*open)(const char *interface);
	/* Frames taken, 0 when it is busy, or -1 with errno. */
	int (*send)(void *, uint8_t (*frames)[FRAME_MAX], const uint32_t *lens,
	    unsigned n);
	void (*close)(void *);
};

extern const struct link_path link_packet, link_libnet;

/*
 * Open the path that is configured, or the first of auto that opens. NULL
 * with errno. Needs CAP_NET_RAW; sending does not.
 */
struct link *link_open(enum tx_path, const char *interface);
void link_close(struct link *);
const char *link_name(const struct link *);

/*
 * Send n (up to LINK_BATCH) frames: how many the kernel took (may be fewer,
 * 0 = busy), or -1 with errno: ENETDOWN, ENXIO ... Never blocks for long.
 */
int link_send(struct link *, uint8_t (*frames)[FRAME_MAX], const uint32_t *lens,
    unsigned n);

/*
 * Both ends of the link for targets of a family: our MAC of the interface;
 * the gateway's from its text when that is not empty, else the next hop of
 * the kernel's route to `towards` (netlink), resolved by ARP or neighbour
 * discovery within wait_ms. 0, or -1 with errno: ENETUNREACH no route out of
 * that interface, EHOSTUNREACH no answer, EINVAL bad text, EPROTONOSUPPORT not
 * Ethernet, EPERM the next hop has to be resolved but CAP_NET_ADMIN is missing.
 */
int link_neighbour(const char *interface, const struct addr *source,
    const struct addr *towards, const char *mac_text, int wait_ms,
    struct frame_link *);

/*
 * The same for all targets of a family, towards the first of them: 1 = found;
 * 0 = none is needed, there is no such target or (*no_source) no such source
 * address; -1 with errno, and the target that was asked for in *towards.
 */
int link_ends(const struct conf *, const struct ranges *targets, bool four,
    struct frame_link *, struct addr *towards, bool *no_source);

#endif
