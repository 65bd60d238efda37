/* info.h: what is known of a sweep, as the lines of text that are stored. */
#ifndef STORAGE_INFO_H
#define STORAGE_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/store.h"

enum { INFO_TEXT_MAX = 16384 };

/*
 * "name value" lines, so that other languages read them and a field that is
 * added or goes breaks no file: unknown names are passed over, missing ones
 * are zero. The key of the cookie is left out unless it is asked for.
 * Returns the length; the text is not terminated.
 */
size_t info_write(
    const struct sweep_info *, bool with_key, char text[INFO_TEXT_MAX]);

/* 0, or -1 when the text is not of this kind. */
int info_read(const char *text, size_t len, struct sweep_info *);

/* The same for one incarnation's ledger. */
size_t ledger_write(const struct ledger *, char text[INFO_TEXT_MAX]);
int ledger_parse(const char *text, size_t len, struct ledger *);

#endif
