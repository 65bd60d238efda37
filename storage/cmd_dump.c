/* cmd_dump.c: `mailsweep dump`: rows as JSON lines. */
#include <json-c/json.h>

#include "storage/filter.h"
#include "storage/json_out.h"
#include "storage/text.h"
#include "storage/tool.h"

enum { DUMP_TRANSCRIPT = OPTION_OWN, DUMP_SILENT, DUMP_FACTS };

struct dump {
	struct store *store;
	struct filter filter;
	bool transcript, silent, facts;
	uint64_t rows;
};

static int
run_options(struct tool *t, struct dump *d, int argc, char **argv)
{
	static const struct option own[] = { FILTER_OPTIONS,
		{ "transcript", no_argument, NULL, DUMP_TRANSCRIPT },
		{ "silent", no_argument, NULL, DUMP_SILENT },
		{ "facts", no_argument, NULL, DUMP_FACTS }, { 0 } };
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c == DUMP_TRANSCRIPT)
			d->transcript = true;
		else if (c == DUMP_SILENT)
			d->silent = true;
		else if (c == DUMP_FACTS)
			d->facts = true;
		else if (!filter_take(&d->filter, t, c, optarg))
			return TOOL_USAGE;
	}
	status = tool_options_over(t, status, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if (d->filter.outcome == OUTCOME_SILENT)
		d->silent = true;
	return filter_ready(&d->filter) ? tool_setup(t) : TOOL_ERROR;
}

/*
 * Two sweeps of the same servers, or two halves of one, say the same facts:
 * what is left without times, the sensor, and what was drawn for it.
 */
static void
print_row(const struct dump *d, struct json_object *row)
{
	static const char *const ours[] = { "time", "first_seen", "last_seen",
		"exposed_since", "rtt_us", "greeting_ms", "duration_ms",
		"source_ip", "source_port", "attempt" };
	struct json_object *part;

	if (d->facts) {
		for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
			json_object_object_del(row, ours[i]);
		if (json_object_object_get_ex(row, "tls", &part))
			json_object_object_del(part, "ms");
		if (json_object_object_get_ex(row, "transcript", &part))
			for (size_t i = 0; i < json_object_array_length(part);
			     i++)
				json_object_object_del(
				    json_object_array_get_idx(part, i), "ms");
	}
	json_print(row, false);
}

static void
dump_rows(struct dump *d, struct store_scan *scan)
{
	struct row r = { 0 };

	while (store_scan_next(scan, &r.target, &r.head)) {
		if (!filter_passes(&d->filter, &r.target, &r.head))
			continue;
		if (!store_scan_body(scan, &r.body, &r.len))
			r.body = NULL;
		if (!filter_passes_body(&d->filter, &r))
			continue;
		print_row(d, json_row(&r, d->transcript));
		d->rows++;
	}
}

static bool
dump_silent(const struct target *t, uint64_t when_us, void *arg)
{
	struct dump *d = arg;

	if (!filter_passes_silent(&d->filter, t))
		return true;
	print_row(
	    d, json_silent(t, when_us, store_is_phantom(d->store, &t->addr)));
	d->rows++;
	return true;
}

static int
dump_store(struct tool *t, struct dump *d)
{
	struct store *s = tool_store(t);
	struct store_scan *scan;
	int status = TOOL_OK;

	if (!s)
		return TOOL_ERROR;
	d->store = s;
	scan = store_scan_new(s);
	if (!scan)
		status = tool_error("the store cannot be read");
	else
		dump_rows(d, scan);
	store_scan_free(scan);
	if (d->silent && store_each_silent(s, dump_silent, d) < 0)
		status = tool_error("the silent targets cannot be read");
	if (status == TOOL_OK && d->rows == 0)
		status = TOOL_NOTHING;
	return tool_store_close(s, status);
}

static int
dump_run(struct tool *t, int argc, char **argv)
{
	struct dump d = { 0 };
	int status;

	filter_init(&d.filter);
	status = run_options(t, &d, argc, argv);
	if (status == TOOL_GO_ON)
		status = dump_store(t, &d);
	filter_free(&d.filter);
	return status;
}

const struct command command_dump = { "dump", "[option ...]",
	"Print rows as JSON, one a line",
	FILTER_HELP
	"      --transcript       with every line of the dialog\n"
	"      --silent           also those that answered and said nothing\n"
	"      --facts            without times, source and attempt: to "
	"compare\n",
	dump_run };
