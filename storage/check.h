/*
 * check.h: is everything in the data directory what was written there? Each
 * row against its sum and its bounds, each name of a certificate against the
 * certificates, each count against the rows, a sealed file against the sums of
 * its trailer. Nothing is changed, and nothing that is damaged is trusted.
 */
#ifndef STORAGE_CHECK_H
#define STORAGE_CHECK_H

#include <stdint.h>

#include "storage/store.h"

enum { CHECK_TELL_MAX = 50 /* lines about one database, then a number */ };

struct check {
	const char *datadir;
	/* One thing that is wrong, and where: "live: heads: 192.0.2.1:110:
	 * its sum does not agree". */
	void (*tell)(const char *line, void *);
	void *arg;
	uint64_t rows; /* walked */
	uint64_t wrong;
};

/* A sweep by its id, or "live". */
void check_sweep(struct check *, const char *id);

/* Each certificate lies under its SHA-256. */
void check_certs(struct check *);

/*
 * Each row can be read; a sweep that is not removed has its file, and its row
 * says what the file says of itself. Files without a row are told as well.
 */
void check_catalog(struct check *);

/* Count, and tell. */
void check_wrong(struct check *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
