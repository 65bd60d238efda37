/* cmd_stats.c: `mailsweep stats`: tables of what a sweep found. */
#include <stdlib.h>
#include <string.h>

#include "storage/filter.h"
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
	if (!good)
		return TOOL_USAGE;
	if (status != TOOL_GO_ON)
		return status;
	if (optind < argc)
		return tool_usage(t, "%s: not expected", argv[optind]);
	if (is_series(r) && (r->against || t->sweep))
		return tool_usage(t,
		    "--from, --to: a series is of all sealed sweeps, without "
		    "--sweep and --against");
	return filter_ready(&r->filter) ? tool_setup(t) : TOOL_ERROR;
}

static bool
count_store(struct store *s, const struct filter *f, struct statistics *to)
{
	struct store_scan *scan = store_scan_new(s);
	struct row r = { 0 };

	if (!scan)
		return false;
	while (store_scan_next(scan, &r.target, &r.head)) {
		if (!filter_passes(f, &r.target, &r.head))
			continue;
		r.body = NULL;
		r.len = 0;
		if ((statistics_wants_body(to, &r.head) ||
			filter_wants_body(f)) &&
		    !store_scan_body(scan, &r.body, &r.len))
			r.body = NULL;
		if (!filter_passes_body(f, &r))
			continue;
		statistics_add(to, &r);
	}
	store_scan_free(scan);
	return true;
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

/* NULL: the store cannot be read. */
static struct statistics *
count(struct store *s, const struct stats_request *r)
{
	struct statistics *found = read_table(s, r);

	if (found)
		return found;
	found = statistics_new(r->cuts);
	if (count_store(s, &r->filter, found))
		return found;
	statistics_free(found);
	tool_error("%s: cannot be read", store_info(s)->sweep.id);
	return NULL;
}

/* The sweep that another is compared with; "previous": the one before it. */
static int
open_before(const struct tool *t, const struct stats_request *r,
    const struct store *now, struct store **before)
{
	const char *id = r->against;
	char error[STORE_ERROR_MAX];

	if (strcmp(id, "previous") == 0)
		id = store_info(now)->previous;
	if (id[0] == '\0')
		return tool_error("%s: it was not joined with an earlier sweep",
		    store_info(now)->sweep.id);
	*before = store_open(t->datadir, id, error);
	return *before ? TOOL_OK : tool_error("%s", error);
}

static int
print_stats(struct tool *t, const struct stats_request *r)
{
	struct store *s = tool_store(t), *before = NULL;
	struct stats_view view = { .top = r->top, .announced = r->announced };
	int status = TOOL_OK;

	if (!s)
		return TOOL_ERROR;
	if (r->against)
		status = open_before(t, r, s, &before);
	view.info = store_info(s);
	view.silent = store_silent_count(s);
	if (before) {
		view.before_info = store_info(before);
		view.before = count(before, r);
	}
	if (status == TOOL_OK)
		view.statistics = count(s, r);
	if (!view.statistics || (before && !view.before))
		status = TOOL_ERROR;
	else
		print_view(t, r, &view);
	if (status == TOOL_OK &&
	    statistics_headline(view.statistics)->rows == 0)
		status = TOOL_NOTHING;
	statistics_free(view.statistics);
	statistics_free(view.before);
	if (before)
		status = tool_store_close(before, status);
	return tool_store_close(s, status);
}

/* ---- a series ------------------------------------------------------------ */

static int
print_one(
    struct tool *t, const struct stats_request *r, const char *id, bool first)
{
	struct stats_view view = { .top = r->top,
		.announced = r->announced,
		.series = true,
		.is_first = first };
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(t->datadir, id, error);
	int status = TOOL_ERROR;

	if (!s)
		return tool_error("%s", error);
	view.info = store_info(s);
	view.silent = store_silent_count(s);
	view.statistics = count(s, r);
	if (view.statistics) {
		print_view(t, r, &view);
		status = TOOL_OK;
	}
	statistics_free(view.statistics);
	return tool_store_close(s, status);
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
