/*
 * heap.h: OpenSSL's memory in a probe. A handshake takes 39 KiB while it lasts
 * and leaves 16; in a general allocator what stays lies between what goes, and
 * the holes fit nobody. Here things of a size lie together, so that one
 * handshake finds the room that another has left. One thread's only.
 */
#ifndef PROBES_HEAP_H
#define PROBES_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Address space for it; memory is only what is used. False: there is none
 * (errno), and all comes from malloc(3). Once a process.
 */
bool heap_open(void);

/* As malloc(3) and so on; larger than HEAP_LARGEST they are malloc's own. */
enum { HEAP_LARGEST = 32768, HEAP_SPAN = 65536 };
void *heap_alloc(size_t);
void *heap_resize(void *, size_t);
void heap_free(void *);

/* How many spans of HEAP_SPAN bytes hold anything. */
unsigned heap_spans(void);

/*
 * heap_open, and OpenSSL uses it from now on. Whatever OpenSSL holds already
 * is malloc's: then nothing is changed (CRYPTO_set_mem_functions(3)).
 */
void heap_install(void);

#endif
