/* feed_match.h: which recipients a row goes to. */
#ifndef STORAGE_FEED_MATCH_H
#define STORAGE_FEED_MATCH_H

#include "engine/conf.h"
#include "storage/cert_fields.h"
#include "storage/row.h"

struct match;

/* The recipients arranged for look-up; they must outlive it. */
struct match *match_new(const struct recipients *);
void match_free(struct match *);

/* Does any recipient go by host names (so that certificates matter)? */
bool match_by_name(const struct match *);

/*
 * The recipients whose filter the row passes, each once, by their index, in
 * an array that lives until the next call. Cheapest when rows come in the
 * order of their addresses. cert may be NULL.
 */
size_t match_row(struct match *, const struct row *,
    const struct cert_fields *cert, const size_t **recipients);

#endif
