/* report_changes.c: what has become of services since the last sweep. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/change.h"
#include "storage/html.h"
#include "storage/report_own.h"

/*
 * What is as before has no column: it would make a sum of each row, by which
 * what is masked in it could be worked out.
 */
enum {
	COLUMN_NEW,
	COLUMN_BACK,
	COLUMN_WORSE,
	COLUMN_FIXED,
	COLUMN_NOT_SEEN, /* no row of theirs any more */
	COLUMN_GONE,
	COLUMNS,
	CODE_LEN = 2
};

static const char *const heads[COLUMNS] = { "New", "Back", "Worse", "Fixed",
	"Not seen", "Gone" };

/* COLUMNS: none. */
static unsigned
column_of(uint64_t change)
{
	switch ((enum change)change) {
	case CHANGE_NEW:
		return COLUMN_NEW;
	case CHANGE_BACK:
		return COLUMN_BACK;
	case CHANGE_WORSE:
		return COLUMN_WORSE;
	case CHANGE_FIXED:
		return COLUMN_FIXED;
	default:
		return COLUMNS;
	}
}

/* Countries by their codes as numbers; row + 1 of each that has one. */
struct places {
	uint32_t row[REPORT_PLACES];
	size_t n;
};

static void
add(struct grid *g, struct places *p, uint64_t place, unsigned column,
    uint64_t n)
{
	char code[CODE_LEN] = { (char)(place >> 8), (char)(place & 0xff) };

	if (n == 0 || column == COLUMNS)
		return;
	if (p->row[place] == 0) {
		p->row[place] = (uint32_t)++p->n;
		country_name(&g->labels[p->n - 1], code);
	}
	*mask_cell(&g->m, p->row[place] - 1, column) += n;
	g->m.total[column] += n;
}

static void
fill(const struct report *r, struct grid *g, struct places *p)
{
	size_t n;
	const struct stat_row *rows =
	    statistics_rows(r->tables[REPORT_CHANGE], &n);

	for (size_t i = 0; i < n; i++)
		add(g, p, rows[i].key[0], column_of(rows[i].key[1]),
		    rows[i].counts.services);
	for (size_t place = 0; place < REPORT_PLACES; place++) {
		add(g, p, place, COLUMN_NOT_SEEN, r->gone[place].not_seen);
		add(g, p, place, COLUMN_GONE, r->gone[place].gone);
	}
	g->m.rows = p->n;
}

/* As many rows as there may be: those of the table and those of the gone. */
static size_t
most_rows(const struct report *r)
{
	size_t n;

	statistics_rows(r->tables[REPORT_CHANGE], &n);
	for (size_t place = 0; place < REPORT_PLACES; place++)
		n += r->gone[place].not_seen + r->gone[place].gone > 0;
	return n;
}

static void
write_words(struct buf *b)
{
	buf_printf(b,
	    "<p><em>New</em>: never seen in the sweeps that are kept. "
	    "<em>Back</em>: seen before, but not in the last one. "
	    "<em>Worse</em>: it has a finding that it had not. "
	    "<em>Fixed</em>: it answered, the dialog ran to its end, and a "
	    "finding is absent. <em>Not seen</em>: seen before, and no "
	    "answer now, or none that says anything. <em>Gone</em>: no answer "
	    "in %u sweeps running, as of this one. What does not answer is "
	    "never "
	    "called fixed.</p>\n",
	    GONE_AFTER);
}

/* One figure without parts: there is nothing to subtract it from. */
static void
write_mended(const struct report *r, struct buf *b)
{
	const struct fixes_of all = { .country = NULL };
	struct fix_times t = fixes_times(r->fixes, &all);

	buf_puts(b, "<p id=mended>");
	if (t.n == 0) {
		buf_puts(b,
		    "In the sweeps that are kept no service that was exposed "
		    "has been mended.</p>\n");
		return;
	}
	buf_puts(b,
	    "Services that were exposed and have been mended, in the "
	    "sweeps that are kept: <strong>");
	count_write(r, b, t.n);
	buf_puts(b, "</strong>.");
	if (!is_small(r, t.n))
		buf_printf(b,
		    " Half of them took <strong>%.1f days</strong> or less "
		    "(the median); a quarter %.1f, three quarters %.1f.",
		    t.days[1], t.days[0], t.days[2]);
	buf_puts(b, "</p>\n");
}

static void
write_table(const struct report *r, struct buf *b)
{
	struct places *places = need_memory(1, sizeof *places);
	struct grid g;

	grid_new(&g, most_rows(r), COLUMNS);
	g.id = "change";
	g.caption = "Services (address and port) against the sweep before, by "
		    "country.";
	g.label = "Country";
	g.heads = heads;
	g.is_long = true;
	fill(r, &g, places);
	mask_apply(&g.m, r->mask_below);
	grid_order(&g, COLUMN_NEW, COLUMN_FIXED);
	grid_write(r, &g, b);
	grid_free(&g);
	free(places);
}

void
changes_write(const struct report *r, struct buf *b)
{
	buf_puts(b, "<section id=changes><h2>Since the last sweep</h2>\n");
	if (r->info->previous[0] == '\0') {
		buf_puts(b,
		    "<p>It was not compared with an earlier "
		    "sweep.</p></section>\n");
		return;
	}
	write_mended(r, b);
	write_words(b);
	write_table(r, b);
	buf_puts(b, "</section>\n");
}
