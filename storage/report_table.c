/* report_table.c: tables of counts in the report. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/html.h"
#include "storage/report_own.h"

enum { BAR_WIDTH = 100 };

bool
is_small(const struct report *r, uint64_t n)
{
	return n > 0 && n < r->mask_below;
}

void
count_write(const struct report *r, struct buf *b, uint64_t n)
{
	if (is_small(r, n))
		buf_printf(b, "fewer than %" PRIu64, r->mask_below);
	else
		html_number(b, n);
}

void
host_counts(struct mask_table *m, size_t row, const struct counts *c)
{
	*mask_cell(m, row, HOST_EXPOSED) = c->exposed[0];
	*mask_cell(m, row, HOST_POP3) = c->pop3[0];
	*mask_cell(m, row, HOST_IMAP) = c->imap[0];
	*mask_cell(m, row, HOST_SMTP) = c->smtp[0];
	*mask_cell(m, row, HOST_MAIL) = c->hosts[0];
	*mask_cell(m, row, HOST_EXPOSED6) = c->exposed[1];
}

void
hosts_are_shared(struct mask_table *m)
{
	m->parts = m->shared = true;
	m->parts_from = HOST_POP3;
	m->parts_to = HOST_SMTP;
	m->sum = HOST_EXPOSED;
}

void
grid_new(struct grid *g, size_t rows, unsigned columns)
{
	*g = (struct grid){ 0 };
	mask_new(&g->m, rows, columns);
	g->labels = need_memory(rows + 1, sizeof *g->labels);
}

void
grid_free(struct grid *g)
{
	for (size_t i = 0; i < g->m.rows; i++)
		buf_free(&g->labels[i]);
	free(g->labels);
	free(g->keys);
	mask_free(&g->m);
}

/* ---- in which order ------------------------------------------------------ */

struct place {
	size_t row;
	double keys[2]; /* of the two columns, as shown */
	const char *label;
};

static double
shown(const struct mask_table *m, size_t row, unsigned column)
{
	return mask_is_hidden(m, row, column)
	    ? 0.5 /* more than none, as report.js has it */
	    : (double)mask_value(m, row, column);
}

static int
compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	for (unsigned i = 0; i < 2; i++)
		if (x->keys[i] < y->keys[i] || x->keys[i] > y->keys[i])
			return x->keys[i] < y->keys[i] ? 1 : -1;
	return strcmp(x->label, y->label);
}

static void
take_row(struct grid *to, size_t row, const struct grid *from, size_t of)
{
	unsigned n = from->m.columns;

	to->labels[row] = from->labels[of];
	if (from->keys)
		memcpy(to->keys[row], from->keys[of], sizeof *to->keys);
	memcpy(&to->m.v[row * n], &from->m.v[of * n], n * sizeof *to->m.v);
	memcpy(&to->m.hidden[row * n], &from->m.hidden[of * n],
	    n * sizeof *to->m.hidden);
}

void
grid_order(struct grid *g, unsigned first, unsigned second)
{
	struct place *places;
	struct grid old = *g;
	size_t n = g->m.rows;

	places = need_memory(n + 1, sizeof *places);
	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){ i,
			{ shown(&g->m, i, first), shown(&g->m, i, second) },
			buf_text(&g->labels[i]) };
	qsort(places, n, sizeof *places, compare_places);
	g->labels = need_memory(n + 1, sizeof *g->labels);
	g->keys = old.keys ? need_memory(n + 1, sizeof *g->keys) : NULL;
	g->m.v = need_memory(n * g->m.columns + 1, sizeof *g->m.v);
	g->m.hidden = need_memory(n * g->m.columns + 1, sizeof *g->m.hidden);
	for (size_t i = 0; i < n; i++)
		take_row(g, i, &old, places[i].row);
	free(places);
	free(old.labels);
	free(old.keys);
	free(old.m.v);
	free(old.m.hidden);
}

/* ---- cells --------------------------------------------------------------- */

/* It need not be small: another one may be, that it would give away. */
static void
write_hidden(struct buf *b)
{
	buf_puts(b, "<td class=\"n masked\">masked</td>");
}

static void
write_bar(struct buf *b, uint64_t n, uint64_t most)
{
	buf_printf(b,
	    "<svg class=bar viewBox=\"0 0 %d 1\" preserveAspectRatio=none "
	    "aria-hidden=true><rect width=\"%.1f\" height=1 /></svg>",
	    BAR_WIDTH, most ? (double)BAR_WIDTH * (double)n / (double)most : 0);
}

static void
write_cell(struct buf *b, uint64_t n, const uint64_t *most)
{
	buf_printf(
	    b, "<td class=\"n%s\" data-v=%" PRIu64 ">", most ? " b" : "", n);
	if (most)
		write_bar(b, n, *most);
	html_number(b, n);
	buf_puts(b, "</td>");
}

static void
write_rate(struct buf *b, uint64_t part, uint64_t whole, bool hidden)
{
	double rate = whole ? 1000 * (double)part / (double)whole : 0;

	if (hidden || whole < RATE_HOSTS_MIN)
		buf_puts(b, "<td class=n>–</td>");
	else
		buf_printf(b, "<td class=n data-v=%.3f>%.1f</td>", rate, rate);
}

