/* account.c: the account of a sweep: two ledgers that must agree. */
#include <string.h>

#include "engine/sweep.h"
#include "storage/account.h"

/* clang-format off */
const char *const account_line_names[ACCOUNT_LINES] = {
	[LINE_INDEX] = "index",
	[LINE_EXCLUDED] = "excluded",
	[LINE_PASSED] = "passed",
	[LINE_PASSED_ALL] = "passed_all",
	[LINE_SYNACKS] = "synacks",
	[LINE_ENTERED] = "entered",
	[LINE_HANDED_ON] = "handed_on",
	[LINE_ADOPTED] = "adopted",
	[LINE_RECEIVED] = "received",
	[LINE_ROWS] = "rows",
	[LINE_NEW] = "new",
	[LINE_SENT] = "sent",
};

enum { TERMS_MAX = 8 };

#define NO_TERM STAT_COUNT /* ends a list of terms */

/* The lines of the event ledger: one counter, and what it divides into. */
struct event_line {
	const char *name, *terms, *terms_cut;
	enum stat_id left, right[TERMS_MAX];
};

#define TERMS(text) text, text " + cut off"

static const struct event_line event_lines[ACCOUNT_LINES] = {
	[LINE_PASSED] = { "send: index passed",
		TERMS("excluded + opted out + sent + not sent"),
		STAT_SEND_PASSED,
		{ STAT_SEND_EXCLUDED_N, STAT_SEND_OPTED_OUT_N,
		  STAT_SEND_SENT_N, STAT_SEND_NOT_SENT_N, NO_TERM } },
	[LINE_SYNACKS] = { "packet: valid SYN-ACKs",
		TERMS("repeats + refused(limit, full, opted out, canary) + "
		    "late + entered"),
		STAT_PKT_SYNACKS,
		{ STAT_PKT_REPEATS, STAT_PKT_REFUSED_LIMIT,
		  STAT_PKT_REFUSED_FULL, STAT_PKT_REFUSED_OPTOUT,
		  STAT_PKT_REFUSED_KIND, STAT_PKT_LATE, STAT_PKT_ENTERED,
		  NO_TERM } },
	[LINE_ENTERED] = { "packet: entered",
		TERMS("handed on + silent + reset + withdrawn + waiting now"),
		STAT_PKT_ENTERED,
		{ STAT_PKT_HANDED_ON, STAT_PKT_SILENT, STAT_PKT_RESET,
		  STAT_PKT_WITHDRAWN, STAT_PKT_WAITING, NO_TERM } },
	[LINE_HANDED_ON] = { "dial: handed on",
		TERMS("adopted + failed + withdrawn + queued now"),
		STAT_PKT_HANDED_ON,
		{ STAT_DIAL_ADOPTED, STAT_DIAL_FAILED, STAT_DIAL_WITHDRAWN,
		  STAT_DIAL_QUEUED, NO_TERM } },
	[LINE_ADOPTED] = { "probe: adopted",
		TERMS("reported + withdrawn + lost with a probe + open now"),
		STAT_DIAL_ADOPTED,
		{ STAT_PROBE_REPORTED, STAT_PROBE_WITHDRAWN, STAT_PKT_LOST,
		  STAT_PROBE_OPEN, NO_TERM } },
	[LINE_RECEIVED] = { "store: received",
		TERMS("new rows + replaced + refused"),
		STAT_STORE_RECEIVED,
		{ STAT_STORE_NEW, STAT_STORE_REPLACED, STAT_STORE_REFUSED,
		  NO_TERM } },
};

/* What says how things stand, not how often something happened. */
static const enum stat_id gauges[] = { STAT_SEND_FINISHED, STAT_SEND_PATH,
	STAT_SEND_AGAIN_OPEN, STAT_SEND_RATE, STAT_PKT_LAG, STAT_PKT_WAITING,
	STAT_PKT_OPEN, STAT_PKT_PRESSURE, STAT_PKT_SYN_LIMIT, STAT_DIAL_QUEUED,
	STAT_DIAL_AHEAD, STAT_PROBE_OPEN,
	STAT_STORE_PENDING, STAT_STORE_QUEUE, STAT_STORE_WANTED,
	STAT_STORE_SETTLED, STAT_RESOLVE_OPEN };
