/* report.h: records and certificates to store, done notes to packet. */
#ifndef PROBES_REPORT_H
#define PROBES_REPORT_H

#include <stdbool.h>

#include "engine/role.h"
#include "probes/conversation.h"

/* Where reports go; each stays blocked until its wire can be written. */
struct reports {
	int records, done; /* descriptors */
	bool records_full, done_full;
	uint64_t reported, withdrawn,
	    chains; /* for the statistics, as those below */
	uint64_t dialogs, refused[REFUSAL_COUNT];
};

/*
 * Report those that are over, oldest first, and release them. Stops at a wire
 * that is full, and says which: call again when it can be written. -1: a
 * reader is gone (errno).
 */
int reports_send(struct reports *, struct conversations *);

#endif