static uint64_t
largest(const struct mask_table *m, unsigned column)
{
	uint64_t most = 0;

	for (size_t r = 0; r < m->rows; r++)
		if (!mask_is_hidden(m, r, column) &&
		    m->v[r * m->columns + column] > most)
			most = m->v[r * m->columns + column];
	return most;
}

static void
write_row(const struct grid *g, size_t row, uint64_t most, struct buf *b)
{
	const struct mask_table *m = &g->m;
	const uint64_t *v = &m->v[row * m->columns];

	buf_puts(b, "<tr");
	if (g->keys)
		buf_printf(b, " data-key=\"%s\"", g->keys[row]);
	buf_puts(b, "><th scope=row>");
	buf_puts(b, buf_text(&g->labels[row]));
	buf_puts(b, "</th>");
	for (unsigned c = 0; c < m->columns; c++)
		if (mask_is_hidden(m, row, c))
			write_hidden(b);
		else
			write_cell(b, v[c], g->bars && c == 0 ? &most : NULL);
	if (g->rates)
		write_rate(b, v[HOST_EXPOSED], v[HOST_MAIL],
		    mask_is_hidden(m, row, HOST_EXPOSED) ||
			mask_is_hidden(m, row, HOST_MAIL));
	buf_puts(b, "</tr>\n");
}

static void
write_sum(const struct grid *g, const char *name, const uint64_t *v,
    const bool *hidden, bool rate, struct buf *b)
{
	buf_printf(b, "<tr><th scope=row>%s</th>", name);
	for (unsigned c = 0; c < g->m.columns; c++)
		if (hidden[c] && v[c] > 0)
			write_hidden(b);
		else
			write_cell(b, v[c], NULL);
	if (g->rates)
		write_rate(b, v[HOST_EXPOSED], v[HOST_MAIL],
		    !rate || hidden[HOST_EXPOSED] || hidden[HOST_MAIL]);
	buf_puts(b, "</tr>\n");
}

/* Rows that are wholly in the rest stand there only. */
static size_t
rows_in_rest(const struct grid *g)
{
	size_t n = g->left_out;

	for (size_t i = 0; i < g->m.rows; i++)
		n += !g->m.not_additive && mask_row_is_hidden(&g->m, i);
	return n;
}

static void
write_rest(const struct report *r, const struct grid *g, struct buf *b)
{
	struct buf name = { 0 };
	size_t rows = rows_in_rest(g);
	bool any = rows > 0;

	for (unsigned c = 0; c < g->m.columns; c++)
		any |= g->m.rest[c] > 0;
	if (any) {
		buf_puts(&name, "Rest");
		if (rows > 0) {
			buf_puts(&name, " (");
			html_number(&name, rows);
			buf_puts(&name, ")");
		}
		/* Masked, its columns are of different rows. */
		write_sum(g, name.s, g->m.rest, g->m.total_hidden,
		    r->mask_below < 2, b);
	}
	buf_free(&name);
}

static void
write_foot(const struct report *r, const struct grid *g, struct buf *b)
{
	if (g->m.not_additive)
		return;
	buf_puts(b, "<tfoot>\n");
	write_rest(r, g, b);
	write_sum(g, "Total", g->m.total, g->m.total_hidden, true, b);
	if (g->phantoms && g->phantoms->services > 0) {
		struct mask_table one;

		mask_new(&one, 1, g->m.columns);
		host_counts(&one, 0, g->phantoms);
		hosts_are_shared(&one);
		one.not_additive = true;
		mask_apply(&one, r->mask_below);
		write_sum(
		    g, "Answering on every port", one.v, one.hidden, true, b);
		mask_free(&one);
	}
	buf_puts(b, "</tfoot>");
}

static void
write_head(const struct grid *g, struct buf *b)
{
	buf_printf(b,
	    "<div class=scroll tabindex=0 role=region "
	    "aria-labelledby=\"%s-caption\"><table id=\"%s\" class=\"grid%s\">"
	    "<caption id=\"%s-caption\"><span>%s</span></caption>\n"
	    "<thead><tr><th scope=col>%s</th>",
	    g->id, g->id, g->is_long ? " long" : "", g->id, g->caption,
	    g->label);
	for (unsigned c = 0; c < g->m.columns; c++)
		buf_printf(b, "<th scope=col class=n%s>%s</th>",
		    g->bars && c == 0 ? " aria-sort=descending" : "",
		    g->heads[c]);
	if (g->rates)
		buf_puts(b, "<th scope=col class=n>Per 1,000</th>");
	buf_puts(b, "</tr></thead>\n<tbody>\n");
}

void
grid_write(const struct report *r, const struct grid *g, struct buf *b)
{
	uint64_t most = g->bars ? largest(&g->m, 0) : 0;

	write_head(g, b);
	for (size_t i = 0; i < g->m.rows; i++)
		if (g->m.not_additive || !mask_row_is_hidden(&g->m, i))
			write_row(g, i, most, b);
	buf_puts(b, "</tbody>\n");
	write_foot(r, g, b);
	buf_puts(b, "</table></div>\n");
}
