/* feed_make.c: from the rows of a sweep to the files of its feeds. */
#include <errno.h>
#include <string.h>

#include "storage/cert_cache.h"
#include "storage/exposure.h"
#include "storage/feed_make.h"
#include "storage/feed_match.h"
#include "storage/text.h"

/* What is made once a row, however many recipients get it. */
struct making {
	const struct feed_order *order;
	struct store *store;
	struct match *match;
	struct cert_cache *certs;
	struct buf raw_cert, raw_chain; /* empty: not made yet */
	struct buf line; /* the last one made, */
	bool line_plain; /* ... without anything that only some ask for */
	uint64_t rows;
};

bool
feed_wanted(const struct recipient *r, enum feed_type type, bool six,
    enum severity severity)
{
	if (severity < r->min_severity)
		return false;
	for (size_t i = 0; i < r->ntypes; i++)
		if (strcmp(r->types[i], feed_type_name(type, six)) == 0)
			return true;
	return r->ntypes == 0;
}

/* It was exposed already, but asked for a password: severity was another. */
static bool
is_open_now(const struct head *h)
{
	return head_has(h, FINDING_PREAUTH) &&
	    !(h->findings_before >> FINDING_PREAUTH & 1) &&
	    (h->findings_before >> FINDING_CLEARTEXT_LOGIN & 1);
}

bool
feed_is_new(const struct head *h, enum feed_type type)
{
	bool vulnerable =
	    type == FEED_POP3_VULNERABLE || type == FEED_IMAP_VULNERABLE;

	if (h->change == CHANGE_NEW || h->change == CHANGE_BACK)
		return true;
	/* Worse may be another finding of what has been told already. */
	return vulnerable &&
	    (h->open_since != 0 ? exposure_is_new(h) || is_open_now(h)
				: h->change == CHANGE_WORSE);
}

static bool
asks_for(const struct recipient *r, const char *column)
{
	for (size_t i = 0; i < r->ncolumns; i++)
		if (strcmp(r->columns[i], column) == 0)
			return true;
	return false;
}

const struct cert_fields *
feed_cert(struct cert_cache *certs, struct store *s, const struct head *h)
{
	const struct cert_fields *cert;
	const uint8_t *der;
	size_t len;

	if (!head_has_leaf(h))
		return NULL;
	cert = cert_cache_find(certs, h->leaf);
	if (!cert && store_cert(s, h->leaf, &der, &len))
		cert = cert_cache_put(certs, h->leaf, der, len);
	return cert;
}

/* The leaf, or all that came after it with ';' between. */
static const char *
make_raw(struct making *m, const struct row *r, bool chain)
{
	struct buf *b = chain ? &m->raw_chain : &m->raw_cert;
	const uint8_t *der;
	struct field f;
	size_t len;

	if (b->len > 0)
		return b->s;
	if (!chain && store_cert(m->store, r->head.leaf, &der, &len))
		text_base64(b, der, len);
	if (!chain || !row_field(r, TAG_CHAIN, &f))
		return buf_text(b);
	for (uint32_t at = SHA256_LEN; at + SHA256_LEN <= f.len;
	     at += SHA256_LEN) {
		if (!store_cert(m->store, f.bytes + at, &der, &len))
			continue;
		if (b->len > 0)
			buf_putc(b, ';');
		text_base64(b, der, len);
	}
	return buf_text(b);
}

/* The line for a recipient, in m->line. */
static void
make_line(struct making *m, struct feed_item *item, const struct recipient *to)
{
	if (to->ncolumns == 0 && m->line_plain)
		return;
	item->raw_cert =
	    asks_for(to, "raw_cert") ? make_raw(m, item->row, false) : NULL;
	item->raw_chain = asks_for(to, "raw_cert_chain")
	    ? make_raw(m, item->row, true)
	    : NULL;
	buf_clear(&m->line);
	feed_line(&m->line, item, to->columns, to->ncolumns);
	m->line_plain = to->ncolumns == 0;
}

static int
write_type(struct making *m, struct feed_item *item, const size_t *recipients,
    size_t n)
{
	bool six = !addr_is4(&item->row->target.addr);
	enum severity severity = feed_severity(item->type, &item->row->head);

	m->line_plain = false;
	for (size_t i = 0; i < n; i++) {
		const struct recipient *to =
		    &m->order->recipients->v[recipients[i]];

		if (!feed_wanted(to, item->type, six, severity))
			continue;
		make_line(m, item, to);
		if (feed_files_add(m->order->files, recipients[i], item->type,
			six, item->row, &m->line) < 0)
			return -1;
		m->rows++;
	}
	return 0;
}

static int
write_row(struct making *m, const struct row *r)
{
	const struct hole *holes[HOLES_MATCHED_MAX];
	struct feed_item item = { .row = r,
		.holes = holes,
		.sweep_id = store_info(m->store)->sweep.id };
	const size_t *recipients;
	size_t n;
	unsigned types;
	int result = 0;

	item.nholes = feed_holes(r, m->order->holes, holes);
	types = feed_types(&r->head, item.nholes > 0);
	if (match_by_name(m->match))
		item.cert = feed_cert(m->certs, m->store, &r->head);
	n = match_row(m->match, r, item.cert, &recipients);
	if (n > 0 && !item.cert)
		item.cert = feed_cert(m->certs, m->store, &r->head);
	for (int t = 0; n > 0 && result == 0 && t < FEED_TYPES; t++) {
		item.type = (enum feed_type)t;
		if ((types >> t & 1) &&
		    (m->order->kind != FEED_NEW_ROWS ||
			feed_is_new(&r->head, item.type)))
			result = write_type(m, &item, recipients, n);
	}
	buf_clear(&m->raw_cert);
	buf_clear(&m->raw_chain);
	return result;
}

/*
 * Gone is told once: in the sweep in which it has become so, and in none that
 * did not ask it.
 */
static bool
is_asked_for(const struct feed_order *order, const struct head *h)
{
	if (order->kind == FEED_GONE_ROWS &&
	    (h->missed != order->gone_after || h->change == CHANGE_NONE))
		return false;
	if (order->protocols != 0 && !(order->protocols >> h->protocol & 1))
		return false;
	return feed_types(h, true) != 0;
}

static int
walk(struct making *m, struct store_scan *scan)
{
	struct row r = { 0 };

	while (store_scan_next(scan, &r.target, &r.head)) {
		if (!is_asked_for(m->order, &r.head))
			continue;
		if (!store_scan_body(scan, &r.body, &r.len)) {
			r.body = NULL;
			r.len = 0;
		}
		if (write_row(m, &r) < 0)
			return -1;
	}
	return 0;
}

int
feed_make(struct store *s, const struct feed_order *order, uint64_t *rows)
{
	struct making m = { .order = order,
		.store = s,
		.match = match_new(order->recipients),
		.certs = cert_cache_new() };
	struct store_scan *scan = order->kind == FEED_GONE_ROWS
	    ? store_scan_gone(s)
	    : store_scan_new(s);
	int result;

	errno = EIO;
	result = scan ? walk(&m, scan) : -1;
	*rows = m.rows;
	store_scan_free(scan);
	match_free(m.match);
	cert_cache_free(m.certs);
	buf_free(&m.raw_cert);
	buf_free(&m.raw_chain);
	buf_free(&m.line);
	return result;
}
