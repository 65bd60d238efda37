/* fixes.c: how long what is mended had been exposed. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "storage/exposure.h"
#include "storage/fixes.h"

#define MOST ((uint64_t)1 << 40) /* more is no count of ours */

enum { HOUR = 3600, HOURS_A_DAY = 24, SUM_LEN = 8, FIRST_CAP = 256 };

/* So many of a country and protocol that took so long. */
struct fix {
	char country[2];
	uint8_t protocol, zero;
	uint32_t hours;
	uint64_t n;
};
_Static_assert(sizeof(struct fix) == 16, "as FORMAT.md has it");

struct fixes {
	struct fix *v;
	size_t n, cap;
	bool sorted; /* ... and each of them stands there once */
};

struct fixes *
fixes_new(void)
{
	return need_memory(1, sizeof(struct fixes));
}

void
fixes_free(struct fixes *f)
{
	if (f)
		free(f->v);
	free(f);
}

static int
compare(const void *a, const void *b)
{
	const struct fix *x = a, *y = b;
	int order = memcmp(x->country, y->country, sizeof x->country);

	if (order == 0)
		order =
		    (x->protocol > y->protocol) - (x->protocol < y->protocol);
	return order ? order : (x->hours > y->hours) - (x->hours < y->hours);
}

static void
sort(struct fixes *f)
{
	size_t to = 0;

	if (f->sorted || f->n == 0)
		return;
	qsort(f->v, f->n, sizeof *f->v, compare);
	for (size_t i = 1; i < f->n; i++)
		if (compare(&f->v[to], &f->v[i]) == 0)
			f->v[to].n += f->v[i].n;
		else
			f->v[++to] = f->v[i];
	f->n = to + 1;
	f->sorted = true;
}

static void
put(struct fixes *f, const struct fix *one)
{
	if (f->n == f->cap) {
		sort(f);
		if (f->n >= f->cap / 2) {
			f->cap = f->cap ? 2 * f->cap : FIRST_CAP;
			f->v = need_more(f->v, f->cap, sizeof *f->v);
		}
	}
	f->v[f->n++] = *one;
	f->sorted = false;
}

void
fixes_add(struct fixes *f, const struct head *h)
{
	uint32_t seconds = exposure_mended(h);
	struct fix one = {
		.protocol = h->protocol, .hours = seconds / HOUR, .n = 1
	};

	memcpy(one.country, h->country, sizeof one.country);
	if (seconds > 0)
		put(f, &one);
}

void
fixes_add_all(struct fixes *f, const struct fixes *from)
{
	for (size_t i = 0; i < from->n; i++)
		put(f, &from->v[i]);
}

struct fixes *
fixes_read(struct store *s)
{
	struct fixes *f = NULL;
	struct store_scan *scan;
	struct target target;
	struct head head;
	const uint8_t *bytes;
	size_t len;

	if (store_table(s, FIXES_TABLE, &bytes, &len))
		f = fixes_load(bytes, len);
	if (f || !(scan = store_scan_new(s)))
		return f;
	f = fixes_new();
	while (store_scan_next(scan, &target, &head))
		fixes_add(f, &head);
	store_scan_free(scan);
	return f;
}

/* ---- how long ------------------------------------------------------------ */

static bool
is_of(const struct fix *one, const struct fixes_of *of)
{
	return (of->protocol == PROTOCOL_UNKNOWN ||
		   one->protocol == of->protocol) &&
	    (!of->country ||
		memcmp(one->country, of->country, sizeof one->country) == 0);
}

static int
compare_hours(const void *a, const void *b)
{
	const struct fix *x = a, *y = b;

	return (x->hours > y->hours) - (x->hours < y->hours);
}

/* The least time that so many quarters of them took at most. */
static double
quartile(const struct fix *v, size_t n, uint64_t all, unsigned quarters)
{
	uint64_t at = v->n, wanted = (all * quarters + 3) / 4;

	for (; n > 1 && at < wanted; n--)
		at += (++v)->n;
	return (double)v->hours / HOURS_A_DAY;
}

struct fix_times
fixes_times(struct fixes *f, const struct fixes_of *of)
{
	struct fix_times times = { 0 };
	struct fix *v = need_memory(f->n + 1, sizeof *v);
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (is_of(&f->v[i], of)) {
			times.n += f->v[i].n;
			v[n++] = f->v[i];
		}
	qsort(v, n, sizeof *v, compare_hours);
	for (unsigned q = 0; times.n > 0 && q < QUARTILES; q++)
		times.days[q] = quartile(v, n, times.n, q + 1);
	free(v);
	return times;
}

bool
fixes_country(struct fixes *f, size_t i, char country[3])
{
	sort(f);
	for (size_t k = 0; k < f->n; k++)
		if ((k == 0 ||
			memcmp(f->v[k].country, f->v[k - 1].country, 2) != 0) &&
		    i-- == 0) {
			memcpy(country, f->v[k].country, 2);
			country[2] = '\0';
			return true;
		}
	return false;
}

/* ---- bytes --------------------------------------------------------------- */

void
fixes_save(struct fixes *f, struct buf *b)
{
	size_t from = b->len;
	uint64_t sum;

	sort(f);
	buf_add(b, f->v, f->n * sizeof *f->v);
	sum = XXH3_64bits(b->s ? b->s + from : "", b->len - from);
	buf_add(b, &sum, sizeof sum);
}

struct fixes *
fixes_load(const uint8_t *bytes, size_t len)
{
	struct fixes *f;
	struct fix one;
	uint64_t sum, all = 0;

	if (len < SUM_LEN || (len - SUM_LEN) % sizeof one != 0)
		return NULL;
	len -= SUM_LEN;
	memcpy(&sum, bytes + len, sizeof sum);
	if (sum != XXH3_64bits(bytes, len))
		return NULL;
	f = fixes_new();
	for (size_t at = 0; at < len; at += sizeof one) {
		memcpy(&one, bytes + at, sizeof one);
		if (one.protocol >= PROTOCOL_COUNT || one.n == 0 ||
		    one.n > MOST - all) {
			fixes_free(f);
			return NULL;
		}
		all += one.n;
		put(f, &one);
	}
	return f;
}