/* clang-format on */

static uint64_t
sum_right(const struct event_line *l, const uint64_t events[STAT_COUNT])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TERMS_MAX && l->right[i] != NO_TERM; i++)
		sum += events[l->right[i]];
	return sum;
}

void
ledger_read(struct ledger *l, const struct stats *s)
{
	for (unsigned i = 0; i < STAT_COUNT; i++)
		l->events[i] = stats_sum(s, (enum stat_id)i);
}

/*
 * The counters of a cut-off incarnation were read while others wrote them, so
 * a line may lack a little on either side: the difference wraps, and the sum
 * over incarnations closes all the same.
 */
static void
cut_off_add(struct account *a, const struct ledger *l)
{
	for (unsigned i = 0; i < ACCOUNT_LINES; i++)
		if (event_lines[i].name != NULL)
			a->cut_off[i] += l->events[event_lines[i].left] -
			    sum_right(&event_lines[i], l->events);
	/* Passed and not settled: the next incarnation passes them again. */
	a->cut_off[LINE_PASSED_ALL] +=
	    l->events[STAT_SEND_PASSED] - (l->settled - l->begin);
}

void
account_add(struct account *a, const struct ledger *from, bool last)
{
	struct ledger l = *from;

	if (!last) {
		for (unsigned i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
			l.events[gauges[i]] = 0;
		cut_off_add(a, &l);
	}
	for (unsigned i = 0; i < STAT_COUNT; i++)
		a->events[i] += l.events[i];
	a->incarnations++;
}

static void
line_put(struct account_line *l, const char *name, uint64_t left,
    uint64_t right, const char *terms)
{
	l->name = name;
	l->left = left;
	l->right = right;
	l->terms = terms;
}

static size_t
lines_events(const struct account *a, struct account_line *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < ACCOUNT_LINES; i++) {
		const struct event_line *l = &event_lines[i];

		if (l->name == NULL)
			continue;
		line_put(&out[n++], l->name, a->events[l->left],
		    sum_right(l, a->events) + a->cut_off[i],
		    a->incarnations > 1 ? l->terms_cut : l->terms);
	}
	return n;
}

static size_t
lines_stock(const struct account *a, struct account_line *out)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		sum += a->outcomes[i];
	line_put(&out[0], "stock: rows", a->rows, sum, "sum over outcomes");
	line_put(&out[1], "stock: new rows", a->rows_new, a->rows + a->purged,
	    "rows + purged");
	line_put(&out[2], "stock: sent", a->counted[SEND_SENT],
	    a->rows + a->purged + a->without_answer,
	    "rows + purged + without answer");
	return 3;
}

size_t
account_lines(
    const struct account *a, struct account_line out[ACCOUNT_LINES_MAX])
{
	size_t n = 0;

	_Static_assert((int)ACCOUNT_LINES <= (int)ACCOUNT_LINES_MAX, "lines");
	line_put(&out[n++], "send: index", a->index_total,
	    a->counted[SEND_EXCLUDED] + a->counted[SEND_OPTED_OUT] +
		a->counted[SEND_SENT] + a->counted[SEND_NOT_SENT],
	    "settled: excluded + opted out + sent + not sent");
	if (a->excluded_exact)
		line_put(&out[n++], "send: excluded by arithmetic",
		    a->index_excluded, a->counted[SEND_EXCLUDED],
		    "settled: excluded");
	line_put(&out[n++], "send: all passed", a->events[STAT_SEND_PASSED],
	    a->index_total + a->cut_off[LINE_PASSED_ALL],
	    a->incarnations > 1 ? "index + passed again" : "index");
	n += lines_events(a, out + n);
	n += lines_stock(a, out + n);
	return n;
}

bool
account_balances(const struct account *a)
{
	struct account_line lines[ACCOUNT_LINES_MAX];
	size_t n = account_lines(a, lines);

	for (size_t i = 0; i < n; i++)
		if (lines[i].left != lines[i].right)
			return false;
	return true;
}
