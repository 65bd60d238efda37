/* cmd_sweeps.c: `mailsweep sweeps`: the sweeps, and their accounts. */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "engine/loss.h"
#include "storage/json_out.h"
#include "storage/text.h"
#include "storage/tool.h"

struct list {
	const char *only; /* an id; NULL: all */
	bool verbose, json;
	bool newest_off, any_off; /* the account does not balance */
	unsigned shown;
};

/* Only a sealed sweep has both ledgers. */
static bool
is_off(const struct sweep_info *i)
{
	return i->end_us != 0 &&
	    (!i->balanced || !account_balances(&i->account));
}

static const char *
verdict(const struct sweep_info *i)
{
	return i->end_us == 0 ? "running" : is_off(i) ? "OFF" : "balanced";
}

static void
print_account(const struct account *a)
{
	struct account_line lines[ACCOUNT_LINES_MAX];
	size_t n = account_lines(a, lines);

	for (size_t i = 0; i < n; i++) {
		const struct account_line *l = &lines[i];

		printf("    %-30s %15" PRIu64 " = %15" PRIu64 "  %-5s %s\n",
		    l->name, l->left, l->right,
		    l->left == l->right ? "agree" : "OFF", l->terms);
		if (l->left != l->right)
			printf("    %-30s off by %" PRIu64 "\n", "",
			    l->left > l->right ? l->left - l->right
					       : l->right - l->left);
	}
}

static void
print_outcomes(const struct account *a)
{
	fputs("    rows by outcome:", stdout);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (a->outcomes[i] > 0)
			printf(
			    " %s %" PRIu64, outcome_names[i], a->outcomes[i]);
	putchar('\n');
}

/* Only where each target was sent two SYNs. */
static void
print_loss(const struct account *a)
{
	struct loss l;

	if (!loss_estimate(a->events[STAT_PKT_FIRSTS],
		a->events[STAT_PKT_SECONDS], a->events[STAT_PKT_BOTH], &l))
		return;
	printf("    lost on the way: %.2f %% of packets, one way "
	       "(95 %%: %.2f to %.2f), and with it %.3f %% of those that "
	       "answer\n",
	    100 * l.one_way, 100 * l.low, 100 * l.high, 100 * l.missed);
}

static void
put_loss(struct json_object *o, const struct account *a)
{
	struct json_object *to;
	struct loss l;

	if (!loss_estimate(a->events[STAT_PKT_FIRSTS],
		a->events[STAT_PKT_SECONDS], a->events[STAT_PKT_BOTH], &l))
		return;
	to = json_object_new_object();
	json_object_object_add(
	    to, "one_way", json_object_new_double(l.one_way));
	json_object_object_add(to, "low", json_object_new_double(l.low));
	json_object_object_add(to, "high", json_object_new_double(l.high));
	json_object_object_add(to, "missed", json_object_new_double(l.missed));
	json_object_object_add(o, "loss", to);
}

static void
print_details(const struct sweep_info *i)
{
	const struct account *a = &i->account;
	char text[TIME_TEXT_MAX];

	printf("    rate %" PRIu64 "/s, %" PRIu32
	       " incarnations, geo data of %s, joined with %s\n",
	    i->rate, a->incarnations,
	    i->geo_build_us ? text_day(i->geo_build_us, text) : "none",
	    i->previous[0] ? i->previous : "none");
	print_loss(a);
	if (i->end_us == 0)
		return;
	printf("    since then: new %" PRIu64 ", back %" PRIu64
	       ", same %" PRIu64 ", fixed %" PRIu64 ", worse %" PRIu64
	       ", gone %" PRIu64 "\n",
	    i->changes[CHANGE_NEW], i->changes[CHANGE_BACK],
	    i->changes[CHANGE_SAME], i->changes[CHANGE_FIXED],
	    i->changes[CHANGE_WORSE], i->gone);
	print_outcomes(a);
	print_account(a);
}

static void
print_text(const struct sweep_info *i, bool verbose)
{
	char began[TIME_TEXT_MAX], took[TIME_TEXT_MAX];
	const struct account *a = &i->account;

	printf("%-32s  %-19s  %8s  %14" PRIu64 "  %14" PRIu64 "  %10" PRIu64
	       "  %s%s\n",
	    i->sweep.id, text_time(i->sweep.start_us, began),
	    i->end_us > i->sweep.start_us
		? text_duration((i->end_us - i->sweep.start_us) / 1000000, took)
		: "-",
	    i->sweep.n, a->counted[SEND_SENT], a->rows, verdict(i),
	    i->removed ? ", file removed" : "");
	if (verbose)
		print_details(i);
}

static void
put_lines(struct json_object *o, const struct account *a)
{
	struct account_line lines[ACCOUNT_LINES_MAX];
	struct json_object *list = json_object_new_array();
	size_t n = account_lines(a, lines);

	for (size_t i = 0; i < n; i++) {
		struct json_object *l = json_object_new_object();

		json_put_string(l, "line", lines[i].name);
		json_put_number(l, "left", lines[i].left);
		json_put_number(l, "right", lines[i].right);
		json_put_string(l, "terms", lines[i].terms);
		json_put_bool(l, "agrees", lines[i].left == lines[i].right);
		json_object_array_add(list, l);
	}
	json_object_object_add(o, "account", list);
}

