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

/* A frame to be written where the kernel, or the card, reads it. */
struct link_slot {
	uint8_t *frame; /* FRAME_MAX bytes */
	uint32_t len; /* whoever fills it sets this ... */
	const void *holds; /* ... and this: what it began from, NULL at first */
};

/* What a link is to carry. */
struct link_want {
	unsigned queue; /* of the interface, where the path has some */
	uint64_t rate; /* packets/s: auto chooses by it */
};

/* One path; the calls are those of link.h, without their first argument. */
struct link_path {
	const char *name;
	unsigned burst; /* frames before a flush; 0: LINK_BATCH */
	void *(*open)(const char *interface, unsigned queue);
	unsigned (*take)(void *, struct link_slot *slots[], unsigned n);
	int (*push)(void *, struct link_slot *const slots[], unsigned n);
	int (*flush)(void *); /* NULL: what is pushed has left */
	void (*close)(void *);
};

extern const struct link_path link_packet, link_libnet, link_xdp, link_live;

/*
 * Open the path that is configured; with auto the first that opens, of those
 * that carry the rate. NULL with errno. Needs CAP_NET_RAW; sending does not.
 */
struct link *link_open(
    enum tx_path, const char *interface, const struct link_want *);

/* For the few frames of packet, beside the senders: needs no queue. */
struct link *link_open_answers(enum tx_path, const char *interface);
void link_close(struct link *);
const char *link_name(const struct link *);
enum tx_path link_path(const struct link *);

/*
 * Slots for n frames, up to LINK_BATCH: how many there are, 0 when it is busy.
 * They keep what was written into them when they were had before.
 */
unsigned link_take(struct link *, struct link_slot *slots[], unsigned n);

/*
 * Send the n slots that were taken last and filled, in their order: how many
 * the kernel took (may be fewer, 0 = busy), or -1 with errno: ENETDOWN, ENXIO
 * ... Never blocks for long. Called again with those that are left, until none
 * is.
 */
int link_push(struct link *, struct link_slot *const slots[], unsigned n);

/*
 * How many frames may be pushed before link_flush(): LINK_BATCH, or many where
 * a way is only fast in bursts.
 */
unsigned link_burst(const struct link *);

/*
 * All that was pushed since the last one has left: 0. -1 with errno: some of
 * it may have, none of it counts. ENOBUFS: nobody takes it at present.
 */
int link_flush(struct link *);

/*
 * Both at once, for frames that lie elsewhere and may be given up: of a link
 * that link_open_answers() opened.
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
enum { LINK_RESOLVE_MS = 3000 };

int link_ends(const struct conf *, const struct ranges *targets, bool four,
    int wait_ms, struct frame_link *, struct addr *towards, bool *no_source);

/*
 * The next hop that link_ends() found, watched by the kernel's table of
 * neighbours. 1 = watched; 0 = it is configured, or there is none; -1 with
 * errno: not now.
 */
struct link_watch {
	int fd, ifindex;
	struct addr hop;
	uint8_t mac[MAC_LEN];
	bool known; /* its entry was seen */
	bool permanent; /* somebody has set it, or we may not ask */
	bool probing; /* asked by its address, it has not answered yet */
	bool answers; /* it did, once, so that the kernel took it for one */
	bool absent; /* the kernel knows no address of it now */
};

enum link_seen {
	LINK_SEEN_NOTHING, /* new */
	LINK_SEEN_FINE, /* it has answered */
	LINK_SEEN_GONE, /* it has not, asked by its address */
	LINK_SEEN_OTHER /* another MAC address has */
};

int link_watch_open(struct link_watch *, const struct conf *,
    const struct ranges *targets, bool four);
void link_watch_close(struct link_watch *);

/* Have the kernel ask it whether it is there: all on the link when absent. */
void link_watch_ask(struct link_watch *);

/* What the table has said since; never waits. */
enum link_seen link_watch_read(struct link_watch *);

#endif
