/* cmd_stats.c: `mailsweep stats`: tables of what a sweep found. */
#include <stdlib.h>
#include <string.h>

#include "storage/count.h"
#include "storage/cut.h"
#include "storage/filter.h"
#include "storage/layout.h"
#include "storage/series.h"
#include "storage/stats_print.h"

enum {
	STATS_BY = OPTION_OWN,
	STATS_TOP,
	STATS_CSV,
	STATS_AGAINST,
	STATS_FROM,
	STATS_TO
};

struct stats_request {
	struct filter filter;
	enum cut cuts[CUTS_MAX];
	uint64_t top;
	const char *against;
	bool csv;
	struct series series; /* asked for if it has a day */
	struct announced *announced; /* NULL: not known */
};

static bool
is_series(const struct stats_request *r)
{
	return r->series.from || r->series.to;
}

/* "country" or "country,protocol" */
static bool
take_cuts(const struct tool *t, struct stats_request *r, const char *text)
{
	unsigned n = 0;

	memset(r->cuts, 0, sizeof r->cuts);
	for (const char *at = text; n < CUTS_MAX; n++) {
		size_t len = strcspn(at, ",");
		int cut = CUT_COUNT;

		while (--cut >= 0)
			if (strlen(cut_names[cut]) == len &&
			    memcmp(cut_names[cut], at, len) == 0)
				break;
		if (cut < 0)
			break;
		r->cuts[n] = (enum cut)cut;
		at += len;
		if (*at++ == '\0')
			return true;
	}
	tool_usage(t,
	    "--by %s: expected one to four, with a comma between, of none, "
	    "country, asn, port, protocol, finding, tls, starttls, cipher, "
	    "key, chain, outcome, family, change, product, region",
	    text);
	return false;
}

