/* run_state.h: what run.c and run_look.c share; for nobody else. */
#ifndef ENGINE_RUN_STATE_H
#define ENGINE_RUN_STATE_H

#include "engine/nft.h"
#include "engine/proc.h"
#include "engine/run.h"
#include "engine/sports.h"
#include "engine/spread.h"
#include "engine/uplink.h"

struct run {
	const struct conf *conf;
	const struct ranges *targets;
	struct procs procs;
	struct stats *stats;
	int stats_fd, snapshot_fd;
	struct nft *nft;
	struct sports reserved; /* what others had reserved before */
	bool has_reserved;

	enum run_stage stage;
	uint64_t since_ms; /* in this stage */
	enum run_result result;
	struct sweep sweep;
	bool has_sweep, sent, swept, sealed, stop_asked;

	struct spread spread; /* opt-outs */
	struct watch watch;
	struct uplink *uplink; /* once it sends */
	uint64_t lost_ms; /* since when the way out is; 0: it is not */
	bool packet_knows, send_knows; /* that it is */
};

/* run_uplink.c. False: it will not come back. */
bool run_uplink_turn(struct run *);

#endif
