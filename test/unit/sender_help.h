/* sender_help.h: a link that keeps what is sent, and a small sweep. */
#ifndef TEST_UNIT_SENDER_HELP_H
#define TEST_UNIT_SENDER_HELP_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/sender.h"

enum { SEEN_MAX = 200000, FAST = 10000000 };

/* The link: keeps every frame, and misbehaves when told to. */
struct link {
	pthread_mutex_t lock;
	uint8_t (*frames)[FRAME_MAX];
	uint8_t own[LINK_BATCH][FRAME_MAX];
	struct link_slot slots[LINK_BATCH];
	size_t n;
	int error; /* when not 0: refuses with this errno */
	unsigned burst; /* 0: LINK_BATCH */
	unsigned lost; /* flushes that do not arrive */
	unsigned at_most; /* frames a call, 0: all */
	bool busy_often;
	unsigned calls;
};

/* A sweep of 2 x /24 and 256 IPv6 addresses on 3 ports, one /28 excluded. */
struct scene {
	struct conf conf;
	struct sweep sweep;
	struct ranges *targets, *excluded;
	struct sender_plan plan;
	struct link link;
};

struct scene *scene_new(uint32_t threads, bool six);
void scene_free(struct scene *);

/* The errno it refuses with, 0: none; how many frames it has. */
void link_set(struct link *, int error);
size_t link_seen(struct link *);

#endif
