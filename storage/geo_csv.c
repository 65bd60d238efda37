/* geo_csv.c: files of rows with commas between: places and AS numbers. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/geo_csv.h"
#include "storage/text.h"

enum { PLACE_FIELDS = 8, ASN_FIELDS = 4, FIRST_CAP = 64, TEXT_CAP = 65536 };

/* A quoted field: the quotes go, "" becomes one. NULL: it does not close. */
static char *
unquote(char *from)
{
	char *to = from;

	for (from++; *from != '\0'; from++) {
		if (*from == '"' && from[1] != '"') {
			*to = '\0';
			return from + 1;
		}
		if (*from == '"')
			from++;
		*to++ = *from;
	}
	return NULL;
}

int
geo_csv_split(char *line, char *fields[GEO_FIELDS_MAX])
{
	char *at = line;
	int n = 0;

	for (;;) {
		char *end = at;

		if (n == GEO_FIELDS_MAX)
			return -1;
		if (*at == '"') {
			end = unquote(at);
			if (end == NULL)
				return -1;
		} else {
			end += strcspn(at, ",\"");
		}
		fields[n++] = at;
		if (*end == '\0')
			return n;
		if (*end != ',')
			return -1;
		*end = '\0';
		at = end + 1;
	}
}

void
geo_fold(char out[GEO_TEXT_MAX], const char *text, size_t len)
{
	struct buf b = { 0 };

	text_upper(&b, text, len);
	snprintf(out, GEO_TEXT_MAX, "%s", buf_text(&b));
	buf_free(&b);
}

void
geo_fold_city(char out[GEO_TEXT_MAX], const char *text, size_t len)
{
	const char *note = memmem(text, len, " (", 2);

	geo_fold(out, text, note != NULL ? (size_t)(note - text) : len);
}

/* One file, line by line. */
struct reader {
	const char *path;
	unsigned line;
	char *error;
};

static int
bad(const struct reader *r, const char *word, const char *expected)
{
	store_say(r->error, "%s:%u: \"%.100s\": expected %s", r->path, r->line,
	    word, expected);
	return -1;
}

static int
no_memory(const struct reader *r)
{
	store_say(r->error, "%s: %s", r->path, strerror(ENOMEM));
	return -1;
}

typedef int take_line(struct reader *, void *to, char *fields[], int n);

/* Blank lines and those that begin with # say nothing. */
static int
take(struct reader *r, char *line, take_line *each, void *to)
{
	char *fields[GEO_FIELDS_MAX], whole[GEO_LINE_MAX];
	size_t len = strcspn(line, "\r\n");
	int n;

	if (line[len] == '\0' && len == GEO_LINE_MAX - 1)
		return bad(r, line, "a shorter line");
	line[len] = '\0';
	if (len == 0 || line[0] == '#')
		return 0;
	memcpy(whole, line, len + 1);
	n = geo_csv_split(line, fields);
	if (n < 0)
		return bad(r, whole, "fields with commas between");
	return each(r, to, fields, n);
}

static int
read_file(struct reader *r, take_line *each, void *to)
{
	char line[GEO_LINE_MAX];
	FILE *f = fopen(r->path, "r");
	int rc = 0;

	if (f == NULL) {
		store_say(r->error, "%s: %s", r->path, strerror(errno));
		return -1;
	}
	while (rc == 0 && fgets(line, sizeof line, f) != NULL) {
		r->line++;
		rc = take(r, line, each, to);
	}
	if (rc == 0 && ferror(f)) {
		store_say(r->error, "%s: %s", r->path, strerror(EIO));
		rc = -1;
	}
	fclose(f);
	return rc;
}

static bool
read_number(const char *text, unsigned long max, unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(text, &end, 10);
	return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
	    *n <= max;
}

/* "192.0.2.0/24" or one address. */
static bool
read_prefix(char *text, struct geo_range *range)
{
	char *slash = strchr(text, '/');
	unsigned long bits, most;
	unsigned from;

	if (slash != NULL)
		*slash = '\0';
	if (addr_parse(text, &range->first) != 0)
		return false;
	most = addr_is4(&range->first) ? 32 : 128;
	bits = most;
	if (slash != NULL && !read_number(slash + 1, most, &bits))
		return false;
	range->first = addr_network(&range->first, (unsigned)bits);
	range->last = range->first;
	from = (unsigned)(bits + 128 - most);
	for (unsigned bit = from; bit < 128; bit++)
		range->last.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return true;
}

static bool
is_country(const char *text)
{
	return isupper((unsigned char)text[0]) &&
	    isupper((unsigned char)text[1]) && text[2] == '\0';
}

