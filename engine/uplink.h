/*
 * uplink.h: the way out, as the parent sees it: our source addresses, and the
 * next hops that frames are addressed to. A card without carrier is packet's
 * to see; this is what a card with one does not tell.
 */
#ifndef ENGINE_UPLINK_H
#define ENGINE_UPLINK_H

#include <stdint.h>

struct conf;
struct ranges;
struct uplink;

/*
 * What was sent in the last UPLINK_NOTICED_MS before it shows that the way out
 * is lost may have been sent into the void.
 */
enum { UPLINK_WHY_MAX = 256, UPLINK_GONE_MS = 10000, UPLINK_NOTICED_MS = 6000 };

enum uplink_state {
	UPLINK_FINE,
	UPLINK_LOST, /* nothing that is sent now comes back */
	UPLINK_MOVED /* ... nor will it: another source, another next hop */
};

/*
 * Can a sweep begin: has this host its source addresses, does each next hop
 * answer within wait_ms? 0, or -1 with errno and why not.
 */
int uplink_try(const struct conf *, const struct ranges *targets, int wait_ms,
    char why[UPLINK_WHY_MAX]);

/*
 * Watch it from now on, when a sweep is running. What cannot be watched (a
 * next hop that is configured, or none, or while its entry cannot be read) is
 * taken for fine. NULL: no memory.
 */
struct uplink *uplink_open(const struct conf *, const struct ranges *targets);
void uplink_free(struct uplink *);

/* Often; never waits. why: of what is not fine. */
enum uplink_state uplink_turn(
    struct uplink *, uint64_t now_ms, char why[UPLINK_WHY_MAX]);

#endif
