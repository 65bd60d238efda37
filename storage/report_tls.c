/* report_tls.c: what became of TLS, in the report. */
#include <inttypes.h>
#include <string.h>

#include "storage/html.h"
#include "storage/report_own.h"

enum { STACK_WIDTH = 1000, STACK_HEIGHT = 28 };

static const char *const protocol_titles[PROTOCOLS] = { "POP3", "IMAP",
	"SMTP" };
static const char *const protocol_heads[PROTOCOLS + 1] = { "POP3", "IMAP",
	"SMTP", "All" };

/* clang-format off */
static const struct state {
	const char *name, *class;
} states[TLS_STATES] = {
	[TLS_COMPLETED] = { "STARTTLS", "good" },
	[TLS_IMPLICIT] = { "TLS from the first byte", "fine" },
	[TLS_BROKEN] = { "Offered, but broken", "poor" },
	[TLS_REFUSED] = { "Offered, but refused", "fair" },
	[TLS_NOT_OFFERED] = { "Not offered", "bad" },
	[TLS_UNKNOWN] = { "Unknown", "void" },
};

static const char *const finding_titles[FINDING_COUNT] = {
	[FINDING_NO_TLS] = "No TLS to be had",
	[FINDING_CLEARTEXT_LOGIN] = "Login offered in clear",
	[FINDING_STARTTLS_BROKEN] = "STARTTLS broken",
	[FINDING_STRAY_PLAINTEXT] = "Clear text after STARTTLS",
	[FINDING_OBSOLETE_TLS] = "Obsolete TLS version",
	[FINDING_WEAK_KEY] = "Key too small",
	[FINDING_WEAK_SIGNATURE] = "Weak signature",
	[FINDING_EXPIRED] = "Expired",
	[FINDING_NOT_YET_VALID] = "Not yet valid",
	[FINDING_SELF_SIGNED] = "Self-signed",
	[FINDING_UNTRUSTED] = "Issuer not trusted",
	[FINDING_TLS_ON_CLEARTEXT_PORT] = "TLS on a port for clear text",
	[FINDING_CLEARTEXT_ON_TLS_PORT] = "Clear text on a port for TLS",
	[FINDING_PREAUTH] = "Open without a password",
	[FINDING_STARTTLS_INJECTION] = "STARTTLS takes injected commands",
};
/* clang-format on */

static bool
is_of_certificate(enum finding f)
{
	return f == FINDING_EXPIRED || f == FINDING_NOT_YET_VALID ||
	    f == FINDING_SELF_SIGNED || f == FINDING_UNTRUSTED ||
	    f == FINDING_WEAK_KEY || f == FINDING_WEAK_SIGNATURE;
}

/* ---- bars of 100 % ------------------------------------------------------- */

struct piece {
	const char *name, *class;
	uint64_t n;
	bool hidden;
};

static void
stack_write(struct buf *b, const char *name, const struct piece *p, unsigned n,
    uint64_t whole)
{
	double at = 0;

	buf_printf(b,
	    "<div class=stack><span>%s</span><svg viewBox=\"0 0 %d %d\" "
	    "preserveAspectRatio=none aria-hidden=true>",
	    name, STACK_WIDTH, STACK_HEIGHT);
	for (unsigned i = 0; i < n && whole > 0; i++) {
		double width = STACK_WIDTH * (double)p[i].n / (double)whole;

		if (p[i].hidden || p[i].n == 0)
			continue;
		buf_printf(b,
		    "<rect class=%s x=\"%.1f\" width=\"%.1f\" height=%d>"
		    "<title>%s: ",
		    p[i].class, at, width, STACK_HEIGHT, p[i].name);
		html_share(b, p[i].n, whole);
		buf_puts(b, "</title></rect>");
		at += width;
	}
	buf_puts(b, "</svg></div>\n");
}

static void
stack_legend(struct buf *b, const struct piece *p, unsigned n)
{
	buf_puts(b, "<ul class=legend>");
	for (unsigned i = 0; i < n; i++)
		buf_printf(
		    b, "<li class=%s><i></i>%s</li>", p[i].class, p[i].name);
	buf_puts(b, "</ul>\n");
}

/* ---- POP3 and IMAP ------------------------------------------------------- */