static int
take_options(struct tool *t, struct stats_request *r, int argc, char **argv)
{
	static const struct option own[] = { FILTER_OPTIONS,
		{ "by", required_argument, NULL, STATS_BY },
		{ "against", required_argument, NULL, STATS_AGAINST },
		{ "top", required_argument, NULL, STATS_TOP },
		{ "from", required_argument, NULL, STATS_FROM },
		{ "to", required_argument, NULL, STATS_TO },
		{ "csv", no_argument, NULL, STATS_CSV }, { 0 } };
	int c, status;
	bool good = true;

	while (good && (c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c == STATS_BY)
			good = take_cuts(t, r, optarg);
		else if (c == STATS_TOP)
			good =
			    tool_number(t, "top", optarg, UINT32_MAX, &r->top);
		else if (c == STATS_AGAINST)
			r->against = optarg;
		else if (c == STATS_FROM)
			good = series_day(t, "from", optarg, &r->series.from);
		else if (c == STATS_TO)
			good = series_day(t, "to", optarg, &r->series.to);
		else if (c == STATS_CSV)
			r->csv = true;
		else
			good = filter_take(&r->filter, t, c, optarg);
	}
	status = tool_options_over(t, good ? status : TOOL_USAGE, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if (is_series(r) && (r->against || t->sweep))
		return tool_usage(t,
		    "--from, --to: a series is of all sealed sweeps, without "
		    "--sweep and --against");
	return filter_ready(&r->filter) ? tool_setup(t) : TOOL_ERROR;
}

static void
print_view(const struct tool *t, const struct stats_request *r,
    const struct stats_view *v)
{
	if (t->json)
		stats_json(v);
	else if (r->csv)
		stats_csv(v);
	else
		stats_text(v);
}

/* What the seal has counted already; NULL: nothing of the kind. */
static struct statistics *
read_table(struct store *s, const struct stats_request *r)
{
	struct statistics *found = NULL;
	struct buf name = { 0 };
	const uint8_t *bytes;
	size_t len;

	if (r->filter.any)
		return NULL;
	cuts_name(r->cuts, &name);
	if (store_table(s, name.s, &bytes, &len))
		found = statistics_load(r->cuts, bytes, len);
	buf_free(&name);
	return found;
}

static bool
has_labels(const struct stats_request *r)
{
	for (unsigned i = 0; i < CUTS_MAX; i++)
		if (cut_has_labels(r->cuts[i]))
			return true;
	return false;
}

/* What of a sweep is shown; it is closed by then. */
struct counted {
	struct sweep_info info;
	uint64_t silent;
	struct statistics *statistics;
};

/* Nothing is shown of what could not be counted. */
static int
fail(struct counted *c, const char *why)
{
	statistics_free(c->statistics);
	c->statistics = NULL;
	return tool_error("%s", why);
}

static int
count_here(struct store *s, const struct stats_request *r, struct counted *c)
{
	if (count_rows(s, &r->filter, c->statistics))
		return tool_store_close(s, TOOL_OK);
	store_close(s);
	return fail(c, "out of memory");
}

/* Each process opens the sweep itself: here it is closed before. */
static int
count_together(const struct tool *t, struct store *s,
    const struct stats_request *r, struct counted *c, unsigned processes)
{
	char error[STORE_ERROR_MAX];
	uint64_t damaged;

	store_close(s);
	if (!count_shared(t->datadir, c->info.sweep.id, &r->filter, processes,
		c->statistics, &damaged, error))
		return fail(c, error);
	return tool_damaged(c->info.sweep.id, damaged, TOOL_OK);
}

/* id as store_open has it. c->statistics are the caller's; NULL: none. */
static int
count_sweep(const struct tool *t, const char *id, const struct stats_request *r,
    struct counted *c)
{
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(t->datadir, id, error);
	unsigned processes;

	if (!s)
		return tool_error("%s", error);
	c->info = *store_info(s);
	c->silent = store_silent_count(s);
	c->statistics = read_table(s, r);
	if (c->statistics)
		return tool_store_close(s, TOOL_OK);
	c->statistics = statistics_new(r->cuts);
	/* A sweep that runs is not the same to two that open it. */
	processes = (id && strcmp(id, LAYOUT_LIVE) == 0) || has_labels(r)
	    ? 1
	    : count_processes(store_head_count(s));
	return processes > 1 ? count_together(t, s, r, c, processes)
			     : count_here(s, r, c);
}

/* The sweep that another is compared with; "previous": the one before it. */
static int
count_before(const struct tool *t, const struct stats_request *r,
    const struct sweep_info *now, struct counted *before)
{
	const char *id = r->against;

	if (strcmp(id, "previous") == 0)
		id = now->previous;
	if (id[0] == '\0')
		return tool_error("%s: it was not joined with an earlier sweep",
		    now->sweep.id);
	return count_sweep(t, id, r, before);
}

static int
worse(int status, int other)
{
	return status == TOOL_OK ? other : status;
}

/* Which part of the addresses is asked for, as a view has it. */
static enum cut
part_of(const struct filter *f)
{
	bool country = f->country[0] != '\0', as = f->asn >= 0;

	if (f->prefixes || f->region || (country && as))
		return CUT_COUNT;
	return country ? CUT_COUNTRY : as ? CUT_ASN : CUT_NONE;
}

static int
print_stats(struct tool *t, const struct stats_request *r)
{
	struct counted now = { .silent = 0 }, before = { .silent = 0 };
	struct stats_view view = { .top = r->top,
		.announced = r->announced,
		.part = part_of(&r->filter) };
	int status = count_sweep(t, t->sweep, r, &now);

	if (r->against && now.statistics)
		status = worse(status, count_before(t, r, &now.info, &before));
	if (now.statistics && (!r->against || before.statistics)) {
		view.info = &now.info;
		view.silent = now.silent;
		view.statistics = now.statistics;
		view.before_info = &before.info;
		view.before = before.statistics;
		print_view(t, r, &view);
	}
	if (status == TOOL_OK && statistics_headline(now.statistics)->rows == 0)
		status = TOOL_NOTHING;
	statistics_free(now.statistics);
	statistics_free(before.statistics);
	return status;
}

/* ---- a series ------------------------------------------------------------ */

static int
print_one(
    struct tool *t, const struct stats_request *r, const char *id, bool first)
{
	struct counted c = { .silent = 0 };
	struct stats_view view = { .top = r->top,
		.announced = r->announced,
		.part = part_of(&r->filter),
		.series = true,
		.is_first = first };
	int status = count_sweep(t, id, r, &c);

	if (c.statistics) {
		view.info = &c.info;
		view.silent = c.silent;
		view.statistics = c.statistics;
		print_view(t, r, &view);
	}
	statistics_free(c.statistics);
	return status;
}

/* Oldest first; the worst that happened is what is returned. */
static int
print_series(struct tool *t, struct stats_request *r)
{
	struct series *series = &r->series;
	int status = series_read(series, t->datadir) ? TOOL_OK : TOOL_ERROR;

	if (status == TOOL_OK && series->n == 0)
		status = TOOL_NOTHING;
	for (size_t i = 0; i < series->n; i++) {
		int one = print_one(t, r, series->ids[i], i == 0);

		if (one != TOOL_OK && status != TOOL_ERROR)
			status = one;
	}
	series_free(series);
	return status;
}

static int
read_announced(const struct tool *t, struct stats_request *r)
{
	char error[STORE_ERROR_MAX];

	if (!t->configured || t->conf.announced[0] == '\0')
		return TOOL_GO_ON;
	r->announced = announced_read(t->conf.announced, error);
	return r->announced ? TOOL_GO_ON : tool_error("%s", error);
}

static int
stats_run(struct tool *t, int argc, char **argv)
{
	struct stats_request r = { .cuts = { CUT_COUNTRY, CUT_PROTOCOL } };
	int status;

	filter_init(&r.filter);
	status = take_options(t, &r, argc, argv);
	if (status == TOOL_GO_ON)
		status = read_announced(t, &r);
	if (status == TOOL_GO_ON)
		status =
		    is_series(&r) ? print_series(t, &r) : print_stats(t, &r);
	announced_free(r.announced);
	filter_free(&r.filter);
	return status;
}

const struct command command_stats = { "stats", "[option ...]",
	"Count mail services by country and protocol, or otherwise",
	"      --by A[,B...]      up to four to tell apart by\n"
	"                         [country,protocol]:\n"
	"                         country asn port protocol finding tls\n"
	"                         starttls cipher key chain outcome family\n"
	"                         change product region none\n"
	"      --against ID       change since that sweep; previous: the one\n"
	"                         that it was joined with\n"
	"      --top N            the N largest, the others as one row\n"
	"      --from DAY         a series: a row a sealed sweep and value, "
	"of\n"
	"                         sweeps that began on that day or later\n"
	"      --to DAY           ... on that day or before\n"
	"      --csv              print CSV\n" FILTER_HELP,
	stats_run };
