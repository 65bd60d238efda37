/* cmd_diff.c: `mailsweep diff`: what has changed between two sweeps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/buf.h"
#include "storage/change.h"
#include "storage/csv.h"
#include "storage/cut.h"
#include "storage/filter.h"
#include "storage/json_out.h"
#include "storage/reach.h"
#include "storage/text.h"
#include "storage/tool.h"

enum { DIFF_BY = OPTION_OWN, DIFF_CSV, DIFF_ROWS, DIFF_GONE_AFTER };

/* One line of the table. */
struct tally {
	uint64_t n[DIFFERENCES];
	uint64_t label; /* in labels, once it is sorted */
};

struct diff {
	struct tool *tool;
	struct filter filter;
	enum cut cut;
	bool by_recipient, csv, rows;
	uint64_t gone_after;
	struct store *before, *now;
	struct holes *holes;
	struct reach *reach; /* with by_recipient */
	struct labels labels, words; /* lines; texts that cuts number */
	struct tally *tallies;
	size_t cap;
	struct tally all;
};

static bool
take_by(struct diff *d, const char *text)
{
	int cut = name_find(cut_names, CUT_COUNT, text);

	d->by_recipient = strcmp(text, "recipient") == 0;
	if (cut >= 0)
		d->cut = (enum cut)cut;
	if (cut >= 0 || d->by_recipient)
		return true;
	tool_usage(d->tool,
	    "--by %s: expected recipient or a cut of stats, such as country, "
	    "asn, port, protocol, finding",
	    text);
	return false;
}

static int
take_options(struct diff *d, int argc, char **argv)
{
	static const struct option own[] = { FILTER_OPTIONS,
		{ "by", required_argument, NULL, DIFF_BY },
		{ "csv", no_argument, NULL, DIFF_CSV },
		{ "gone-after", required_argument, NULL, DIFF_GONE_AFTER },
		{ "rows", no_argument, NULL, DIFF_ROWS }, { 0 } };
	int c, status;
	bool good = true;

	while (good &&
	    (c = tool_option(d->tool, argc, argv, own, &status)) != -1) {
		if (c == DIFF_BY)
			good = take_by(d, optarg);
		else if (c == DIFF_CSV)
			d->csv = true;
		else if (c == DIFF_ROWS)
			d->rows = true;
		else if (c == DIFF_GONE_AFTER)
			good = tool_number(d->tool, "gone-after", optarg,
			    UINT16_MAX, &d->gone_after);
		else
			good = filter_take(&d->filter, d->tool, c, optarg);
	}
	if (!good)
		return TOOL_USAGE;
	if (status != TOOL_GO_ON)
		return status;
	if (argc - optind > 2)
		return tool_usage(d->tool, "expected two sweeps at most");
	if (d->tool->sweep)
		return tool_usage(
		    d->tool, "--sweep: expected BEFORE and AFTER");
	if (d->rows && d->csv)
		return tool_usage(
		    d->tool, "--rows: as text or --json, no --csv");
	return filter_ready(&d->filter) ? tool_setup(d->tool) : TOOL_ERROR;
}

/* ---- counting ------------------------------------------------------------ */

static void
tally(struct diff *d, const char *label, enum difference difference)
{
	uint64_t at = labels_number(&d->labels, label, strlen(label));

	if (at >= d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 256;

		d->tallies = need_more(d->tallies, cap, sizeof *d->tallies);
		memset(d->tallies + d->cap, 0,
		    (cap - d->cap) * sizeof *d->tallies);
		d->cap = cap;
	}
	d->tallies[at].n[difference]++;
}

static void
tally_cut(struct diff *d, const struct row *r, enum difference difference)
{
	char label[CUT_LABEL_MAX];
	uint32_t more = 0;

	do {
		uint64_t value = cut_value(d->cut, r, &d->words, &more);

		tally(
		    d, cut_label(d->cut, &d->words, value, label), difference);
	} while (more != 0);
}

/*
 * For whom a feed has the row; what is fixed was told by the earlier one. Both
 * sweeps have their certificates in one file, which is opened once.
 */
