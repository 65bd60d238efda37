/* bulk.c: large tables that are met all over. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "engine/bulk.h"

enum { HUGE_PAGE = 1 << 21 };

static uintptr_t
up(uintptr_t at, uintptr_t to)
{
	return (at + to - 1) & -to;
}

/* Whole ones within only; a kernel that has none is as good. */
static void
advise(void *p, size_t bytes)
{
	uintptr_t from = up((uintptr_t)p, HUGE_PAGE);
	uintptr_t end = ((uintptr_t)p + bytes) & -(uintptr_t)HUGE_PAGE;

	if (from < end)
		(void)madvise((void *)from, end - from, MADV_HUGEPAGE);
}

int
bulk_new(struct bulk *b, size_t n, size_t size)
{
	*b = (struct bulk){ NULL, NULL };
	if (n >= (SIZE_MAX - BULK_LINE) / size) {
		errno = ENOMEM;
		return -1;
	}
	b->memory = calloc(1, n * size + BULK_LINE);
	if (b->memory == NULL)
		return -1;
	advise(b->memory, n * size);
	b->at = (void *)up((uintptr_t)b->memory, BULK_LINE);
	return 0;
}

void
bulk_free(struct bulk *b)
{
	free(b->memory);
	*b = (struct bulk){ NULL, NULL };
}
