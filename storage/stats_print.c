/* stats_print.c: statistics as text, for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/stats_print.h"
#include "storage/text.h"

enum { KEY_COLUMNS_MAX = 32, NUMBER_COLUMNS = 7, OLD_GEO_DAYS = 90 };

/* Of the columns of keys: as wide as what stands in them. */
struct widths {
	int key[CUTS_MAX];
};

uint64_t
stats_each(const struct stats_view *v, struct counts *rest,
    void (*each)(const struct stats_view *, const struct stat_row *, void *),
    void *arg)
{
	size_t n;
	const struct stat_row *rows = statistics_rows(v->statistics, &n);
	uint64_t groups = 0, left_out = 0;

	*rest = (struct counts){ 0 };
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || rows[i].key[0] != rows[i - 1].key[0];
		bool unknown = statistics_is_unknown(v->statistics, &rows[i]);

		groups += first && !unknown;
		if (v->top == 0 || unknown || groups <= v->top) {
			each(v, &rows[i], arg);
			continue;
		}
		left_out += first;
		counts_add(rest, &rows[i].counts);
	}
	return left_out;
}

static double
share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* A number under its heading. */
static void
print_number(const char *heading, uint64_t n)
{
	int columns = (int)strlen(heading);

	printf(" %*" PRIu64,
	    columns < NUMBER_COLUMNS ? NUMBER_COLUMNS : columns, n);
}

static void
print_heading(const char *heading)
{
	printf(" %*s", NUMBER_COLUMNS, heading);
}

static void
print_counts(const struct counts *c, uint64_t total)
{
	print_number("services", c->services);
	printf(" %5.1f%%", share(c->services, total));
	for (int i = 0; i < TLS_STATES; i++)
		print_number(tls_state_names[i], c->tls[i]);
	print_number("no_tls", c->no_tls);
	print_number("cleartext", c->cleartext_login);
	printf(" %5.1f%%", share(c->cleartext_login, c->services));
	print_number("vulnerable", c->vulnerable);
	print_number("phantom", c->phantoms);
	putchar('\n');
}

/* A key as it is printed: an AS with its name. Returns text. */
static const char *
key_text(const struct stats_view *v, const struct stat_row *r, unsigned which,
    char text[CUT_LABEL_MAX])
{
	size_t n;

	statistics_label(v->statistics, r, which, text);
	n = strlen(text);
	if (v->cuts[which] == CUT_ASN && r->key[which] != 0)
		snprintf(text + n, CUT_LABEL_MAX - n, " %s",
		    statistics_as_name(v->statistics, r->key[which]));
	return text;
}

static void
widen(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	struct widths *w = arg;
	char text[CUT_LABEL_MAX];

	for (unsigned i = 0; i < CUTS_MAX; i++) {
		int n = (int)strlen(key_text(v, r, i, text));

		if (n > KEY_COLUMNS_MAX)
			n = KEY_COLUMNS_MAX;
		if (w->key[i] < n)
			w->key[i] = n;
	}
}

static void
print_row(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	const struct widths *w = arg;
	char text[CUT_LABEL_MAX];

	for (unsigned i = 0; i < CUTS_MAX; i++)
		if (i == 0 || v->cuts[i] != CUT_NONE)
			printf("%s%-*.*s", i ? " " : "", w->key[i], w->key[i],
			    key_text(v, r, i, text));
	print_counts(&r->counts, statistics_total(v->statistics)->services);
}

static void
print_header(const struct stats_view *v, const struct widths *w)
{
	for (unsigned i = 0; i < CUTS_MAX; i++)
		if (i == 0 || v->cuts[i] != CUT_NONE)
			printf("%s%-*s", i ? " " : "", w->key[i],
			    cut_names[v->cuts[i]]);
	print_heading("services");
	fputs("  share", stdout);
	for (int i = 0; i < TLS_STATES; i++)
		print_heading(tls_state_names[i]);
	print_heading("no_tls");
	print_heading("cleartext");
	fputs("  share", stdout);
	print_heading("vulnerable");
	print_heading("phantom");
	putchar('\n');
}

