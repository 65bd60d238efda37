/* stats_data.c: statistics as CSV and JSON, for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/csv.h"
#include "storage/json_out.h"
#include "storage/stats_print.h"
#include "storage/text.h"

static void
csv_counts(struct csv *csv, const struct counts *c)
{
	csv_number(csv, c->services);
	for (int i = 0; i < TLS_STATES; i++)
		csv_number(csv, c->tls[i]);
	csv_number(csv, c->no_tls);
	csv_number(csv, c->cleartext_login);
	csv_number(csv, c->vulnerable);
	csv_number(csv, c->phantoms);
	csv_number(csv, c->refused_us);
	csv_end(csv);
}

static void
csv_row(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	char label[CUT_LABEL_MAX];
	struct csv *csv = arg;

	for (unsigned i = 0; i < CUTS_MAX; i++) {
		if (v->cuts[i] == CUT_NONE)
			continue;
		csv_string(csv, statistics_label(v->statistics, r, i, label));
		if (v->cuts[i] == CUT_ASN)
			csv_string(
			    csv, statistics_as_name(v->statistics, r->key[i]));
	}
	csv_counts(csv, &r->counts);
}

/* "rest" or "total" in the first column, nothing in the other keys. */
static void
csv_sum(const struct stats_view *v, struct csv *csv, const char *name,
    const struct counts *c)
{
	for (unsigned i = 0; i < CUTS_MAX; i++) {
		if (v->cuts[i] == CUT_NONE)
			continue;
		csv_string(csv, csv->fields == 0 ? name : "");
		if (v->cuts[i] == CUT_ASN)
			csv_missing(csv);
	}
	if (csv->fields == 0)
		csv_string(csv, name);
	csv_counts(csv, c);
}

static void
csv_header(const struct stats_view *v, struct csv *csv)
{
	static const char *const last[] = { "no_tls", "cleartext_login",
		"vulnerable", "phantoms", "refused_us" };

	for (unsigned i = 0; i < CUTS_MAX; i++) {
		if (v->cuts[i] == CUT_NONE)
			continue;
		csv_string(csv, cut_names[v->cuts[i]]);
		if (v->cuts[i] == CUT_ASN)
			csv_string(csv, "as_name");
	}
	csv_string(csv, "services");
	for (int i = 0; i < TLS_STATES; i++)
		csv_string(csv, tls_state_names[i]);
	for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
		csv_string(csv, last[i]);
	csv_end(csv);
}

void
stats_csv(const struct stats_view *v)
{
	struct buf out = { 0 };
	struct csv csv = { &out, 0 };
	struct counts rest;

	csv_header(v, &csv);
	if (stats_each(v, &rest, csv_row, &csv) > 0)
		csv_sum(v, &csv, "(rest)", &rest);
	csv_sum(v, &csv, "(total)", statistics_total(v->statistics));
	fputs(out.s, stdout);
	buf_free(&out);
}

static void
json_counts(struct json_object *o, const struct counts *c)
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
}

static void
json_row_add(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	struct json_object *o = json_object_new_object();
	char label[CUT_LABEL_MAX];

	for (unsigned i = 0; i < CUTS_MAX; i++) {
		if (v->cuts[i] == CUT_NONE)
			continue;
		json_put_string(o, cut_names[v->cuts[i]],
		    statistics_label(v->statistics, r, i, label));
		if (v->cuts[i] == CUT_ASN)
			json_put_string(o, "as_name",
			    statistics_as_name(v->statistics, r->key[i]));
	}
	json_counts(o, &r->counts);
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

void
stats_json(const struct stats_view *v)
{
	struct json_object *o = json_object_new_object(),
			   *rows = json_object_new_array(),
			   *by = json_object_new_array(), *sum;
	struct counts rest;
	uint64_t left_out;

	put_about(o, v);
	for (unsigned i = 0; i < CUTS_MAX; i++)
		if (v->cuts[i] != CUT_NONE)
			json_object_array_add(
			    by, json_object_new_string(cut_names[v->cuts[i]]));
	json_object_object_add(o, "by", by);
	left_out = stats_each(v, &rest, json_row_add, rows);
	json_object_object_add(o, "rows", rows);
	if (left_out > 0) {
		sum = json_object_new_object();
		json_put_number(sum, "groups", left_out);
		json_counts(sum, &rest);
		json_object_object_add(o, "rest", sum);
	}
	sum = json_object_new_object();
	json_counts(sum, statistics_total(v->statistics));
	json_object_object_add(o, "total", sum);
	json_print(o, true);
}
