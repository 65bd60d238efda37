/* reach.h: whom a feed would send a row to. */
#ifndef STORAGE_REACH_H
#define STORAGE_REACH_H

#include "storage/holes.h"
#include "storage/store.h"

struct recipients;
struct reach;

/* Both must outlive it. */
struct reach *reach_new(const struct recipients *, const struct holes *);
void reach_free(struct reach *);

/*
 * The recipients who get the row in a full feed, of one type or more, each
 * once, by their index, in an array that lives until the next call. Its
 * certificate is read from the store where someone goes by names.
 */
size_t reach_row(struct reach *, struct store *, const struct row *,
    const size_t **recipients);

#endif
