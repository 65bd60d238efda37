/* products_read.c: the table of products (conf/products), line by line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/products_table.h"
#include "storage/record.h"

enum { LINE_CAP = 2048, KEY_LEAST = 3, WORD_SHOWN = 100 };

struct reading {
	struct products *all;
	struct product_cases *cases; /* NULL: not wanted */
	bool in_case; /* a test line may be gone on with */
	unsigned line; /* that is read */
	char word[WORD_SHOWN]; /* what is wrong, and what was expected */
	char why[PATTERN_ERROR_MAX + 64];
};

/* ---- words -------------------------------------------------------------- */

/* The word that is wrong, or how it begins. */
static void
show(struct reading *r, const char *word)
{
	snprintf(r->word, sizeof r->word, "%.*s", WORD_SHOWN - 1, word);
}

static bool
expected(struct reading *r, const char *word, const char *what)
{
	show(r, word);
	snprintf(r->why, sizeof r->why, "%s", what);
	return false;
}

/* The first word of a line; *rest is what stands behind it. */
static char *
cut_word(char *line, char **rest)
{
	size_t n = strcspn(line, " \t");

	*rest = line + n + strspn(line + n, " \t");
	line[n] = '\0';
	return line;
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	at = c == '\0' ? NULL : strchr(digits, c | 0x20);
	return at && (c < 'A' || c > 'F' || c >= '0') ? (int)(at - digits) : -1;
}

/* \n, \\ and \xNN stand for a byte. False: something else behind a \. */
static bool
unescape(const char *s, uint8_t *to, size_t *len)
{
	size_t n = 0;

	while (*s) {
		int high, low;

		if (*s != '\\') {
			to[n++] = (uint8_t)*s++;
		} else if (s[1] == 'n' || s[1] == '\\') {
			to[n++] = s[1] == 'n' ? '\n' : '\\';
			s += 2;
		} else if (s[1] == 'x' && (high = hex_digit(s[2])) >= 0 &&
		    (low = hex_digit(s[3])) >= 0) {
			to[n++] = (uint8_t)(high * 16 + low);
			s += 4;
		} else {
			return false;
		}
	}
	*len = n;
	return true;
}

/* ---- patterns ----------------------------------------------------------- */

static struct product *
last(struct reading *r)
{
	return r->all->n > 0 ? &r->all->v[r->all->n - 1] : NULL;
}

/* What a pattern must consist of, asked when the next one begins. */
static const char *
missing(const struct product *p)
{
	bool captures = false;

	for (unsigned i = 0; i < p->nmatches; i++)
		captures = captures ||
		    pattern_captures(p->matches[i].pattern, CAPTURE_PRODUCT);
	if (p->protocol == PROTOCOL_UNKNOWN)
		return "a line protocol below it";
	if (p->nmatches == 0)
		return "an expression below it: greeting, list ...";
	if (captures != (p->name[0] == '\0'))
		return "product * where (?<product>...) captures it, and only "
		       "there";
	if (!p->marked)
		return "a line tried or untried below it";
	return p->tests == 0 ? "a line test below it" : NULL;
}

static bool
finish(struct reading *r)
{
	const struct product *p = last(r);
	const char *what = p ? missing(p) : NULL;

	r->in_case = false;
	if (!what)
		return true;
	r->line = p->line;
	return expected(r, p->name[0] ? p->name : "*", what);
}

static bool
take_product(struct reading *r, char *rest)
{
	struct products *all = r->all;
	struct product *v;

	if (!finish(r))
		return false;
	if (rest[0] == '\0' || strlen(rest) >= PRODUCT_NAME_MAX)
		return expected(r, rest, "a name of 1 to 63 bytes, or *");
	v = realloc(all->v, (all->n + 1) * sizeof *v);
	if (!v)
		return expected(r, rest, "more memory");
	all->v = v;
	v += all->n++;
	memset(v, 0, sizeof *v);
	v->line = r->line;
	if (strcmp(rest, "*") != 0)
		memcpy(v->name, rest, strlen(rest) + 1);
	return true;
}

