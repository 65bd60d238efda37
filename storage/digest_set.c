/* digest_set.c: SHA-256 sums, each once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/digest_set.h"

enum { FIRST_CAP = 4096 };

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_LEN);
}

void
digest_set_settle(struct digest_set *s)
{
	size_t to = 0;

	if (s->n > 0)
		qsort(s->v, s->n, sizeof s->v[0], compare);
	for (size_t i = 0; i < s->n; i++)
		if (i == 0 || compare(s->v[to - 1], s->v[i]) != 0)
			memmove(s->v[to++], s->v[i], SHA256_LEN);
	s->n = to;
}

/* Most are the same few over and over: settle before growing. */
static int
make_room(struct digest_set *s)
{
	size_t cap = s->cap ? s->cap : FIRST_CAP;
	void *more;

	digest_set_settle(s);
	if (s->n > s->cap / 2)
		cap *= 2;
	if (cap == s->cap)
		return 0;
	more = realloc(s->v, cap * sizeof s->v[0]);
	if (more == NULL) {
		errno = ENOMEM;
		return -1;
	}
	s->v = more;
	s->cap = cap;
	return 0;
}

int
digest_set_add(struct digest_set *s, const uint8_t digest[SHA256_LEN])
{
	if (s->n == s->cap && make_room(s) < 0)
		return -1;
	memcpy(s->v[s->n++], digest, SHA256_LEN);
	return 0;
}

void
digest_set_free(struct digest_set *s)
{
	free(s->v);
	*s = (struct digest_set){ 0 };
}