static void
print_sum(const struct stats_view *v, const struct widths *w, const char *name,
    const struct counts *c)
{
	printf("%-*s", w->key[0], name);
	if (v->cuts[1] != CUT_NONE)
		printf(" %-*s", w->key[1], "");
	print_counts(c, statistics_total(v->statistics)->services);
}

/* Countries move: numbers by an old database are to be read with care. */
static void
print_geo_age(const struct sweep_info *i)
{
	uint64_t days;
	char text[TIME_TEXT_MAX];

	if (i->geo_build_us == 0 || i->geo_build_us > i->sweep.start_us)
		return;
	days = (i->sweep.start_us - i->geo_build_us) / 86400000000;
	if (days > OLD_GEO_DAYS)
		printf("warning: the geo data was of %s, %" PRIu64
		       " days old\n",
		    text_day(i->geo_build_us, text), days);
}

static void
print_sweep(const struct stats_view *v)
{
	const struct sweep_info *i = v->info;
	char began[TIME_TEXT_MAX], ended[TIME_TEXT_MAX];

	printf("sweep %s: began %s UTC, ", i->sweep.id,
	    text_time(i->sweep.start_us, began));
	if (i->end_us == 0)
		puts("still running");
	else
		printf("ended %s UTC, account %s\n",
		    text_time(i->end_us, ended),
		    i->balanced ? "balanced" : "OFF");
}

static void
print_headline(const struct stats_view *v)
{
	const struct headline *h = statistics_headline(v->statistics);
	const struct counts *t = statistics_total(v->statistics);

	printf(
	    "POP3 without TLS: %" PRIu64 " IPv4 addresses, %" PRIu64 " IPv6\n"
	    "IMAP without TLS: %" PRIu64 " IPv4 addresses, %" PRIu64 " IPv6\n"
	    "both %" PRIu64 ", only POP3 %" PRIu64 ", only IMAP %" PRIu64
	    " (IPv6: %" PRIu64 ", %" PRIu64 ", %" PRIu64 ")\n"
	    "IMAP open without a password: %" PRIu64 " IPv4, %" PRIu64
	    " IPv6\n",
	    h->pop3[0], h->pop3[1], h->imap[0], h->imap[1], h->both[0],
	    h->only_pop3[0], h->only_imap[0], h->both[1], h->only_pop3[1],
	    h->only_imap[1], h->preauth[0], h->preauth[1]);
	printf("mail services: %" PRIu64 " on %" PRIu64 " IPv4 and %" PRIu64
	       " IPv6 addresses; refused us %" PRIu64
	       ", phantoms among them %" PRIu64 "\n"
	       "beside them: %" PRIu64 " that spoke no mail protocol "
	       "(phantoms %" PRIu64 "), %" PRIu64 " that said nothing "
	       "(phantoms %" PRIu64 ")\n\n",
	    h->services, h->addresses[0], h->addresses[1], t->refused_us,
	    t->phantoms, h->other, h->phantoms_silent, v->silent,
	    v->info->silent_phantoms);
}

void
stats_text(const struct stats_view *v)
{
	struct widths w = { { v->top ? (int)strlen("(rest: 9999)") : 0, 0 } };
	struct counts rest;
	uint64_t left_out;
	char name[CUT_LABEL_MAX];

	for (unsigned i = 0; i < CUTS_MAX; i++)
		if (w.key[i] < (int)strlen(cut_names[v->cuts[i]]))
			w.key[i] = (int)strlen(cut_names[v->cuts[i]]);
	print_sweep(v);
	print_geo_age(v->info);
	print_headline(v);
	stats_each(v, &rest, widen, &w);
	print_header(v, &w);
	left_out = stats_each(v, &rest, print_row, &w);
	if (left_out > 0) {
		snprintf(name, sizeof name, "(rest: %" PRIu64 ")", left_out);
		print_sum(v, &w, name, &rest);
	}
	print_sum(v, &w, "total", statistics_total(v->statistics));
	if (v->cuts[0] == CUT_FINDING || v->cuts[1] == CUT_FINDING)
		puts("A service with several findings stands in several rows; "
		     "the total has it once.");
}
