/* report_read.c: what a report says, read from the sealed sweeps. */
#include <stdlib.h>
#include <string.h>

#include "storage/change.h"
#include "storage/cut.h"
#include "storage/report.h"
#include "storage/row.h"
#include "storage/tables.h"

static const enum cut cuts[REPORT_TABLES][CUTS_MAX] = {
	[REPORT_COUNTRY] = { CUT_COUNTRY },
	[REPORT_CHANGE] = { CUT_COUNTRY, CUT_CHANGE },
	[REPORT_ASN] = { CUT_ASN },
	[REPORT_PROTOCOL] = { CUT_PROTOCOL },
	[REPORT_TLS] = { CUT_TLS, CUT_PROTOCOL },
	[REPORT_FINDING] = { CUT_FINDING, CUT_PROTOCOL },
};

/* ---- the series ---------------------------------------------------------- */

static bool
note_sweep(const struct sweep_info *i, void *arg)
{
	struct report *r = arg;

	if (i->removed || i->end_us == 0 ||
	    i->sweep.start_us > r->info->sweep.start_us ||
	    strcmp(i->sweep.id, r->info->sweep.id) == 0)
		return true;
	if (r->nseries == REPORT_SERIES_MAX - 1)
		memmove(
		    r->series, r->series + 1, --r->nseries * sizeof *r->series);
	memcpy(r->series[r->nseries].id, i->sweep.id, SWEEP_ID_MAX);
	r->series[r->nseries++].start_us = i->sweep.start_us;
	return true;
}

static void
take_counts(struct report_point *p, struct statistics *s)
{
	const struct headline *h = statistics_headline(s);

	p->pop3 = h->pop3[0];
	p->imap = h->imap[0];
	p->smtp = statistics_total(s)->smtp[0];
	p->hosts = statistics_total(s)->hosts[0];
}

static bool
add_fixes(struct report *r, struct store *s)
{
	struct fixes *one = fixes_read(s);

	if (one)
		fixes_add_all(r->fixes, one);
	fixes_free(one);
	return one;
}

static bool
read_point(
    struct report *r, struct report_point *p, char error[STORE_ERROR_MAX])
{
	struct statistics *s = NULL;
	struct store *store = store_open(r->datadir, p->id, error);
	bool read;

	if (!store)
		return false;
	read = tables_read(store, &cuts[REPORT_PROTOCOL], 1, &s) &&
	    add_fixes(r, store);
	if (read)
		take_counts(p, s);
	else
		store_say(error, "%s: cannot be read", p->id);
	r->damaged += store_damaged(store);
	statistics_free(s);
	store_close(store);
	return read;
}

static bool
read_series(struct report *r, char error[STORE_ERROR_MAX])
{
	struct report_point *last;

	r->series = need_memory(REPORT_SERIES_MAX, sizeof *r->series);
	if (store_sweeps(r->datadir, note_sweep, r, error) < 0)
		return false;
	for (size_t i = 0; i < r->nseries; i++)
		if (!read_point(r, &r->series[i], error))
			return false;
	last = &r->series[r->nseries++];
	memcpy(last->id, r->info->sweep.id, sizeof last->id);
	last->start_us = r->info->sweep.start_us;
	take_counts(last, r->tables[REPORT_PROTOCOL]);
	return true;
}

/* ---- what has no row any more --------------------------------------------- */

static void
read_gone(struct report *r, struct store *s)
{
	struct store_scan *scan = store_scan_gone(s);
	struct target target;
	struct head h;

	r->gone = need_memory(REPORT_PLACES, sizeof *r->gone);
	while (scan && store_scan_next(scan, &target, &h)) {
		struct report_gone *g = &r->gone[country_number(h.country)];

		/* No change: it was not asked. */
		if (!head_is_service(&h) || h.change == CHANGE_NONE)
			continue;
		g->not_seen += h.missed < GONE_AFTER;
		g->gone += h.missed == GONE_AFTER;
	}
	store_scan_free(scan);
}

/* ---- hosts --------------------------------------------------------------- */

static void
read_urgent(struct report *r, struct store *s)
{
	const struct headline *h =
	    statistics_headline(r->tables[REPORT_PROTOCOL]);
	struct report_host host;
	struct store_scan *scan;

	if (r->for_public || h->preauth[0] + h->preauth[1] == 0)
		return;
	r->urgent = need_memory(REPORT_HOSTS_MAX, sizeof *r->urgent);
	scan = store_scan_new(s);
	while (scan && r->nurgent < REPORT_HOSTS_MAX &&
	    store_scan_next(scan, &host.target, &host.head))
		if (head_has(&host.head, FINDING_PREAUTH))
			r->urgent[r->nurgent++] = host;
	store_scan_free(scan);
}

bool
report_read(struct report *r, struct store *s, char error[STORE_ERROR_MAX])
{
	r->info = store_info(s);
	r->silent = store_silent_count(s);
	if (!tables_read(s, cuts, REPORT_TABLES, r->tables)) {
		store_say(error, "%s: cannot be read", r->info->sweep.id);
		return false;
	}
	read_urgent(r, s);
	read_gone(r, s);
	r->fixes = fixes_new();
	if (!add_fixes(r, s)) {
		store_say(error, "%s: cannot be read", r->info->sweep.id);
		return false;
	}
	return read_series(r, error);
}

void
report_free(struct report *r)
{
	for (unsigned i = 0; i < REPORT_TABLES; i++)
		statistics_free(r->tables[i]);
	free(r->series);
	free(r->urgent);
	free(r->gone);
	fixes_free(r->fixes);
	buf_free(&r->attribution);
}
