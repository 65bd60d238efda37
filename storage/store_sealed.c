/* store_sealed.c: writes the file of a finished sweep. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/builder.h"
#include "storage/info.h"
#include "storage/layout.h"
#include "storage/phantom.h"
#include "storage/rowsum.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "storage/trailer.h"

enum {
	PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 32,
	FILE_MODE = 0644,
	TABLES_CAP = 16
};

enum kind { HEADS, BODIES, SILENT, GONE, PHANTOMS, TABLES, META, KINDS };

static const char *const names[KINDS] = { DB_HEADS, DB_BODIES, DB_SILENT,
	DB_GONE, DB_PHANTOMS, DB_TABLES, DB_META };

/* Bytes under a name, kept until all names are there. */
struct named {
	char *name;
	void *bytes;
	size_t len;
};

struct sealed {
	int fd;
	struct builder *builder;
	struct builder_table *kinds[KINDS];
	struct named tables[TABLES_CAP];
	unsigned ntables;
	char temporary[PATH_CAP], path[PATH_CAP], dir[PATH_CAP];
};

/* Nobody else has it yet, and only what is synced is renamed. */
static int
open_all(struct sealed *s)
{
	s->fd = open(s->temporary,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (s->fd < 0)
		return -1;
	s->builder = builder_new(s->fd);
	if (s->builder == NULL)
		return -1;
	for (int i = 0; i < KINDS; i++) {
		s->kinds[i] = builder_table(s->builder, names[i]);
		if (s->kinds[i] == NULL)
			return -1;
	}
	return 0;
}

struct sealed *
sealed_new(const char *datadir, const char *id, char error[STORE_ERROR_MAX])
{
	struct sealed *s = calloc(1, sizeof *s);

	if (s == NULL || strlen(datadir) >= LAYOUT_PATH_MAX ||
	    strlen(id) >= SWEEP_ID_MAX) {
		store_say(error, "%s: %s", id,
		    strerror(s == NULL ? ENOMEM : ENAMETOOLONG));
		free(s);
		return NULL;
	}
	snprintf(s->dir, sizeof s->dir, "%s/" LAYOUT_SEALED, datadir);
	snprintf(s->temporary, sizeof s->temporary, "%s/" LAYOUT_SEALED "/.%s",
	    datadir, id);
	snprintf(s->path, sizeof s->path,
	    "%s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX, datadir, id);
	/* Half a file of a seal that was cut off. */
	unlink(s->temporary);
	if (open_all(s) == 0)
		return s;
	store_say(error, "%s: %s", s->temporary, strerror(errno));
	sealed_drop(s);
	return NULL;
}

static int
append_head(struct sealed *s, enum kind kind, const struct target *t,
    const struct head *h)
{
	uint8_t key[TARGET_KEY_LEN];
	struct head summed = *h;

	target_pack(t, key);
	head_sum_set(key, &summed);
	return builder_put(
	    s->kinds[kind], key, sizeof key, &summed, sizeof summed);
}

int
sealed_head(struct sealed *s, const struct target *t, const struct head *h)
{
	return append_head(s, HEADS, t, h);
}

int
sealed_gone(struct sealed *s, const struct target *t, const struct head *h)
{
	return append_head(s, GONE, t, h);
}

int
sealed_body(
    struct sealed *s, const struct target *t, const uint8_t *body, uint32_t len)
{
	uint8_t key[TARGET_KEY_LEN], stored[BODY_MAX + BODY_SUM_LEN];

	if (len == 0)
		return 0;
	if (len > BODY_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	target_pack(t, key);
	body_sum_write(key, body, len, stored);
	return builder_put(
	    s->kinds[BODIES], key, sizeof key, stored, len + BODY_SUM_LEN);
}

int
sealed_silent(struct sealed *s, const struct target *t, uint32_t seconds)
{
	uint8_t key[TARGET_KEY_LEN], value[SILENT_VALUE_LEN];

	target_pack(t, key);
	silent_write(key, seconds, value);
	return builder_put(
	    s->kinds[SILENT], key, sizeof key, value, sizeof value);
}

int
sealed_phantom(struct sealed *s, const uint8_t *key)
{
	const uint8_t answered[PHANTOM_VALUE_LEN] = { PHANTOM_ANSWERED };

	return builder_put(s->kinds[PHANTOMS], key, PHANTOM_KEY_LEN, answered,
	    sizeof answered);
}

int
sealed_table(struct sealed *s, const char *name, const void *bytes, size_t len)
{
	struct named *to = &s->tables[s->ntables];

	if (s->ntables == TABLES_CAP) {
		errno = EINVAL;
		return -1;
	}
	to->name = strdup(name);
	to->bytes = malloc(len > 0 ? len : 1);
	to->len = len;
	s->ntables++;
	if (to->name == NULL || to->bytes == NULL)
		return -1;
	memcpy(to->bytes, bytes, len);
	return 0;
}

static int
compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
put_tables(struct sealed *s)
{
	qsort(s->tables, s->ntables, sizeof s->tables[0], compare_named);
	for (unsigned i = 0; i < s->ntables; i++) {
		const struct named *t = &s->tables[i];

		if (builder_put(s->kinds[TABLES], t->name, strlen(t->name),
			t->bytes, t->len) != 0)
			return -1;
	}
	return 0;
}

static int
put_info(struct sealed *s, const struct sweep_info *info)
{
	char text[INFO_TEXT_MAX];
	size_t len = info_write(info, false, text);

	if (len == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	return builder_put(
	    s->kinds[META], META_INFO, strlen(META_INFO), text, len);
}

/* Of the file, while it has no name that anybody reads. */
static int
put_rest(struct sealed *s, const struct sweep_info *info)
{
	struct trailer_sums sums;

	if (put_tables(s) != 0 || put_info(s, info) != 0 ||
	    builder_finish(s->builder, &sums) != 0)
		return -1;
	return trailer_write(s->fd, &sums);
}

int
sealed_finish(struct sealed *s, const struct sweep_info *info)
{
	int rc = put_rest(s, info), saved;

	if (rc == 0)
		rc = rename(s->temporary, s->path);
	if (rc == 0)
		rc = directory_sync(s->dir);
	saved = errno;
	sealed_drop(s);
	errno = saved;
	return rc == 0 ? 0 : -1;
}

void
sealed_drop(struct sealed *s)
{
	int saved = errno;

	for (unsigned i = 0; i < s->ntables; i++) {
		free(s->tables[i].name);
		free(s->tables[i].bytes);
	}
	builder_free(s->builder);
	if (s->fd >= 0)
		close(s->fd);
	unlink(s->temporary); /* after the rename there is none */
	free(s);
	errno = saved;
}
