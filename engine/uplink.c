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
	ASK_MS = 1000, /* a next hop that was fine a moment ago */
	/*
	 * One that has not answered yet: the kernel asks three times, a second
	 * apart, before it says so, and begins anew when told to in between.
	 */
	ASK_PROBED_MS = 3500,
	ASK_LOST_MS = 500,
	/* There are hosts that hear only what is asked of all on the link. */
	DOUBT_MS = 1200, /* the kernel asks all once a second */
	ASKED_MAX = 2 /* and no word of it: it is gone */
};

struct hop {
	struct link_watch watch;
	int watched; /* as link_watch_open() said */
	bool gone, moved;
	unsigned asked; /* since it was fine */
	uint64_t doubt_ms; /* since when it fails to answer; 0: it does */
	uint64_t ask_ms;
};

struct uplink {
	const struct conf *conf;
	const struct ranges *targets;
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

/* The first source to send from that no interface of this host has, or NULL. */
static const struct addr *
missing_source(const struct conf *conf, const struct ranges *targets)
{
	const struct addr *missing = NULL;
	struct ifaddrs *all;
	struct addr towards;

	if (getifaddrs(&all) < 0)
		return NULL;
	for (uint32_t s = 0; s < conf->nsources && missing == NULL; s++) {
		const struct addr *source = &conf->sources[s];
		const struct ifaddrs *i = all;

		if (!ranges_first(targets, addr_is4(source), &towards))
			continue;
		while (i != NULL && !is_address(i, source))
			i = i->ifa_next;
		if (i == NULL)
			missing = source;
	}
	freeifaddrs(all);
	return missing;
}

int
uplink_try(const struct conf *conf, const struct ranges *targets, int wait_ms,
    char why[UPLINK_WHY_MAX])
{
	const struct addr *missing = missing_source(conf, targets);
	char text[ADDR_TEXT_MAX];
	struct frame_link ends;
	struct addr towards;
	bool no_source;

	if (missing != NULL) {
		say(why, "this host does not have the source address %s",
		    addr_text(missing, text));
		errno = EADDRNOTAVAIL;
		return -1;
	}
	for (int i = 0; i < 2; i++)
		if (link_ends(conf, targets, i == 0, wait_ms, &ends, &towards,
			&no_source) == -1) {
			int error = errno;

			say(why, "%s: next hop towards %s: %s", conf->interface,
			    addr_text(&towards, text), strerror(error));
			errno = error;
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
	u->targets = targets;
	for (int i = 0; i < 2; i++)
		u->hops[i].watched = -1; /* in its first turn */
	return u;
}

void
uplink_free(struct uplink *u)
{
	for (int i = 0; u != NULL && i < 2; i++)
		if (u->hops[i].watched == 1)
			link_watch_close(&u->hops[i].watch);
	free(u);
}

static void
take_seen(struct hop *h, enum link_seen seen, uint64_t now_ms)
{
	if (seen == LINK_SEEN_NOTHING)
		return;
	h->moved = seen == LINK_SEEN_OTHER;
	if (seen == LINK_SEEN_GONE && h->doubt_ms == 0) {
		h->doubt_ms = now_ms;
		h->ask_ms = now_ms;
	}
	if (seen == LINK_SEEN_FINE) {
		h->doubt_ms = 0;
		h->asked = 0;
		if (h->ask_ms > now_ms + ASK_MS)
			h->ask_ms = now_ms + ASK_MS;
	}
}

/* How long the answer to what is asked now is waited for. */
static uint64_t
ask_again_ms(const struct hop *h)
{
	if (h->watch.absent)
		return ASK_LOST_MS;
	return h->watch.known ? ASK_PROBED_MS : ASK_MS;
}

/* Times that we have asked, and not time: we may have slept. */
static void
look_at_hop(struct hop *h, uint64_t now_ms)
{
	take_seen(h, link_watch_read(&h->watch), now_ms);
	if (h->watch.permanent)
		h->asked = 0;
	h->gone = h->doubt_ms != 0 ? h->gone || now_ms - h->doubt_ms >= DOUBT_MS
				   : h->asked > ASKED_MAX;
	if (now_ms < h->ask_ms)
		return;
	h->asked++;
	h->ask_ms = now_ms + ask_again_ms(h);
	link_watch_ask(&h->watch);
}

/* What cannot be at the start of a sweep may be a moment later. */
static bool
is_watched(struct uplink *u, unsigned i, uint64_t now_ms)
{
	struct hop *h = &u->hops[i];

	if (h->watched == -1 && now_ms >= h->ask_ms) {
		h->watched =
		    link_watch_open(&h->watch, u->conf, u->targets, i == 0);
		h->ask_ms = h->watched == -1 ? now_ms + ASK_LOST_MS : 0;
	}
	return h->watched == 1;
}

static void
look_at_sources(struct uplink *u, uint64_t now_ms)
{
	const struct addr *missing;

	if (now_ms - u->look_ms < LOOK_MS)
		return;
	u->look_ms = now_ms;
	missing = missing_source(u->conf, u->targets);
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
	for (unsigned i = 0; i < 2; i++) {
		struct hop *h = &u->hops[i];

		if (!is_watched(u, i, now_ms))
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
