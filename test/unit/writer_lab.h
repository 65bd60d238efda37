/* writer_lab.h: the store process with the other ends of its wires here. */
#ifndef TEST_UNIT_WRITER_LAB_H
#define TEST_UNIT_WRITER_LAB_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/conf.h"
#include "engine/stats.h"
#include "engine/wire.h"
#include "storage/store.h"

enum { WAIT_MS = 20000, SECOND_US = 1000000 };
enum { CONTROL, NOTES_SEND, NOTES_PACKET, RECORDS, DUE, NAMES, WIRES };

struct writer_lab {
	char dir[64], error[STORE_ERROR_MAX];
	struct conf conf;
	struct role_args args;
	struct stats *stats;
	struct sweep sweep;
	int ours[WIRES];
	pid_t store;
	uint64_t mono_us;
	uint32_t findings; /* of every record */
	_Atomic int64_t *set_s; /* how far the clock on the wall was set */
	int set_up_ms; /* that store needs before it begins */
};

extern struct writer_lab lab;

uint64_t lab_wall_us(void);
int lab_set_up(void **state);
int lab_tear_down(void **state);
/* The next message of the parent's wire; its type, 0: the end. */
uint32_t lab_control(struct control *c);
void lab_start(void);
/* Its status, after the wires are closed on our side. */
int lab_status(void);
void lab_note(unsigned wire, uint32_t type, const void *item, size_t len);
void lab_position(uint64_t steps, uint32_t finished);
void lab_tick(uint32_t open);
void lab_pending(const char *addr);
void lab_outcome(const char *addr, enum outcome what);
void lab_record(const char *addr, enum outcome what);
/* Until a counter of store's is at a value; it changes with a commit. */
void lab_await(enum stat_id what, uint64_t value);
/* What the other processes would have counted of a clean sweep. */
void lab_count_others(uint64_t passed, uint64_t sent, uint64_t reported,
    uint64_t silent, uint64_t reset);
/* All was sent a window ago, and nobody is followed any more. */
void lab_end_of_sweep(void);
void lab_seal(struct control *c);

#endif
