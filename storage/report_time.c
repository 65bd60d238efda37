/* report_time.c: how it was before, in the report. */
#include <inttypes.h>
#include <string.h>

#include "storage/html.h"
#include "storage/report_own.h"
#include "storage/text.h"

enum {
	LINES = 3,
	WIDTH = 760,
	HEIGHT = 280,
	LEFT = 70,
	RIGHT = 16,
	TOP = 12,
	BOTTOM = 32,
	TICKS = 4,
	POINTS_WITH_DOTS = 60,
	DAY_LEN = 10
};

static const char *const line_names[LINES] = { "POP3", "IMAP", "SMTP" };

static uint64_t
value_of(const struct report_point *p, unsigned line)
{
	return line == 0 ? p->pop3 : line == 1 ? p->imap : p->smtp;
}

/* The first of 1, 2, 2.5, 5, 10, 20 ... that four steps of are enough. */
static uint64_t
step_of(uint64_t most)
{
	static const uint64_t nice[] = { 10, 20, 25, 50 };

	for (uint64_t ten = 1;; ten *= 10)
		for (unsigned i = 0; i < sizeof nice / sizeof *nice; i++) {
			uint64_t step = nice[i] * ten / 10;

			if (step > 0 && step * TICKS >= most)
				return step;
		}
}

struct frame {
	uint64_t from_us, to_us, top;
};

static double
x_of(const struct frame *f, uint64_t us)
{
	if (f->to_us == f->from_us)
		return LEFT;
	return LEFT +
	    (WIDTH - LEFT - RIGHT) * (double)(us - f->from_us) /
	    (double)(f->to_us - f->from_us);
}

static double
y_of(const struct frame *f, uint64_t n)
{
	return HEIGHT - BOTTOM -
	    (HEIGHT - TOP - BOTTOM) * (double)n / (double)f->top;
}

static void
write_axes(const struct frame *f, struct buf *b)
{
	char day[TIME_TEXT_MAX];

	for (uint64_t i = 0; i <= TICKS; i++) {
		double y = y_of(f, f->top / TICKS * i);

		buf_printf(b,
		    "<path class=rule d=\"M%d %.1fH%d\"/><text x=%d y=\"%.1f\" "
		    "class=end>",
		    LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4);
		html_number(b, f->top / TICKS * i);
		buf_puts(b, "</text>");
	}
	buf_printf(b, "<text x=%d y=%d>%s</text>", LEFT, HEIGHT - 8,
	    text_day(f->from_us, day));
	buf_printf(b, "<text x=%d y=%d class=end>%s</text>\n", WIDTH - RIGHT,
	    HEIGHT - 8, text_day(f->to_us, day));
}

/* A small count is a gap. */
static void
write_line(
    const struct report *r, const struct frame *f, unsigned line, struct buf *b)
{
	bool gap = true;
	char day[TIME_TEXT_MAX];

	buf_printf(b, "<path class=\"line s%u\" d=\"", line);
	for (size_t i = 0; i < r->nseries; i++) {
		uint64_t n = value_of(&r->series[i], line);

		if (!is_small(r, n))
			buf_printf(b, "%c%.1f %.1f", gap ? 'M' : 'L',
			    x_of(f, r->series[i].start_us), y_of(f, n));
		gap = is_small(r, n);
	}
	buf_puts(b, "\"/>");
	for (size_t i = 0; i < r->nseries && r->nseries <= POINTS_WITH_DOTS;
	     i++) {
		uint64_t n = value_of(&r->series[i], line);

		if (is_small(r, n))
			continue;
		buf_printf(b,
		    "<circle class=s%u r=3.5 cx=\"%.1f\" cy=\"%.1f\">"
		    "<title>%s, %s: ",
		    line, x_of(f, r->series[i].start_us), y_of(f, n),
		    line_names[line], text_day(r->series[i].start_us, day));
		html_number(b, n);
		buf_puts(b, "</title></circle>");
	}
	buf_putc(b, '\n');
}

static void
write_chart(const struct report *r, struct buf *b)
{
	struct frame f = { r->series[0].start_us,
		r->series[r->nseries - 1].start_us, 1 };

	for (size_t i = 0; i < r->nseries; i++)
		for (unsigned line = 0; line < LINES; line++)
			if (value_of(&r->series[i], line) > f.top)
				f.top = value_of(&r->series[i], line);
	f.top = step_of(f.top) * TICKS;
	buf_puts(b, "<ul class=legend>");
	for (unsigned line = 0; line < LINES; line++)
		buf_printf(b,
		    "<li><svg class=key viewBox=\"0 0 28 8\" aria-hidden=true>"
		    "<path class=\"line s%u\" d=\"M0 4H28\"/></svg>%s</li>",
		    line, line_names[line]);
	buf_printf(b,
	    "</ul><div class=scroll><svg class=chart viewBox=\"0 0 %d %d\" "
	    "role=img "
	    "aria-label=\"Hosts without encryption over time; the table below "
	    "has the figures\">\n",
	    WIDTH, HEIGHT);
	write_axes(&f, b);
	for (unsigned line = 0; line < LINES; line++)
		write_line(r, &f, line, b);
	buf_puts(b, "</svg></div>\n");
}

static void
write_point(const struct report *r, const struct report_point *p, struct buf *b)
{
	char time[TIME_TEXT_MAX];

	buf_printf(b, "<tr><th scope=row>%.*s</th>", DAY_LEN,
	    text_time(p->start_us, time));
	for (unsigned line = 0; line <= LINES; line++) {
		buf_puts(b, "<td class=n>");
		count_write(r, b, line < LINES ? value_of(p, line) : p->hosts);
		buf_puts(b, "</td>");
	}
	buf_puts(b, "</tr>\n");
}

void
series_write(const struct report *r, struct buf *b)
{
	buf_puts(b, "<section id=time><h2>Over time</h2>\n");
	if (r->nseries < 2) {
		buf_puts(b, "<p>This is the first sweep that is kept.</p>");
	} else {
		buf_puts(
		    b, "<p>IPv4 hosts without encryption in each sweep.</p>");
		write_chart(r, b);
	}
	buf_puts(b,
	    "<details><summary>Figures of each sweep</summary>"
	    "<div class=scroll tabindex=0 role=region aria-label=Sweeps>"
	    "<table><caption>Hosts without encryption, IPv4, newest first."
	    "</caption><thead><tr><th scope=col>Sweep</th>"
	    "<th scope=col class=n>POP3</th><th scope=col class=n>IMAP</th>"
	    "<th scope=col class=n>SMTP</th>"
	    "<th scope=col class=n>Mail hosts</th></tr></thead>\n<tbody>");
	for (size_t i = r->nseries; i-- > 0;)
		write_point(r, &r->series[i], b);
	buf_puts(b, "</tbody></table></div></details></section>\n");
}
