/* count.c: statistics of a sealed sweep, by one process or several. */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "storage/count.h"
#include "storage/shares.h"

static void
count_row(struct store_scan *scan, const struct filter *f, struct row *r,
    struct statistics *to)
{
	if (!filter_passes(f, &r->target, &r->head))
		return;
	r->body = NULL;
	r->len = 0;
	if ((statistics_wants_body(to, &r->head) || filter_wants_body(f)) &&
	    !store_scan_body(scan, &r->body, &r->len))
		r->body = NULL;
	if (filter_passes_body(f, r))
		statistics_add(to, r);
}

static bool
count_scan(
    struct store_scan *scan, const struct filter *f, struct statistics *to)
{
	struct row r = { 0 };

	if (!scan)
		return false;
	while (store_scan_next(scan, &r.target, &r.head))
		count_row(scan, f, &r, to);
	store_scan_free(scan);
	return true;
}

bool
count_rows(struct store *s, const struct filter *f, struct statistics *to)
{
	return count_scan(store_scan_new(s), f, to);
}

/* ---- pieces -------------------------------------------------------------- */

/*
 * Addresses in pieces, each taken by the process that is free, in their order.
 * Mail servers are where addresses are given out, so these are cut finely:
 * IPv4 into /10s, 2000::/3 into /14s; the rest lies between.
 */
enum {
	PIECES4 = 1 << 10,
	PIECES6 = 1 << 11,
	BELOW4 = 0, /* the first piece */
	FIRST4 = 1,
	ABOVE4 = FIRST4 + PIECES4,
	FIRST6 = ABOVE4 + 1,
	ABOVE6 = FIRST6 + PIECES6,
	PIECES = ABOVE6 + 1
};

/* The lowest address of a piece. */
static struct addr
piece_begin(unsigned piece)
{
	struct addr a = { { 0 } };
	unsigned n;

	if (piece >= FIRST6) {
		n = 0x2000 + ((piece - FIRST6) << 2);
		a.b[0] = (uint8_t)(n >> 8);
		a.b[1] = (uint8_t)n;
	} else if (piece == ABOVE4) {
		a.b[9] = 1; /* ::1:0:0:0 is behind ::ffff:255.255.255.255 */
	} else if (piece >= FIRST4) {
		a = addr_from4((piece - FIRST4) << 22);
	}
	return a;
}

static struct addr
piece_end(unsigned piece)
{
	struct addr a = piece_begin(piece + 1);

	if (piece == ABOVE6) {
		memset(a.b, 0xff, sizeof a.b);
		return a;
	}
	for (size_t i = sizeof a.b; i > 0 && a.b[i - 1]-- == 0; i--)
		;
	return a;
}

/* ---- processes ----------------------------------------------------------- */

enum { PROCESSES_MAX = 8, WORTH_IT = 100000 };

/* What all processes see. */
struct common {
	atomic_uint next; /* piece */
	_Atomic uint64_t damaged;
	char error[STORE_ERROR_MAX]; /* of one of them */
};

struct job {
	const char *datadir, *sweep;
	const struct filter *filter;
	struct statistics *to;
	struct common *common;
	int parts[PROCESSES_MAX]; /* files in memory; [0] is not used */
};

unsigned
count_processes(uint64_t heads)
{
	cpu_set_t cores;
	int n = 1;

	if (heads >= WORTH_IT &&
	    sched_getaffinity(0, sizeof cores, &cores) == 0)
		n = CPU_COUNT(&cores);
	return n > PROCESSES_MAX ? PROCESSES_MAX : (unsigned)n;
}

static bool
count_pieces(struct store *s, const struct job *j)
{
	unsigned piece;

	while ((piece = atomic_fetch_add(&j->common->next, 1)) < PIECES) {
		struct addr first = piece_begin(piece), last = piece_end(piece);

		if (!count_scan(
			store_scan_range(s, &first, &last), j->filter, j->to)) {
			store_say(j->common->error, "%s: %s", j->sweep,
			    strerror(ENOMEM));
			return false;
		}
	}
	return true;
}

static bool
count_share(const struct job *j)
{
	struct store *s = store_open(j->datadir, j->sweep, j->common->error);
	bool good = s && count_pieces(s, j);

	if (s)
		j->common->damaged += store_damaged(s);
	store_close(s);
	return good;
}

static bool
give_part(const struct job *j, int fd)
{
	struct buf b = { 0 };
	size_t at = 0;
	ssize_t n = 0;

	statistics_part(j->to, &b);
	while (at < b.len && (n = write(fd, b.s + at, b.len - at)) > 0)
		at += (size_t)n;
	if (at < b.len)
		store_say(
		    j->common->error, "%s: %s", j->sweep, strerror(errno));
	buf_free(&b);
	return n >= 0;
}

static bool
take_part(const struct job *j, int fd)
{
	struct stat st;
	void *bytes;
	bool good;

	if (fstat(fd, &st) < 0)
		return false;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	good = statistics_add_part(j->to, bytes, (size_t)st.st_size);
	munmap(bytes, (size_t)st.st_size);
	return good;
}

/* In the caller, which has counted its own share. */
static bool
take_parts(const struct job *j, struct shares *shares, unsigned processes)
{
	bool good = shares_wait(shares);

	for (unsigned i = 1; good && i < processes; i++)
		good = take_part(j, j->parts[i]);
	return good;
}

static void
close_parts(struct job *j, unsigned processes)
{
	for (unsigned i = 1; i < processes; i++)
		close(j->parts[i]);
}

static bool
open_parts(struct job *j, unsigned processes)
{
	for (unsigned i = 1; i < processes; i++) {
		j->parts[i] = memfd_create("counts", MFD_CLOEXEC);
		if (j->parts[i] < 0) {
			close_parts(j, i);
			return false;
		}
	}
	return true;
}

static bool
run(struct job *j, struct shares *shares, unsigned mine, unsigned processes)
{
	bool good;

	j->common = shares_common(shares);
	good = count_share(j);
	if (mine > 0)
		good = good && give_part(j, j->parts[mine]);
	else
		good = take_parts(j, shares, processes) && good;
	return good;
}

bool
count_shared(const char *datadir, const char *sweep, const struct filter *f,
    unsigned processes, struct statistics *to, uint64_t *damaged,
    char error[STORE_ERROR_MAX])
{
	struct job j = { datadir, sweep, f, to, NULL, { 0 } };
	struct shares *shares = NULL;
	unsigned mine;
	bool good;

	*damaged = 0;
	if (processes > PROCESSES_MAX)
		processes = PROCESSES_MAX;
	if (open_parts(&j, processes)) {
		shares = shares_begin(processes, sizeof *j.common, &mine);
		if (!shares)
			close_parts(&j, processes);
	}
	if (!shares) {
		store_say(error, "processes: %s", strerror(errno));
		return false;
	}
	good = run(&j, shares, mine, processes);
	*damaged = j.common->damaged;
	store_say(error, "%s",
	    j.common->error[0] ? j.common->error : "a process has died");
	shares_end(shares, good);
	close_parts(&j, processes);
	return good;
}