static void
put_events(struct json_object *o, const struct account *a)
{
	struct json_object *events = json_object_new_object();

	for (int i = 0; i < STAT_COUNT; i++)
		json_put_number(
		    events, stats_name((enum stat_id)i), a->events[i]);
	json_object_object_add(o, "events", events);
}

static void
put_stock(struct json_object *o, const struct sweep_info *i)
{
	const struct account *a = &i->account;
	struct json_object *stock = json_object_new_object(),
			   *outcomes = json_object_new_object(),
			   *changes = json_object_new_object();

	json_put_number(stock, "rows", a->rows);
	json_put_number(stock, "purged", a->purged);
	json_put_number(stock, "new", a->rows_new);
	json_put_number(stock, "without_answer", a->without_answer);
	for (int k = 0; k < OUTCOME_COUNT; k++)
		json_put_number(outcomes, outcome_names[k], a->outcomes[k]);
	json_object_object_add(stock, "outcomes", outcomes);
	json_object_object_add(o, "stock", stock);
	for (int k = CHANGE_NEW; k < CHANGE_COUNT; k++)
		json_put_number(changes, change_names[k], i->changes[k]);
	json_put_number(changes, "gone", i->gone);
	json_object_object_add(o, "changes", changes);
}

static void
put_settled(struct json_object *o, const struct account *a)
{
	static const char *const names[SEND_COUNTS] = { "excluded", "opted_out",
		"sent", "not_sent" };
	struct json_object *settled = json_object_new_object();

	json_put_number(settled, "index", a->index_total);
	for (int i = 0; i < SEND_COUNTS; i++)
		json_put_number(settled, names[i], a->counted[i]);
	json_object_object_add(o, "settled", settled);
}

static void
print_json(const struct sweep_info *i)
{
	struct json_object *o = json_object_new_object();
	char text[TIME_TEXT_MAX];

	json_put_string(o, "sweep", i->sweep.id);
	json_put_string(o, "sensor", i->sensor);
	json_put_string(o, "began", text_time_iso(i->sweep.start_us, text));
	if (i->end_us)
		json_put_string(o, "ended", text_time_iso(i->end_us, text));
	json_put_string(o, "state", verdict(i));
	json_put_bool(o, "balanced", i->end_us != 0 && !is_off(i));
	json_put_number(o, "targets", i->sweep.n);
	json_put_number(o, "rate", i->rate);
	json_put_number(o, "incarnations", i->account.incarnations);
	json_put_string(o, "previous", i->previous);
	json_put_bool(o, "removed", i->removed);
	put_events(o, &i->account);
	put_loss(o, &i->account);
	put_settled(o, &i->account);
	put_stock(o, i);
	put_lines(o, &i->account);
	json_print(o, false);
}

static bool
show_sweep(const struct sweep_info *i, void *arg)
{
	struct list *l = arg;

	if (l->only && strcmp(l->only, i->sweep.id) != 0)
		return true;
	if (l->json)
		print_json(i);
	else if (l->shown == 0)
		printf("%-32s  %-19s  %8s  %14s  %14s  %10s  %s\n", "sweep",
		    "began (UTC)", "took", "targets", "sent", "rows",
		    "account");
	if (!l->json)
		print_text(i, l->verbose);
	l->shown++;
	l->newest_off = is_off(i);
	l->any_off = l->any_off || is_off(i);
	return true;
}

/* The one that runs is not in the catalog of finished ones. */
static void
show_live(const struct tool *t, struct list *l)
{
	char error[STORE_ERROR_MAX];
	struct store *live = store_open(t->datadir, "live", error);
	bool newest_off = l->newest_off;

	if (!live)
		return;
	if (store_info(live)->end_us == 0)
		show_sweep(store_info(live), l);
	l->newest_off = newest_off;
	store_close(live);
}

static int
sweeps_run(struct tool *t, int argc, char **argv)
{
	static const struct option own[] = {
		{ "verbose", no_argument, NULL, 'v' }, { 0 }
	};
	struct list l = { 0 };
	char error[STORE_ERROR_MAX];
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c != 'v')
			return tool_usage(t, "-%c: not an option of sweeps", c);
		l.verbose = true;
	}
	status = tool_options_over(t, status, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if ((status = tool_setup(t)) != TOOL_GO_ON)
		return status;
	l.only = t->sweep;
	l.json = t->json;
	if (store_sweeps(t->datadir, show_sweep, &l, error) < 0)
		return tool_error("%s", error);
	if (!l.only)
		show_live(t, &l);
	if (l.shown == 0) {
		tool_error("%s: no sweep %s", t->datadir,
		    l.only ? l.only : "there yet");
		return TOOL_NOTHING;
	}
	return l.newest_off || (l.verbose && l.any_off) ? TOOL_UNBALANCED
							: TOOL_OK;
}

const struct command command_sweeps = { "sweeps", "[-v] [option ...]",
	"List the sweeps and their accounts",
	"  -v, --verbose          print each account line by line\n",
	sweeps_run };
