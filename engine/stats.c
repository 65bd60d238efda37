/* stats.c: the shared page of counters. */
#include <sys/mman.h>

#include <fcntl.h>
#include <unistd.h>

#include "engine/stats.h"

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
	struct stats *s;

	*fd = memfd_create("mailsweep-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	/* Sealed: nobody can make it shorter under the others. */
	if (ftruncate(*fd, (off_t)sizeof *s) == 0 &&
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0 &&
	    (s = stats_map(*fd)) != NULL)
		return s;
	close(*fd);
	*fd = -1;
	return NULL;
}

struct stats *
stats_map(int fd)
{
	void *p = mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
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
