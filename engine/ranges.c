/* ranges.c: sorted sets of address ranges, addressed by index. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ranges.h"

/* An address as a number, so that the two ends can be compared and counted. */
__extension__ typedef unsigned __int128 wide;

struct piece {
	wide first, last;
	uint64_t before; /* addresses in the pieces before it */
};

/*
 * Two guides turn a search over all pieces into one over the few that a
 * bucket holds: by index (as many buckets as pieces, about), and by the first
 * GUIDE4_BITS bits of an IPv4 address. guide[b] is the first piece that may
 * matter to bucket b, guide[b + 1] the last.
 */
enum { GUIDE4_BITS = 12, GUIDE4_SHIFT = 32 - GUIDE4_BITS };
#define COUNT_MAX    ((uint64_t)1 << 48)
#define MAPPED_FIRST ((wide)0xffff << 32)
#define MAPPED_LAST  (MAPPED_FIRST | 0xffffffffu)

struct ranges {
	struct piece *v;
	size_t n, cap;
	uint64_t count;
	uint32_t *guide;
	unsigned shift; /* of an index to its bucket */
	uint32_t guide4[(1 << GUIDE4_BITS) + 1];
};

/* What a saved set looks like: this, then first and last of each piece. */
enum { SAVED_HEAD = 8, SAVED_PIECE = 32 };

/* Written out, so that compilers see one load, one store and a swap. */
static inline uint64_t
unpack64(const uint8_t *p)
{
	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 |
	    (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 |
	    (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

static inline void
pack64(uint8_t *p, uint64_t v)
{
	p[0] = (uint8_t)(v >> 56);
	p[1] = (uint8_t)(v >> 48);
	p[2] = (uint8_t)(v >> 40);
	p[3] = (uint8_t)(v >> 32);
	p[4] = (uint8_t)(v >> 24);
	p[5] = (uint8_t)(v >> 16);
	p[6] = (uint8_t)(v >> 8);
	p[7] = (uint8_t)v;
}

static inline wide
wide_of(const struct addr *a)
{
	return (wide)unpack64(a->b) << 64 | unpack64(a->b + 8);
}

static inline struct addr
addr_of(wide w)
{
	struct addr a = { { 0 } };

	pack64(a.b, (uint64_t)(w >> 64));
	pack64(a.b + 8, (uint64_t)w);
	return a;
}

struct ranges *
ranges_new(void)
{
	return calloc(1, sizeof(struct ranges));
}

void
ranges_free(struct ranges *r)
{
	if (r == NULL)
		return;
	free(r->v);
	free(r->guide);
	free(r);
}

static int
add(struct ranges *r, wide first, wide last)
{
	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 16 : r->cap * 2;
		struct piece *v = reallocarray(r->v, cap, sizeof *v);

		if (v == NULL)
			return -1;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = (struct piece){ .first = first, .last = last };
	return 0;
}

int
ranges_add(struct ranges *r, const struct addr *first, const struct addr *last)
{
	wide from = wide_of(first), to = wide_of(last);

	if (from > to) {
		errno = EINVAL;
		return -1;
	}
	return add(r, from, to);
}

static bool
is_sorted(const struct piece *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i].first < v[i - 1].first)
			return false;
	return true;
}

/* Two sorted runs, [0, middle) and [middle, n), into one. */
static void
join_runs(const struct piece *from, size_t middle, size_t n, struct piece *to)
{
	size_t left = 0, right = middle;

	while (left < middle && right < n)
		*to++ = from[right].first < from[left].first ? from[right++]
							     : from[left++];
	memcpy(to, from + left, (middle - left) * sizeof *to);
	to += middle - left;
	memcpy(to, from + right, (n - right) * sizeof *to);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * By first. Merge sort with the comparison in line: a hitlist of a million is
 * sorted in half of qsort's time. What was saved is sorted already.
 */
static int
sort(struct ranges *r)
{
	struct piece *from = r->v, *to;

	if (is_sorted(r->v, r->n))
		return 0;
	to = reallocarray(NULL, r->n, sizeof *to);
	if (to == NULL)
		return -1;
	for (size_t run = 1; run < r->n; run *= 2) {
		struct piece *was = from;

		for (size_t at = 0; at < r->n; at += least(2 * run, r->n - at))
			join_runs(from + at, least(run, r->n - at),
			    least(2 * run, r->n - at), to + at);
		from = to;
		to = was;
	}
	free(to);
	r->v = from;
	r->cap = r->n;
	return 0;
}

/* Sorted by first: join those that overlap or touch. */
static void
merge(struct ranges *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct piece p = r->v[i];
		struct piece *last = n > 0 ? &r->v[n - 1] : NULL;

		if (last == NULL ||
		    (p.first > last->last && p.first - last->last > 1))
			r->v[n++] = p;
		else if (p.last > last->last)
			last->last = p.last;
	}
	r->n = n;
}

/* A sum that stays at RANGES_MANY once it is too large to be an index. */
static uint64_t
sum_up(uint64_t count, wide first, wide last)
{
	if (count == RANGES_MANY || last - first >= RANGES_INDEX_MAX - count)
		return RANGES_MANY;
	return count + (uint64_t)(last - first) + 1;
}

static void
count_up(struct ranges *r)
{
	r->count = 0;
	for (size_t i = 0; i < r->n; i++) {
		r->v[i].before = r->count;
		r->count = sum_up(r->count, r->v[i].first, r->v[i].last);
	}
}

/* guide[b]: the piece that holds the first index of bucket b. */
static int
guide_index(struct ranges *r)
{
	size_t buckets, p = 0;

	free(r->guide);
	r->guide = NULL;
	if (r->count == RANGES_MANY)
		return 0;
	r->shift = 0;
	while (r->count >> r->shift > r->n)
		r->shift++;
	buckets = (size_t)(r->count >> r->shift) + 1;
	r->guide = calloc(buckets + 1, sizeof *r->guide);
	if (r->guide == NULL)
		return -1;
	for (size_t b = 0; b <= buckets; b++) {
		while (p + 1 < r->n &&
		    r->v[p + 1].before <= (uint64_t)b << r->shift)
			p++;
		r->guide[b] = (uint32_t)p;
	}
	return 0;
}

/* guide4[b]: the first piece that ends at or behind the start of bucket b. */
static void
guide_ip4(struct ranges *r)
{
	size_t p = 0;

	for (uint32_t b = 0; b <= 1u << GUIDE4_BITS; b++) {
		wide start = MAPPED_FIRST + ((wide)b << GUIDE4_SHIFT);

		while (p < r->n && r->v[p].last < start)
			p++;
		r->guide4[b] = (uint32_t)p;
	}
}

int
ranges_seal(struct ranges *r)
{
	if (sort(r) == -1)
		return -1;
	merge(r);
	if (r->n > UINT32_MAX) {
		errno = E2BIG;
		return -1;
	}
	count_up(r);
	guide_ip4(r);
	return guide_index(r);
}

uint64_t
ranges_count(const struct ranges *r)
{
	return r->count;
}

size_t
ranges_pieces(const struct ranges *r)
{
	return r->n;
}

void
ranges_piece(
    const struct ranges *r, size_t piece, struct addr *first, struct addr *last)
{
	*first = addr_of(r->v[piece].first);
	*last = addr_of(r->v[piece].last);
}

/* In their order IPv4 lies inside the low IPv6 addresses (::ffff:0:0/96). */
bool
ranges_first(const struct ranges *r, bool four, struct addr *found)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct piece *p = &r->v[i];
		wide first = p->first;

		if (four && first < MAPPED_FIRST)
			first = MAPPED_FIRST;
		else if (!four && first >= MAPPED_FIRST && first <= MAPPED_LAST)
			first = MAPPED_LAST + 1;
		*found = addr_of(first);
		if (first <= p->last && addr_is4(found) == four)
			return true;
	}
	return false;
}

