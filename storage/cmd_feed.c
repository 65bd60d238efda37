/* cmd_feed.c: `mailsweep feed`: notification feeds from a sealed sweep. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "storage/change.h"
#include "storage/feed_files.h"
#include "storage/feed_make.h"
#include "storage/json_out.h"
#include "storage/shares.h"
#include "storage/tool.h"

enum {
	FEED_RECIPIENT = OPTION_OWN,
	FEED_NEW,
	FEED_GONE,
	FEED_HOLES,
	FEED_NOTICE,
	FEED_GONE_AFTER
};

struct request {
	const char *recipient, *dir, *holes_file;
	enum feed_kind kind;
	uint64_t gone_after;
	bool notice;
};

static int
take_options(struct tool *t, struct request *r, int argc, char **argv)
{
	static const struct option own[] = { { "recipient", required_argument,
						 NULL, FEED_RECIPIENT },
		{ "output", required_argument, NULL, 'o' },
		{ "notice", no_argument, NULL, FEED_NOTICE },
		{ "new", no_argument, NULL, FEED_NEW },
		{ "gone", no_argument, NULL, FEED_GONE },
		{ "gone-after", required_argument, NULL, FEED_GONE_AFTER },
		{ "smtp-vulnerable", required_argument, NULL, FEED_HOLES },
		{ 0 } };
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c == FEED_RECIPIENT)
			r->recipient = optarg;
		else if (c == 'o')
			r->dir = optarg;
		else if (c == FEED_NOTICE)
			r->notice = true;
		else if (c == FEED_HOLES)
			r->holes_file = optarg;
		else if (c == FEED_NEW || c == FEED_GONE)
			r->kind =
			    c == FEED_NEW ? FEED_NEW_ROWS : FEED_GONE_ROWS;
		else if (c != FEED_GONE_AFTER)
			return tool_usage(t, "-%c: not an option of feed", c);
		else if (!tool_number(t, "gone-after", optarg, UINT16_MAX,
			     &r->gone_after))
			return TOOL_USAGE;
	}
	status = tool_options_over(t, status, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	return tool_setup(t);
}

/* Letters, digits and '_': it goes into file names. */
static bool
is_recipient_name(const char *s)
{
	size_t n = strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n > 0 && s[n] == '\0' && n < sizeof((struct recipient *)0)->name;
}

/*
 * The recipients to serve, in *chosen: those of the configuration, the one
 * asked for, or one who sees everything where none are configured. They stay
 * the tool's but for `alone`.
 */
static int
choose(const struct tool *t, const struct request *r, struct recipient *alone,
    struct recipients *chosen)
{
	*chosen = t->recipients;
	for (size_t i = 0; r->recipient && i < t->recipients.n; i++)
		if (strcmp(t->recipients.v[i].name, r->recipient) == 0) {
			chosen->v = &t->recipients.v[i];
			chosen->n = 1;
			return TOOL_GO_ON;
		}
	if (r->recipient && t->recipients.n > 0)
		return tool_error(
		    "%s: no such recipient in the configuration", r->recipient);
	if (t->recipients.n > 0)
		return TOOL_GO_ON;
	if (r->recipient && !is_recipient_name(r->recipient))
		return tool_usage(t,
		    "--recipient %s: expected letters, digits and _",
		    r->recipient);
	snprintf(alone->name, sizeof alone->name, "%s",
	    r->recipient ? r->recipient : "all");
	alone->everything = true;
	chosen->v = alone;
	chosen->n = 1;
	return TOOL_GO_ON;
}

/* Rows of each file: what the processes tell each other. */
typedef uint64_t file_rows[2][FEED_TYPES];

/*
 * A row is of one protocol, and so is a file: each process has one of them.
 * SMTP has the most ports, and would be left alone on one core in the end: the
 * others let it pass.
 */
static const enum protocol protocols[] = { PROTOCOL_SMTP, PROTOCOL_POP3,
	PROTOCOL_IMAP };
enum { PROCESSES = sizeof protocols / sizeof protocols[0], LETS_PASS = 5 };

struct feeding {
	const struct request *request;
	const struct recipients *all;
	const struct holes *holes;
	const struct advices *advices;
	char sweep[SWEEP_ID_MAX];
	struct feed_files *files;
	file_rows *rows; /* of each recipient */
};

static void
print_file(const struct tool *t, const struct feeding *f, size_t r,
    enum feed_type type, bool six)
{
	const struct recipient *to = &f->all->v[r];
	uint64_t rows = f->rows[r][six][type];
	char name[FEED_NAME_MAX];
	struct json_object *o;

	if (rows == 0)
		return;
	feed_files_name(f->files, r, type, six, name);
	if (!t->json) {
		printf("%-24s %-24s %10" PRIu64 "  %s\n", to->name,
		    feed_type_name(type, six), rows, name);
		return;
	}
	o = json_object_new_object();
	json_put_string(o, "sweep", f->sweep);
	json_put_string(o, "recipient", to->name);
	json_put_string(o, "contact", to->contact);
	json_put_string(o, "type", feed_type_name(type, six));
	json_put_string(o, "title", feed_type_title(type));
	json_put_number(o, "rows", rows);
	json_put_string(o, "file", name);
	if (f->request->notice)
		json_put_string(o, "notice",
		    feed_files_notice_name(f->files, r, type, six, name));
	json_print(o, false);
}

