/* uplink.c: the way out, as the parent sees it. */
#include <sys/socket.h>

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf.h"
#include "engine/link.h"
#include "engine/ranges.h"
#include "engine/uplink.h"

enum {
	LOOK_MS = 1000,
	ASK_MS = 2000, /* a next hop that was fine a moment ago */
	ASK_LOST_MS = 500,
	QUIET_MS = 8000 /* no word of it for so long: it is gone */
};

struct hop {
	struct link_watch watch;
	bool watched, gone, moved;
	uint64_t fine_ms, ask_ms;
};

struct uplink {
	const struct conf *conf;
	struct hop hops[2];
	uint64_t look_ms;
	uint64_t missing_ms; /* since when a source is; 0: none is */
	struct addr missing;
};

static void
say(char why[UPLINK_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, UPLINK_WHY_MAX, fmt, ap);
	va_end(ap);
}

static bool
is_address(const struct ifaddrs *i, const struct addr *a)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (i->ifa_addr == NULL)
		return false;
	if (i->ifa_addr->sa_family == AF_INET && addr_is4(a)) {
		memcpy(&four, i->ifa_addr, sizeof four);
		return memcmp(&four.sin_addr, a->b + 12, 4) == 0;
	}
	if (i->ifa_addr->sa_family != AF_INET6 || addr_is4(a))
		return false;
	memcpy(&six, i->ifa_addr, sizeof six);
	return memcmp(&six.sin6_addr, a->b, 16) == 0;
}

/* The first source that no interface of this host has, or NULL. */
static const struct addr *
missing_source(const struct conf *conf)
{
	const struct addr *missing = NULL;
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return NULL;
	for (uint32_t s = 0; s < conf->nsources && missing == NULL; s++) {
		const struct ifaddrs *i = all;

		while (i != NULL && !is_address(i, &conf->sources[s]))
			i = i->ifa_next;
		if (i == NULL)
			missing = &conf->sources[s];
	}
	freeifaddrs(all);
	return missing;
}

int
uplink_try(const struct conf *conf, const struct ranges *targets, int wait_ms,
    char why[UPLINK_WHY_MAX])
{
	const struct addr *missing = missing_source(conf);
	char text[ADDR_TEXT_MAX];
	struct frame_link ends;
	struct addr towards;
	bool no_source;

	if (missing != NULL) {
		say(why, "this host does not have the source address %s",
		    addr_text(missing, text));
		return -1;
	}
	for (int i = 0; i < 2; i++)
		if (link_ends(conf, targets, i == 0, wait_ms, &ends, &towards,
			&no_source) == -1) {
			say(why, "%s: next hop towards %s: %s", conf->interface,
			    addr_text(&towards, text), strerror(errno));
			return -1;
		}
	return 0;
}

struct uplink *
uplink_open(const struct conf *conf, const struct ranges *targets)
{
	struct uplink *u = calloc(1, sizeof *u);

	if (u == NULL)
		return NULL;
	u->conf = conf;
	for (int i = 0; i < 2; i++)
		u->hops[i].watched = link_watch_open(&u->hops[i].watch, conf,
					 targets, i == 0) == 1;
	return u;
}

void
uplink_free(struct uplink *u)
{
	for (int i = 0; u != NULL && i < 2; i++)
		if (u->hops[i].watched)
			link_watch_close(&u->hops[i].watch);
	free(u);
}

static void
look_at_hop(struct hop *h, uint64_t now_ms)
{
	enum link_seen seen;

	if (h->fine_ms == 0)
		h->fine_ms = now_ms;
	while ((seen = link_watch_read(&h->watch)) != LINK_SEEN_NOTHING) {
		h->gone = seen == LINK_SEEN_GONE;
		h->moved = seen == LINK_SEEN_OTHER;
		if (seen == LINK_SEEN_FINE)
			h->fine_ms = now_ms;
	}
	if (h->watch.permanent)
		h->fine_ms = now_ms;
	if (now_ms - h->fine_ms > QUIET_MS)
		h->gone = true;
	if (now_ms < h->ask_ms)
		return;
	h->ask_ms = now_ms + (h->gone ? ASK_LOST_MS : ASK_MS);
	link_watch_ask(&h->watch, h->gone);
}

static void
look_at_sources(struct uplink *u, uint64_t now_ms)
{
	const struct addr *missing;

	if (now_ms - u->look_ms < LOOK_MS)
		return;
	u->look_ms = now_ms;
	missing = missing_source(u->conf);
	if (missing == NULL) {
		u->missing_ms = 0;
		return;
	}
	u->missing = *missing;
	if (u->missing_ms == 0)
		u->missing_ms = now_ms;
}

enum uplink_state
uplink_turn(struct uplink *u, uint64_t now_ms, char why[UPLINK_WHY_MAX])
{
	enum uplink_state state = UPLINK_FINE;
	char text[ADDR_TEXT_MAX];

	look_at_sources(u, now_ms);
	for (int i = 0; i < 2; i++) {
		struct hop *h = &u->hops[i];

		if (!h->watched)
			continue;
		look_at_hop(h, now_ms);
		if (!h->gone && !h->moved)
			continue;
		say(why, "the next hop %s %s", addr_text(&h->watch.hop, text),
		    h->moved ? "has another MAC address" : "does not answer");
		state = h->moved ? UPLINK_MOVED : UPLINK_LOST;
		if (h->moved)
			return state;
	}
	if (u->missing_ms == 0)
		return state;
	say(why, "the source address %s is not this host's any more",
	    addr_text(&u->missing, text));
	return now_ms - u->missing_ms >= UPLINK_GONE_MS ? UPLINK_MOVED
							: UPLINK_LOST;
}
