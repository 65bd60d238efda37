/* digest_set.h: SHA-256 sums, each once, as many as memory holds. */
#ifndef STORAGE_DIGEST_SET_H
#define STORAGE_DIGEST_SET_H

#include <stddef.h>
#include <stdint.h>

#include "storage/record.h"

/* All zero: empty. Between two calls v may hold one more than once. */
struct digest_set {
	uint8_t (*v)[SHA256_LEN];
	size_t n, cap;
};

/* 0, or -1 with ENOMEM. */
int digest_set_add(struct digest_set *, const uint8_t digest[SHA256_LEN]);
/* From here on sorted, each once. */
void digest_set_settle(struct digest_set *);
void digest_set_free(struct digest_set *);

#endif
