/* store_list.c: which sweeps there are, and what is said of them. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "storage/info.h"
#include "storage/layout.h"
#include "storage/store.h"
#include "storage/view.h"

void
store_say(char error[STORE_ERROR_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, STORE_ERROR_MAX, fmt, ap);
	va_end(ap);
}

bool
store_name_id(const char *name, char id[SWEEP_ID_MAX])
{
	size_t n = strlen(name), suffix = sizeof LAYOUT_SUFFIX - 1;

	if (name[0] == '.' || n <= suffix || n - suffix >= SWEEP_ID_MAX ||
	    memcmp(name + n - suffix, LAYOUT_SUFFIX, suffix) != 0)
		return false;
	memcpy(id, name, n - suffix);
	id[n - suffix] = '\0';
	return true;
}

bool
store_newest(const char *datadir, char id[SWEEP_ID_MAX])
{
	char path[LAYOUT_PATH_MAX + 32], each[SWEEP_ID_MAX];
	struct dirent *entry;
	DIR *dir;

	id[0] = '\0';
	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED, datadir);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	/* An id begins with its time, so the newest is the greatest. */
	while ((entry = readdir(dir)) != NULL)
		if (store_name_id(entry->d_name, each) && strcmp(each, id) > 0)
			memcpy(id, each, sizeof each);
	closedir(dir);
	return id[0] != '\0';
}

int
store_sweeps(const char *datadir,
    bool (*each)(const struct sweep_info *, void *), void *arg,
    char error[STORE_ERROR_MAX])
{
	char path[LAYOUT_PATH_MAX + 32];
	struct sweep_info info;
	struct view v = { 0 };
	MDB_cursor *c;
	MDB_val key, value;
	MDB_dbi dbi;
	int rc;

	snprintf(path, sizeof path, "%s/" LAYOUT_CATALOG, datadir);
	rc = view_open(&v, path, MDB_NOSUBDIR);
	if (rc == ENOENT && access(datadir, F_OK) == 0)
		return 0; /* none has ended yet */
	if (rc != 0) {
		store_say(error, "%s: %s", path, mdb_strerror(rc));
		return -1;
	}
	dbi = view_dbi(&v, DB_SWEEPS);
	if (dbi != NO_DBI && mdb_cursor_open(v.txn, dbi, &c) == 0) {
		while (mdb_cursor_get(c, &key, &value, MDB_NEXT) == 0)
			if (info_read(value.mv_data, value.mv_size, &info) ==
				0 &&
			    !each(&info, arg))
				break;
		mdb_cursor_close(c);
	}
	view_close(&v);
	return 0;
}
