/* purge.h: sealed sweeps give up what they hold of who has opted out. */
#ifndef STORAGE_PURGE_H
#define STORAGE_PURGE_H

#include "storage/store.h"

struct purged {
	unsigned files; /* written anew */
	unsigned unfinished; /* sweeps set aside, removed */
	unsigned failed; /* stay as they were; each was said */
	uint64_t rows; /* of targets, that went with it */
};

/*
 * Each sealed file that holds anything of an opted-out prefix is written anew
 * without it: synced, then renamed, so that it is there whole at any moment.
 * Its account counts the rows as purged; its row of the catalog is written
 * first, so that a purge that was cut off is finished by the next. One at a
 * time in a data directory. A file that cannot be purged holds up no other:
 * which, and why, is said. 0, or -1 when that was so.
 */
typedef void purge_say(const char *why);

int purge_sealed(const char *datadir, struct purged *, purge_say *);

#endif
