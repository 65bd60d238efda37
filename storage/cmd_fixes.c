/* cmd_fixes.c: `mailsweep fixes`: how long it took until it was mended. */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/csv.h"
#include "storage/fixes.h"
#include "storage/json_out.h"
#include "storage/series.h"

enum {
	FIXES_BY = OPTION_OWN,
	FIXES_FROM,
	FIXES_TO,
	FIXES_CSV,
	NUMBER_CAP = 32
};
enum by { BY_NONE, BY_COUNTRY, BY_PROTOCOL, BYS };
static const char *const by_names[BYS] = { "none", "country", "protocol" };

struct request {
	const struct tool *tool;
	struct series series;
	enum by by;
	bool csv;
};

static int
take_options(struct tool *t, struct request *r, int argc, char **argv)
{
	static const struct option own[] = { { "by", required_argument, NULL,
						 FIXES_BY },
		{ "from", required_argument, NULL, FIXES_FROM },
		{ "to", required_argument, NULL, FIXES_TO },
		{ "csv", no_argument, NULL, FIXES_CSV }, { 0 } };
	int c, status, by;
	bool good = true;

	while (good && (c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c == FIXES_BY) {
			by = name_find(by_names, BYS, optarg);
			if (by < 0)
				return tool_usage(t,
				    "--by %s: expected country, protocol or "
				    "none",
				    optarg);
			r->by = (enum by)by;
		} else if (c == FIXES_FROM)
			good = series_day(t, "from", optarg, &r->series.from);
		else if (c == FIXES_TO)
			good = series_day(t, "to", optarg, &r->series.to);
		else
			r->csv = true;
	}
	status = tool_options_over(t, good ? status : TOOL_USAGE, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if (t->sweep)
		return tool_usage(t, "--sweep: expected --from and --to");
	return tool_setup(t);
}

/* ---- printing ------------------------------------------------------------ */

static const char *const quartile_names[QUARTILES] = { "quarter_days",
	"median_days", "three_quarters_days" };

static void
print_head(const struct request *r, struct csv *csv)
{
	const char *first = by_names[r->by];

	if (r->csv) {
		csv_string(csv, first);
		csv_string(csv, "mended");
		for (unsigned q = 0; q < QUARTILES; q++)
			csv_string(csv, quartile_names[q]);
		csv_end(csv);
	} else if (!r->tool->json)
		buf_printf(csv->out, "%-12s %10s %14s %14s %14s\n", first,
		    "mended", "quarter, days", "half, days", "3/4, days");
}

static void
print_json(const char *label, const struct fix_times *t)
{
	struct json_object *o = json_object_new_object();
	char text[NUMBER_CAP];

	json_put_string(o, "by", label);
	json_put_number(o, "mended", t->n);
	for (unsigned q = 0; t->n > 0 && q < QUARTILES; q++) {
		snprintf(text, sizeof text, "%.2f", t->days[q]);
		json_object_object_add(o, quartile_names[q],
		    json_object_new_double_s(t->days[q], text));
	}
	json_print(o, false);
}

static void
print_csv(struct csv *csv, const char *label, const struct fix_times *t)
{
	char text[NUMBER_CAP];

	csv_string(csv, label);
	csv_number(csv, t->n);
	for (unsigned q = 0; q < QUARTILES; q++) {
		snprintf(text, sizeof text, "%.2f", t->days[q]);
		if (t->n > 0)
			csv_bare(csv, text);
		else
			csv_missing(csv);
	}
	csv_end(csv);
}

static void
print_line(const struct request *r, struct csv *csv, const char *label,
    const struct fix_times *t)
{
	if (r->tool->json)
		print_json(label, t);
	else if (r->csv)
		print_csv(csv, label, t);
	else {
		buf_printf(csv->out, "%-12s %10" PRIu64, label, t->n);
		for (unsigned q = 0; t->n > 0 && q < QUARTILES; q++)
			buf_printf(csv->out, " %14.1f", t->days[q]);
		buf_putc(csv->out, '\n');
	}
}

static void
print_rows(const struct request *r, struct csv *csv, struct fixes *f)
{
	char country[3];

	for (size_t i = 0; r->by == BY_COUNTRY && fixes_country(f, i, country);
	     i++) {
		struct fixes_of of = { .country = country };
		struct fix_times t = fixes_times(f, &of);

		print_line(r, csv, country, &t);
	}
	for (int p = PROTOCOL_POP3; r->by == BY_PROTOCOL && p < PROTOCOL_COUNT;
	     p++) {
		struct fixes_of of = { .protocol = (enum protocol)p };
		struct fix_times t = fixes_times(f, &of);

		print_line(r, csv, protocol_names[p], &t);
	}
}

static int
print_all(const struct request *r, struct fixes *f)
{
	struct buf out = { 0 };
	struct csv csv = { &out, 0 };
	struct fixes_of all = { .country = NULL };
	struct fix_times t = fixes_times(f, &all);

	print_head(r, &csv);
	print_rows(r, &csv, f);
	print_line(r, &csv, r->csv ? "(total)" : "total", &t);
	fputs(buf_text(&out), stdout);
	buf_free(&out);
	return t.n > 0 ? TOOL_OK : TOOL_NOTHING;
}

/* ---- reading ------------------------------------------------------------- */

static int
add_sweep(const struct tool *t, const char *id, struct fixes *sum)
{
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(t->datadir, id, error);
	struct fixes *one;
	int status = TOOL_OK;

	if (!s)
		return tool_error("%s", error);
	one = fixes_read(s);
	if (one)
		fixes_add_all(sum, one);
	else
		status = tool_error("%s: cannot be read", id);
	fixes_free(one);
	return tool_store_close(s, status);
}

static int
count_and_print(const struct tool *t, struct request *r)
{
	struct fixes *sum = fixes_new();
	int status = series_read(&r->series, t->datadir) ? TOOL_OK : TOOL_ERROR;

	for (size_t i = 0; status == TOOL_OK && i < r->series.n; i++)
		status = add_sweep(t, r->series.ids[i], sum);
	if (status == TOOL_OK)
		status = print_all(r, sum);
	fixes_free(sum);
	series_free(&r->series);
	return status;
}

static int
fixes_run(struct tool *t, int argc, char **argv)
{
	struct request r = { .tool = t };
	int status = take_options(t, &r, argc, argv);

	return status == TOOL_GO_ON ? count_and_print(t, &r) : status;
}

const struct command command_fixes = { "fixes", "[option ...]",
	"How long services were exposed until they were mended",
	"      --by CUT           country, protocol or none [none]\n"
	"      --from DAY         mended in sweeps that began on that day or "
	"later\n"
	"      --to DAY           ... on that day or before\n"
	"      --csv              print CSV\n",
	fixes_run };
