/* cmd_report.c: `mailsweep report`: a page about a sweep. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/report.h"
#include "storage/store_catalog.h"
#include "storage/tool.h"

enum {
	REPORT_PUBLIC = OPTION_OWN,
	REPORT_MASK,
	REPORT_ATTRIBUTION,
	REPORT_PUBLISHER,
	REPORT_CONTACT,
	PUBLIC_MASK = 10,
	MASK_MAX = 1000000,
	ATTRIBUTION_MAX = 4096
};

struct request {
	const char *out;
	bool masked; /* --mask-below was given */
	struct report report;
};

static void
add_line(struct buf *lines, const char *line)
{
	size_t len = strcspn(line, "\r\n");

	buf_add(lines, line, len);
	buf_putc(lines, '\n');
}

static int
take_options(struct tool *t, struct request *r, int argc, char **argv)
{
	static const struct option own[] = { { "output", required_argument,
						 NULL, 'o' },
		{ "public", no_argument, NULL, REPORT_PUBLIC },
		{ "mask-below", required_argument, NULL, REPORT_MASK },
		{ "attribution", required_argument, NULL, REPORT_ATTRIBUTION },
		{ "publisher", required_argument, NULL, REPORT_PUBLISHER },
		{ "contact", required_argument, NULL, REPORT_CONTACT }, { 0 } };
	int c, status;
	bool good = true;

	while (good && (c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c == 'o')
			r->out = optarg;
		else if (c == REPORT_PUBLIC)
			r->report.for_public = true;
		else if (c == REPORT_MASK)
			good = r->masked = tool_number(t, "mask-below", optarg,
			    MASK_MAX, &r->report.mask_below);
		else if (c == REPORT_ATTRIBUTION)
			add_line(&r->report.attribution, optarg);
		else if (c == REPORT_PUBLISHER)
			r->report.publisher = optarg;
		else if (c == REPORT_CONTACT)
			r->report.contact = optarg;
		else
			good = tool_usage(t, "-v: not expected") == TOOL_OK;
	}
	status = tool_options_over(t, good ? status : TOOL_USAGE, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if (t->json)
		return tool_usage(t,
		    "--json: a report is HTML; stats --json has the figures");
	if (!r->out)
		return tool_usage(t, "expected -o FILE.html");
	if (r->report.for_public && !r->masked)
		r->report.mask_below = PUBLIC_MASK;
	return tool_setup(t);
}

/* ---- where the places are from ------------------------------------------- */

static bool
has_line(const struct buf *lines, const char *line, size_t len)
{
	const char *at = buf_text(lines);

	while (*at) {
		size_t n = strcspn(at, "\n");

		if (n == len && memcmp(at, line, n) == 0)
			return true;
		at += n + (at[n] == '\n');
	}
	return false;
}

/* The file ATTRIBUTION beside a database, as scripts/get-geo keeps it. */
static void
read_attribution(struct buf *lines, const char *database)
{
	char directory[PATH_MAX], path[PATH_MAX + 16], line[ATTRIBUTION_MAX];
	FILE *f;

	if (database[0] == '\0')
		return;
	snprintf(directory, sizeof directory, "%s", database);
	snprintf(path, sizeof path, "%s/ATTRIBUTION", dirname(directory));
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		size_t len = strcspn(line, "\r\n");

		if (len > 0 && !has_line(lines, line, len))
			add_line(lines, line);
	}
	fclose(f);
}

static void
find_attribution(const struct tool *t, struct report *r)
{
	if (t->configured) {
		read_attribution(&r->attribution, t->conf.geo_mmdb4);
		read_attribution(&r->attribution, t->conf.geo_mmdb6);
		read_attribution(&r->attribution, t->conf.asn_csv);
	}
	if (r->info->geo_build_us != 0 && r->attribution.len == 0)
		tool_error("no attribution for the geo data: expected a file "
			   "ATTRIBUTION beside it, or --attribution TEXT");
}

/* ---- who publishes it ---------------------------------------------------- */

/* The public must be able to ask, and to be left out. */
static void
find_publisher(const struct tool *t, struct report *r)
{
	if (!r->publisher)
		r->publisher = t->configured ? t->conf.publisher : "";
	if (!r->contact)
		r->contact = t->configured ? t->conf.contact : "";
	if (r->for_public && (!r->publisher[0] || !r->contact[0]))
		tool_error("a public page says who publishes it and whom to "
			   "ask: expected publisher and contact in the "
			   "configuration, or --publisher and --contact");
}

/* ---- the file ------------------------------------------------------------ */

static int
write_all(int fd, const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->s + at, b->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

static int
sync_and_rename(int fd, const char *from, const char *to)
{
	char directory[PATH_MAX];

	snprintf(directory, sizeof directory, "%s", to);
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || rename(from, to) < 0)
		return -1;
	return directory_sync(dirname(directory));
}

/* A reader sees the old page or the new one, whole. */
static int
write_file(const char *path, const struct buf *page)
{
	char temporary[PATH_MAX];
	int fd, n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);

	if (n >= (int)sizeof temporary)
		return tool_error("%s: %s", path, strerror(ENAMETOOLONG));
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return tool_error("%s: %s", path, strerror(errno));
	if (write_all(fd, page) < 0 ||
	    sync_and_rename(fd, temporary, path) < 0) {
		tool_error("%s: %s", path, strerror(errno));
		unlink(temporary);
		close(fd);
		return TOOL_ERROR;
	}
	close(fd);
	return TOOL_OK;
}

static int
put_page(const struct request *r)
{
	struct buf page = { 0 };
	int status = TOOL_OK;

	report_write(&r->report, &page);
	if (strcmp(r->out, "-") == 0)
		fwrite(page.s, 1, page.len, stdout);
	else
		status = write_file(r->out, &page);
	buf_free(&page);
	return status;
}

static int
make_report(struct tool *t, struct request *r)
{
	char error[STORE_ERROR_MAX];
	struct advices *advices = tool_advices();
	struct store *s = advices ? tool_store(t) : NULL;
	int status = TOOL_ERROR;

	r->report.datadir = t->datadir;
	r->report.advices = advices;
	if (s && !report_read(&r->report, s, error)) {
		tool_error("%s", error);
	} else if (s) {
		find_attribution(t, &r->report);
		find_publisher(t, &r->report);
		status = tool_damaged(
		    "earlier sweeps", r->report.damaged, put_page(r));
	}
	report_free(&r->report);
	advice_free(advices);
	return s ? tool_store_close(s, status) : status;
}

static int
report_run(struct tool *t, int argc, char **argv)
{
	struct request r = { .out = NULL };
	int status = take_options(t, &r, argc, argv);

	if (status == TOOL_GO_ON)
		return make_report(t, &r);
	report_free(&r.report);
	return status;
}

const struct command command_report = { "report", "-o FILE.html [option ...]",
	"Write a page that stands alone: map, tables, figures",
	"  -o, --output FILE      the page; - is standard output\n"
	"      --public           nothing that names a host, and small counts\n"
	"                         masked\n"
	"      --mask-below N     counts below N go into the rest; 0: none\n"
	"                         [0; with --public 10]\n"
	"      --attribution TEXT a line for the foot, as the geo data's\n"
	"                         licence asks for; may be repeated\n"
	"      --publisher TEXT   who publishes it [publisher of the "
	"configuration]\n"
	"      --contact TEXT     whom to ask, and who leaves out who asks for "
	"it\n"
	"                         [contact of the configuration]\n",
	report_run };
