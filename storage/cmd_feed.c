/* cmd_feed.c: `mailsweep feed`: notification feeds from a sealed sweep. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "storage/feed_files.h"
#include "storage/feed_make.h"
#include "storage/json_out.h"
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
	if (status != TOOL_GO_ON)
		return status;
	if (optind < argc)
		return tool_usage(t, "%s: not expected", argv[optind]);
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

struct printing {
	const char *sweep_id;
	bool json, notice;
};

static void
print_file(const struct feed_files *f, const struct recipients *all, size_t r,
    enum feed_type type, bool six, const struct printing *p)
{
	uint64_t rows = feed_files_rows(f, r, type, six);
	char name[FEED_NAME_MAX];
	struct json_object *o;

	if (rows == 0)
		return;
	feed_files_name(f, r, type, six, name);
	if (!p->json) {
		printf("%-24s %-24s %10" PRIu64 "  %s\n", all->v[r].name,
		    feed_type_name(type, six), rows, name);
		return;
	}
	o = json_object_new_object();
	json_put_string(o, "sweep", p->sweep_id);
	json_put_string(o, "recipient", all->v[r].name);
	json_put_string(o, "contact", all->v[r].contact);
	json_put_string(o, "type", feed_type_name(type, six));
	json_put_string(o, "title", feed_type_title(type));
	json_put_number(o, "rows", rows);
	json_put_string(o, "file", name);
	if (p->notice)
		json_put_string(
		    o, "notice", feed_files_notice_name(f, r, type, six, name));
	json_print(o, false);
}

static void
print_summary(const struct feed_files *f, const struct recipients *all,
    const struct printing *p)
{
	if (!p->json)
		printf("%-24s %-24s %10s  %s\n", "recipient", "type", "rows",
		    "file");
	for (size_t r = 0; r < all->n; r++)
		for (int six = 0; six < 2; six++)
			for (int t = 0; t < FEED_TYPES; t++)
				print_file(
				    f, all, r, (enum feed_type)t, six, p);
}

static int
write_feeds(struct tool *t, const struct request *r,
    const struct recipients *all, const struct holes *holes,
    const struct advices *advices)
{
	struct store *s = tool_store(t);
	struct feed_files *files;
	struct feed_order order = { .recipients = all,
		.holes = holes,
		.kind = r->kind,
		.gone_after = r->gone_after };
	struct printing p = { .json = t->json, .notice = r->notice };
	uint64_t rows = 0;
	int status = TOOL_OK;

	if (!s)
		return TOOL_ERROR;
	p.sweep_id = store_info(s)->sweep.id;
	files =
	    feed_files_new(r->dir, store_info(s)->sweep.start_us, r->kind, all);
	order.files = files;
	if (r->notice)
		feed_files_notify(
		    files, store_info(s), advices, t->conf.contact);
	if (feed_make(s, &order, &rows) < 0 || feed_files_finish(files) < 0)
		status = tool_error("%s: %s", r->dir, strerror(errno));
	else
		print_summary(files, all, &p);
	feed_files_free(files);
	if (status == TOOL_OK && rows == 0)
		status = TOOL_NOTHING;
	return tool_store_close(s, status);
}

static int
feed_run(struct tool *t, int argc, char **argv)
{
	struct request r = { .dir = ".", .gone_after = 3 };
	struct recipient alone = { 0 };
	struct recipients all;
	struct holes *holes;
	struct advices *advices = NULL;
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
	else
		status = write_feeds(t, &r, &all, holes, advices);
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
