/* change.h: what has become of a target between two sweeps. */
#ifndef STORAGE_CHANGE_H
#define STORAGE_CHANGE_H

#include <stdbool.h>

#include "storage/store.h"

/* Sealed sweeps running without an answer, until a target is gone. */
enum { GONE_AFTER = 3 };

/*
 * A target that has a row in both: CHANGE_WORSE when it has a finding that it
 * had not, CHANGE_FIXED when one is absent and the dialog ran to its end (only
 * that shows it), else CHANGE_SAME. What says something of the answer and not
 * of the server's state counts for nothing: refused_us, other_protocol,
 * phantom, masked.
 */
enum change change_between(const struct head *now, const struct head *before);

enum difference {
	DIFFERENCE_NEW, /* never seen before the later sweep, or since */
	DIFFERENCE_BACK, /* not in the earlier one, but before it */
	DIFFERENCE_FIXED,
	DIFFERENCE_WORSE,
	DIFFERENCE_NOT_SEEN, /* no answer any more, or silent now */
	DIFFERENCE_GONE, /* by now for so many sealed sweeps running */
	DIFFERENCE_SAME,
	DIFFERENCES
};
extern const char *const difference_names[DIFFERENCES];

/* Two sweeps, walked together in key order. */
struct comparison;

/*
 * Gone is what has not answered in gone_after sealed sweeps, and had at the
 * earlier one, or not for so long. The stores must outlive it. NULL: no memory.
 */
struct comparison *comparison_new(
    struct store *before, struct store *now, uint64_t gone_after);
void comparison_free(struct comparison *);

struct compared {
	enum difference difference;
	struct target target;
	const struct head *before, *now; /* NULL where it has no row */
	const uint8_t *body; /* of now, or of before; NULL: none is there */
	uint32_t len;
};

/* The next target; its pointers live until the next call. False: the end. */
bool comparison_next(struct comparison *, struct compared *);

#endif
