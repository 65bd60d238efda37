/* bulk.h: large tables that are met all over. */
#ifndef ENGINE_BULK_H
#define ENGINE_BULK_H

#include <stddef.h>

enum { BULK_LINE = 64 }; /* of a cache, in bytes */

struct bulk {
	void *at; /* at the start of a line */
	void *memory;
};

/*
 * Zeros, which take no memory until they are touched, in huge pages where the
 * kernel has them: each lookup would otherwise wait for the address of its page
 * too. 0, or -1 with ENOMEM, and bulk_free has nothing to do.
 */
int bulk_new(struct bulk *, size_t n, size_t size);
void bulk_free(struct bulk *);

#endif
