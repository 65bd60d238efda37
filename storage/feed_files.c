/* feed_files.c: the files of a feed: their names, and how they come to be. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/feed_files.h"
#include "storage/feed_notice.h"
#include "storage/feed_zip.h"
#include "storage/text.h"

enum {
	FLUSH_MOST = 64 << 10,
	FLUSH_LEAST = 4 << 10,
	PENDING_MOST = 192 << 20, /* of all files together */
	SYNC_EACH = 64, /* files; of more the file system is synced at once */
	PATH_CAP = 4096
};

/*
 * Rows gather in memory and are appended to a temporary file, which is opened
 * for that only: thousands of recipients would need more descriptors than a
 * process has.
 */
struct file {
	struct buf pending;
	uint64_t rows;
	bool made, told; /* the temporary file, and the notification's */
	struct notice notice;
};

struct feed_files {
	const char *dir;
	uint64_t day_us;
	enum feed_kind kind;
	const struct recipients *recipients;
	const struct sweep_info *info; /* NULL: no notifications */
	const struct advices *advices;
	const char *contact;
	size_t flush_at; /* as a buffer grows: then it is never twice that */
	size_t written; /* files that have rows */
	struct file (*v)[2][FEED_TYPES]; /* by recipient, family, type */
};

struct feed_files *
feed_files_new(const char *dir, uint64_t day_us, enum feed_kind kind,
    const struct recipients *recipients)
{
	struct feed_files *f = need_memory(1, sizeof *f);

	f->dir = dir;
	f->day_us = day_us;
	f->kind = kind;
	f->recipients = recipients;
	f->v = need_memory(recipients->n, sizeof *f->v);
	f->flush_at = FLUSH_LEAST;
	while (f->flush_at < FLUSH_MOST &&
	    f->flush_at * 2 * recipients->n * 2 * FEED_TYPES <= PENDING_MOST)
		f->flush_at *= 2;
	return f;
}

void
feed_files_notify(struct feed_files *f, const struct sweep_info *info,
    const struct advices *advices, const char *contact)
{
	f->info = info;
	f->advices = advices;
	f->contact = contact;
}

/* The first kind of filter that a recipient has, in a fixed order. */
static const char *
filter_name(const struct recipient *r)
{
	return r->nasns > 0 ? "asn"
	    : r->prefixes   ? "cidr"
	    : r->ncountries ? "geo"
	    : r->ndomains   ? "domain"
			    : "all";
}

static const char *
make_name(const struct feed_files *f, size_t recipient, enum feed_type type,
    bool six, const char *ending, char name[FEED_NAME_MAX])
{
	static const char *const kinds[] = { "", "_new", "_gone" };
	const struct recipient *r = &f->recipients->v[recipient];
	char day[TIME_TEXT_MAX];

	snprintf(name, FEED_NAME_MAX, "%s-%s-%s%s-%s%s",
	    text_day(f->day_us, day), feed_type_name(type, six), r->name,
	    kinds[f->kind], filter_name(r), ending);
	return name;
}

const char *
feed_files_name(const struct feed_files *f, size_t recipient,
    enum feed_type type, bool six, char name[FEED_NAME_MAX])
{
	bool zip = f->recipients->v[recipient].zip;

	return make_name(
	    f, recipient, type, six, zip ? ".csv.zip" : ".csv", name);
}

const char *
feed_files_notice_name(const struct feed_files *f, size_t recipient,
    enum feed_type type, bool six, char name[FEED_NAME_MAX])
{
	return make_name(f, recipient, type, six, ".txt", name);
}

/* Of the temporary file: hidden, and not a .csv to anybody's pattern. */
static void
temporary_path(const struct feed_files *f, size_t recipient,
    enum feed_type type, bool six, char path[PATH_CAP])
{
	char name[FEED_NAME_MAX];

	feed_files_name(f, recipient, type, six, name);
	snprintf(path, PATH_CAP, "%s/.%s.%ld", f->dir, name, (long)getpid());
}

