/* nights_help.h: sweeps of a few targets, begun, seen and sealed. */
#ifndef TEST_UNIT_NIGHTS_HELP_H
#define TEST_UNIT_NIGHTS_HELP_H

#include "engine/conf.h"
#include "engine/role.h"
#include "storage/store_write.h"

#define DAY_US ((uint64_t)86400 * 1000000)

/* The one that is running, or was the last. */
extern struct night {
	char dir[64], error[STORE_ERROR_MAX];
	struct conf conf;
	struct role_args args; /* now_us: when it begins */
	struct sweep_info info;
	struct live *live;
	uint64_t rows;
} night;

/* A new data directory, as fixtures of a test. */
int night_set_up(void **state);
int night_tear_down(void **state);

void night_begins(void);
/* Port 110 of an address answers, or takes our connection and says nothing. */
void night_saw(const char *addr, enum outcome, uint32_t findings);
void night_silent(const char *addr);
/* All was sent, and each row that is there was new; the next is days later. */
void night_ends(uint32_t days_later);

#endif
