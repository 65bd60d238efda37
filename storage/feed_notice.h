/* feed_notice.h: the text that goes with a file of a feed. */
#ifndef STORAGE_FEED_NOTICE_H
#define STORAGE_FEED_NOTICE_H

#include "storage/advice.h"
#include "storage/buf.h"
#include "storage/feed_files.h"
#include "storage/row.h"
#include "storage/store.h"

/* What is gathered while the rows of one file pass by, in key order. */
struct notice {
	uint64_t rows, addresses;
	struct addr last; /* address */
	struct target example;
	uint64_t example_us;
	char *greeting, *evidence; /* of the example, mapped; "" for none */
	struct addr source; /* ours, of the example */
	bool preauth; /* a row lets anybody in */
};

void notice_add(struct notice *, const struct row *);
void notice_free(struct notice *);

struct notice_of {
	const struct sweep_info *info;
	const struct advices *advices;
	const char *recipient, *file;
	const char *contact; /* whom to ask to be left out; "": unknown */
	enum feed_type type;
	bool six;
	enum feed_kind kind;
};

/*
 * The notification, its subject the first line, then an empty one: what the
 * file holds, what that means and what to do, how, when and from where it was
 * measured, one example with its evidence, how to opt out.
 */
void notice_write(
    const struct notice *, const struct notice_of *, struct buf *);

#endif
