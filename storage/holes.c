/* holes.c: versions of mail servers with a known critical hole. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/buf.h"
#include "storage/holes.h"

enum { LINE_CAP = 512, WORDS_MAX = 5 };

/* A build that was mended under its old version. */
struct mended {
	char product[HOLE_TEXT_MAX], cve[HOLE_TEXT_MAX];
	char text[HOLE_SOURCE_MAX]; /* in its greeting */
};

struct holes {
	struct hole *v;
	size_t n;
	struct mended *mended;
	size_t nmended;
};

static unsigned long
next_number(const char **s)
{
	unsigned long n = 0;

	while (isdigit((unsigned char)**s)) {
		if (n < 100000000)
			n = n * 10 + (unsigned long)(**s - '0');
		(*s)++;
	}
	if ((**s == '.' || **s == '_') && isdigit((unsigned char)(*s)[1]))
		(*s)++;
	return n;
}

int
version_compare(const char *a, const char *b)
{
	do {
		unsigned long x = next_number(&a), y = next_number(&b);

		if (x != y)
			return x < y ? -1 : 1;
	} while (isdigit((unsigned char)*a) || isdigit((unsigned char)*b));
	return 0;
}

/* Split at blanks; the last word takes the rest of the line. */
static size_t
split(char *line, char *word[WORDS_MAX], size_t max)
{
	size_t n = 0;
	char *at = line + strspn(line, " \t");

	while (*at && n < max) {
		size_t len = n + 1 == max ? strlen(at) : strcspn(at, " \t");

		word[n++] = at;
		at += len;
		if (*at)
			*at++ = '\0';
		at += strspn(at, " \t");
	}
	return n;
}

static void
put(char *to, size_t cap, const char *from)
{
	snprintf(to, cap, "%s", from);
}

static void
put_lower(char *to, size_t cap, const char *from)
{
	put(to, cap, from);
	for (; *to; to++)
		*to = (char)tolower((unsigned char)*to);
}

/* NULL, or what was expected; *word is then the one that is wrong. */
static const char *
add_mended(struct holes *h, char *w[WORDS_MAX], size_t n, const char **word)
{
	struct mended *m;

	*word = w[n - 1];
	if (n != 4)
		return "mended PRODUCT CVE TEXT OF THE GREETING";
	if (strncasecmp(w[2], "cve-", 4) != 0) {
		*word = w[2];
		return "CVE-YEAR-NUMBER";
	}
	h->mended = need_more(h->mended, h->nmended + 1, sizeof *h->mended);
	m = &h->mended[h->nmended++];
	put_lower(m->product, sizeof m->product, w[1]);
	put_lower(m->cve, sizeof m->cve, w[2]);
	put(m->text, sizeof m->text, w[3]);
	return NULL;
}

static const char *
add_hole(struct holes *h, char *w[WORDS_MAX], size_t n, const char **word)
{
	struct hole *new;

	*word = w[n - 1];
	if (n != 5)
		return "PRODUCT FROM BEFORE CVE SOURCE";
	if (strcmp(w[1], "-") != 0 && !isdigit((unsigned char)w[1][0])) {
		*word = w[1];
		return "a version, or - for any";
	}
	if (!isdigit((unsigned char)w[2][0])) {
		*word = w[2];
		return "the first version without the hole";
	}
	if (strncasecmp(w[3], "cve-", 4) != 0) {
		*word = w[3];
		return "CVE-YEAR-NUMBER";
	}
	h->v = need_more(h->v, h->n + 1, sizeof *h->v);
	new = &h->v[h->n++];
	put_lower(new->product, sizeof new->product, w[0]);
	put(new->from, sizeof new->from, w[1][0] == '-' ? "" : w[1]);
	put(new->before, sizeof new->before, w[2]);
	put_lower(new->cve, sizeof new->cve, w[3]);
	put(new->source, sizeof new->source, w[4]);
	return NULL;
}

static const char *
read_line(struct holes *h, char *line, const char **word)
{
	char *w[WORDS_MAX];
	size_t n;

	line[strcspn(line, "\r\n")] = '\0';
	line += strspn(line, " \t");
	if (line[0] == '#' || line[0] == '\0')
		return NULL;
	if (strncmp(line, "mended", 6) == 0 &&
	    isblank((unsigned char)line[6])) {
		n = split(line, w, 4);
		return add_mended(h, w, n, word);
	}
	n = split(line, w, WORDS_MAX);
	return add_hole(h, w, n, word);
}

struct holes *
holes_read(const char *path, char error[HOLES_ERROR_MAX])
{
	FILE *file = fopen(path, "re");
	struct holes *h;
	char line[LINE_CAP];
	const char *expected = NULL, *word = "";

	if (!file) {
		snprintf(
		    error, HOLES_ERROR_MAX, "%s: %s", path, strerror(errno));
		return NULL;
	}
	h = need_memory(1, sizeof *h);
	for (unsigned n = 1; !expected && fgets(line, sizeof line, file); n++) {
		expected = read_line(h, line, &word);
		if (expected)
			snprintf(error, HOLES_ERROR_MAX,
			    "%s:%u: %s: expected %s", path, n, word, expected);
	}
	if (!expected && ferror(file))
		snprintf(error, HOLES_ERROR_MAX, "%s: %s", path,
		    expected = "cannot be read");
	fclose(file);
	if (!expected)
		return h;
	holes_free(h);
	return NULL;
}

void
holes_free(struct holes *h)
{
	if (!h)
		return;
	free(h->v);
	free(h->mended);
	free(h);
}

static bool
is_mended(const struct holes *h, const struct row *r, const struct hole *hole)
{
	struct field greeting;

	if (!row_field(r, TAG_GREETING, &greeting))
		return false;
	for (size_t i = 0; i < h->nmended; i++) {
		const struct mended *m = &h->mended[i];

		if (strcmp(m->product, hole->product) == 0 &&
		    strcmp(m->cve, hole->cve) == 0 &&
		    memmem(
			greeting.bytes, greeting.len, m->text, strlen(m->text)))
			return true;
	}
	return false;
}

size_t
holes_match(const struct holes *h, const struct row *r,
    const struct hole *matched[HOLES_MATCHED_MAX])
{
	char version[HOLE_TEXT_MAX];
	struct buf product = { 0 };
	struct field f;
	size_t n = 0;

	if (!h || !row_field(r, TAG_VERSION, &f) || f.len >= sizeof version ||
	    !isdigit(f.bytes[0]))
		return 0;
	memcpy(version, f.bytes, f.len);
	version[f.len] = '\0';
	row_product(r, &product);
	for (size_t i = 0; i < h->n && n < HOLES_MATCHED_MAX; i++) {
		const struct hole *hole = &h->v[i];

		if (strcmp(hole->product, buf_text(&product)) == 0 &&
		    version_compare(version, hole->before) < 0 &&
		    version_compare(version, hole->from) >= 0 &&
		    !is_mended(h, r, hole))
			matched[n++] = hole;
	}
	buf_free(&product);
	return n;
}
