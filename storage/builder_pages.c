/* builder_pages.c: pages into a file that becomes an environment of LMDB. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "storage/builder_pages.h"

enum {
	CHUNK_PAGES = TRAILER_CHUNK / PAGE,
	EXTENT_MIN = 4, /* pages */
	EXTENT_MAX = 64 * CHUNK_PAGES
};

int
pages_write(struct pages *p, const uint8_t *bytes, size_t len, uint64_t at)
{
	return trailer_write_at(p->fd, bytes, len, at * PAGE);
}

void
pages_free(struct pages *p)
{
	free(p->sums.v);
	free(p->gaps);
}

int
pages_gap(struct pages *p, uint64_t from, uint64_t to)
{
	struct gap *more;

	if (from >= to)
		return 0;
	more = reallocarray(p->gaps, p->ngaps + 1, sizeof *more);
	if (more == NULL)
		return -1;
	p->gaps = more;
	p->gaps[p->ngaps++] = (struct gap){ from, to };
	return 0;
}

static int
note_sum(struct pages *p, uint64_t chunk, uint64_t sum)
{
	struct trailer_sums *s = &p->sums;

	if (chunk >= p->sums_cap) {
		size_t cap = (chunk + 1) * 2;
		struct trailer_sum *more = realloc(s->v, cap * sizeof *more);

		if (more == NULL)
			return -1;
		memset(
		    more + p->sums_cap, 0, (cap - p->sums_cap) * sizeof *more);
		s->v = more;
		p->sums_cap = cap;
	}
	if (s->n <= chunk)
		s->n = chunk + 1;
	s->v[chunk] = (struct trailer_sum){ sum, true };
	return 0;
}

/* The disk may begin at once: what is written here is written for good. */
int
extent_flush(struct extent *e)
{
	uint64_t at = e->first * PAGE;
	size_t len = (size_t)e->filled * PAGE;

	if (trailer_write_at(e->pages->fd, e->buffer, len, at) != 0)
		return -1;
	(void)sync_file_range(
	    e->pages->fd, (off_t)at, (off_t)len, SYNC_FILE_RANGE_WRITE);
	e->filled = 0;
	if (len < TRAILER_CHUNK)
		return 0;
	return note_sum(e->pages, e->first / CHUNK_PAGES,
	    XXH3_64bits(e->buffer, TRAILER_CHUNK));
}

/* Extents grow with their database; large ones begin with a chunk. */
static uint64_t
next_size(const struct extent *e)
{
	uint64_t size = e->total / 4;

	if (size < EXTENT_MIN)
		return EXTENT_MIN;
	if (size > EXTENT_MAX)
		return EXTENT_MAX;
	return size < CHUNK_PAGES ? size : size - size % CHUNK_PAGES;
}

/* Elsewhere: what is left of this one is nobody's. */
static int
move(struct extent *e)
{
	if ((e->filled > 0 && extent_flush(e) != 0) ||
	    pages_gap(e->pages, e->next, e->end) != 0)
		return -1;
	e->next = e->end = e->pages->n;
	return 0;
}

int
extent_reserve(struct extent *e, uint64_t pages)
{
	struct pages *p = e->pages;
	uint64_t size = next_size(e), from = p->n;

	if (e->end - e->next >= pages)
		return 0;
	if (size >= CHUNK_PAGES)
		p->n = (p->n + CHUNK_PAGES - 1) / CHUNK_PAGES * CHUNK_PAGES;
	if (pages_gap(p, from, p->n) != 0 || (p->n != e->end && move(e) != 0))
		return -1;
	while (e->end - e->next < pages) {
		e->end += size;
		e->total += size;
	}
	p->n = e->end;
	return 0;
}

uint8_t *
extent_page(struct extent *e, uint64_t *number)
{
	if (extent_reserve(e, 1) != 0)
		return NULL;
	if (e->filled > 0 && e->next % CHUNK_PAGES == 0 && extent_flush(e) != 0)
		return NULL;
	if (e->filled == 0)
		e->first = e->next;
	*number = e->next++;
	return e->buffer + (size_t)e->filled++ * PAGE;
}

void
page_head_put(uint8_t *at, uint64_t number, uint16_t flags, uint16_t lower,
    uint16_t upper)
{
	const uint16_t rest[] = { 0, flags, lower, upper };

	memcpy(at, &number, sizeof number);
	memcpy(at + sizeof number, rest, sizeof rest);
}
