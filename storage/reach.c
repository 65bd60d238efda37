/* reach.c: whom a feed would send a row to. */
#include <stdlib.h>

#include "engine/conf.h"
#include "storage/buf.h"
#include "storage/cert_cache.h"
#include "storage/feed_make.h"
#include "storage/feed_match.h"
#include "storage/reach.h"

struct reach {
	const struct recipients *recipients;
	const struct holes *holes;
	struct match *match;
	struct cert_cache *certs;
	size_t *out;
};

struct reach *
reach_new(const struct recipients *recipients, const struct holes *holes)
{
	struct reach *r = need_memory(1, sizeof *r);

	*r = (struct reach){ .recipients = recipients,
		.holes = holes,
		.match = match_new(recipients),
		.certs = cert_cache_new(),
		.out = need_memory(recipients->n, sizeof *r->out) };
	return r;
}

void
reach_free(struct reach *r)
{
	if (!r)
		return;
	match_free(r->match);
	cert_cache_free(r->certs);
	free(r->out);
	free(r);
}

static bool
wants_one(const struct recipient *to, unsigned types, const struct row *row)
{
	bool six = !addr_is4(&row->target.addr);

	for (int t = 0; t < FEED_TYPES; t++) {
		enum feed_type type = (enum feed_type)t;

		if ((types >> t & 1) &&
		    feed_wanted(to, type, six, feed_severity(type, &row->head)))
			return true;
	}
	return false;
}

size_t
reach_row(struct reach *r, struct store *s, const struct row *row,
    const size_t **recipients)
{
	const struct hole *holes[HOLES_MATCHED_MAX];
	bool holed = feed_holes(row, r->holes, holes) > 0;
	unsigned types = feed_types(&row->head, holed);
	const struct cert_fields *cert = NULL;
	const size_t *matched;
	size_t n, kept = 0;

	*recipients = r->out;
	if (types == 0)
		return 0;
	if (match_by_name(r->match))
		cert = feed_cert(r->certs, s, &row->head);
	n = match_row(r->match, row, cert, &matched);
	for (size_t i = 0; i < n; i++)
		if (wants_one(&r->recipients->v[matched[i]], types, row))
			r->out[kept++] = matched[i];
	return kept;
}
