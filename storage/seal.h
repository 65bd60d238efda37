/* seal.h: how the sweep that ran becomes a file, and its account is drawn. */
#ifndef STORAGE_SEAL_H
#define STORAGE_SEAL_H

#include "engine/role.h"
#include "storage/store.h"

/*
 * Join live/ with the newest sealed sweep in one ordered pass, write
 * sealed/ID.mdb and the catalog's row, remove live/, and let go of what is
 * older than the retention. live/ is open nowhere in this process; now_us is
 * the end. The sweep's info as it was sealed in *info. 0, or -1 and why in
 * error: then live/ is as it was.
 */
int seal(const struct role_args *, const char *datadir, uint64_t now_us,
    uint64_t geo_build_us, struct sweep_info *, char error[STORE_ERROR_MAX]);

/*
 * What a row is against the one before it (NULL: there is none). gone says
 * that the one before was not seen at the last sweep.
 */
void seal_join(struct head *now, const struct head *before, bool gone);

#endif
