/* announced.h: how many IPv4 addresses are announced, by country and by AS. */
#ifndef STORAGE_ANNOUNCED_H
#define STORAGE_ANNOUNCED_H

#include <stdint.h>

#include "storage/buf.h"
#include "storage/store.h"

enum { ANNOUNCED_KEY_MAX = 16 };

struct announced;

struct announced *announced_new(void);
void announced_free(struct announced *);

/* Of a country ("NL"), an AS ("AS64500") or all ("total"). */
void announced_add(struct announced *, const char *key, uint64_t n);
uint64_t announced_of(const struct announced *, const char *key); /* 0: ? */

/* As a file, a line KEY,ADDRESSES each; # begins a comment. */
void announced_write(const struct announced *, struct buf *);
/* NULL, and in error the place and what was expected. */
struct announced *announced_read(const char *path, char error[STORE_ERROR_MAX]);

#endif