static bool
take_protocol(struct reading *r, char *rest)
{
	int protocol = name_find(protocol_names, PROTOCOL_COUNT, rest);

	if (protocol <= PROTOCOL_UNKNOWN)
		return expected(r, rest, "pop3, imap or smtp");
	last(r)->protocol = (enum protocol)protocol;
	return true;
}

/*
 * A text that must occur for the pattern to fit. Its pairs of neighbours are
 * looked up in a table of the pairs that were said: so a pattern that is not
 * it costs a look or two, and no match.
 */
static bool
take_key(struct reading *r, char *rest)
{
	struct product *p = last(r);
	size_t len = strlen(rest);

	if (len < KEY_LEAST || p->nkey > 0)
		return expected(
		    r, rest, "one key a pattern, of 3 bytes at least");
	for (size_t i = 1; i < len && p->nkey < KEY_MAX; i++)
		p->key[p->nkey++] =
		    pair_of((uint8_t)rest[i - 1], (uint8_t)rest[i]);
	return true;
}

static bool
take_match(struct reading *r, enum said_text where, char *rest)
{
	struct product *p = last(r);
	struct pattern *pattern;

	if (p->nmatches == MATCHES_MAX)
		return expected(r, rest, "at most 4 expressions a pattern");
	if (rest[0] == '\0')
		return expected(r, said_names[where], "a regular expression");
	show(r, rest);
	pattern = pattern_new(rest, strlen(rest), r->why);
	if (!pattern)
		return false;
	p->matches[p->nmatches].where = where;
	p->matches[p->nmatches++].pattern = pattern;
	return true;
}

static bool
take_mark(struct reading *r, char *rest)
{
	struct product *p = last(r);

	if (p->marked)
		return expected(r, rest, "one line tried or untried");
	if (rest[0] == '\0')
		return expected(r, "",
		    "behind tried the set-ups of test/lab, behind untried "
		    "where the text is known from");
	p->marked = true;
	return true;
}

/* ---- test lines --------------------------------------------------------- */

/* "PLACE TEXT" into the case that was begun last. */
static bool
put_text(struct reading *r, char *rest)
{
	char *text, *place = cut_word(rest, &text);
	int where = name_find(said_names, SAID_COUNT, place);
	uint8_t bytes[LINE_CAP], *copy;
	struct product_case *c;
	size_t len;

	if (where < 0)
		return expected(r, place,
		    "greeting, hello, list, implementation or starttls");
	if (!unescape(text, bytes, &len) || len == 0)
		return expected(r, text,
		    "what a server says; a byte may be \\n, \\\\, "
		    "\\xNN");
	if (!r->cases)
		return true;
	c = &r->cases->v[r->cases->n - 1];
	if (c->said.text[where].len > 0)
		return expected(r, place, "each text of a test once");
	copy = malloc(len);
	if (!copy)
		return expected(r, place, "more memory");
	memcpy(copy, bytes, len);
	c->said.text[where].bytes = copy;
	c->said.text[where].len = len;
	return true;
}

static bool
begin_case(struct reading *r, char *rest, bool must_not)
{
	const struct product *p = last(r);
	struct product_case *v;

	r->in_case = true;
	if (r->cases) {
		v = realloc(r->cases->v, (r->cases->n + 1) * sizeof *v);
		if (!v)
			return expected(r, rest, "more memory");
		r->cases->v = v;
		v += r->cases->n++;
		memset(v, 0, sizeof *v);
		v->line = r->line;
		v->must_not = must_not;
		v->pattern = p->line;
		v->said.protocol = p->protocol;
		memcpy(v->name, p->name, sizeof v->name);
	}
	return put_text(r, rest);
}

static bool
take_test(struct reading *r, char *rest)
{
	if (last(r)->protocol == PROTOCOL_UNKNOWN)
		return expected(r, "test", "the protocol above it");
	last(r)->tests++;
	return begin_case(r, rest, false);
}

static bool
take_not(struct reading *r, char *rest)
{
	if (last(r)->protocol == PROTOCOL_UNKNOWN)
		return expected(r, "not", "the protocol above it");
	return begin_case(r, rest, true);
}