static void
tally_recipients(struct diff *d, struct row r, enum difference difference)
{
	const size_t *to;
	size_t n;

	if (difference == DIFFERENCE_FIXED &&
	    !store_get(d->before, &r.target, &r.head, &r.body, &r.len))
		return;
	n = reach_row(d->reach, d->now, &r, &to);
	for (size_t i = 0; i < n; i++)
		tally(d, d->tool->recipients.v[to[i]].name, difference);
}

static void
findings_text(struct buf *b, const struct head *h)
{
	for (int i = 0; h && i < FINDING_COUNT; i++)
		if (h->findings >> i & 1)
			buf_printf(
			    b, "%s%s", b->len ? "," : "", finding_names[i]);
	if (b->len == 0)
		buf_printf(b, "-");
}

static void
print_row(const struct diff *d, const struct compared *c)
{
	struct buf before = { 0 }, now = { 0 };
	char target[TARGET_TEXT_MAX];

	findings_text(&before, c->before);
	findings_text(&now, c->now);
	if (d->tool->json) {
		struct json_object *o = json_object_new_object();

		json_put_string(o, "ip", addr_text(&c->target.addr, target));
		json_put_number(o, "port", c->target.port);
		json_put_string(
		    o, "difference", difference_names[c->difference]);
		json_put_string(o, "before", buf_text(&before));
		json_put_string(o, "now", buf_text(&now));
		json_print(o, false);
	} else {
		printf("%-8s %-28s %s -> %s\n", difference_names[c->difference],
		    target_text(&c->target, target), buf_text(&before),
		    buf_text(&now));
	}
	buf_free(&before);
	buf_free(&now);
}

static void
count_one(struct diff *d, const struct compared *c)
{
	struct row r = { .target = c->target,
		.head = c->now ? *c->now : *c->before,
		.body = c->body,
		.len = c->len };

	if (!filter_passes(&d->filter, &r.target, &r.head) ||
	    !filter_passes_body(&d->filter, &r))
		return;
	d->all.n[c->difference]++;
	if (d->rows) {
		if (c->difference != DIFFERENCE_SAME)
			print_row(d, c);
	} else if (d->by_recipient) {
		tally_recipients(d, r, c->difference);
	} else {
		tally_cut(d, &r, c->difference);
	}
}

/* ---- printing ------------------------------------------------------------ */

static uint64_t
changed(const struct tally *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < DIFFERENCE_SAME; i++)
		sum += t->n[i];
	return sum;
}

/* What has changed most comes first; of equals, what came first. */
static int
compare(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	uint64_t m = changed(x), n = changed(y);

	if (m != n)
		return m < n ? 1 : -1;
	return x->label < y->label ? -1 : x->label > y->label;
}

static void
print_csv(const char *label, const struct tally *t)
{
	struct buf out = { 0 };
	struct csv csv = { .out = &out };

	csv_string(&csv, label);
	for (int i = 0; i < DIFFERENCES; i++) {
		if (t)
			csv_number(&csv, t->n[i]);
		else
			csv_string(&csv, difference_names[i]);
	}
	csv_end(&csv);
	fwrite(buf_text(&out), 1, out.len, stdout);
	buf_free(&out);
}

static void
print_line(const struct diff *d, const char *label, const struct tally *t)
{
	if (d->tool->json) {
		struct json_object *o = json_object_new_object();

		json_put_string(o, "by", label);
		for (int i = 0; i < DIFFERENCES; i++)
			json_put_number(o, difference_names[i], t->n[i]);
		json_print(o, false);
		return;
	}
	if (d->csv) {
		print_csv(label, t);
		return;
	}
	printf("%-24s", label);
	for (int i = 0; i < DIFFERENCES; i++)
		printf(" %12" PRIu64, t->n[i]);
	putchar('\n');
}

static void
print_head(const struct diff *d)
{
	const char *by = d->by_recipient ? "recipient" : cut_names[d->cut];

	if (d->csv) {
		print_csv(by, NULL);
		return;
	}
	printf("%-24s", by);
	for (int i = 0; i < DIFFERENCES; i++)
		printf(" %12s", difference_names[i]);
	putchar('\n');
}

static void
print_table(struct diff *d)
{
	for (size_t i = 0; i < d->labels.n; i++)
		d->tallies[i].label = i;
	if (d->labels.n > 0)
		qsort(d->tallies, d->labels.n, sizeof *d->tallies, compare);
	if (!d->tool->json)
		print_head(d);
	for (size_t i = 0; i < d->labels.n; i++)
		print_line(d, d->labels.v[d->tallies[i].label], &d->tallies[i]);
	if (d->by_recipient || d->cut != CUT_NONE)
		print_line(d, "all", &d->all);
}