void
overlap_write(const struct report *r, struct buf *b)
{
	const struct headline *h =
	    statistics_headline(r->tables[REPORT_PROTOCOL]);
	struct piece p[] = { { "Only POP3", "one", h->only_pop3[0], false },
		{ "Both", "both", h->both[0], false },
		{ "Only IMAP", "two", h->only_imap[0], false } };
	enum { PIECES = sizeof p / sizeof p[0] };
	uint64_t whole = 0;
	bool small = false;

	for (unsigned i = 0; i < PIECES; i++) {
		whole += p[i].n;
		small |= is_small(r, p[i].n);
	}
	buf_puts(b,
	    "<section id=overlap><h2>POP3 and IMAP on the same hosts</h2>\n");
	/* One of them is the sum without the other. */
	if (small)
		buf_puts(b, "<p>Masked: a part of it is small.</p>");
	else {
		buf_puts(b, "<dl class=facts>");
		for (unsigned i = 0; i < PIECES; i++) {
			buf_printf(b, "<div class=%s><dt><i></i>%s</dt><dd>",
			    p[i].class, p[i].name);
			html_number(b, p[i].n);
			buf_puts(b, " <small>");
			html_share(b, p[i].n, whole);
			buf_puts(b, "</small></dd></div>");
		}
		buf_puts(b, "</dl>\n");
		stack_write(b, "", p, PIECES, whole);
	}
	buf_puts(b, "</section>\n");
}

/* ---- outcomes ------------------------------------------------------------ */

/* Which column or row a protocol has; PROTOCOLS: none. */
static unsigned
place_of(uint64_t protocol)
{
	switch (protocol) {
	case PROTOCOL_POP3:
		return 0;
	case PROTOCOL_IMAP:
		return 1;
	case PROTOCOL_SMTP:
		return 2;
	default:
		return PROTOCOLS;
	}
}

static void
write_stacks(const struct grid *g, struct buf *b)
{
	for (unsigned row = 0; row < PROTOCOLS; row++) {
		struct piece p[TLS_STATES];

		for (unsigned i = 0; i < TLS_STATES; i++)
			p[i] = (struct piece){ states[i].name, states[i].class,
				g->m.v[row * g->m.columns + i],
				mask_is_hidden(&g->m, row, i) };
		if (row == 0)
			stack_legend(b, p, TLS_STATES);
		if (!mask_is_hidden(&g->m, row, TLS_STATES))
			stack_write(b, protocol_titles[row], p, TLS_STATES,
			    g->m.v[row * g->m.columns + TLS_STATES]);
	}
}

static void
outcomes_grid(const struct report *r, struct grid *g)
{
	static const char *heads[TLS_STATES + 1];
	size_t n;
	const struct stat_row *rows =
	    statistics_rows(r->tables[REPORT_PROTOCOL], &n);

	grid_new(g, PROTOCOLS, TLS_STATES + 1);
	g->id = "starttls";
	g->caption = "Services (address and port) by what became of TLS.";
	g->label = "Protocol";
	g->heads = heads;
	g->m.parts = true;
	g->m.parts_to = TLS_STATES - 1;
	g->m.sum = TLS_STATES;
	for (unsigned i = 0; i < TLS_STATES; i++)
		heads[i] = states[i].name;
	heads[TLS_STATES] = "Services";
	for (unsigned i = 0; i < PROTOCOLS; i++)
		buf_puts(&g->labels[i], protocol_titles[i]);
	for (size_t k = 0; k < n; k++) {
		const struct counts *c = &rows[k].counts;
		unsigned at = place_of(rows[k].key[0]);

		if (at == PROTOCOLS)
			continue;
		for (unsigned i = 0; i < TLS_STATES; i++)
			g->m.total[i] += *mask_cell(&g->m, at, i) = c->tls[i];
		g->m.total[TLS_STATES] += *mask_cell(&g->m, at, TLS_STATES) =
		    c->services;
	}
}

/* ---- versions ------------------------------------------------------------ */

/* Numbers by protocol, and their sum behind them. */
static void
by_protocol(struct grid *g, size_t row, uint64_t protocol, uint64_t n)
{
	unsigned at = place_of(protocol);

	if (at == PROTOCOLS)
		return;
	*mask_cell(&g->m, row, at) += n;
	*mask_cell(&g->m, row, ALL) += n;
	g->m.total[at] += n;
	g->m.total[ALL] += n;
}

