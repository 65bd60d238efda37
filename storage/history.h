/* history.h: what each sealed sweep says of an address, a line each. */
#ifndef STORAGE_HISTORY_H
#define STORAGE_HISTORY_H

#include "storage/tool.h"

/*
 * Oldest sweep first; port 0: all of them. Returns an exit status: TOOL_NOTHING
 * when no sweep has a row of it.
 */
int history_print(struct tool *, const struct addr *, uint16_t port);

#endif