struct addr
ranges_at(const struct ranges *r, uint64_t index)
{
	const uint32_t *g = r->guide + (index >> r->shift);
	size_t low = g[0], high = g[1];

	while (low < high) {
		size_t mid = (low + high + 1) / 2;

		if (r->v[mid].before <= index)
			low = mid;
		else
			high = mid - 1;
	}
	return addr_of(r->v[low].first + (index - r->v[low].before));
}

bool
ranges_has(const struct ranges *r, const struct addr *a)
{
	wide w = wide_of(a);
	size_t low = 0, high = r->n;

	if (addr_is4(a)) {
		const uint32_t *g = r->guide4 + (addr_to4(a) >> GUIDE4_SHIFT);

		low = g[0];
		high = g[1]; /* what lies behind is looked at anyway */
	}
	while (low < high) { /* the first piece that does not end before w */
		size_t mid = (low + high) / 2;

		if (r->v[mid].last < w)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->n && r->v[low].first <= w && w <= r->v[low].last;
}

uint64_t
ranges_common(const struct ranges *a, const struct ranges *b)
{
	uint64_t common = 0;
	size_t i = 0, j = 0;

	while (i < a->n && j < b->n) {
		const struct piece *p = &a->v[i], *q = &b->v[j];
		wide first = p->first > q->first ? p->first : q->first;
		wide last = p->last < q->last ? p->last : q->last;

		if (first <= last)
			common = sum_up(common, first, last);
		if (p->last < q->last)
			i++;
		else
			j++;
	}
	return common;
}

uint8_t *
ranges_save(const struct ranges *r, size_t *len)
{
	uint8_t *bytes, *p;

	*len = SAVED_HEAD + r->n * SAVED_PIECE;
	bytes = malloc(*len);
	if (bytes == NULL)
		return NULL;
	pack64(bytes, r->n);
	p = bytes + SAVED_HEAD;
	for (size_t i = 0; i < r->n; i++) {
		struct addr first = addr_of(r->v[i].first);
		struct addr last = addr_of(r->v[i].last);

		memcpy(p, first.b, sizeof first.b);
		memcpy(p + sizeof first.b, last.b, sizeof last.b);
		p += SAVED_PIECE;
	}
	return bytes;
}

static int
load_pieces(struct ranges *r, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++, p += SAVED_PIECE) {
		struct addr first, last;

		memcpy(first.b, p, sizeof first.b);
		memcpy(last.b, p + sizeof first.b, sizeof last.b);
		if (ranges_add(r, &first, &last) == -1)
			return -1;
		if (i > 0 && r->v[i].first <= r->v[i - 1].last) {
			errno = EINVAL;
			return -1;
		}
	}
	if (ranges_seal(r) == -1)
		return -1;
	if (r->n == n)
		return 0;
	errno = EINVAL;
	return -1;
}

