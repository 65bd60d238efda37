/* link_help.h: a network namespace of a test's own, with a veth pair. */
#ifndef TEST_UNIT_LINK_HELP_H
#define TEST_UNIT_LINK_HELP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/addr.h"

enum { WORDS_MAX = 16 };

/* Both ends are in the namespace: va (10.99.0.1, fd99::1) and vb. */
#define VA_MAC                     \
	{                          \
		2, 0, 0, 0, 0, 0xa \
	}
#define VB_MAC                     \
	{                          \
		2, 0, 0, 0, 0, 0xb \
	}

/* Group set-up. As root, or as root of a user namespace. */
int link_help_isolate(void **state);

/* Without the right to make namespaces tests say so and are passed over. */
void link_help_needed(void);

/* A command; it succeeded. */
bool link_help_run(const char *const words[WORDS_MAX]);

/* state: up or down */
void link_help_set(const char *name, const char *state);

struct addr link_help_address(const char *text);

/* A packet socket for frames of one EtherType. */
int link_help_listen(const char *interface, uint16_t type);

#endif