static int
write_all(int fd, const char *s, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, s, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* Does each file have a sync of its own? */
static bool
syncs_each(const struct feed_files *f)
{
	return f->written <= SYNC_EACH;
}

/* Append what is pending; the last time it is for good. */
static int
flush_file(struct feed_files *f, size_t recipient, enum feed_type type,
    bool six, bool last)
{
	struct file *file = &f->v[recipient][six][type];
	char path[PATH_CAP];
	int fd;

	temporary_path(f, recipient, type, six, path);
	fd = open(path,
	    O_WRONLY | O_CLOEXEC | O_NOFOLLOW |
		(file->made ? O_APPEND : O_CREAT | O_TRUNC),
	    0644);
	if (fd < 0)
		return -1;
	file->made = true;
	if (write_all(fd, buf_text(&file->pending), file->pending.len) < 0)
		return close_keeping_errno(fd);
	buf_free(&file->pending);
	if (last && syncs_each(f) && fsync(fd) < 0)
		return close_keeping_errno(fd);
	return close(fd);
}

int
feed_files_add(struct feed_files *f, size_t recipient, enum feed_type type,
    bool six, const struct row *row, const struct buf *line)
{
	struct file *file = &f->v[recipient][six][type];
	const struct recipient *r = &f->recipients->v[recipient];

	f->written += file->rows == 0;
	if (file->rows == 0)
		feed_header(&file->pending, type, r->columns, r->ncolumns);
	else if (file->pending.len + line->len >= f->flush_at &&
	    flush_file(f, recipient, type, six, false) < 0)
		return -1;
	buf_add(&file->pending, line->s, line->len);
	file->rows++;
	if (f->info)
		notice_add(&file->notice, row);
	if (file->pending.len < f->flush_at)
		return 0;
	return flush_file(f, recipient, type, six, false);
}

/* The temporary file, packed, in place of it. */
static int
pack(struct feed_files *f, size_t recipient, enum feed_type type, bool six)
{
	char plain[PATH_CAP], packed[PATH_CAP + 1], name[FEED_NAME_MAX];

	temporary_path(f, recipient, type, six, plain);
	snprintf(packed, sizeof packed, "%sz", plain);
	make_name(f, recipient, type, six, ".csv", name);
	if (feed_zip(plain, packed, name, f->day_us) < 0)
		return -1;
	return rename(packed, plain);
}

static void
notice_path(const struct feed_files *f, size_t recipient, enum feed_type type,
    bool six, char path[PATH_CAP])
{
	char name[FEED_NAME_MAX];

	feed_files_notice_name(f, recipient, type, six, name);
	snprintf(path, PATH_CAP, "%s/.%s.%ld", f->dir, name, (long)getpid());
}

static int
write_notice(
    struct feed_files *f, size_t recipient, enum feed_type type, bool six)
{
	struct file *file = &f->v[recipient][six][type];
	char path[PATH_CAP], name[FEED_NAME_MAX];
	struct notice_of of = { f->info, f->advices,
		f->recipients->v[recipient].name, name, f->contact, type, six,
		f->kind };
	int fd;

	notice_path(f, recipient, type, six, path);
	feed_files_name(f, recipient, type, six, name);
	notice_write(&file->notice, &of, &file->pending);
	fd = open(
	    path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return -1;
	file->told = true;
	if (write_all(fd, buf_text(&file->pending), file->pending.len) < 0 ||
	    (syncs_each(f) && fsync(fd) < 0))
		return close_keeping_errno(fd);
	buf_free(&file->pending);
	return close(fd);
}

/* All of it in the file system, under names that nobody reads. */
static int
write_file(
    struct feed_files *f, size_t recipient, enum feed_type type, bool six)
{
	if (f->v[recipient][six][type].rows == 0)
		return 0;
	if (flush_file(f, recipient, type, six, true) < 0)
		return -1;
	if (f->recipients->v[recipient].zip &&
	    pack(f, recipient, type, six) < 0)
		return -1;
	return f->info ? write_notice(f, recipient, type, six) : 0;
}

/* The notification after the file that it is about. */
static int
name_file(struct feed_files *f, size_t recipient, enum feed_type type, bool six)
{
	char from[PATH_CAP], to[PATH_CAP], name[FEED_NAME_MAX];
	struct file *file = &f->v[recipient][six][type];

	if (file->rows == 0)
		return 0;
	temporary_path(f, recipient, type, six, from);
	feed_files_name(f, recipient, type, six, name);
	snprintf(to, sizeof to, "%s/%s", f->dir, name);
	if (rename(from, to) < 0)
		return -1;
	file->made = false;
	if (!file->told)
		return 0;
	notice_path(f, recipient, type, six, from);
	feed_files_notice_name(f, recipient, type, six, name);
	snprintf(to, sizeof to, "%s/%s", f->dir, name);
	if (rename(from, to) < 0)
		return -1;
	file->told = false;
	return 0;
}

static int
each_file(struct feed_files *f,
    int (*each)(struct feed_files *, size_t, enum feed_type, bool))
{
	for (size_t r = 0; r < f->recipients->n; r++)
		for (int six = 0; six < 2; six++)
			for (int t = 0; t < FEED_TYPES; t++)
				if (each(f, r, (enum feed_type)t, six) < 0)
					return -1;
	return 0;
}

/* Its names are as lasting as what is in the files; or all that is in them. */
static int
sync_directory(const char *dir, int (*sync)(int))
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (sync(fd) < 0)
		return close_keeping_errno(fd);
	return close(fd);
}

int
feed_files_finish(struct feed_files *f)
{
	if (each_file(f, write_file) < 0 ||
	    (!syncs_each(f) && sync_directory(f->dir, syncfs) < 0) ||
	    each_file(f, name_file) < 0)
		return -1;
	return sync_directory(f->dir, fsync);
}

void
feed_files_free(struct feed_files *f)
{
	char path[PATH_CAP];

	if (!f)
		return;
	for (size_t r = 0; r < f->recipients->n; r++)
		for (int n = 0; n < 2 * FEED_TYPES; n++) {
			bool six = n >= FEED_TYPES;
			enum feed_type type = (enum feed_type)(n % FEED_TYPES);

			buf_free(&f->v[r][six][type].pending);
			notice_free(&f->v[r][six][type].notice);
			if (f->v[r][six][type].made) {
				temporary_path(f, r, type, six, path);
				unlink(path);
			}
			if (f->v[r][six][type].told) {
				notice_path(f, r, type, six, path);
				unlink(path);
			}
		}
	free(f->v);
	free(f);
}

uint64_t
feed_files_rows(
    const struct feed_files *f, size_t recipient, enum feed_type type, bool six)
{
	return f->v[recipient][six][type].rows;
}
