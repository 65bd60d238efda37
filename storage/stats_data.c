/* stats_data.c: statistics as CSV and JSON, for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "engine/loss.h"
#include "storage/csv.h"
#include "storage/json_out.h"
#include "storage/stats_print.h"
#include "storage/text.h"

enum { RATE_CAP = 32 };

/* Nothing where there is nothing to be a part of. */
static void
csv_part(struct csv *csv, double (*of)(uint64_t, uint64_t), uint64_t part,
    uint64_t whole)
{
	char text[RATE_CAP];

	if (whole == 0) {
		csv_missing(csv);
		return;
	}
	snprintf(text, sizeof text, "%.3f", of(part, whole));
	csv_bare(csv, text);
}

static void
csv_counts(const struct stats_view *v, struct csv *csv, const struct counts *c,
    uint64_t announced)
{
	const struct counts *total = statistics_total(v->statistics);

	csv_number(csv, c->services);
	for (int i = 0; i < TLS_STATES; i++)
		csv_number(csv, c->tls[i]);
	csv_number(csv, c->no_tls);
	csv_number(csv, c->cleartext_login);
	csv_number(csv, c->vulnerable);
	csv_number(csv, c->phantoms);
	csv_number(csv, c->refused_us);
	for (unsigned i = 0; i < FAMILIES; i++) {
		csv_number(csv, c->hosts[i]);
		csv_number(csv, c->pop3[i]);
		csv_number(csv, c->imap[i]);
		csv_number(csv, c->smtp[i]);
		csv_number(csv, c->exposed[i]);
		csv_number(csv, c->both[i]);
	}
	csv_part(csv, stats_rate, c->pop3[0], c->hosts[0]);
	csv_part(csv, stats_share, c->services, total->services);
	csv_part(csv, stats_share, c->cleartext_login, c->services);
	if (!v->announced)
		return;
	if (announced > 0)
		csv_number(csv, announced);
	else
		csv_missing(csv);
	csv_part(csv, stats_per_million, c->pop3[0], announced);
}

/* Of an earlier sweep; nothing where it has no such row. */
static void
csv_before(struct csv *csv, const struct counts *c, uint32_t rank)
{
	if (rank)
		csv_number(csv, rank);
	else
		csv_missing(csv);
	if (c) {
		csv_number(csv, c->services);
		csv_number(csv, c->pop3[0]);
		return;
	}
	csv_missing(csv);
	csv_missing(csv);
}

static void
csv_sweep(const struct stats_view *v, struct csv *csv)
{
	char time[TIME_TEXT_MAX];

	if (!v->series)
		return;
	csv_string(csv, v->info->sweep.id);
	csv_string(csv, text_time(v->info->sweep.start_us, time));
}

static void
csv_row(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	const enum cut *cuts = statistics_cuts(v->statistics);
	const struct stat_row *old =
	    v->before ? statistics_find(v->before, v->statistics, r) : NULL;
	char label[CUT_LABEL_MAX];
	struct csv *csv = arg;

	csv_sweep(v, csv);
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		csv_string(csv, statistics_label(v->statistics, r, i, label));
		if (cuts[i] == CUT_ASN)
			csv_string(
			    csv, statistics_as_name(v->statistics, r->key[i]));
	}
	if (r->rank)
		csv_number(csv, r->rank);
	else
		csv_missing(csv);
	csv_counts(v, csv, &r->counts, stats_announced(v, r));
	if (v->before)
		csv_before(csv, old ? &old->counts : NULL, old ? old->rank : 0);
	csv_end(csv);
}

/* "rest" or "total" in the first column, nothing in the other keys. */
static void
csv_sum(const struct stats_view *v, struct csv *csv, const char *name,
    const struct counts *c, const struct counts *before)
{
	const enum cut *cuts = statistics_cuts(v->statistics);

	csv_sweep(v, csv);
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		csv_string(csv, i == 0 ? name : "");
		if (cuts[i] == CUT_ASN)
			csv_missing(csv);
	}
	csv_missing(csv);
	csv_counts(v, csv, c,
	    c == statistics_total(v->statistics) ? stats_announced(v, NULL)
						 : 0);
	if (v->before)
		csv_before(csv, before, 0);
	csv_end(csv);
}

