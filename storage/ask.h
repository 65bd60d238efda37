/* ask.h: what the tool asks a daemon that runs. */
#ifndef STORAGE_ASK_H
#define STORAGE_ASK_H

#include "storage/tool.h"

struct json_object;

enum { ASK_PATH_CAP = CONF_PATH_MAX + 16 };

/* Where the daemon of this configuration, or data directory, listens. */
void ask_path(const struct tool *, char path[ASK_PATH_CAP]);

/*
 * One line asked (without its end), an object answered, the caller's to put.
 * NULL with errno: ENOENT or ECONNREFUSED when no daemon runs.
 */
struct json_object *ask_daemon(const char *path, const char *request);

#endif
