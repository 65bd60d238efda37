/* heap.c: OpenSSL's memory, things of a size together. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

#include "probes/heap.h"

/*
 * Sizes: every 16 bytes up to 1 KiB, then sixteen from each power of two
 * to the next: of anything above a few hundred bytes little is lost.
 */
enum {
	GRAIN = 16,
	FINE_MAX = 1024,
	FINE = FINE_MAX / GRAIN,
	STEPS = 16, /* from one power of two to the next */
	SIZES = FINE + 5 * STEPS,
	GRAINS = HEAP_LARGEST / GRAIN,
	SPANS = 16384, /* a GiB: 8,192 handshakes and 32,768 behind theirs */
	IDLE_MAX = 64 /* empty spans that keep their pages */
};

struct piece {
	struct piece *next;
};

/* HEAP_SPAN bytes of things of one size; what is behind `begun` was never used. */
struct span {
	struct span *next, **before; /* of those with room, or idle */
	struct piece *free;
	uint32_t used, begun; /* pieces */
	uint32_t size, cap; /* bytes of a piece, pieces */
};

/* For whoever allocates there is no context, so there is no other place. */
static struct heap {
	uint8_t *base;
	uint8_t size_of[GRAINS + 1]; /* grains -> which size */
	struct span *room[SIZES];
	struct span *idle, *cold; /* empty; without pages, those */
	unsigned nidle, nspans; /* nspans: taken from base so far */
	unsigned holding;
	struct span spans[SPANS];
} heap;

static uint32_t
bytes_of(unsigned which)
{
	unsigned over = which - FINE;

	if (which < FINE)
		return (which + 1) * GRAIN;
	return (uint32_t)(FINE_MAX + FINE_MAX / STEPS * (over % STEPS + 1))
	    << over / STEPS;
}

bool
heap_open(void)
{
	unsigned which = 0;
	void *p = mmap(NULL, (size_t)SPANS * HEAP_SPAN, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	/* A huge page would be memory for what nobody asked for. */
	(void)madvise(p, (size_t)SPANS * HEAP_SPAN, MADV_NOHUGEPAGE);
	for (unsigned grains = 0; grains <= GRAINS; grains++) {
		if (grains * GRAIN > bytes_of(which))
			which++;
		heap.size_of[grains] = (uint8_t)which;
	}
	heap.base = p;
	return true;
}

unsigned
heap_spans(void)
{
	return heap.holding;
}

/* ---- spans --------------------------------------------------------------- */

static uint8_t *
bytes_at(const struct span *s)
{
	return heap.base + (size_t)(s - heap.spans) * HEAP_SPAN;
}

static void
link_in(struct span **list, struct span *s)
{
	s->next = *list;
	s->before = list;
	if (s->next)
		s->next->before = &s->next;
	*list = s;
}

static void
link_out(struct span *s)
{
	*s->before = s->next;
	if (s->next)
		s->next->before = s->before;
	s->before = NULL;
}

static struct span *
span_take(unsigned which)
{
	struct span *s = heap.idle ? heap.idle : heap.cold;

	if (s) {
		heap.nidle -= s == heap.idle;
		link_out(s);
	} else if (heap.nspans < SPANS) {
		s = &heap.spans[heap.nspans++];
	} else {
		return NULL;
	}
	s->free = NULL;
	s->used = s->begun = 0;
	s->size = bytes_of(which);
	s->cap = HEAP_SPAN / s->size;
	link_in(&heap.room[which], s);
	heap.holding++;
	return s;
}

static void
span_give(struct span *s)
{
	link_out(s);
	heap.holding--;
	if (heap.nidle < IDLE_MAX) {
		link_in(&heap.idle, s);
		heap.nidle++;
		return;
	}
	(void)madvise(bytes_at(s), HEAP_SPAN, MADV_DONTNEED);
	link_in(&heap.cold, s);
}

/* NULL: it is malloc's. */
static struct span *
span_of(const void *p)
{
	size_t at = (uintptr_t)p - (uintptr_t)heap.base;

	return heap.base && at < (size_t)SPANS * HEAP_SPAN
	    ? &heap.spans[at / HEAP_SPAN]
	    : NULL;
}

/* ---- pieces -------------------------------------------------------------- */

void *
heap_alloc(size_t n)
{
	unsigned which;
	struct span *s;
	struct piece *p;

	if (n > HEAP_LARGEST || !heap.base)
		return malloc(n);
	which = heap.size_of[(n + GRAIN - 1) / GRAIN];
	s = heap.room[which];
	if (!s)
		s = span_take(which);
	if (!s)
		return malloc(n);
	p = s->free;
	if (p)
		s->free = p->next;
	else
		p = (void *)(bytes_at(s) + (size_t)s->begun++ * s->size);
	if (++s->used == s->cap)
		link_out(s);
	return p;
}

void
heap_free(void *p)
{
	struct span *s = span_of(p);
	struct piece *freed = p;

	if (!s) {
		free(p);
		return;
	}
	freed->next = s->free;
	s->free = freed;
	if (s->used-- == s->cap)
		link_in(&heap.room[heap.size_of[s->size / GRAIN]], s);
	if (s->used == 0)
		span_give(s);
}

void *
heap_resize(void *p, size_t n)
{
	struct span *s = span_of(p);
	void *to;

	if (!p)
		return heap_alloc(n);
	if (!s)
		return realloc(p, n);
	if (n <= HEAP_LARGEST &&
	    bytes_of(heap.size_of[(n + GRAIN - 1) / GRAIN]) == s->size)
		return p;
	to = heap_alloc(n);
	if (!to)
		return NULL;
	memcpy(to, p, n < s->size ? n : s->size);
	heap_free(p);
	return to;
}

/* ---- OpenSSL's ----------------------------------------------------------- */

static void *
hook_alloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return heap_alloc(n);
}

/* CRYPTO_realloc(3) gives it everything, size 0 and NULL too. */
static void *
hook_resize(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n > 0)
		return heap_resize(p, n);
	heap_free(p);
	return NULL;
}

static void
hook_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	heap_free(p);
}

void
heap_install(void)
{
#ifdef SANITIZED /* they see more in malloc's */
	const bool wanted = false;
#else
	const bool wanted = true;
#endif

	if (wanted && !heap.base && heap_open())
		(void)CRYPTO_set_mem_functions(
		    hook_alloc, hook_resize, hook_free);
}
