/*
 * fixes.h: how long what is mended had been exposed: times by country and
 * protocol, counted from the rows that show it (exposure.h).
 */
#ifndef STORAGE_FIXES_H
#define STORAGE_FIXES_H

#include "storage/buf.h"
#include "storage/store.h"

struct fixes;

struct fixes *fixes_new(void);
void fixes_free(struct fixes *);

/* Count a row, if it shows that its target was mended. */
void fixes_add(struct fixes *, const struct head *);
void fixes_add_all(struct fixes *, const struct fixes *from);

/* A sweep's: what the seal kept, or counted. NULL: it cannot be read. */
struct fixes *fixes_read(struct store *);

/* Which are asked for: all protocols when it is PROTOCOL_UNKNOWN. */
struct fixes_of {
	const char *country; /* two letters; NULL: all */
	enum protocol protocol;
};

enum { QUARTILES = 3 };
struct fix_times {
	uint64_t n;
	double
	    days[QUARTILES]; /* a quarter, half, three quarters took so long */
};
struct fix_times fixes_times(struct fixes *, const struct fixes_of *);

/* The countries there are, in the order of their codes; false past the last. */
bool fixes_country(struct fixes *, size_t i, char country[3]);

/* As bytes, and back; storage/FORMAT.md has them. NULL: not such bytes. */
#define FIXES_TABLE "fixes"
void fixes_save(struct fixes *, struct buf *);
struct fixes *fixes_load(const uint8_t *, size_t len);

#endif
