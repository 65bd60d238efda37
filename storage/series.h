/* series.h: the sealed sweeps that began between two days. */
#ifndef STORAGE_SERIES_H
#define STORAGE_SERIES_H

#include "storage/tool.h"

struct series {
	char (*ids)[SWEEP_ID_MAX]; /* oldest first */
	size_t n;
	const char *from, *to; /* days, UTC, themselves among them; NULL: all */
};

/*
 * A day as it is given to an option, such as 2026-11-21; they compare as
 * texts. False after a message.
 */
bool series_day(const struct tool *, const char *option, const char *text,
    const char **day);

/* Fills the ids of those whose files are there. False after a message. */
bool series_read(struct series *, const char *datadir);
void series_free(struct series *);

#endif
