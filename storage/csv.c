/* csv.c: rows in the dialect of the notification feeds. */
#include <inttypes.h>
#include <string.h>

#include "storage/csv.h"

void
csv_missing(struct csv *c)
{
	if (c->fields++ > 0)
		buf_putc(c->out, ',');
}

void
csv_text(struct csv *c, const char *s, size_t len)
{
	const char *quote;

	csv_missing(c);
	if (len == 0)
		return;
	buf_putc(c->out, '"');
	while ((quote = memchr(s, '"', len))) {
		size_t n = (size_t)(quote - s) + 1;

		buf_add(c->out, s, n);
		buf_putc(c->out, '"');
		s += n;
		len -= n;
	}
	buf_add(c->out, s, len);
	buf_putc(c->out, '"');
}

void
csv_string(struct csv *c, const char *s)
{
	csv_text(c, s, strlen(s));
}

void
csv_bare(struct csv *c, const char *s)
{
	csv_missing(c);
	buf_puts(c->out, s);
}

void
csv_number(struct csv *c, uint64_t n)
{
	csv_missing(c);
	buf_printf(c->out, "%" PRIu64, n);
}

void
csv_end(struct csv *c)
{
	buf_putc(c->out, '\n');
	c->fields = 0;
}
