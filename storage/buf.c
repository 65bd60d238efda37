/* buf.c: bytes that grow; the tool's strings are built in these. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/buf.h"

enum { FIRST_CAP = 64 };

static void *
checked(void *p)
{
	if (!p) {
		fputs("mailsweep: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void *
need_memory(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size));
}

void *
need_more(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n, size));
}

char *
need_copy(const char *s, size_t len)
{
	return checked(strndup(s, len));
}

/* Room for len more bytes and the NUL. */
static void
grow(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	if (len < b->cap && b->len < b->cap - len)
		return;
	if (len >= SIZE_MAX / 4 || b->len >= SIZE_MAX / 4)
		checked(NULL);
	while (cap < b->len + len + 1)
		cap *= 2;
	if (cap != b->cap)
		b->s = need_more(b->s, cap, 1);
	b->cap = cap;
}

void
buf_free(struct buf *b)
{
	free(b->s);
	*b = (struct buf){ 0 };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->s)
		b->s[0] = '\0';
}

void
buf_add(struct buf *b, const void *bytes, size_t len)
{
	grow(b, len);
	if (len > 0)
		memcpy(b->s + b->len, bytes, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	grow(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *
buf_text(const struct buf *b)
{
	return b->s ? b->s : "";
}
