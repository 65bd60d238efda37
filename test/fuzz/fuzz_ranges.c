/*
 * fuzz_ranges.c: text, files and saved bytes of address sets from anywhere.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf_reader.h"
#include "engine/ranges.h"

enum { TEXT_CAP = 256 };

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

/* A sealed set agrees with itself. */
static void
check_set(const struct ranges *r)
{
	uint64_t n = ranges_count(r), probes[3] = { 0, n / 2, n - 1 };

	if (n == 0 || n == RANGES_MANY)
		return;
	for (int i = 0; i < 3; i++) {
		struct addr a = ranges_at(r, probes[i]);

		promise(ranges_has(r, &a));
	}
	promise(ranges_common(r, r) == n);
}

/* Each line is one entry, as in a file of targets. */
static void
try_text(const uint8_t *p, size_t len)
{
	struct ranges *r = ranges_new();
	char line[TEXT_CAP];
	size_t n = 0;

	for (size_t i = 0; i <= len && r != NULL; i++) {
		const char *expected;

		if (i < len && p[i] != '\n') {
			if (n < sizeof line - 1)
				line[n++] = (char)p[i];
			continue;
		}
		line[n] = '\0';
		n = 0;
		if (ranges_add_text(r, line, &expected) == -1)
			promise(expected != NULL);
	}
	if (r != NULL && ranges_seal(r) == 0)
		check_set(r);
	ranges_free(r);
}

static void
try_bytes(const uint8_t *p, size_t len)
{
	struct ranges *r = ranges_load(p, len);
	uint8_t *again;
	size_t again_len;

	if (r == NULL)
		return;
	check_set(r);
	again = ranges_save(r, &again_len);
	promise(
	    again != NULL && again_len == len && memcmp(again, p, len) == 0);
	free(again);
	ranges_free(r);
}

/* A hitlist: what `targets = @FILE` reads. Mistakes go nowhere. */
static void
try_file(const uint8_t *p, size_t len)
{
	struct reader reader = { .file = "fuzz" };
	int fd = memfd_create("hitlist", MFD_CLOEXEC);
	struct ranges *r = ranges_new();
	static FILE *quiet;
	char path[64];

	if (quiet == NULL && (quiet = fopen("/dev/null", "w")) == NULL)
		abort();
	stderr = quiet;
	promise(fd >= 0 && r != NULL && write(fd, p, len) == (ssize_t)len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	list_add_file(&reader, "fuzz", 1, path, r);
	close(fd);
	if (ranges_seal(r) == 0)
		check_set(r);
	ranges_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	try_text(p, len);
	try_file(p, len);
	try_bytes(p, len);
	return 0;
}
