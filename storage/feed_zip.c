/* feed_zip.c: a file of a feed, packed. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <zip.h>

#include "storage/feed_zip.h"

static int
add_file(zip_t *z, const char *from, const char *name, time_t when)
{
	zip_source_t *source = zip_source_file(z, from, 0, -1);
	zip_int64_t at;

	if (!source)
		return -1;
	at = zip_file_add(z, name, source, ZIP_FL_ENC_UTF_8);
	if (at < 0) {
		zip_source_free(source);
		return -1;
	}
	return zip_file_set_mtime(z, (zip_uint64_t)at, when, 0);
}

static int
sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), saved;

	if (fd < 0)
		return -1;
	if (fsync(fd) == 0)
		return close(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
feed_zip(const char *from, const char *to, const char *name, uint64_t time_us)
{
	int code = 0, saved;
	zip_t *z = zip_open(to, ZIP_CREATE | ZIP_TRUNCATE, &code);

	if (!z) {
		if (code != ZIP_ER_OPEN)
			errno = EIO;
		return -1;
	}
	if (add_file(z, from, name, (time_t)(time_us / 1000000)) < 0 ||
	    zip_close(z) < 0) {
		saved = zip_error_code_system(zip_get_error(z));
		zip_discard(z);
		errno = saved ? saved : EIO;
		return -1;
	}
	if (sync_file(to) == 0)
		return 0;
	saved = errno;
	unlink(to);
	errno = saved;
	return -1;
}
