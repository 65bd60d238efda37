/* report_facts.c: headline, hosts, coverage and advice of the report. */
#include <inttypes.h>
#include <string.h>

#include "engine/loss.h"
#include "storage/geo_age.h"
#include "storage/html.h"
#include "storage/report_own.h"
#include "storage/row.h"
#include "storage/text.h"

/* ---- headline ------------------------------------------------------------ */

/* Against the sweep before; of small counts nothing. */
static void
write_change(const struct report *r, struct buf *b, uint64_t now, uint64_t then)
{
	char day[TIME_TEXT_MAX];

	if (is_small(r, now) || is_small(r, then))
		return;
	buf_puts(b, "<span class=change>");
	if (now == then)
		buf_puts(b, "unchanged");
	else {
		buf_puts(b, now > then ? "+" : "−");
		html_number(b, now > then ? now - then : then - now);
	}
	buf_printf(b, " <time>since %s</time></span>",
	    text_day(r->series[r->nseries - 2].start_us, day));
}

static void
write_figure(const struct report *r, struct buf *b, const char *name,
    const uint64_t *n, uint64_t now, const uint64_t *then)
{
	buf_printf(b, "<div><dt>%s</dt><dd>", name);
	count_write(r, b, n[0]);
	buf_puts(b, "<span>IPv4 addresses</span><span>");
	count_write(r, b, n[1]);
	buf_puts(b, " IPv6</span>");
	if (then)
		write_change(r, b, now, *then);
	buf_puts(b, "</dd></div>\n");
}

void
headline_write(const struct report *r, struct buf *b)
{
	struct statistics *s = r->tables[REPORT_PROTOCOL];
	const struct headline *h = statistics_headline(s);
	const struct counts *t = statistics_total(s);
	const struct report_point *then =
	    r->nseries > 1 ? &r->series[r->nseries - 2] : NULL;

	buf_puts(b,
	    "<section id=headline><h2 class=aside>Headline figures</h2>"
	    "<dl class=figures>\n");
	write_figure(r, b, "POP3 without TLS", h->pop3, h->pop3[0],
	    then ? &then->pop3 : NULL);
	write_figure(r, b, "IMAP without TLS", h->imap, h->imap[0],
	    then ? &then->imap : NULL);
	write_figure(r, b, "SMTP without TLS", t->smtp, t->smtp[0],
	    then ? &then->smtp : NULL);
	write_figure(r, b, "Mail hosts in all", t->hosts, t->hosts[0],
	    then ? &then->hosts : NULL);
	buf_puts(b,
	    "</dl>\n<p>TLS is the encryption of a connection. People fetch "
	    "their mail by POP3 or IMAP; <em>without TLS</em> means that the "
	    "server takes a password on a port where no TLS can be had, so "
	    "that anyone on the way can read the password and the mail. SMTP "
	    "carries mail from sender to server and between servers; "
	    "<em>without TLS</em> means that the server offers no encryption "
	    "for the mail it takes. Each address is counted once.</p>"
	    "</section>\n");
}

/* ---- hosts to act on first ----------------------------------------------- */

static void
write_host(const struct report_host *h, struct buf *b)
{
	char target[TARGET_TEXT_MAX], seen[TIME_TEXT_MAX];

	buf_puts(b, "<tr><th scope=row class=host>");
	html_string(b, target_text(&h->target, target));
	buf_puts(b, "</th><td>");
	country_name(b, h->head.country);
	buf_printf(b,
	    "</td><td class=n>%" PRIu32 "</td><td class=host>%s</td></tr>\n",
	    h->head.asn, text_day(h->head.first_seen_us, seen));
}

void
urgent_write(const struct report *r, struct buf *b)
{
	const struct headline *h =
	    statistics_headline(r->tables[REPORT_PROTOCOL]);
	uint64_t n = h->preauth[0] + h->preauth[1];

	if (n == 0)
		return;
	buf_puts(b, "<section id=urgent><h2>Open without a password</h2>\n<p>");
	count_write(r, b, n);
	buf_puts(b,
	    " IMAP hosts let anybody in without a password: their "
	    "owners should hear of it first.</p>\n");
	if (r->nurgent > 0) {
		buf_puts(b,
		    "<div class=scroll tabindex=0 role=region "
		    "aria-label=\"Hosts open without a password\"><table>"
		    "<caption>Hosts open without a password. Not for "
		    "publication.</caption><thead><tr><th scope=col>Host</th>"
		    "<th scope=col>Country</th><th scope=col class=n>AS</th>"
		    "<th scope=col>First seen</th></tr></thead>\n<tbody>");
		for (size_t i = 0; i < r->nurgent; i++)
			write_host(&r->urgent[i], b);
		buf_puts(b, "</tbody></table></div>\n");
	}
	buf_puts(b, "</section>\n");
}

/* ---- coverage ------------------------------------------------------------ */

static void
write_fact(const struct report *r, struct buf *b, const char *name, uint64_t n)
{
	buf_printf(b, "<div><dt>%s</dt><dd>", name);
	count_write(r, b, n);
	buf_puts(b, "</dd></div>\n");
}

