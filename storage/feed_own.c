/* feed_own.c: what stands in our own columns of a feed. */
#include <inttypes.h>
#include <string.h>

#include "storage/feed_values.h"
#include "storage/text.h"

void
column_x_starttls(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	buf_puts(b, starttls_names[item_head(i)->starttls]);
}

void
column_x_offered(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	if (item_head(i)->flags & HEAD_ASKED_OFFER)
		put_yes_no(b, item_head(i)->flags & HEAD_OFFERED);
}

void
column_x_login(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	put_yes_no(b, item_head(i)->flags & HEAD_LOGIN_BEFORE);
}

void
column_x_capabilities(const struct feed_item *i, int arg, struct buf *b)
{
	uint32_t at = 0;
	struct field f;
	bool first = true;

	(void)arg;
	while (body_next(i->row->body, i->row->len, &at, &f)) {
		if (f.tag != TAG_CAPABILITY_BEFORE)
			continue;
		if (!first)
			buf_putc(b, ';');
		text_add(b, f.bytes, f.len);
		first = false;
	}
}

void
column_x_product(const struct feed_item *i, int arg, struct buf *b)
{
	struct field f;

	(void)arg;
	row_text(i->row, TAG_PRODUCT, b);
	if (row_field(i->row, TAG_VERSION, &f)) {
		buf_putc(b, ' ');
		text_add(b, f.bytes, f.len);
	}
}

void
column_x_first_seen(const struct feed_item *i, int arg, struct buf *b)
{
	char text[TIME_TEXT_MAX];

	(void)arg;
	buf_puts(b, text_time(item_head(i)->first_seen_us, text));
}

void
column_x_observations(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	buf_printf(b, "%" PRIu32, item_head(i)->observations);
}

void
column_x_evidence(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	feed_evidence(i->row, b);
}

void
column_x_sweep(const struct feed_item *i, int arg, struct buf *b)
{
	(void)arg;
	buf_puts(b, i->sweep_id);
}

void
column_x_source(const struct feed_item *i, int arg, struct buf *b)
{
	struct addr source;
	char text[ADDR_TEXT_MAX];

	(void)arg;
	memcpy(source.b, item_head(i)->source, sizeof source.b);
	buf_puts(b, addr_text(&source, text));
}