static void
protocol_grid(struct grid *g, size_t rows)
{
	grid_new(g, rows, PROTOCOLS + 1);
	g->heads = protocol_heads;
	g->m.parts = true;
	g->m.parts_to = PROTOCOLS - 1;
	g->m.sum = ALL;
}

/* The versions there are, newest first, none last. How many. */
static unsigned
versions_of(const struct stat_row *rows, size_t n, uint64_t v[VERSIONS_MAX])
{
	unsigned count = 0;

	for (size_t k = 0; k < n; k++) {
		unsigned at = 0;

		while (at < count && v[at] > rows[k].key[0])
			at++;
		if ((at < count && v[at] == rows[k].key[0]) ||
		    count == VERSIONS_MAX)
			continue;
		memmove(v + at + 1, v + at, (count - at) * sizeof *v);
		v[at] = rows[k].key[0];
		count++;
	}
	return count;
}

static void
versions_grid(const struct report *r, struct grid *g, uint64_t v[VERSIONS_MAX])
{
	size_t n;
	const struct stat_row *rows =
	    statistics_rows(r->tables[REPORT_TLS], &n);
	unsigned count = versions_of(rows, n, v);

	protocol_grid(g, count);
	g->id = "versions";
	g->caption = "Services by the version of TLS that was agreed on.";
	g->label = "Version";
	for (unsigned i = 0; i < count; i++) {
		if (v[i] == 0)
			buf_puts(&g->labels[i], "None");
		else
			html_string(
			    &g->labels[i], tls_version_name((uint16_t)v[i]));
		for (size_t k = 0; k < n; k++)
			if (rows[k].key[0] == v[i])
				by_protocol(g, i, rows[k].key[1],
				    rows[k].counts.services);
	}
}

/* ---- findings ------------------------------------------------------------ */

static void
findings_grid(const struct report *r, bool of_certificate, struct grid *g,
    unsigned of_row[FINDING_COUNT])
{
	size_t n, row = 0;
	const struct stat_row *rows =
	    statistics_rows(r->tables[REPORT_FINDING], &n);

	protocol_grid(g, FINDING_COUNT);
	g->label = of_certificate ? "Problem" : "Finding";
	g->m.not_additive = true;
	for (unsigned f = 0; f < FINDING_COUNT; f++) {
		if (!finding_titles[f] ||
		    is_of_certificate(f) != of_certificate)
			continue;
		buf_puts(&g->labels[row], finding_titles[f]);
		for (size_t k = 0; k < n; k++)
			if (rows[k].key[0] == f)
				by_protocol(g, row, rows[k].key[1],
				    rows[k].counts.services);
		of_row[row++] = f;
	}
	g->m.rows = row;
}

/* ---- all of them ------------------------------------------------------- */

static void
write_tables(const struct report *r, struct tls_tables *t, struct buf *b)
{
	buf_puts(b, "<section id=outcomes><h2>STARTTLS, by protocol</h2>\n");
	write_stacks(&t->outcomes, b);
	grid_write(r, &t->outcomes, b);
	buf_puts(b, "</section>\n<section id=tls><h2>TLS versions</h2>\n");
	grid_write(r, &t->versions, b);
	buf_puts(
	    b, "</section>\n<section id=certificates><h2>Certificates</h2>\n");
	grid_write(r, &t->certificates, b);
	buf_puts(
	    b, "</section>\n<section id=findings><h2>Other findings</h2>\n");
	grid_write(r, &t->findings, b);
	buf_puts(b, "</section>\n");
}

void
tls_tables_write(const struct report *r, struct buf *b)
{
	unsigned of_certificates[FINDING_COUNT];
	struct tls_tables t;

	outcomes_grid(r, &t.outcomes);
	versions_grid(r, &t.versions, t.version);
	findings_grid(r, true, &t.certificates, of_certificates);
	t.certificates.id = "certificate-problems";
	t.certificates.caption =
	    "Services by what is wrong with their certificate. One may stand "
	    "in several rows.";
	findings_grid(r, false, &t.findings, t.finding);
	t.findings.id = "other-findings";
	t.findings.caption =
	    "Services by finding. One may stand in several rows.";
	tls_tables_mask(&t, r->mask_below);
	write_tables(r, &t, b);
	grid_free(&t.outcomes);
	grid_free(&t.versions);
	grid_free(&t.certificates);
	grid_free(&t.findings);
}
