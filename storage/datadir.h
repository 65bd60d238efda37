/* datadir.h: the directory that everything is kept in, made ready for store. */
#ifndef STORAGE_DATADIR_H
#define STORAGE_DATADIR_H

#include <sys/types.h>

#include "storage/store.h"

/*
 * Make what is missing and go there, so that no right over the directories
 * above it is needed later; hold it as long as the process lives, so that no
 * second daemon writes there. 0, or -1 and why in error.
 */
int datadir_enter(const char *path, char error[STORE_ERROR_MAX]);

/* Give what is ours in the current directory to a user. 0, or -1 and why. */
int datadir_give(uid_t, gid_t, char error[STORE_ERROR_MAX]);

#endif
