/* trailer.c: the sums that end a sealed file. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "storage/trailer.h"

enum { CHUNK = TRAILER_CHUNK, SUM_LEN = 8, MAGIC_LEN = 16, FOOT_LEN = 32 };

static const char magic[MAGIC_LEN + 1] = "mailsweep seal 1";

/* A file, and what its trailer says of it. */
struct sealed_file {
	int fd;
	uint64_t size; /* of the environment */
	uint64_t chunks;
	uint8_t *sums; /* and the foot behind them */
	uint8_t *chunk;
};

static uint64_t
chunks_of(uint64_t size)
{
	return (size + CHUNK - 1) / CHUNK;
}

static uint64_t
chunk_len(const struct sealed_file *f, uint64_t n)
{
	uint64_t left = f->size - n * CHUNK;

	return left < CHUNK ? left : CHUNK;
}

/* All of len. 0, or -1 with errno: EPIPE when there is not so much. */
static int
read_at(int fd, uint8_t *bytes, uint64_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pread(fd, bytes, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EPIPE;
		if (n <= 0)
			return -1;
		bytes += n;
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

int
trailer_write_at(int fd, const uint8_t *bytes, uint64_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static void
file_close(struct sealed_file *f)
{
	int saved = errno;

	if (f->fd >= 0)
		close(f->fd);
	free(f->sums);
	free(f->chunk);
	errno = saved;
}

static int
chunk_sum(const struct sealed_file *f, uint64_t n, uint64_t *sum)
{
	uint64_t len = chunk_len(f, n);

	if (read_at(f->fd, f->chunk, len, n * CHUNK) < 0)
		return -1;
	*sum = XXH3_64bits(f->chunk, len);
	return 0;
}

/* Room for the sums of an environment of so many bytes, and for the foot. */
static int
file_room(struct sealed_file *f, uint64_t size)
{
	f->size = size;
	f->chunks = chunks_of(size);
	f->sums = calloc(1, f->chunks * SUM_LEN + FOOT_LEN);
	f->chunk = malloc(CHUNK);
	return f->sums && f->chunk ? 0 : -1;
}

static int
file_append(struct sealed_file *f, const struct trailer_sums *known)
{
	uint64_t at = f->chunks * SUM_LEN, sum;

	for (uint64_t n = 0; n < f->chunks; n++) {
		if (n < known->n && known->v[n].known)
			sum = known->v[n].sum;
		else if (chunk_sum(f, n, &sum) < 0)
			return -1;
		memcpy(f->sums + n * SUM_LEN, &sum, sizeof sum);
	}
	memcpy(f->sums + at, magic, MAGIC_LEN);
	memcpy(f->sums + at + MAGIC_LEN, &f->size, sizeof f->size);
	at += MAGIC_LEN + sizeof f->size;
	sum = XXH3_64bits(f->sums, at);
	memcpy(f->sums + at, &sum, sizeof sum);
	if (trailer_write_at(f->fd, f->sums, at + sizeof sum, f->size) < 0)
		return -1;
	return fsync(f->fd);
}

int
trailer_write(int fd, const struct trailer_sums *known)
{
	struct sealed_file f = { .fd = fd };
	struct stat st;
	int rc = -1;

	if (fstat(fd, &st) == 0 && file_room(&f, (uint64_t)st.st_size) == 0)
		rc = file_append(&f, known);
	f.fd = -1; /* the caller's */
	file_close(&f);
	return rc;
}

/* What the foot says has to fit the file before anything is done with it. */
static enum trailer
foot_read(struct sealed_file *f)
{
	uint8_t foot[FOOT_LEN];
	uint64_t length, size, sum, at;
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return TRAILER_ERROR;
	length = (uint64_t)st.st_size;
	if (length < FOOT_LEN)
		return TRAILER_NONE;
	if (read_at(f->fd, foot, FOOT_LEN, length - FOOT_LEN) < 0)
		return TRAILER_ERROR;
	memcpy(&size, foot + MAGIC_LEN, sizeof size);
	if (memcmp(foot, magic, MAGIC_LEN) != 0 || size >= length ||
	    length - size != chunks_of(size) * SUM_LEN + FOOT_LEN)
		return TRAILER_NONE;
	if (file_room(f, size) < 0 ||
	    read_at(f->fd, f->sums, length - size, size) < 0)
		return TRAILER_ERROR;
	at = f->chunks * SUM_LEN + MAGIC_LEN + sizeof size;
	memcpy(&sum, f->sums + at, sizeof sum);
	return sum == XXH3_64bits(f->sums, at) ? TRAILER_GOOD : TRAILER_DAMAGED;
}

static enum trailer
verify(struct sealed_file *f, uint64_t chunks,
    void (*bad)(uint64_t offset, void *), void *arg)
{
	enum trailer verdict = foot_read(f);
	uint64_t want, sum;

	if (verdict != TRAILER_GOOD)
		return verdict;
	for (uint64_t n = 0; n < chunks && n < f->chunks; n++) {
		if (chunk_sum(f, n, &sum) < 0)
			return TRAILER_ERROR;
		memcpy(&want, f->sums + n * SUM_LEN, sizeof want);
		if (sum == want)
			continue;
		verdict = TRAILER_DAMAGED;
		if (bad)
			bad(n * CHUNK, arg);
	}
	return verdict;
}

static enum trailer
verify_file(const char *path, uint64_t chunks,
    void (*bad)(uint64_t offset, void *), void *arg)
{
	struct sealed_file f = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	enum trailer verdict = TRAILER_ERROR;

	if (f.fd >= 0)
		verdict = verify(&f, chunks, bad, arg);
	file_close(&f);
	return verdict;
}

enum trailer
trailer_glance(const char *path)
{
	return verify_file(path, 1, NULL, NULL);
}

enum trailer
trailer_verify(
    const char *path, void (*bad)(uint64_t offset, void *), void *arg)
{
	return verify_file(path, UINT64_MAX, bad, arg);
}
