/* buf.h: bytes that grow; the tool's strings are built in these. */
#ifndef STORAGE_BUF_H
#define STORAGE_BUF_H

#include <stddef.h>

/*
 * Zero-initialised is empty. s is NUL-terminated once anything was added, and
 * NULL before. Only the tool uses these: without memory it ends the program.
 */
struct buf {
	char *s;
	size_t len, cap;
};

void buf_free(struct buf *);
void buf_clear(struct buf *); /* empty, the memory kept */
void buf_add(struct buf *, const void *, size_t len);
void buf_puts(struct buf *, const char *);
void buf_putc(struct buf *, char);
void buf_printf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The text, "" when empty. */
const char *buf_text(const struct buf *);

/* malloc, realloc and strdup of the tool: they return or end the program. */
void *need_memory(size_t n, size_t size); /* zeroed */
void *need_more(void *, size_t n, size_t size);
char *need_copy(const char *, size_t len);

#endif
