/* datadir.c: the directory that everything is kept in, made ready. */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "storage/datadir.h"
#include "storage/layout.h"

enum { MODE = 0755, HOLD_SECONDS = 3 };

static int
make_one(const char *path)
{
	return mkdir(path, MODE) == 0 || errno == EEXIST ? 0 : -1;
}

static void
wake(int signo)
{
	(void)signo;
}

/* One that was killed a moment ago may still be on its way out: wait a bit. */
static int
hold(void)
{
	struct sigaction sa = { .sa_handler = wake }, old;
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, &old);
	alarm(HOLD_SECONDS);
	rc = flock(fd, LOCK_EX);
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	return rc;
}

int
datadir_enter(const char *path, char error[STORE_ERROR_MAX])
{
	if (make_one(path) == 0 && chdir(path) == 0 && hold() == 0 &&
	    make_one(LAYOUT_SEALED) == 0 && make_one(LAYOUT_LIVE) == 0)
		return 0;
	store_say(error, "data directory %s: %s", path,
	    errno == EINTR ? "another mailsweepd is at work in it"
			   : strerror(errno));
	return -1;
}

/* A link is given away itself, never what it points at. */
static int
give(int dir, const char *name, uid_t uid, gid_t gid)
{
	return fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/* A directory of ours and the files in it, if it is there. */
static int
give_directory(const char *path, uid_t uid, gid_t gid)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int rc;

	if (dir == NULL)
		return errno == ENOENT ? 0 : -1;
	rc = give(AT_FDCWD, path, uid, gid);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, "..") != 0)
			rc = give(dirfd(dir), entry->d_name, uid, gid);
	closedir(dir);
	return rc;
}

int
datadir_give(uid_t uid, gid_t gid, char error[STORE_ERROR_MAX])
{
	static const char *const files[] = { ".", LAYOUT_CERTS,
		LAYOUT_CERTS "-lock", LAYOUT_CATALOG, LAYOUT_CATALOG "-lock" };

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (give(AT_FDCWD, files[i], uid, gid) != 0 && errno != ENOENT)
			goto fail;
	if (give_directory(LAYOUT_LIVE, uid, gid) == 0 &&
	    give_directory(LAYOUT_SEALED, uid, gid) == 0)
		return 0;
fail:
	store_say(error, "the data directory cannot be given to uid %u: %s",
	    (unsigned)uid, strerror(errno));
	return -1;
}