static void
csv_header(const struct stats_view *v, struct csv *csv)
{
	static const char *const last[] = { "no_tls", "cleartext_login",
		"vulnerable", "phantoms", "refused_us", "hosts", "pop3", "imap",
		"smtp", "exposed", "both", "hosts6", "pop3_6", "imap_6",
		"smtp_6", "exposed_6", "both_6", "pop3_per_1000", "share",
		"cleartext_share" };
	const enum cut *cuts = statistics_cuts(v->statistics);

	if (v->series) {
		csv_string(csv, "sweep");
		csv_string(csv, "began");
	}
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		csv_string(csv, cut_names[cuts[i]]);
		if (cuts[i] == CUT_ASN)
			csv_string(csv, "as_name");
	}
	csv_string(csv, "rank");
	csv_string(csv, "services");
	for (int i = 0; i < TLS_STATES; i++)
		csv_string(csv, tls_state_names[i]);
	for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
		csv_string(csv, last[i]);
	if (v->announced) {
		csv_string(csv, "announced");
		csv_string(csv, "pop3_per_million");
	}
	if (v->before) {
		csv_string(csv, "rank_before");
		csv_string(csv, "services_before");
		csv_string(csv, "pop3_before");
	}
	csv_end(csv);
}

void
stats_csv(const struct stats_view *v)
{
	struct buf out = { 0 };
	struct csv csv = { &out, 0 };
	struct stats_rest rest;

	if (!v->series || v->is_first)
		csv_header(v, &csv);
	stats_each(v, &rest, csv_row, &csv);
	if (rest.any)
		csv_sum(v, &csv, "(rest)", &rest.now, &rest.before);
	csv_sum(v, &csv, "(total)", statistics_total(v->statistics),
	    v->before ? statistics_total(v->before) : NULL);
	csv_sum(v, &csv, "(phantoms)", statistics_phantoms(v->statistics),
	    v->before ? statistics_phantoms(v->before) : NULL);
	fputs(out.s, stdout);
	buf_free(&out);
}

static void
json_part(struct json_object *o, const char *key,
    double (*of)(uint64_t, uint64_t), uint64_t part, uint64_t whole)
{
	char text[RATE_CAP];

	if (whole == 0)
		return;
	snprintf(text, sizeof text, "%.3f", of(part, whole));
	json_object_object_add(
	    o, key, json_object_new_double_s(of(part, whole), text));
}

static void
json_counts(
    struct json_object *o, const struct counts *c, const struct counts *total)
{
	struct json_object *tls = json_object_new_object();

	json_put_number(o, "services", c->services);
	for (int i = 0; i < TLS_STATES; i++)
		json_put_number(tls, tls_state_names[i], c->tls[i]);
	json_object_object_add(o, "tls_states", tls);
	json_put_number(o, "no_tls", c->no_tls);
	json_put_number(o, "cleartext_login", c->cleartext_login);
	json_put_number(o, "vulnerable", c->vulnerable);
	json_put_number(o, "phantoms", c->phantoms);
	json_put_number(o, "refused_us", c->refused_us);
	for (unsigned i = 0; i < FAMILIES; i++) {
		json_put_number(o, i ? "hosts6" : "hosts", c->hosts[i]);
		json_put_number(o, i ? "pop3_6" : "pop3", c->pop3[i]);
		json_put_number(o, i ? "imap_6" : "imap", c->imap[i]);
		json_put_number(o, i ? "smtp_6" : "smtp", c->smtp[i]);
		json_put_number(o, i ? "exposed_6" : "exposed", c->exposed[i]);
		json_put_number(o, i ? "both_6" : "both", c->both[i]);
	}
	json_part(o, "pop3_per_1000", stats_rate, c->pop3[0], c->hosts[0]);
	json_part(o, "share", stats_share, c->services, total->services);
	json_part(
	    o, "cleartext_share", stats_share, c->cleartext_login, c->services);
}

static void
json_announced(struct json_object *o, const struct counts *c, uint64_t n)
{
	if (n == 0)
		return;
	json_put_number(o, "announced", n);
	json_part(o, "pop3_per_million", stats_per_million, c->pop3[0], n);
}

static void
json_before(const struct stats_view *v, struct json_object *o,
    const struct counts *c, uint32_t rank)
{
	struct json_object *before = json_object_new_object();

	if (rank)
		json_put_number(before, "rank", rank);
	json_counts(before, c, statistics_total(v->before));
	json_object_object_add(o, "before", before);
}

static void
json_row_add(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	const enum cut *cuts = statistics_cuts(v->statistics);
	const struct stat_row *old =
	    v->before ? statistics_find(v->before, v->statistics, r) : NULL;
	struct json_object *o = json_object_new_object();
	char label[CUT_LABEL_MAX];

	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		json_put_string(o, cut_names[cuts[i]],
		    statistics_label(v->statistics, r, i, label));
		if (cuts[i] == CUT_ASN)
			json_put_string(o, "as_name",
			    statistics_as_name(v->statistics, r->key[i]));
	}
	if (r->rank)
		json_put_number(o, "rank", r->rank);
	json_counts(o, &r->counts, statistics_total(v->statistics));
	json_announced(o, &r->counts, stats_announced(v, r));
	if (old)
		json_before(v, o, &old->counts, old->rank);
	json_object_array_add(arg, o);
}