/* Of the three ways for a target to go, one is the total less the others. */
static void
write_targets(const struct report *r, struct buf *b)
{
	static const char *const names[] = { "Asked",
		/* Apart, few opt-outs would say who they are. */
		"Left out: excluded, or at their owner's request", "Not sent" };
	const struct account *a = &r->info->account;
	const uint64_t n[] = { a->counted[SEND_SENT],
		a->counted[SEND_EXCLUDED] + a->counted[SEND_OPTED_OUT],
		a->counted[SEND_NOT_SENT] };
	enum { WAYS = sizeof n / sizeof n[0] };
	struct mask_table m;

	mask_new(&m, WAYS, 1);
	for (unsigned i = 0; i < WAYS; i++)
		*mask_cell(&m, i, 0) = n[i];
	m.total[0] = a->index_total;
	mask_apply(&m, r->mask_below);
	write_fact(r, b, "Targets (address and port)", a->index_total);
	for (unsigned i = 0; i < WAYS; i++)
		if (mask_is_hidden(&m, i, 0))
			buf_printf(b, "<div><dt>%s</dt><dd>masked</dd></div>\n",
			    names[i]);
		else
			write_fact(r, b, names[i], n[i]);
	mask_free(&m);
}

static void
write_loss(const struct account *a, struct buf *b)
{
	struct loss l;

	buf_puts(b, "<div><dt>Packets lost one way, estimated</dt><dd>");
	if (loss_estimate(a->events[STAT_PKT_FIRSTS],
		a->events[STAT_PKT_SECONDS], a->events[STAT_PKT_BOTH], &l))
		buf_printf(b, "%.2f %% <small>95 %%: %.2f to %.2f</small>",
		    100 * l.one_way, 100 * l.low, 100 * l.high);
	else
		buf_puts(b, "not measured");
	buf_puts(b, "</dd></div>\n");
}

static void
write_geo(const struct report *r, struct buf *b)
{
	const struct sweep_info *i = r->info;
	char day[TIME_TEXT_MAX];
	uint64_t days;

	if (i->geo_build_us == 0)
		return;
	buf_printf(b, "<p>Countries by a database of %s.",
	    text_day(i->geo_build_us, day));
	days = geo_age_days(i->geo_build_us, i->sweep.start_us);
	if (days > GEO_OLD_DAYS)
		buf_printf(b,
		    " <strong>It was %" PRIu64 " days old when the sweep "
		    "began.</strong>",
		    days);
	buf_puts(b, "</p>\n");
}

void
coverage_write(const struct report *r, struct buf *b)
{
	const struct account *a = &r->info->account;
	const struct headline *h =
	    statistics_headline(r->tables[REPORT_PROTOCOL]);

	buf_puts(b,
	    "<section id=coverage><h2>Coverage</h2>\n"
	    "<dl class=facts>\n");
	write_targets(r, b);
	write_fact(r, b, "Mail services", h->services);
	write_fact(r, b, "Spoke another protocol, or none we know", h->other);
	write_fact(r, b, "Answered and said nothing", r->silent);
	write_fact(r, b, "Packets dropped by our own capture",
	    a->events[STAT_PKT_PCAP_DROP]);
	write_loss(a, b);
	buf_printf(b,
	    "<div><dt>Books of the sweep: what was sent and counted, and what "
	    "was stored</dt><dd>%s</dd></div></dl>\n",
	    r->info->balanced ? "agree" : "<strong>do not agree</strong>");
	write_geo(r, b);
	buf_puts(b, "</section>\n");
}

/* ---- advice -------------------------------------------------------------- */

static const struct {
	const char *subject, *title;
} subjects[] = { { "finding no_tls", "No TLS to be had" },
	{ "finding cleartext_login", "Login offered in clear" },
	{ "finding starttls_broken", "STARTTLS broken" },
	{ "finding obsolete_tls", "Obsolete TLS version" },
	{ "finding expired", "Certificate expired" },
	{ "finding self_signed", "Certificate self-signed" },
	{ "finding preauth", "Open without a password" } };

static void
write_advice(const struct advice *a, const char *title, struct buf *b)
{
	buf_printf(b, "<h3>%s</h3>", title);
	if (a->risk) {
		buf_puts(b, "<p>");
		html_string(b, a->risk);
		buf_puts(b, "</p>");
	}
	buf_puts(b, "<ul>");
	for (size_t i = 0; i < a->ntodo; i++) {
		buf_puts(b, "<li>");
		html_string(b, a->todo[i]);
		buf_puts(b, "</li>");
	}
	buf_puts(b, "</ul>\n");
}

void
advice_write(const struct report *r, struct buf *b)
{
	const struct advice *a;

	if (!r->advices)
		return;
	buf_puts(b, "<section id=advice><h2>What owners can do</h2>\n");
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
		if ((a = advice_find(r->advices, subjects[i].subject)))
			write_advice(a, subjects[i].title, b);
	buf_puts(b, "</section>\n");
}
