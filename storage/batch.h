/*
 * batch.h: what came in since the last commit: checked at the door, kept as
 * bytes, and applied in one transaction, as often as it takes.
 */
#ifndef STORAGE_BATCH_H
#define STORAGE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/role.h"
#include "engine/wire.h"
#include "storage/geo.h"
#include "storage/pending.h"

struct batch;

/* What a batch did to the rows; added up by the caller when it is on disk. */
struct batch_counts {
	uint64_t received, added, replaced, refused;
	uint64_t purged; /* not by a batch: rows of who has opted out */
};

void batch_add(struct batch_counts *, const struct batch_counts *more);

struct batch *batch_new(void);
void batch_free(struct batch *);
void batch_clear(struct batch *);
bool batch_is_empty(const struct batch *);
bool batch_has_room(const struct batch *); /* for any one message */

/*
 * A message of wire 3. It is trusted in nothing: one that is not well-formed,
 * of a target that is not swept, or a certificate that is not what its name
 * says, is refused (-1) and forgotten. now_us: UTC.
 */
int batch_take_record(struct batch *, const struct role_args *,
    const uint8_t *message, size_t len, uint64_t now_us);

/* Pending, outcome and follow-up notes of packet. -1: not well-formed. */
int batch_take_notes(struct batch *, const struct role_args *,
    const uint8_t *message, size_t len);

/*
 * A name from resolve, which has read what strangers wrote: -1 when it is not
 * well-formed. One that nobody wanted is passed over when it is applied.
 */
int batch_take_name(struct batch *, const uint8_t *message, size_t len);

/* What applying needs to know. */
struct batch_context {
	const struct role_args *args;
	const struct geo *geo;
	const struct ranges *optouts; /* what comes of these is refused */
	struct live *live;
	const struct pending_rules *rules;
	uint64_t start_us, now_us;
	uint16_t canary_port; /* of this sweep */
	struct batch_counts counts; /* set by batch_apply() */
};

/* Inside a transaction; nothing but live and the counts is changed. */
void batch_apply(struct batch *, struct batch_context *);

/* A row that store makes itself, for a target given up: a pending_end. */
void batch_give_up(
    void *context, const struct target *, const struct pending *, enum outcome);

#endif