/* How many rows there were. */
static uint64_t
print_summary(const struct tool *t, const struct feeding *f)
{
	uint64_t sum = 0;

	if (!t->json)
		printf("%-24s %-24s %10s  %s\n", "recipient", "type", "rows",
		    "file");
	for (size_t r = 0; r < f->all->n; r++)
		for (int six = 0; six < 2; six++)
			for (int type = 0; type < FEED_TYPES; type++) {
				print_file(t, f, r, (enum feed_type)type, six);
				sum += f->rows[r][six][type];
			}
	return sum;
}

static void
note_rows(const struct feeding *f)
{
	for (size_t r = 0; r < f->all->n; r++)
		for (int six = 0; six < 2; six++)
			for (int type = 0; type < FEED_TYPES; type++)
				f->rows[r][six][type] += feed_files_rows(
				    f->files, r, (enum feed_type)type, six);
}

static bool
failed(const struct feeding *f)
{
	tool_error("%s: %s", f->request->dir, strerror(errno));
	return false;
}

/* One protocol's files, which get their names when all have been written. */
static bool
write_share(const struct feeding *f, struct store *s, struct shares *shares,
    enum protocol protocol)
{
	struct feed_order order = { .recipients = f->all,
		.holes = f->holes,
		.files = f->files,
		.kind = f->request->kind,
		.gone_after = f->request->gone_after,
		.protocols = 1u << protocol };
	uint64_t rows;
	bool good = s && feed_make(s, &order, &rows) == 0;

	if (s && !good)
		failed(f);
	if (!shares_agree(shares, good))
		return false;
	if (feed_files_finish(f->files) < 0)
		return failed(f);
	note_rows(f);
	return true;
}

/* In each process; but only the first returns. */
static int
write_feeds(
    struct tool *t, struct feeding *f, struct shares *shares, unsigned mine)
{
	struct store *s = tool_store(t);
	int status = TOOL_ERROR;
	bool good;

	if (mine > 0)
		(void)setpriority(
		    PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + LETS_PASS);
	f->rows = shares_common(shares);
	if (s)
		f->files = feed_files_new(f->request->dir,
		    store_info(s)->sweep.start_us, f->request->kind, f->all);
	if (s && f->request->notice)
		feed_files_notify(
		    f->files, store_info(s), f->advices, t->conf.contact);
	good = write_share(f, s, shares, protocols[mine]);
	if (good && mine == 0 && shares_wait(shares))
		status = print_summary(t, f) > 0 ? TOOL_OK : TOOL_NOTHING;
	feed_files_free(f->files);
	if (mine > 0)
		store_close(s);
	else if (s)
		status = tool_store_close(s, status);
	shares_end(shares, good);
	return status;
}

/* The same sweep for all, though another be sealed meanwhile. */
static bool
settle_sweep(struct tool *t, char id[SWEEP_ID_MAX])
{
	struct store *s = tool_store(t);

	if (!s)
		return false;
	snprintf(id, SWEEP_ID_MAX, "%s", store_info(s)->sweep.id);
	store_close(s);
	t->sweep = id;
	return true;
}

static int
share_out(struct tool *t, struct feeding *f)
{
	struct shares *shares;
	unsigned mine;

	if (!settle_sweep(t, f->sweep))
		return TOOL_ERROR;
	shares = shares_begin(PROCESSES, f->all->n * sizeof f->rows[0], &mine);
	if (!shares)
		return tool_error("processes: %s", strerror(errno));
	return write_feeds(t, f, shares, mine);
}

static int
feed_run(struct tool *t, int argc, char **argv)
{
	struct request r = { .dir = ".", .gone_after = GONE_AFTER };
	struct recipient alone = { 0 };
	struct recipients all;
	struct holes *holes;
	struct advices *advices = NULL;
	struct feeding feeding = { .request = &r, .all = &all };
	struct stat st;
	int status = take_options(t, &r, argc, argv);

	if (status == TOOL_GO_ON)
		status = choose(t, &r, &alone, &all);
	if (status != TOOL_GO_ON)
		return status;
	if (stat(r.dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return tool_error("%s: not a directory", r.dir);
	holes = tool_holes(r.holes_file);
	if (!holes)
		return TOOL_ERROR;
	if (r.notice && !(advices = tool_advices()))
		status = TOOL_ERROR;
	else {
		feeding.holes = holes;
		feeding.advices = advices;
		status = share_out(t, &feeding);
	}
	advice_free(advices);
	holes_free(holes);
	return status;
}

const struct command command_feed = { "feed", "[option ...]",
	"Write notification feeds for network owners",
	"      --recipient NAME   only for this one of the configuration\n"
	"  -o, --output DIR       where the files go [.]\n"
	"      --notice           beside each file a notification, as text\n"
	"      --new              only what is new since the last sweep\n"
	"      --gone             only what has not answered any more\n"
	"      --gone-after N     ... in N sealed sweeps running [3]\n"
	"      --smtp-vulnerable FILE  versions with a known critical hole\n",
	feed_run };
