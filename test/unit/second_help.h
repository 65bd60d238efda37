/* second_help.h: a live store, a target, and what becomes of its rows. */
#ifndef TEST_UNIT_SECOND_HELP_H
#define TEST_UNIT_SECOND_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "storage/batch.h"
#include "test/unit/store_help.h"

enum { CANARY = 23456 };
#define SECOND ((uint64_t)1000000)

/* One transaction is open; what is asked of `target` may be changed. */
extern char dir[64], error[STORE_ERROR_MAX];
extern struct conf conf;
extern struct pending_rules rules;
extern struct live *l;
extern struct batch_context c;
extern struct target target;
extern struct followup due[4];

int second_up(void **state);
int second_down(void **state);

/* A record as a probe makes one; change its head before says(). */
struct head head_of(enum syn_kind, unsigned attempt, enum outcome);
void says(const struct head *, const char *text);
void ends(enum syn_kind, unsigned attempt, enum outcome);

/* Its SYN-ACK is there. */
void answers(const struct followup *);

/* Time passes; how many are due then, in due[]. */
unsigned after(uint64_t us);

struct head row(void);
void nothing_left(void);

#endif