struct ranges *
ranges_load(const uint8_t *bytes, size_t len)
{
	struct ranges *r;
	uint64_t n;

	n = len < SAVED_HEAD ? 0 : unpack64(bytes);
	if (len < SAVED_HEAD || n != (len - SAVED_HEAD) / SAVED_PIECE ||
	    (len - SAVED_HEAD) % SAVED_PIECE != 0) {
		errno = EINVAL;
		return NULL;
	}
	r = ranges_new();
	if (r == NULL)
		return NULL;
	if (load_pieces(r, bytes + SAVED_HEAD, (size_t)n) == -1) {
		int saved = errno;

		ranges_free(r);
		errno = saved;
		return NULL;
	}
	return r;
}

/* ---- text ---------------------------------------------------------------- */

static const char expected_range[] =
    "an address, ADDRESS/BITS or ADDRESS-ADDRESS";
static const char expected_bits4[] = "a prefix length from 0 to 32";
static const char expected_bits6[] = "a prefix length from 0 to 128";
static const char expected_zero[] =
    "a network address: no bit set behind the prefix";
static const char expected_family[] =
    "both ends of the range in the same family";
static const char expected_order[] = "the lower end of the range first";
static const char expected_dotted[] = "an IPv4 address in dotted form";

static int
refuse(const char **expected, const char *what)
{
	*expected = what;
	errno = EINVAL;
	return -1;
}

/* A decimal number of up to three digits, nothing else; -1 when it is not. */
static int
number(const char *s)
{
	int n = 0;

	if (*s == '\0' || strlen(s) > 3)
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		n = n * 10 + (*s - '0');
	}
	return n;
}

/*
 * What is written as IPv6 never means IPv4: ::ffff:0:0/96 is cut out, else
 * "::/0", or that block itself (it is in the IANA special-purpose registry),
 * would hold every IPv4 address.
 */
static int
add_ip6(struct ranges *r, wide first, wide last, const char **expected)
{
	if (first >= MAPPED_FIRST && last <= MAPPED_LAST) {
		if (first == MAPPED_FIRST && last == MAPPED_LAST)
			return 0;
		return refuse(expected, expected_dotted);
	}
	if (last < MAPPED_FIRST || first > MAPPED_LAST)
		return add(r, first, last);
	if (first < MAPPED_FIRST && add(r, first, MAPPED_FIRST - 1) == -1)
		return -1;
	if (last > MAPPED_LAST)
		return add(r, MAPPED_LAST + 1, last);
	return 0;
}

static int
add_prefix(struct ranges *r, wide first, bool four, const char *text,
    const char **expected)
{
	int bits = number(text), width = four ? 32 : 128;
	wide rest;

	if (bits < 0 || bits > width)
		return refuse(expected, four ? expected_bits4 : expected_bits6);
	rest = width == bits ? 0 : (~(wide)0 >> (128 - width + bits));
	if ((first & rest) != 0)
		return refuse(expected, expected_zero);
	if (four)
		return add(r, first, first | rest);
	return add_ip6(r, first, first | rest, expected);
}

int
ranges_add_text(struct ranges *r, const char *text, const char **expected)
{
	char copy[2 * ADDR_TEXT_MAX];
	size_t end = strcspn(text, "/-");
	struct addr a, b;
	bool four;

	*expected = NULL;
	if (strlen(text) >= sizeof copy)
		return refuse(expected, expected_range);
	memcpy(copy, text, strlen(text) + 1);
	copy[end] = '\0';
	if (addr_parse(copy, &a) == -1)
		return refuse(expected, expected_range);
	four = strchr(copy, ':') == NULL;
	if (text[end] == '/')
		return add_prefix(
		    r, wide_of(&a), four, text + end + 1, expected);
	b = a;
	if (text[end] == '-' && addr_parse(text + end + 1, &b) == -1)
		return refuse(expected, expected_range);
	if (text[end] == '-' && (strchr(text + end + 1, ':') == NULL) != four)
		return refuse(expected, expected_family);
	if (wide_of(&a) > wide_of(&b))
		return refuse(expected, expected_order);
	if (four)
		return add(r, wide_of(&a), wide_of(&b));
	return add_ip6(r, wide_of(&a), wide_of(&b), expected);
}
