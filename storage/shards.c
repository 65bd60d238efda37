/* shards.c: which shards there are, and whether they belong together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "storage/layout.h"
#include "storage/shards_own.h"

struct shards *
shards_new(void)
{
	return calloc(1, sizeof(struct shards));
}

void
shards_free(struct shards *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		store_close(s->v[i]);
		free(s->dirs[i]);
	}
	free(s);
}

/* "DIR/sealed/ID.mdb" taken apart; false: it is something else. */
static bool
split_path(char path[LAYOUT_PATH_MAX], char id[SWEEP_ID_MAX])
{
	static const char sealed[] = "/" LAYOUT_SEALED;
	char *name = strrchr(path, '/');
	size_t n;

	if (name == NULL || !store_name_id(name + 1, id))
		return false;
	*name = '\0';
	n = strlen(path);
	if (n >= sizeof sealed &&
	    strcmp(path + n - (sizeof sealed - 1), sealed) == 0) {
		path[n - (sizeof sealed - 1)] = '\0';
		return true;
	}
	if (strcmp(path, LAYOUT_SEALED) != 0)
		return false;
	memcpy(path, ".", sizeof ".");
	return true;
}

/* path becomes the data directory that it lies in. */
static struct store *
open_one(
    const char *from, char path[LAYOUT_PATH_MAX], char error[STORE_ERROR_MAX])
{
	char id[SWEEP_ID_MAX];
	struct stat st;

	if (strlen(from) >= LAYOUT_PATH_MAX || stat(from, &st) < 0) {
		store_say(error, "%.400s: %s", from,
		    strlen(from) >= LAYOUT_PATH_MAX ? strerror(ENAMETOOLONG)
						    : strerror(errno));
		return NULL;
	}
	memcpy(path, from, strlen(from) + 1);
	if (S_ISDIR(st.st_mode))
		return store_open(path, NULL, error);
	if (split_path(path, id))
		return store_open(path, id, error);
	store_say(error,
	    "%.400s: expected a data directory, or a file "
	    "DIRECTORY/" LAYOUT_SEALED "/ID" LAYOUT_SUFFIX,
	    from);
	return NULL;
}

/* What two shards of one sweep have in common; NULL: all of it. */
static const char *
differs(const struct sweep *a, const struct sweep *b)
{
	if (a->seed != b->seed)
		return "the seed";
	if (a->targets_hash != b->targets_hash || a->n != b->n)
		return "targets or ports";
	return a->shards != b->shards ? "the number of shards" : NULL;
}

static int
fits(const struct shards *s, const struct sweep *one, const char *path,
    char error[STORE_ERROR_MAX])
{
	const char *what;

	for (unsigned i = 0; i < s->n; i++) {
		const struct sweep *other = &store_info(s->v[i])->sweep;

		what = differs(one, other);
		if (what != NULL) {
			store_say(error,
			    "%.300s: no shard of the same sweep as %s: %s "
			    "differs",
			    path, other->id, what);
			return -1;
		}
		if (one->shard == other->shard) {
			store_say(error, "%.300s: shard %u of %u, as %s is",
			    path, one->shard, one->shards, other->id);
			return -1;
		}
	}
	return 0;
}

int
shards_add(struct shards *s, const char *path, char error[STORE_ERROR_MAX])
{
	char dir[LAYOUT_PATH_MAX];
	struct store *one;

	if (s->n == SHARDS_MAX) {
		store_say(error, "%.300s: more than %d shards", path,
		    (int)SHARDS_MAX);
		return -1;
	}
	one = open_one(path, dir, error);
	if (one == NULL)
		return -1;
	if (fits(s, &store_info(one)->sweep, path, error) < 0) {
		store_close(one);
		return -1;
	}
	s->dirs[s->n] = strdup(dir);
	s->v[s->n++] = one;
	if (s->dirs[s->n - 1] != NULL)
		return 0;
	store_say(error, "%s", strerror(ENOMEM));
	return -1;
}

bool
shards_missing(const struct shards *s, unsigned *shard, unsigned *of)
{
	*of = s->n > 0 ? store_info(s->v[0])->sweep.shards : 0;
	for (*shard = 0; *shard < *of; ++*shard) {
		unsigned i = 0;

		while (i < s->n && store_info(s->v[i])->sweep.shard != *shard)
			i++;
		if (i == s->n)
			return true;
	}
	return false;
}
