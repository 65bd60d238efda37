/* stats_print.c: statistics as text, for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/loss.h"
#include "storage/geo_age.h"
#include "storage/stats_print.h"
#include "storage/text.h"

enum { KEY_COLUMNS_MAX = 32, SERIES_KEY_COLUMNS = 20, NUMBER_COLUMNS = 7 };

/* Of the columns of keys: as wide as what stands in them. */
struct widths {
	int key[CUTS_MAX];
};

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

/* Hosts are IPv4 here, as the headline; CSV and JSON have both. */
static void
print_hosts(const struct counts *c)
{
	print_number("hosts", c->hosts[0]);
	print_number("pop3", c->pop3[0]);
	print_number("imap", c->imap[0]);
	print_number("both", c->both[0]);
	printf(" %7.1f", stats_rate(c->pop3[0], c->hosts[0]));
}

/* Against an earlier sweep: services, and the same of it; its rank. */
static void
print_before(const struct counts *c, const struct counts *before, uint32_t rank)
{
	static const struct counts none;

	if (!before)
		before = &none;
	printf(" %+8" PRId64 " %+7" PRId64,
	    (int64_t)(c->services - before->services),
	    (int64_t)(c->pop3[0] - before->pop3[0]));
	if (rank)
		printf(" %4" PRIu32, rank);
	else
		printf(" %4s", "");
}

/* Where it is known of anything, a column. */
static void
print_announced(const struct stats_view *v, const struct counts *c, uint64_t n)
{
	if (!v->announced)
		return;
	if (n > 0)
		printf(" %9.1f", stats_per_million(c->pop3[0], n));
	else
		printf(" %9s", "");
}

static void
print_counts(const struct counts *c, uint64_t total)
{
	print_number("services", c->services);
	printf(" %5.1f%%", stats_share(c->services, total));
	for (int i = 0; i < TLS_STATES; i++)
		print_number(tls_state_names[i], c->tls[i]);
	print_number("no_tls", c->no_tls);
	print_number("cleartext", c->cleartext_login);
	printf(" %5.1f%%", stats_share(c->cleartext_login, c->services));
	print_number("vulnerable", c->vulnerable);
	print_number("phantom", c->phantoms);
	print_hosts(c);
}

/* A key as it is printed: an AS with its name. Returns text. */
static const char *
key_text(const struct stats_view *v, const struct stat_row *r, unsigned which,
    char text[CUT_LABEL_MAX])
{
	size_t n;

	statistics_label(v->statistics, r, which, text);
	n = strlen(text);
	if (statistics_cuts(v->statistics)[which] == CUT_ASN &&
	    r->key[which] != 0)
		snprintf(text + n, CUT_LABEL_MAX - n, " %s",
		    statistics_as_name(v->statistics, r->key[which]));
	return text;
}

static void
widen(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	struct widths *w = arg;
	char text[CUT_LABEL_MAX];

	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		int n = (int)strlen(key_text(v, r, i, text));

		if (n > KEY_COLUMNS_MAX)
			n = KEY_COLUMNS_MAX;
		if (w->key[i] < n)
			w->key[i] = n;
	}
}

/* When the sweep of a series began, to the minute. */
static void
print_began(const struct stats_view *v, const char *heading)
{
	enum { MINUTES_LEN = 16 }; /* of "2026-11-21 02:00:05" */
	char text[TIME_TEXT_MAX];

	if (v->series)
		printf("%-*.*s ", MINUTES_LEN, MINUTES_LEN,
		    heading ? heading
			    : text_time(v->info->sweep.start_us, text));
}

static void
print_row(const struct stats_view *v, const struct stat_row *r, void *arg)
{
	const struct widths *w = arg;
	const struct stat_row *old =
	    v->before ? statistics_find(v->before, v->statistics, r) : NULL;
	char text[CUT_LABEL_MAX];

	print_began(v, NULL);
	if (r->rank)
		printf("%4" PRIu32 " ", r->rank);
	else
		printf("%4s ", "");
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++)
		printf(
		    "%-*.*s ", w->key[i], w->key[i], key_text(v, r, i, text));
	print_counts(&r->counts, statistics_total(v->statistics)->services);
	print_announced(v, &r->counts, stats_announced(v, r));
	if (v->before)
		print_before(
		    &r->counts, old ? &old->counts : NULL, old ? old->rank : 0);
	putchar('\n');
}