static bool
take_with(struct reading *r, char *rest)
{
	if (!r->in_case)
		return expected(r, "with", "a line test or not above it");
	return put_text(r, rest);
}

/* What a test captures: into which of its case's two texts? */
static bool
take_given(struct reading *r, char *rest, bool version)
{
	struct product_case *c;

	if (!r->in_case)
		return expected(r, rest, "a line test above it");
	if (rest[0] == '\0' || strlen(rest) >= PRODUCT_VERSION_MAX)
		return expected(r, rest, "1 to 63 bytes");
	if (!r->cases)
		return true;
	c = &r->cases->v[r->cases->n - 1];
	memcpy(version ? c->version : c->name, rest, strlen(rest) + 1);
	return true;
}

static bool
take_version(struct reading *r, char *rest)
{
	return take_given(r, rest, true);
}

static bool
take_name(struct reading *r, char *rest)
{
	return take_given(r, rest, false);
}

/* ---- lines -------------------------------------------------------------- */

static const struct {
	const char *word;
	bool (*take)(struct reading *, char *rest);
} words[] = {
	{ "product", take_product },
	{ "protocol", take_protocol },
	{ "key", take_key },
	{ "tried", take_mark },
	{ "untried", take_mark },
	{ "test", take_test },
	{ "not", take_not },
	{ "with", take_with },
	{ "version", take_version },
	{ "name", take_name },
};

static bool
read_line(struct reading *r, char *line)
{
	char *rest, *word = cut_word(line, &rest);
	int where = name_find(said_names, SAID_COUNT, word);

	if (r->all->n == 0 && strcmp(word, "product") != 0)
		return expected(r, word, "product NAME first");
	if (where >= 0)
		return take_match(r, (enum said_text)where, rest);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].take(r, rest);
	return expected(r, word,
	    "product, protocol, key, greeting, hello, list, implementation, "
	    "starttls, tried, untried, test, with, version, name or not");
}

/* The next line without blanks around it; NULL: no more. Too long: empty. */
static char *
next_line(const char **at, char line[LINE_CAP], bool *too_long)
{
	const char *s = *at + strspn(*at, " \t");
	size_t n = strcspn(s, "\n");

	if (**at == '\0')
		return NULL;
	*at = s + n + (s[n] == '\n');
	*too_long = n >= LINE_CAP;
	n = *too_long ? 0 : n;
	while (n > 0 && strchr(" \t\r", s[n - 1]))
		n--;
	memcpy(line, s, n);
	line[n] = '\0';
	return line;
}

static bool
read_lines(struct reading *r, const char *text)
{
	char buffer[LINE_CAP], *line;
	bool too_long;

	r->all->matcher = matcher_new();
	if (!r->all->matcher)
		return expected(r, "", "more memory");
	while ((line = next_line(&text, buffer, &too_long)) != NULL) {
		r->line++;
		if (too_long)
			return expected(r, "", "at most 2047 bytes a line");
		if (line[0] != '\0' && line[0] != '#' && !read_line(r, line))
			return false;
	}
	return finish(r) &&
	    (r->all->n > 0 || expected(r, "", "a product at least"));
}

struct products *
products_read(const char *file, const char *text, struct product_cases *cases,
    char error[PRODUCTS_ERROR_MAX])
{
	struct reading r = { .cases = cases };

	r.all = calloc(1, sizeof *r.all);
	if (cases)
		*cases = (struct product_cases){ NULL, 0 };
	if (!r.all) {
		snprintf(error, PRODUCTS_ERROR_MAX, "%s: no memory", file);
		return NULL;
	}
	if (read_lines(&r, text))
		return r.all;
	snprintf(error, PRODUCTS_ERROR_MAX, "%s:%u: \"%s\", expected %s", file,
	    r.line, r.word, r.why);
	products_free(r.all);
	if (cases)
		product_cases_free(cases);
	return NULL;
}

void
product_cases_free(struct product_cases *cases)
{
	for (size_t i = 0; i < cases->n; i++)
		for (int t = 0; t < SAID_COUNT; t++)
			free((void *)(uintptr_t)cases->v[i].said.text[t].bytes);
	free(cases->v);
	*cases = (struct product_cases){ NULL, 0 };
}
