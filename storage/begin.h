/* begin.h: which sweep it is: the one that was cut off, or a new one. */
#ifndef STORAGE_BEGIN_H
#define STORAGE_BEGIN_H

#include "engine/role.h"
#include "storage/store_write.h"

/*
 * Open live/ below datadir and go on with the sweep in it when it visits what
 * the configuration says; else begin a new one (what was there is moved aside
 * and said in the log). A resumed sweep is a new incarnation: its positions
 * are the settled ones, what was pending is in the queue. All of it is
 * committed when this returns. NULL, and why in error.
 */
struct live *sweep_begin(const struct role_args *, const char *datadir,
    struct sweep_info *, char error[STORE_ERROR_MAX]);

/* A number for what is visited, in which order: targets and ports. */
uint64_t sweep_targets_hash(const struct role_args *);

/* Remove live/ at one stroke: renamed first. 0, or -1 with errno. */
int live_remove(const char *datadir);

/* Write what is known of the sweep, and its ledger, in this transaction. */
void live_put_info(
    struct live *, const struct sweep_info *, const struct ledger *);

#endif
