/*
 * builder_pages.h: pages into a file that becomes an environment of LMDB: each
 * once, in large pieces, and summed on the way. For builder.c.
 */
#ifndef STORAGE_BUILDER_PAGES_H
#define STORAGE_BUILDER_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "storage/trailer.h"

enum {
	PAGE = 4096,
	PAGE_HEAD = 16, /* u64 number, u16 0, flags, lower, upper */
	PAGE_BRANCH = 1,
	PAGE_LEAF = 2,
	PAGE_OVERFLOW = 4,
	PAGE_META = 8
};

/* Pages that nobody uses. */
struct gap {
	uint64_t from, to;
};

struct pages {
	int fd;
	uint64_t n; /* that belong to an extent, or lead to others */
	struct trailer_sums sums;
	size_t sums_cap;
	struct gap *gaps;
	size_t ngaps;
};

void pages_free(struct pages *); /* not the descriptor */

/* Whole pages that are in no extent. 0, or -1 with errno. */
int pages_write(struct pages *, const uint8_t *bytes, size_t len, uint64_t at);

/* From page to page, and not beyond; -1: no memory. */
int pages_gap(struct pages *, uint64_t from, uint64_t to);

void page_head_put(uint8_t *page, uint64_t number, uint16_t flags,
    uint16_t lower, uint16_t upper);

/* Where the pages of one database go. All zero but for the first member. */
struct extent {
	struct pages *pages;
	uint64_t next, end, total; /* of this one; of all that it had */
	uint64_t first; /* page in the buffer, and how many */
	unsigned filled;
	uint8_t *buffer; /* TRAILER_CHUNK bytes; of its owner */
};

/* So many pages side by side. 0, or -1 with errno. */
int extent_reserve(struct extent *, uint64_t pages);
/* Where the next page is to be put, and its number. NULL with errno. */
uint8_t *extent_page(struct extent *, uint64_t *number);
/* Write what is in the buffer. 0, or -1 with errno. */
int extent_flush(struct extent *);

#endif
