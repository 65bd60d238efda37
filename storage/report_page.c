/* report_page.c: the report's page, from its head to its foot. */
#include <inttypes.h>
#include <string.h>

#include "storage/html.h"
#include "storage/report_assets.h"
#include "storage/report_own.h"
#include "storage/text.h"

enum { MINUTES_LEN = 16 }; /* of "2026-11-21 02:00:05" */

static const struct {
	const char *id, *name;
} contents[] = { { "headline", "Figures" }, { "world", "Map" },
	{ "overlap", "POP3 and IMAP" }, { "outcomes", "STARTTLS" },
	{ "tls", "TLS versions" }, { "certificates", "Certificates" },
	{ "asn", "Networks" }, { "time", "Over time" },
	{ "changes", "Changes" }, { "coverage", "Coverage" },
	{ "method", "Method" }, { "about", "Contact" } };

/* Nothing is loaded, and only what stands here may run. */
static void
write_policy(struct buf *b)
{
	struct asset script = asset_get(ASSET_SCRIPT);
	struct asset style = asset_get(ASSET_STYLE);

	buf_puts(b,
	    "<meta http-equiv=Content-Security-Policy content=\""
	    "default-src 'none'; script-src ");
	html_hash(b, script.text, script.len);
	buf_puts(b, "; style-src ");
	html_hash(b, style.text, style.len);
	buf_puts(
	    b, "; img-src data:; base-uri 'none'; form-action 'none'\">\n");
}

static void
write_head(const struct report *r, struct buf *b)
{
	struct asset style = asset_get(ASSET_STYLE);
	char day[TIME_TEXT_MAX];

	buf_puts(b,
	    "<!doctype html>\n<html lang=en>\n<head>\n"
	    "<meta charset=utf-8>\n");
	write_policy(b);
	buf_printf(b,
	    "<meta name=viewport content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=color-scheme "
	    "content=\"light dark\">\n<meta name=referrer "
	    "content=no-referrer>\n<meta name=generator content=\"mailsweep "
	    "%s\">\n<link rel=icon href=\"data:,\">\n"
	    "<title>Mail servers without encryption, %s</title>\n<style>",
	    VERSION, text_day(r->info->sweep.start_us, day));
	buf_add(b, style.text, style.len);
	buf_puts(b, "</style>\n</head>\n");
}

static void
write_time(struct buf *b, uint64_t us)
{
	char time[TIME_TEXT_MAX];

	buf_printf(b, "%.*s UTC", MINUTES_LEN, text_time(us, time));
}

static bool
has_section(const struct report *r, const char *id)
{
	return strcmp(id, "about") != 0 || r->contact[0] != '\0';
}

static void
write_title(const struct report *r, struct buf *b)
{
	const struct sweep_info *i = r->info;

	buf_puts(b,
	    "<body>\n<a class=skip href=\"#headline\">Skip to the "
	    "figures</a>\n<header>");
	if (r->publisher[0] != '\0') {
		buf_puts(b, "<p class=by>Published by ");
		html_string(b, r->publisher);
		buf_puts(b, "</p>");
	}
	buf_puts(b,
	    "<h1>Mail servers without encryption</h1>\n<p>One sweep, begun ");
	write_time(b, i->sweep.start_us);
	if (i->end_us) {
		buf_puts(b, ", ended ");
		write_time(b, i->end_us);
	} else
		buf_puts(b, ", <strong>still running</strong>");
	buf_putc(b, '.');
	if (!r->for_public) {
		buf_puts(b, " <span class=id>");
		html_string(b, i->sweep.id);
		buf_puts(b, "</span>");
	}
	buf_puts(b, "</p>\n");
	if (r->mask_below > 1) {
		buf_printf(b,
		    "<p>Counts below %" PRIu64 " are masked, and so are others "
		    "from which they could be worked out. The row <em>Rest"
		    "</em> has what is masked in its column, so that the sums "
		    "are exact.</p>\n",
		    r->mask_below);
	}
	buf_puts(b, "<nav aria-label=Contents><ul>");
	for (size_t k = 0; k < sizeof contents / sizeof *contents; k++)
		if (has_section(r, contents[k].id))
			buf_printf(b, "<li><a href=\"#%s\">%s</a></li>",
			    contents[k].id, contents[k].name);
	buf_puts(b, "</ul></nav></header>\n<main>\n");
}

