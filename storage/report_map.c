/* report_map.c: the map of the world in the report. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/html.h"
#include "storage/report_assets.h"
#include "storage/report_own.h"

enum {
	MEASURES = 4, /* HOST_EXPOSED to HOST_SMTP */
	VIEWS = 2 * MEASURES, /* each absolute, then as a rate */
	CLASSES_MAX = 6,
	NO_DATA = 'n', /* nobody, or too few to say */
	MASKED = 'm'
};

static const char *const measure_names[MEASURES] = { "Any of the three", "POP3",
	"IMAP", "SMTP" };

/* Lower bounds of the classes of one view. */
struct scale {
	double from[CLASSES_MAX];
	unsigned n;
};

static bool
is_masked(const struct grid *g, size_t row, unsigned view)
{
	return mask_is_hidden(&g->m, row, view % MEASURES) ||
	    (view >= MEASURES && mask_is_hidden(&g->m, row, HOST_MAIL));
}

/* 0 where there is nothing to be shown. */
static double
value_of(const struct grid *g, size_t row, unsigned view)
{
	uint64_t hosts = mask_value(&g->m, row, HOST_MAIL);
	double n = (double)mask_value(&g->m, row, view % MEASURES);

	if (view < MEASURES)
		return n;
	return hosts < RATE_HOSTS_MIN ? 0 : 1000 * n / (double)hosts;
}

static double
highest(const struct grid *g, unsigned view)
{
	double most = 0;

	for (size_t i = 0; i < g->m.rows; i++)
		if (!is_masked(g, i, view) && value_of(g, i, view) > most)
			most = value_of(g, i, view);
	return most;
}

/* Counts differ by orders of magnitude: 1, 10, 100, or 1, 3, 10, 30. */
static struct scale
scale_of_counts(double least, double most)
{
	struct scale s = { { 0 }, 0 };
	double steps[2] = { 10, 10 }, at = 1;
	unsigned i = 0;

	if (most < 100000) {
		steps[0] = 3;
		steps[1] = 10.0 / 3;
	}
	while (at <= most + 0.5) {
		if (s.n == CLASSES_MAX)
			memmove(s.from + 1, s.from + 2,
			    (--s.n - 1) * sizeof s.from[0]);
		s.from[s.n++] = at;
		at *= steps[i++ % 2];
	}
	/* Of what is masked there are no classes. */
	while (s.n > 1 && s.from[1] <= least)
		memmove(s.from, s.from + 1, --s.n * sizeof s.from[0]);
	if (s.n > 0 && s.from[0] < least)
		s.from[0] = least;
	return s;
}

/* Rates go up in equal steps of 1, 2 or 5. */
static struct scale
scale_of_rates(double most)
{
	static const double nice[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100,
		200 };
	struct scale s = { { 0 }, 0 };
	unsigned i = 0;

	while (
	    i + 1 < sizeof nice / sizeof *nice && nice[i] * CLASSES_MAX <= most)
		i++;
	while (s.n < CLASSES_MAX && (s.n == 0 || nice[i] * s.n <= most)) {
		s.from[s.n] = nice[i] * s.n;
		s.n++;
	}
	return s;
}

static char
class_of(const struct grid *g, const struct scale *s, size_t row, unsigned view)
{
	double v = value_of(g, row, view);
	unsigned c = 0;

	if (is_masked(g, row, view))
		return MASKED;
	if (v <= 0)
		return NO_DATA;
	while (c + 1 < s->n && v + 1e-9 >= s->from[c + 1])
		c++;
	return (char)('0' + c + CLASSES_MAX - s->n);
}

static void
write_place(
    const struct grid *g, const struct scale *scales, size_t row, struct buf *b)
{
	for (unsigned view = 0; view < VIEWS; view++)
		buf_putc(b, class_of(g, &scales[view], row, view));
}

static size_t
row_of(const struct grid *g, const struct asset *code)
{
	size_t i = 0;

	while (i < g->m.rows &&
	    (code->len != strlen(g->keys[i]) ||
		memcmp(code->text, g->keys[i], code->len) != 0))
		i++;
	return i;
}

/* The tooltip of those without a script. */
static void
write_title(const struct grid *g, size_t row, struct buf *b)
{
	buf_printf(b, "<title>%s: ", buf_text(&g->labels[row]));
	if (mask_is_hidden(&g->m, row, HOST_EXPOSED))
		buf_puts(b, "masked");
	else
		html_number(b, mask_value(&g->m, row, HOST_EXPOSED));
	buf_puts(b, "</title>");
}

static void
write_country(const struct grid *g, const struct scale *scales,
    const struct asset f[ASSET_FIELDS], struct buf *b)
{
	size_t row = row_of(g, &f[0]);

	buf_printf(b, "<path id=\"m-%.*s\"", (int)f[0].len, f[0].text);
	if (row < g->m.rows) {
		buf_printf(
		    b, " class=q%c data-q=\"", class_of(g, &scales[0], row, 0));
		write_place(g, scales, row, b);
		buf_putc(b, '"');
	}
	buf_puts(b, " d=\"");
	buf_add(b, f[1].text, f[1].len);
	buf_puts(b, "\">");
	if (row < g->m.rows)
		write_title(g, row, b);
	else {
		buf_puts(b, "<title>");
		country_name(b, f[0].text);
		buf_puts(b, ": none</title>");
	}
	buf_puts(b, "</path>\n");
}

