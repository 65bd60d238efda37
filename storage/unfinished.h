/*
 * unfinished.h: sweeps that could not go on, set aside as unfinished-ID. No
 * reader knows of them, they are there for somebody to look at; so they go
 * whole when one who opted out is in them, and when they are old.
 */
#ifndef STORAGE_UNFINISHED_H
#define STORAGE_UNFINISHED_H

#include <stdint.h>

#include "engine/ranges.h"
#include "storage/purge.h"

#define UNFINISHED_PREFIX "unfinished-"

/* Remove those that hold anything of a set; counted, and failures said. */
void unfinished_purge(
    const char *datadir, const struct ranges *, struct purged *, purge_say *);

/* Remove those that were last written before a time, UTC. How many. */
unsigned unfinished_expire(const char *datadir, uint64_t before_us);

/* Remove a directory with the files in it. 0, or -1 with errno. */
int directory_remove(const char *path);

#endif
