/* as_names.c: the names of autonomous systems by their numbers. */
#include <stdlib.h>

#include "storage/as_names.h"
#include "storage/buf.h"

enum { FIRST_SLOTS = 1024 };

struct as_name {
	uint32_t asn;
	char *name;
	struct target from;
};

/* Open addressing, at most half full. */
struct as_names {
	struct as_name *v;
	size_t n, cap, nslots;
	uint32_t *slots; /* index + 1 */
};

static uint32_t *
slot_of(const struct as_names *a, uint32_t asn)
{
	size_t at = (size_t)asn * 2654435761u & (a->nslots - 1);

	while (a->slots[at] != 0 && a->v[a->slots[at] - 1].asn != asn)
		at = (at + 1) & (a->nslots - 1);
	return &a->slots[at];
}

struct as_names *
as_names_new(void)
{
	struct as_names *a = need_memory(1, sizeof *a);

	a->nslots = FIRST_SLOTS;
	a->slots = need_memory(a->nslots, sizeof *a->slots);
	return a;
}

void
as_names_free(struct as_names *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].name);
	free(a->v);
	free(a->slots);
	free(a);
}

static void
grow(struct as_names *a)
{
	free(a->slots);
	a->nslots *= 2;
	a->slots = need_memory(a->nslots, sizeof *a->slots);
	for (size_t i = 0; i < a->n; i++)
		*slot_of(a, a->v[i].asn) = (uint32_t)i + 1;
}

static void
replace(
    struct as_name *a, const struct target *from, const char *name, size_t len)
{
	if (target_cmp(from, &a->from) >= 0)
		return;
	free(a->name);
	a->name = need_copy(name, len);
	a->from = *from;
}

void
as_names_put(struct as_names *a, uint32_t asn, const struct target *from,
    const char *name, size_t len)
{
	uint32_t have = *slot_of(a, asn);

	if (have != 0) {
		replace(&a->v[have - 1], from, name, len);
		return;
	}
	if (a->n * 2 >= a->nslots)
		grow(a);
	if (a->n == a->cap) {
		a->cap = a->cap ? 2 * a->cap : FIRST_SLOTS;
		a->v = need_more(a->v, a->cap, sizeof *a->v);
	}
	a->v[a->n] = (struct as_name){ asn, need_copy(name, len), *from };
	*slot_of(a, asn) = (uint32_t)++a->n;
}

const char *
as_names_get(const struct as_names *a, uint32_t asn)
{
	uint32_t slot = *slot_of(a, asn);

	return slot ? a->v[slot - 1].name : NULL;
}

const char *
as_names_at(
    const struct as_names *a, size_t i, uint32_t *asn, struct target *from)
{
	if (i >= a->n)
		return NULL;
	*asn = a->v[i].asn;
	if (from)
		*from = a->v[i].from;
	return a->v[i].name;
}