/* Memory for one more row; NULL: there is none. */
static struct geo_place *
place_add(struct geo_places *p)
{
	size_t cap = p->cap > 0 ? p->cap * 2 : FIRST_CAP;
	struct geo_place *more;

	if (p->n == p->cap) {
		more = realloc(p->rows, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		p->rows = more;
		p->cap = cap;
	}
	memset(&p->rows[p->n], 0, sizeof p->rows[0]);
	return &p->rows[p->n++];
}

static int
take_place(struct reader *r, void *to, char *fields[], int n)
{
	struct geo_places *p = to;
	struct geo_range range;
	struct geo_place *place;
	unsigned long asn = 0;
	char word[GEO_TEXT_MAX];

	snprintf(word, sizeof word, "%s", fields[0]);
	if (r->line == 1 && strcasecmp(word, "cidr") == 0)
		return 0;
	if (n != PLACE_FIELDS)
		return bad(r, word,
		    "8 fields: CIDR,cc,region,city,asn,"
		    "as_name,naics,sector");
	if (!read_prefix(fields[0], &range))
		return bad(r, word, "a prefix like 192.0.2.0/24");
	if (fields[1][0] != '\0' && !is_country(fields[1]))
		return bad(r, fields[1], "two capitals like DE, or nothing");
	if (fields[4][0] != '\0' && !read_number(fields[4], UINT32_MAX, &asn))
		return bad(r, fields[4], "an AS number like 64496, or nothing");
	range.row = (uint32_t)p->n;
	place = place_add(p);
	if (place == NULL || geo_table_add(&p->table, &range) != 0)
		return no_memory(r);
	snprintf(place->country, sizeof place->country, "%s", fields[1]);
	geo_fold(place->region, fields[2], strlen(fields[2]));
	geo_fold_city(place->city, fields[3], strlen(fields[3]));
	place->asn = (uint32_t)asn;
	snprintf(place->as_name, GEO_TEXT_MAX, "%s", fields[5]);
	snprintf(place->naics, GEO_TEXT_MAX, "%s", fields[6]);
	snprintf(place->sector, GEO_TEXT_MAX, "%s", fields[7]);
	return 0;
}

int
geo_places_read(
    struct geo_places *p, const char *path, char error[STORE_ERROR_MAX])
{
	struct reader r = { .path = path, .error = error };

	if (read_file(&r, take_place, p) != 0)
		return -1;
	return geo_table_seal(&p->table) == 0 ? 0 : no_memory(&r);
}

/* Where a name lies in the text; lines of one network follow each other. */
static int
name_add(struct geo_asns *a, const char *name, uint32_t *at)
{
	size_t len = strlen(name) + 1, cap = a->text_cap;
	char *more;

	if (a->n > 0 && strcmp(a->text + a->names[a->n - 1], name) == 0) {
		*at = a->names[a->n - 1];
		return 0;
	}
	while (a->len + len > cap)
		cap = cap > 0 ? cap * 2 : TEXT_CAP;
	if (cap > UINT32_MAX)
		return -1;
	if (cap != a->text_cap) {
		more = realloc(a->text, cap);
		if (more == NULL)
			return -1;
		a->text = more;
		a->text_cap = cap;
	}
	memcpy(a->text + a->len, name, len);
	*at = (uint32_t)a->len;
	a->len += len;
	return 0;
}

static int
asn_add(struct geo_asns *a, uint32_t asn, const char *name)
{
	size_t cap = a->cap > 0 ? a->cap * 2 : FIRST_CAP;
	uint32_t *numbers, *names, at;

	if (a->n == a->cap) {
		numbers = realloc(a->numbers, cap * sizeof *numbers);
		if (numbers == NULL)
			return -1;
		a->numbers = numbers;
		names = realloc(a->names, cap * sizeof *names);
		if (names == NULL)
			return -1;
		a->names = names;
		a->cap = cap;
	}
	if (name_add(a, name, &at) != 0)
		return -1;
	a->numbers[a->n] = asn;
	a->names[a->n++] = at;
	return 0;
}

static int
take_asn(struct reader *r, void *to, char *fields[], int n)
{
	struct geo_asns *a = to;
	struct geo_range range;
	unsigned long asn;

	if (n != ASN_FIELDS)
		return bad(r, fields[0], "4 fields: first,last,asn,name");
	if (addr_parse(fields[0], &range.first) != 0)
		return bad(r, fields[0], "an address");
	if (addr_parse(fields[1], &range.last) != 0 ||
	    addr_cmp(&range.first, &range.last) > 0)
		return bad(r, fields[1], "an address not before the first");
	if (!read_number(fields[2], UINT32_MAX, &asn))
		return bad(r, fields[2], "an AS number");
	range.row = (uint32_t)a->n;
	if (asn_add(a, (uint32_t)asn, fields[3]) != 0 ||
	    geo_table_add(&a->table, &range) != 0)
		return no_memory(r);
	return 0;
}

int
geo_asns_read(struct geo_asns *a, const char *path, char error[STORE_ERROR_MAX])
{
	struct reader r = { .path = path, .error = error };

	if (read_file(&r, take_asn, a) != 0)
		return -1;
	return geo_table_seal(&a->table) == 0 ? 0 : no_memory(&r);
}

void
geo_places_free(struct geo_places *p)
{
	geo_table_free(&p->table);
	free(p->rows);
}

void
geo_asns_free(struct geo_asns *a)
{
	geo_table_free(&a->table);
	free(a->numbers);
	free(a->names);
	free(a->text);
}
