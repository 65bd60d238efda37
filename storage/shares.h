/* shares.h: work that several processes share, and that all finish or none. */
#ifndef STORAGE_SHARES_H
#define STORAGE_SHARES_H

#include <stdbool.h>
#include <stddef.h>

struct shares;

/*
 * From here on n processes run: the caller, which is 0, and n - 1 children of
 * its; *mine says which this one is. common: so many bytes of zeros that all of
 * them see, at shares_common(). No environment of LMDB may be open, and each
 * opens its own. NULL with errno, and nobody else runs.
 */
struct shares *shares_begin(unsigned n, size_t common, unsigned *mine);
void *shares_common(const struct shares *);

/*
 * Has each done its part? Called once by all, and true in all or in none; who
 * has died meanwhile has not.
 */
bool shares_agree(struct shares *, bool good);

/* Of the caller: all children have ended, and had said they were good. */
bool shares_wait(struct shares *);

/* Children end here; the caller waits for them, and goes on. */
void shares_end(struct shares *, bool good);

#endif
