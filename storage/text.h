/* text.h: how bytes, times and names look wherever text leaves us. */
#ifndef STORAGE_TEXT_H
#define STORAGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/buf.h"

enum { TIME_TEXT_MAX = 32, BANNER_MAX = 4096 };

/*
 * The one mapping (feeds, JSON, terminal): CR LF, CR or LF become '|'; any
 * other control byte and each byte that is not valid UTF-8 become \xHH;
 * nothing else changes. C1 controls (U+0080 to U+009F) count as control, and
 * so do what ends a line or turns its order around (U+2028 to U+202E and the
 * like): a terminal would obey them. At most max bytes are added, never half
 * a mapped byte or character.
 */
void text_map(struct buf *, const void *, size_t len, size_t max);

/* The same without a limit. */
void text_add(struct buf *, const void *, size_t len);

/* Mapped text is cut to max bytes, never within a mapped byte or character. */
void text_cut(struct buf *, size_t max);

/* "2026-11-21 02:00:05", UTC; "" for 0. Into buf, which is returned. */
const char *text_time(uint64_t us, char buf[TIME_TEXT_MAX]);
/* The same of seconds, which may lie before 1970 (certificates). */
const char *text_seconds(int64_t s, char buf[TIME_TEXT_MAX]);
/* "2026-11-21T02:00:05.123Z", for JSON. */
const char *text_time_iso(uint64_t us, char buf[TIME_TEXT_MAX]);
/* "2026-11-21" */
const char *text_day(uint64_t us, char buf[TIME_TEXT_MAX]);
/* "2h03m", "4m10s", "12s" */
const char *text_duration(uint64_t seconds, char buf[TIME_TEXT_MAX]);

void text_hex(struct buf *, const uint8_t *, size_t len); /* lower */
void text_hex_colons(struct buf *, const uint8_t *, size_t len); /* UPPER */
void text_base64(struct buf *, const uint8_t *, size_t len);

/* Upper-case ASCII: letters of Latin script lose their marks, others go. */
void text_upper(struct buf *, const void *, size_t len);

/*
 * A host name that DNS could hold: labels of letters, digits, '-' and '_',
 * two at least, the last not a number. A final dot is not counted in *len.
 */
bool text_is_hostname(const char *, size_t *len);

#endif
