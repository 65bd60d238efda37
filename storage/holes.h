/* holes.h: versions of mail servers with a known critical hole. */
#ifndef STORAGE_HOLES_H
#define STORAGE_HOLES_H

#include <stddef.h>
#include <stdint.h>

#include "storage/row.h"

enum {
	HOLE_TEXT_MAX = 64,
	HOLE_SOURCE_MAX = 160,
	HOLES_ERROR_MAX = 256,
	HOLES_MATCHED_MAX = 8
};

/* from <= version < before; an empty from: any version before. */
struct hole {
	char product[HOLE_TEXT_MAX], from[HOLE_TEXT_MAX], before[HOLE_TEXT_MAX],
	    cve[HOLE_TEXT_MAX]; /* "cve-2019-10149" */
	char source[HOLE_SOURCE_MAX];
};

struct holes;

/*
 * Read the table (conf/smtp-vulnerable says how it is written). NULL and why,
 * with file, line, word and what was expected.
 */
struct holes *holes_read(const char *path, char error[HOLES_ERROR_MAX]);
void holes_free(struct holes *);

/*
 * The holes that the product and version of a row have. Distributions mend
 * without changing the version: a banner with a text that the table names as
 * a mended build does not match.
 */
size_t holes_match(const struct holes *, const struct row *,
    const struct hole *matched[HOLES_MATCHED_MAX]);

/* Compare "4.90_1" and "4.94.2" number by number; a suffix is not looked at. */
int version_compare(const char *, const char *);

#endif
