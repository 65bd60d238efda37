/*
 * store_sealed.h: how a finished sweep becomes a file: rows in key order,
 * each kind's pages together in runs, then renamed into place.
 */
#ifndef STORAGE_STORE_SEALED_H
#define STORAGE_STORE_SEALED_H

#include "storage/store.h"

struct sealed;

/* Begin sealed/ID.mdb under a temporary name. NULL, and why in error. */
struct sealed *sealed_new(
    const char *datadir, const char *id, char error[STORE_ERROR_MAX]);

/*
 * Each kind in ascending order of its targets, in any turns. 0, or -1 with
 * errno.
 */
int sealed_head(struct sealed *, const struct target *, const struct head *);
int sealed_body(
    struct sealed *, const struct target *, const uint8_t *, uint32_t len);
int sealed_silent(struct sealed *, const struct target *, uint32_t seconds);
int sealed_phantom(struct sealed *, const uint8_t *key); /* phantom.h */
int sealed_gone(struct sealed *, const struct target *, const struct head *);
/* Bytes under a name, in any order. */
int sealed_table(struct sealed *, const char *name, const void *, size_t len);

/*
 * Write what is known of the sweep, sync, rename, sync the directory, free.
 * 0, or -1 with errno; the file is there whole or not at all.
 */
int sealed_finish(struct sealed *, const struct sweep_info *);
void sealed_drop(struct sealed *); /* removes it, frees */

#endif