/* ---- which two ----------------------------------------------------------- */

/* The two newest sealed sweeps whose files are there. */
struct newest {
	char last[SWEEP_ID_MAX], before[SWEEP_ID_MAX];
	const char *until; /* before this one; NULL: all */
};

static bool
note_newest(const struct sweep_info *i, void *arg)
{
	struct newest *n = arg;

	if (i->removed || i->end_us == 0 ||
	    (n->until && strcmp(i->sweep.id, n->until) >= 0))
		return true;
	memcpy(n->before, n->last, sizeof n->before);
	memcpy(n->last, i->sweep.id, sizeof n->last);
	return true;
}

/* No name: the two newest. One: it and the newest. */
static int
open_both(struct diff *d, int argc, char **argv)
{
	char error[STORE_ERROR_MAX];
	struct newest n = { .until = NULL };

	if (store_sweeps(d->tool->datadir, note_newest, &n, error) < 0)
		return tool_error("%s", error);
	if (argc > 0 && strlen(argv[0]) < sizeof n.before)
		memcpy(n.before, argv[0], strlen(argv[0]) + 1);
	if (argc > 1 && strlen(argv[1]) < sizeof n.last)
		memcpy(n.last, argv[1], strlen(argv[1]) + 1);
	if (n.before[0] == '\0') {
		tool_error(
		    "%s: there are no two sealed sweeps", d->tool->datadir);
		return TOOL_NOTHING;
	}
	if (strcmp(n.before, n.last) == 0)
		return tool_usage(d->tool, "%s: compared with itself", n.last);
	d->before = store_open(d->tool->datadir, n.before, error);
	if (d->before)
		d->now = store_open(d->tool->datadir, n.last, error);
	return d->now ? TOOL_GO_ON : tool_error("%s", error);
}

static bool
ready_to_reach(struct diff *d)
{
	d->holes = tool_holes(NULL);
	if (d->holes)
		d->reach = reach_new(&d->tool->recipients, d->holes);
	return d->reach != NULL;
}

static int
compare_both(struct diff *d)
{
	struct comparison *walk;
	struct compared c;

	if (d->by_recipient && !ready_to_reach(d))
		return TOOL_ERROR;
	walk = comparison_new(d->before, d->now, d->gone_after);
	if (!walk)
		return tool_error("no memory");
	if (!d->tool->json && !d->csv)
		printf("from %s\nto   %s\n\n", store_info(d->before)->sweep.id,
		    store_info(d->now)->sweep.id);
	while (comparison_next(walk, &c))
		count_one(d, &c);
	comparison_free(walk);
	if (!d->rows)
		print_table(d);
	return changed(&d->all) + d->all.n[DIFFERENCE_SAME] > 0 ? TOOL_OK
								: TOOL_NOTHING;
}

static int
diff_run(struct tool *t, int argc, char **argv)
{
	struct diff d = {
		.tool = t, .cut = CUT_COUNTRY, .gone_after = GONE_AFTER
	};
	int status;

	filter_init(&d.filter);
	status = take_options(&d, argc, argv);
	if (status == TOOL_GO_ON)
		status = open_both(&d, argc - optind, argv + optind);
	if (status == TOOL_GO_ON)
		status = compare_both(&d);
	if (d.before)
		status = tool_store_close(d.before, status);
	if (d.now)
		status = tool_store_close(d.now, status);
	reach_free(d.reach);
	holes_free(d.holes);
	labels_free(&d.labels);
	labels_free(&d.words);
	free(d.tallies);
	filter_free(&d.filter);
	return status;
}

const struct command command_diff = { "diff", "[option ...] [BEFORE [AFTER]]",
	"Compare two sweeps: new, back, fixed, worse, gone, same",
	FILTER_HELP
	"      --by CUT           recipient, or a cut of stats [country]\n"
	"      --rows             every target that is not the same\n"
	"      --gone-after N     gone: no answer in N sealed sweeps running "
	"[3]\n"
	"      --csv              print CSV\n",
	diff_run };