/* What the data has and no line of the map. */
static void
write_beside(const struct grid *g, const bool *drawn, const struct scale *s,
    struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < g->m.rows; i++)
		any |= !drawn[i];
	if (!any)
		return;
	buf_puts(b, "<p class=beside>Not on the map: ");
	for (size_t i = 0; i < g->m.rows; i++) {
		if (drawn[i])
			continue;
		buf_printf(b, "<span data-key=\"%s\" data-q=\"", g->keys[i]);
		write_place(g, s, i, b);
		buf_printf(b, "\" class=q%c><i aria-hidden=true></i>%s</span> ",
		    class_of(g, &s[0], i, 0), buf_text(&g->labels[i]));
	}
	buf_puts(b, "</p>\n");
}

static void
write_bound(struct buf *b, double v, bool rate)
{
	if (rate && v < 1)
		buf_printf(b, "%.1f", v);
	else
		html_number(b, (uint64_t)(v + 0.5));
}

static void
write_legend(const struct scale *s, unsigned view, bool masked, struct buf *b)
{
	bool rate = view >= MEASURES;

	buf_printf(b, "<ul class=legend data-view=%u%s>", view,
	    view == 0 ? "" : " hidden");
	if (masked)
		buf_puts(b, "<li class=qm><i></i>masked</li>");
	buf_printf(b, "<li class=qn><i></i>%s</li>",
	    rate ? "none, or fewer than 20 mail hosts" : "none");
	for (unsigned c = 0; c < s->n; c++) {
		buf_printf(b, "<li class=q%u><i></i>", c + CLASSES_MAX - s->n);
		if (rate && c == 0 && s->n > 1) {
			buf_puts(b, "under ");
			write_bound(b, s->from[1], rate);
		} else if (c + 1 < s->n) {
			write_bound(b, s->from[c], rate);
			buf_puts(b, rate ? " to " : "–");
			write_bound(b, s->from[c + 1] - (rate ? 0 : 1), rate);
		} else {
			write_bound(b, s->from[c], rate);
			buf_puts(b, " and more");
		}
		buf_puts(b, "</li>");
	}
	buf_puts(b, "</ul>\n");
}

/* Of no use without the script, which unhides them. */
static void
write_switches(struct buf *b)
{
	buf_puts(b,
	    "<div class=switches id=switches hidden>"
	    "<fieldset><legend>Hosts without encryption in</legend>");
	for (unsigned i = 0; i < MEASURES; i++)
		buf_printf(b,
		    "<label><input type=radio name=measure value=%u%s>"
		    "<span>%s</span></label>",
		    i, i == 0 ? " checked" : "", measure_names[i]);
	buf_puts(b,
	    "</fieldset><fieldset><legend>Shown as</legend>"
	    "<label><input type=radio name=rate value=0 checked>"
	    "<span>Number</span></label>"
	    "<label><input type=radio name=rate value=1>"
	    "<span>Per 1,000 mail hosts</span></label></fieldset></div>\n");
}

static void
write_paths(const struct grid *g, const struct scale *scales, bool *drawn,
    struct buf *b)
{
	struct asset f[ASSET_FIELDS];
	size_t at = 0;

	asset_line(asset_get(ASSET_WORLD), &at, f); /* "size", width height */
	buf_printf(b,
	    "<div class=map><svg id=map viewBox=\"0 0 %.*s\" role=img "
	    "aria-labelledby=map-title aria-describedby=map-table>"
	    "<title id=map-title>World map: hosts without encryption by "
	    "country</title>"
	    "<desc id=map-table>The table of countries below has every "
	    "figure of this map.</desc>\n",
	    (int)f[1].len, f[1].text);
	while (asset_line(asset_get(ASSET_WORLD), &at, f)) {
		size_t row = row_of(g, &f[0]);

		write_country(g, scales, f, b);
		if (row < g->m.rows)
			drawn[row] = true;
	}
	buf_puts(b, "</svg><div id=tip class=tip hidden></div></div>\n");
}

void
map_write(const struct report *r, const struct grid *g, struct buf *b)
{
	bool *drawn = need_memory(g->m.rows + 1, sizeof *drawn);
	struct scale scales[VIEWS];

	for (unsigned view = 0; view < VIEWS; view++)
		scales[view] = view < MEASURES
		    ? scale_of_counts((double)r->mask_below, highest(g, view))
		    : scale_of_rates(highest(g, view));
	write_switches(b);
	write_paths(g, scales, drawn, b);
	for (unsigned view = 0; view < VIEWS; view++) {
		bool masked = false;

		for (size_t i = 0; i < g->m.rows; i++)
			masked |= is_masked(g, i, view);
		write_legend(&scales[view], view, masked, b);
	}
	/* Without the switches, as on paper, nothing else says so. */
	buf_printf(b,
	    "<p class=beside id=shown aria-live=polite>Shown: IPv4 hosts "
	    "without encryption. %s. Number.</p>\n",
	    measure_names[0]);
	write_beside(g, drawn, scales, b);
	buf_puts(b,
	    "<p class=beside>The country is where a database places an "
	    "address. Two such databases agree on about nine random ranges in "
	    "ten.</p>\n");
	free(drawn);
}
