/* feed_help.h: feeds of a data directory, made and looked at. */
#ifndef TEST_UNIT_FEED_HELP_H
#define TEST_UNIT_FEED_HELP_H

#include "storage/feed_make.h"

/* Write feeds into a new directory, which help_remove() takes; rows written. */
uint64_t help_feeds(const char *datadir, char dir[64],
    const struct recipients *, enum feed_kind, bool notices);

/* Rows of a file, its header apart; 0 when there is none. */
unsigned help_rows(const char *dir, const char *name);
unsigned help_files(const char *dir);

#endif
