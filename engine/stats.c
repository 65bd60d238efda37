/* stats.c: the shared counters. */
#include <sys/mman.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/stats.h"

enum { PATH_CAP = 32 };

#define X(id, name) name,
static const char *const names[STAT_COUNT] = { STATS_TABLE(X) };
#undef X

unsigned
stats_slot(enum role role, unsigned instance)
{
	if (role != ROLE_PROBE)
		return role;
	return ROLE_COUNT + instance % STATS_PROBES_MAX;
}

struct stats *
stats_create(int *fd)
{
	void *p = MAP_FAILED;

	*fd = memfd_create("mailsweep-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	/* Sealed: nobody can make it shorter under the others. */
	if (ftruncate(*fd, (off_t)sizeof(struct stats)) == 0 &&
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		p = mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE,
		    MAP_SHARED, *fd, 0);
	if (p != MAP_FAILED)
		return p;
	close(*fd);
	*fd = -1;
	return NULL;
}

/*
 * By a descriptor of its own that cannot write: else mprotect(2) could make it
 * writable again.
 */
static void *
map_to_read(int fd)
{
	char path[PATH_CAP];
	void *p;
	int reader;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return NULL;
	p = mmap(NULL, sizeof(struct stats), PROT_READ, MAP_SHARED, reader, 0);
	close(reader);
	return p == MAP_FAILED ? NULL : p;
}

struct stats *
stats_map(int fd, unsigned slot)
{
	struct stats *s = map_to_read(fd);

	if (s == NULL)
		return NULL;
	if (slot < STATS_SLOTS &&
	    mmap(s->n[slot], sizeof s->n[slot], PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, fd,
		(off_t)(slot * sizeof s->n[slot])) != MAP_FAILED)
		return s;
	munmap(s, sizeof *s);
	return NULL;
}

const char *
stats_name(enum stat_id what)
{
	return what < STAT_COUNT ? names[what] : "";
}

uint64_t
stats_sum(const struct stats *s, enum stat_id what)
{
	uint64_t sum = 0;

	for (unsigned slot = 0; slot < STATS_SLOTS; slot++)
		sum += stats_get(s, slot, what);
	return sum;
}
