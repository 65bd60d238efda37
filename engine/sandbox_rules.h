/* sandbox_rules.h: which system calls a role may make, and with what. */
#ifndef ENGINE_SANDBOX_RULES_H
#define ENGINE_SANDBOX_RULES_H

#include <stdint.h>

#include "engine/role.h"

enum { RULE_ARGS_MAX = 3, SYSCALL_NAMES = 512 };

/* An argument masked and compared for equality; or 1 << value at least. */
enum rule_arg_kind { ARG_NONE, ARG_MASKED, ARG_FROM_BIT };

struct rule_arg {
	uint8_t used; /* enum rule_arg_kind */
	uint8_t index;
	uint64_t mask, value;
};

struct rule {
	const char *name; /* a call that this kernel's table lacks is fine */
	struct rule_arg args[RULE_ARGS_MAX];
};

/*
 * Load the filter of a role into this process: what is not in its table traps.
 * no_new_privs must be set. 0, or -1 with errno.
 */
int rules_load(enum role);

/* A call's name, for the handler of SIGSYS: no allocation. "" not known. */
const char *rules_name(int number);

#endif
