/* unfinished.c: sweeps that could not go on, set aside. */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "engine/log.h"
#include "storage/layout.h"
#include "storage/unfinished.h"
#include "storage/view.h"

enum { PATH_CAP = LAYOUT_PATH_MAX + 320, QUEUE_TIME = 8, SECOND_US = 1000000 };

int
directory_remove(const char *path)
{
	char file[PATH_CAP];
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((entry = readdir(dir)) != NULL) {
		snprintf(file, sizeof file, "%.4150s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(file) != 0)
			log_warn("%s: %s", file, strerror(errno));
	}
	closedir(dir);
	return rmdir(path);
}

/* What a key begins with, behind a time in the queue, is an address. */
static bool
holds_in(struct view *v, const char *name, const struct ranges *set)
{
	size_t skip = strcmp(name, DB_QUEUE) == 0 ? QUEUE_TIME : 0;
	MDB_dbi dbi = view_dbi(v, name);
	MDB_val key, value;
	MDB_cursor *c;
	bool any = false;

	if (dbi == NO_DBI || mdb_cursor_open(v->txn, dbi, &c) != 0)
		return false;
	while (!any && mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0) {
		struct addr a;

		if (key.mv_size < skip + sizeof a.b)
			continue;
		memcpy(a.b, (const uint8_t *)key.mv_data + skip, sizeof a.b);
		any = ranges_has(set, &a);
	}
	mdb_cursor_close(c);
	return any;
}

/* 1: it does, or is the rest of one that was removed; -1: not to be read. */
static int
holds_any(const char *path, const struct ranges *set, const char **why)
{
	static const char *const names[] = { DB_HEADS, DB_BODIES, DB_SILENT,
		DB_PENDING, DB_QUEUE, DB_WANTED, DB_NAMES, DB_PHANTOMS };
	char data[PATH_CAP];
	struct view v = { 0 };
	bool any = false;
	int rc;

	snprintf(data, sizeof data, "%.4200s/data.mdb", path);
	if (access(data, F_OK) != 0)
		return 1;
	rc = view_open(&v, path, MDB_NOLOCK);
	*why = rc != 0 ? mdb_strerror(rc) : "";
	for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++)
		any = any || holds_in(&v, names[i], set);
	view_close(&v);
	return rc != 0 ? -1 : any;
}

static void
purge_one(const char *path, const struct ranges *set, struct purged *p,
    purge_say *say)
{
	char text[STORE_ERROR_MAX];
	const char *why = "";
	int holds = holds_any(path, set, &why);

	if (holds == 0)
		return;
	if (holds > 0 && directory_remove(path) == 0) {
		p->unfinished++;
		return;
	}
	p->failed++;
	snprintf(text, sizeof text, "%.200s: %s", path,
	    holds < 0 ? why : strerror(errno));
	say(text);
}

/* The next one's path; false: there is no other. */
static bool
next_path(DIR *dir, const char *datadir, char path[PATH_CAP])
{
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, UNFINISHED_PREFIX,
			sizeof UNFINISHED_PREFIX - 1) != 0)
			continue;
		snprintf(
		    path, PATH_CAP, "%.4096s/%.200s", datadir, entry->d_name);
		return true;
	}
	return false;
}

void
unfinished_purge(const char *datadir, const struct ranges *set,
    struct purged *p, purge_say *say)
{
	DIR *dir = ranges_pieces(set) > 0 ? opendir(datadir) : NULL;
	char path[PATH_CAP];

	while (dir != NULL && next_path(dir, datadir, path))
		purge_one(path, set, p, say);
	if (dir != NULL)
		closedir(dir);
}

unsigned
unfinished_expire(const char *datadir, uint64_t before_us)
{
	DIR *dir = opendir(datadir);
	char path[PATH_CAP], data[PATH_CAP];
	struct stat st;
	unsigned n = 0;

	while (dir != NULL && next_path(dir, datadir, path)) {
		snprintf(data, sizeof data, "%.4200s/data.mdb", path);
		if (stat(data, &st) != 0 ||
		    (uint64_t)st.st_mtime * SECOND_US >= before_us)
			continue;
		if (directory_remove(path) == 0)
			n++;
		else
			log_warn("%s: %s", path, strerror(errno));
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}