/* One object a family: "ipv4", "ipv6". */
static struct json_object *
headline_object(const struct headline *h, unsigned six)
{
	struct json_object *o = json_object_new_object();

	json_put_number(o, "addresses", h->addresses[six]);
	json_put_number(o, "pop3_without_tls", h->pop3[six]);
	json_put_number(o, "imap_without_tls", h->imap[six]);
	json_put_number(o, "both", h->both[six]);
	json_put_number(o, "only_pop3", h->only_pop3[six]);
	json_put_number(o, "only_imap", h->only_imap[six]);
	json_put_number(o, "preauth", h->preauth[six]);
	return o;
}

static void
put_about(struct json_object *o, const struct stats_view *v)
{
	const struct headline *h = statistics_headline(v->statistics);
	char text[TIME_TEXT_MAX];

	json_put_string(o, "sweep", v->info->sweep.id);
	json_put_string(
	    o, "began", text_time_iso(v->info->sweep.start_us, text));
	json_put_bool(o, "balanced", v->info->balanced);
	json_object_object_add(o, "ipv4", headline_object(h, 0));
	json_object_object_add(o, "ipv6", headline_object(h, 1));
	json_put_number(o, "rows_all", h->rows);
	json_put_number(o, "not_mail", h->other);
	json_put_number(o, "phantoms_without_dialog", h->phantoms_silent);
	json_put_number(o, "silent", v->silent);
	json_put_number(o, "silent_phantoms", v->info->silent_phantoms);
}

static void
put_coverage(struct json_object *o, const struct account *a)
{
	struct json_object *to = json_object_new_object();
	struct loss l;

	json_put_number(to, "targets", a->index_total);
	json_put_number(to, "sent", a->counted[SEND_SENT]);
	json_put_number(to, "excluded", a->counted[SEND_EXCLUDED]);
	json_put_number(to, "opted_out", a->counted[SEND_OPTED_OUT]);
	json_put_number(to, "not_sent", a->counted[SEND_NOT_SENT]);
	json_put_number(to, "pcap_dropped", a->events[STAT_PKT_PCAP_DROP]);
	if (loss_estimate(a->events[STAT_PKT_FIRSTS],
		a->events[STAT_PKT_SECONDS], a->events[STAT_PKT_BOTH], &l)) {
		json_object_object_add(
		    to, "loss", json_object_new_double(l.one_way));
		json_object_object_add(
		    to, "loss_low", json_object_new_double(l.low));
		json_object_object_add(
		    to, "loss_high", json_object_new_double(l.high));
	}
	json_object_object_add(o, "coverage", to);
}

static void
json_sum(const struct stats_view *v, struct json_object *o, const char *key,
    const struct counts *now, const struct counts *before, uint64_t groups)
{
	struct json_object *sum = json_object_new_object();

	if (groups > 0)
		json_put_number(sum, "groups", groups);
	json_counts(sum, now, statistics_total(v->statistics));
	if (now == statistics_total(v->statistics))
		json_announced(sum, now, stats_announced(v, NULL));
	if (v->before)
		json_before(v, sum, before, 0);
	json_object_object_add(o, key, sum);
}

/* The rest, if there is one, and what all rows are a part of. */
static void
put_sums(const struct stats_view *v, struct json_object *o,
    const struct stats_rest *rest)
{
	const struct statistics *s = v->statistics,
				*before = v->before ? v->before : s;

	if (rest->any)
		json_sum(v, o, "rest", &rest->now, &rest->before, rest->groups);
	json_sum(
	    v, o, "total", statistics_total(s), statistics_total(before), 0);
	json_sum(v, o, "phantoms", statistics_phantoms(s),
	    statistics_phantoms(before), 0);
}

void
stats_json(const struct stats_view *v)
{
	struct json_object *o = json_object_new_object(),
			   *rows = json_object_new_array(),
			   *by = json_object_new_array();
	const enum cut *cuts = statistics_cuts(v->statistics);
	struct stats_rest rest;

	put_about(o, v);
	put_coverage(o, &v->info->account);
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++)
		json_object_array_add(
		    by, json_object_new_string(cut_names[cuts[i]]));
	json_object_object_add(o, "by", by);
	stats_each(v, &rest, json_row_add, rows);
	json_object_object_add(o, "rows", rows);
	put_sums(v, o, &rest);
	json_print(o, !v->series);
}