static void
write_method(struct buf *b)
{
	buf_puts(b,
	    "<section id=method><h2>Method</h2>\n<ul>"
	    "<li>One connection to each address and port that answers; the "
	    "dialog that a mail client would begin; no user name, password "
	    "or message is ever sent. Unless it is set otherwise, one more "
	    "connection to a port that says nothing, up to three later ones "
	    "to one that puts us off or hangs up before a word, and up to "
	    "three where encryption was offered and did not work.</li>"
	    "<li>An address counts once, however many of its ports are "
	    "exposed. <em>Exposed</em>: POP3, IMAP or SMTP without TLS, as "
	    "above.</li>"
	    "<li>Per 1,000: exposed hosts among a thousand hosts with a mail "
	    "service, where there are 20 at least. Hosts that answer on "
	    "every port and speak no mail protocol are left out.</li>"
	    "<li>Borders and names on the map are no statement of "
	    "opinion.</li></ul></section>\n");
}

/* Where the next address of a page begins, or len. */
static size_t
find_link(const char *text, size_t len, size_t *link_len)
{
	static const char begin[] = "https://";
	const char *at = memmem(text, len, begin, sizeof begin - 1);

	*link_len = at ? strspn(at,
			     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
			     "WXYZ0123456789:/._-")
		       : 0;
	return at ? (size_t)(at - text) : len;
}

/* A line of text; addresses in it can be followed. */
static void
write_linked(struct buf *b, const char *text, size_t len)
{
	while (len > 0) {
		size_t link, before = find_link(text, len, &link);

		html_text(b, text, before);
		text += before;
		len -= before;
		if (link > len)
			link = len;
		if (link > 0)
			buf_printf(b,
			    "<a rel=noreferrer href=\"%.*s\">%.*s</a>",
			    (int)link, text, (int)link, text);
		text += link;
		len -= link;
	}
}

static void
write_contact(const struct report *r, struct buf *b)
{
	bool is_page = strstr(r->contact, "://") != NULL;

	buf_printf(b, "<a rel=noreferrer href=\"%s", is_page ? "" : "mailto:");
	html_string(b, r->contact);
	buf_puts(b, "\">");
	html_string(b, r->contact);
	buf_puts(b, "</a>");
}

void
about_write(const struct report *r, struct buf *b)
{
	if (r->contact[0] == '\0')
		return;
	buf_puts(b,
	    "<section id=about><h2>Who publishes this, and how to be "
	    "left out</h2>\n<p>");
	if (r->publisher[0] != '\0') {
		html_string(b, r->publisher);
		buf_puts(b, " runs this measurement and publishes this page. ");
	}
	buf_puts(b, "Questions and corrections go to ");
	write_contact(r, b);
	buf_puts(b,
	    ".</p>\n<p>Who is responsible for an address or a network can "
	    "have it left out of all further sweeps, and what is kept of it "
	    "deleted: write to the same place and name the addresses or "
	    "prefixes. No reason is needed.</p></section>\n");
}

static void
write_foot(const struct report *r, struct buf *b)
{
	struct asset script = asset_get(ASSET_SCRIPT);
	const char *at = buf_text(&r->attribution);

	buf_puts(b, "</main>\n<footer>\n");
	while (*at) {
		size_t len = strcspn(at, "\n");

		if (len > 0) {
			buf_puts(b, "<p>");
			write_linked(b, at, len);
			buf_puts(b, "</p>\n");
		}
		at += len + (at[len] == '\n');
	}
	buf_puts(b,
	    "<p>Map: Natural Earth, public domain; world-atlas, Copyright "
	    "2013–2019 Michael Bostock (ISC licence). Country names: Unicode "
	    "CLDR, Copyright Unicode, Inc.</p>\n"
	    "<p>Made by Mailsweep. This page loads nothing from the "
	    "network.</p>\n</footer>\n<script>");
	buf_add(b, script.text, script.len);
	buf_puts(b, "</script>\n</body>\n</html>\n");
}

void
report_write(const struct report *r, struct buf *b)
{
	write_head(r, b);
	write_title(r, b);
	headline_write(r, b);
	buf_puts(b, "<section id=world><h2>By country</h2>\n");
	countries_write(r, b);
	buf_puts(b, "</section>\n");
	urgent_write(r, b);
	overlap_write(r, b);
	tls_tables_write(r, b);
	buf_puts(b, "<section id=asn><h2>By network</h2>\n");
	networks_write(r, b);
	buf_puts(b, "</section>\n");
	series_write(r, b);
	changes_write(r, b);
	coverage_write(r, b);
	advice_write(r, b);
	write_method(b);
	about_write(r, b);
	write_foot(r, b);
}
