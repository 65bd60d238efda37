/* writer_state.h: what writer.c and writer_take.c share; for nobody else. */
#ifndef STORAGE_WRITER_STATE_H
#define STORAGE_WRITER_STATE_H

#include <poll.h>
#include <time.h>

#include "storage/account.h"
#include "storage/batch.h"
#include "storage/begin.h"
#include "storage/checkpoint.h"
#include "storage/due.h"
#include "storage/naming.h"
#include "storage/steady.h"

enum { SECOND_US = 1000000, MS_US = 1000 };
enum { CONTROL, NOTES_SEND, NOTES_PACKET, RECORDS, NAMES, WRITER_WIRES };

enum end { END_NOT_YET, END_STOP, END_SEAL };

struct writer {
	const struct role_args *args;
	struct live *live;
	struct geo *geo;
	struct sweep_info info;
	struct checkpoint checkpoint;
	struct batch *batch;
	struct pending_rules rules;
	struct batch_counts total; /* of this incarnation, on disk */
	struct ledger ledger;
	uint64_t commits, npending, nqueue;
	struct due due;
	struct target expire_at;
	struct ranges *optouts;
	struct purge_at purge_at;
	bool purged; /* nothing of them is left */
	uint32_t optouts_number; /* to be told to the parent; 0: none */
	struct naming naming;
	uint64_t commit_us; /* monotonic */
	uint64_t asleep_us; /* how long the machine has slept */
	struct steady steady;
	bool records_drained, disk_full, swept_said;
	enum end end;
	struct pollfd wires[WRITER_WIRES];
};

uint64_t writer_clock_us(clockid_t);

/*
 * Take what the wires hold, as far as there is room: what is left waits there,
 * and who writes it waits with it. True: nothing is left.
 */
bool writer_take(struct writer *);

#endif
