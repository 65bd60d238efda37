/*
 * trailer.h: the end of a sealed file, behind its last page, where LMDB never
 * looks: a sum of each MiB before it, and how long that is. By it a copy that
 * was cut short is known when it is opened, and a flipped bit anywhere by
 * `mailsweep check`.
 *
 *     u64 sum of each MiB (the last one may be shorter), XXH3
 *     16 bytes "mailsweep seal 1"
 *     u64 bytes of the environment, all that stands before the sums
 *     u64 sum of everything in the trailer before this, XXH3
 */
#ifndef STORAGE_TRAILER_H
#define STORAGE_TRAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trailer {
	TRAILER_GOOD,
	TRAILER_NONE, /* none, or not whole: it was cut, or is no sealed file */
	TRAILER_DAMAGED, /* a sum does not agree */
	TRAILER_ERROR /* errno */
};

enum { TRAILER_CHUNK = 1 << 20 };

/* Sums of whole chunks that whoever wrote them has made on the way. */
struct trailer_sums {
	struct trailer_sum {
		uint64_t sum;
		bool known;
	} * v;
	size_t n; /* those behind are not known either */
};

/*
 * Append it to a file whose descriptor may read and write, and sync. Chunks
 * that are not known are read. 0, or -1 with errno.
 */
int trailer_write(int fd, const struct trailer_sums *);

/* All of the bytes, at an offset. 0, or -1 with errno. */
int trailer_write_at(int fd, const uint8_t *, uint64_t len, uint64_t at);

/*
 * Does the file have its length, and its first MiB (with the pages that lead
 * to all others) its sum? Quick.
 */
enum trailer trailer_glance(const char *path);

/* Every MiB; each one that is damaged is told by its offset. */
enum trailer trailer_verify(
    const char *path, void (*bad)(uint64_t offset, void *), void *);

#endif
