/* progress.h: what the daemon says of a running sweep, on one line. */
#ifndef STORAGE_PROGRESS_H
#define STORAGE_PROGRESS_H

#include <stdbool.h>

#include "storage/buf.h"

struct json_object;

/*
 * The line: done of total with percentage and bar, SYN/s, answers/s, open,
 * records, drops, time left. At most width columns (0: as long as it gets,
 * without a bar).
 */
void progress_line(const struct json_object *, unsigned width, struct buf *);

/* Does the sweep still run, by the daemon's word? */
bool progress_runs(const struct json_object *);

#endif
