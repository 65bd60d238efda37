/* html.h: text and numbers as they stand in the report's page. */
#ifndef STORAGE_HTML_H
#define STORAGE_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "storage/buf.h"

/*
 * Text of whatever origin, fit for the content of an element and for an
 * attribute in double quotes: mapped as everywhere (text.h), then the five
 * characters that HTML knows are written as references.
 */
void html_text(struct buf *, const void *, size_t len);
void html_string(struct buf *, const char *);

/* 1,234,567 */
void html_number(struct buf *, uint64_t);
/* "12.3 %"; an en dash where there is no whole. */
void html_share(struct buf *, uint64_t part, uint64_t whole);

/* 'sha256-...', what a Content-Security-Policy calls these bytes. */
void html_hash(struct buf *, const void *, size_t len);

#endif