static void
print_header(const struct stats_view *v, const struct widths *w)
{
	static const char *const hosts[] = { "hosts", "pop3", "imap", "both",
		"/1,000" };

	print_began(v, "began (UTC)");
	printf("%4s ", "");
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++)
		printf("%-*s ", w->key[i],
		    cut_names[statistics_cuts(v->statistics)[i]]);
	print_heading("services");
	fputs("  share", stdout);
	for (int i = 0; i < TLS_STATES; i++)
		print_heading(tls_state_names[i]);
	print_heading("no_tls");
	print_heading("cleartext");
	fputs("  share", stdout);
	print_heading("vulnerable");
	print_heading("phantom");
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		print_heading(hosts[i]);
	if (v->announced)
		fputs("  /million", stdout);
	if (v->before)
		fputs("   change    pop3 rank", stdout);
	putchar('\n');
}

static void
print_sum(const struct stats_view *v, const struct widths *w, const char *name,
    const struct counts *c, const struct counts *before)
{
	const struct counts *total = statistics_total(v->statistics);

	print_began(v, NULL);
	printf("%4s %-*s ", "", w->key[0], name);
	for (unsigned i = 1; i < statistics_cut_count(v->statistics); i++)
		printf("%-*s ", w->key[i], "");
	print_counts(c, statistics_total(v->statistics)->services);
	print_announced(v, c, c == total ? stats_announced(v, NULL) : 0);
	if (before)
		print_before(c, before, 0);
	putchar('\n');
}

/* What was sent, what was not, what got lost: how much the rest is worth. */
static void
print_coverage(const struct sweep_info *i)
{
	const struct account *a = &i->account;
	struct loss l;

	printf("coverage: %" PRIu64 " of %" PRIu64 " targets sent, %" PRIu64
	       " excluded, %" PRIu64 " opted out, %" PRIu64
	       " not sent; the capture dropped %" PRIu64 " packets; ",
	    a->counted[SEND_SENT], a->index_total, a->counted[SEND_EXCLUDED],
	    a->counted[SEND_OPTED_OUT], a->counted[SEND_NOT_SENT],
	    a->events[STAT_PKT_PCAP_DROP]);
	if (loss_estimate(a->events[STAT_PKT_FIRSTS],
		a->events[STAT_PKT_SECONDS], a->events[STAT_PKT_BOTH], &l))
		printf("lost one way %.2f %% (95 %%: %.2f to %.2f)\n",
		    100 * l.one_way, 100 * l.low, 100 * l.high);
	else
		puts("loss not measured (syn_probes = 1)");
}

/* Countries move: numbers by an old database are to be read with care. */
static void
print_geo_age(const struct sweep_info *i)
{
	uint64_t days = geo_age_days(i->geo_build_us, i->sweep.start_us);
	char text[TIME_TEXT_MAX];

	if (days > GEO_OLD_DAYS)
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

static struct widths
header_widths(const struct stats_view *v)
{
	struct widths w = { { (int)strlen(
	    v->top ? "(rest: 99999)" : "(phantoms)") } };

	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++) {
		int n =
		    (int)strlen(cut_names[statistics_cuts(v->statistics)[i]]);

		/* One sweep's columns stand below another's. */
		if (v->series && n < SERIES_KEY_COLUMNS)
			n = SERIES_KEY_COLUMNS;
		if (w.key[i] < n)
			w.key[i] = n;
	}
	return w;
}

static void
print_notes(const struct stats_view *v)
{
	for (unsigned i = 0; i < statistics_cut_count(v->statistics); i++)
		if (statistics_cuts(v->statistics)[i] == CUT_FINDING)
			puts("A service with several findings stands in "
			     "several rows; the total has it once.");
	puts("hosts, pop3, imap: distinct IPv4 addresses, of the last two "
	     "those in scan_..._vulnerable; /1,000: pop3 per thousand hosts. "
	     "An address in two rows counts in both, in the total once.");
	if (v->announced)
		puts("/million: pop3 per million announced IPv4 addresses.");
	if (v->before)
		printf("change: services and pop3 against %s, and the rank "
		       "there\n",
		    v->before_info->sweep.id);
}

void
stats_text(const struct stats_view *v)
{
	struct widths w = header_widths(v);
	struct stats_rest rest;
	char name[CUT_LABEL_MAX];

	if (!v->series) {
		print_sweep(v);
		print_geo_age(v->info);
		print_coverage(v->info);
		print_headline(v);
	}
	stats_each(v, &rest, widen, &w);
	if (!v->series || v->is_first)
		print_header(v, &w);
	stats_each(v, &rest, print_row, &w);
	if (rest.any) {
		snprintf(name, sizeof name, "(rest: %" PRIu64 ")", rest.groups);
		print_sum(
		    v, &w, name, &rest.now, v->before ? &rest.before : NULL);
	}
	print_sum(v, &w, "total", statistics_total(v->statistics),
	    v->before ? statistics_total(v->before) : NULL);
	print_sum(v, &w, "(phantoms)", statistics_phantoms(v->statistics),
	    v->before ? statistics_phantoms(v->before) : NULL);
	if (!v->series)
		print_notes(v);
}
