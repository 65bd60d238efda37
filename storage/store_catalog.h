/*
 * store_catalog.h: the list of sweeps and of opted-out prefixes. Opened for
 * each call and closed again: LMDB allows an environment once a process.
 */
#ifndef STORAGE_STORE_CATALOG_H
#define STORAGE_STORE_CATALOG_H

#include "storage/store.h"

/* Write, or write over, the row of a sweep. 0, or -1 with why in error. */
int catalog_put(const char *datadir, const struct sweep_info *,
    char error[STORE_ERROR_MAX]);

/*
 * Note prefixes as opted out, or no longer so: all of them, on disk, or none
 * (-1, why in error). Those that are there already stay as they were; removing
 * one that is not there is an error, and *missing says which (else n).
 */
int catalog_optouts_add(const char *datadir, const struct optout *, size_t n,
    size_t *added, char error[STORE_ERROR_MAX]);
int catalog_optouts_remove(const char *datadir, const struct optout *, size_t n,
    size_t *missing, char error[STORE_ERROR_MAX]);

/*
 * Remove the sealed files that began more than so many days ago (0: none),
 * never the newest, and mark their rows. How many, or -1 with why in error.
 */
int catalog_expire(const char *datadir, uint32_t days, uint64_t now_us,
    char error[STORE_ERROR_MAX]);

/* Sync a directory, so that a rename in it lasts. 0, or -1 with errno. */
int directory_sync(const char *path);

#endif
