/* feed_files.h: the files of a feed: their names, and how they come to be. */
#ifndef STORAGE_FEED_FILES_H
#define STORAGE_FEED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"
#include "storage/buf.h"
#include "storage/advice.h"
#include "storage/feed.h"
#include "storage/store.h"

enum { FEED_NAME_MAX = 192 };

/* What a set of files is of: goes into the recipient's part of the name. */
enum feed_kind { FEED_ALL_ROWS, FEED_NEW_ROWS, FEED_GONE_ROWS };

struct feed_files;

/*
 * Nothing is made before the first row. dir and the recipients must outlive
 * it. day_us: when the sweep began.
 */
struct feed_files *feed_files_new(const char *dir, uint64_t day_us,
    enum feed_kind, const struct recipients *);
/*
 * Write a notification (feed_notice.h) beside each file. contact: whom to ask
 * to be left out, "" for nobody known. All must outlive it.
 */
void feed_files_notify(struct feed_files *, const struct sweep_info *,
    const struct advices *, const char *contact);
/* What was not finished is removed. */
void feed_files_free(struct feed_files *);

/*
 * "2026-11-21-scan_pop3-cert_x-geo.csv": passes IntelMQ's and AbuseIO's
 * expressions; ".csv.zip" for who wants it. Returns name.
 */
const char *feed_files_name(const struct feed_files *, size_t recipient,
    enum feed_type, bool six, char name[FEED_NAME_MAX]);

/* The notification's, "2026-11-21-scan_pop3-cert_x-geo.txt". */
const char *feed_files_notice_name(const struct feed_files *, size_t recipient,
    enum feed_type, bool six, char name[FEED_NAME_MAX]);

/*
 * Append a row's line (the header goes before the first), in the order of
 * addresses. 0, or -1 with errno.
 */
int feed_files_add(struct feed_files *, size_t recipient, enum feed_type,
    bool six, const struct row *, const struct buf *line);

/* Sync all and give them their names. 0, or -1 with errno. */
int feed_files_finish(struct feed_files *);

uint64_t feed_files_rows(
    const struct feed_files *, size_t recipient, enum feed_type, bool six);

#endif
