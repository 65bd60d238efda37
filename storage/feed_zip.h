/* feed_zip.h: a file of a feed, packed. */
#ifndef STORAGE_FEED_ZIP_H
#define STORAGE_FEED_ZIP_H

#include <stdint.h>

/*
 * A zip archive `to` of the one file `from`, under a name and with a time of
 * its own. It is on the disk when this returns. 0, or -1 with errno, and then
 * there is no `to`.
 */
int feed_zip(
    const char *from, const char *to, const char *name, uint64_t time_us);

#endif
