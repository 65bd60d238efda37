/* conf_words.c: the grammar of the configuration file; libconfuse is here. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <confuse.h>

#include "engine/conf_reader.h"
#include "engine/log.h"

enum { OPTIONS_MAX = 128, MESSAGE_MAX = 512 };

void
reader_mistake(
    struct reader *r, const char *file, unsigned line, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;

	r->mistakes++;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (line > 0)
		fprintf(stderr, "%s:%u: %s\n", file, line, text);
	else
		fprintf(stderr, "%s: %s\n", file, text);
}

char *
conf_slurp(const char *path)
{
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		goto fail;
	errno = S_ISREG(st.st_mode) ? 0 : EINVAL;
	if (errno != 0 || (text = malloc((size_t)st.st_size + 1)) == NULL)
		goto fail;
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0)
			goto fail;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	close(fd);
	if (strlen(text) == len)
		return text;
	free(text); /* a NUL would hide what stands behind it */
	errno = EILSEQ;
	return NULL;
fail:
	free(text);
	close(fd);
	return NULL;
}

/* ---- comments and braces ------------------------------------------------ */

/*
 * libconfuse counts a comment's line end more than once and knows no comment
 * inside a list, and takes the end of the file for the end of a section. So
 * comments become blanks here, and braces are matched.
 */
struct scan {
	struct reader *r;
	char *s;
	unsigned line;
	unsigned open; /* line of the brace that is open, 0: none */
	unsigned depth;
	char before; /* last character that is no blank */
	char before_brace;
};

static void
blank_until(struct scan *c, const char *end)
{
	size_t len = strlen(end);

	while (*c->s != '\0' && strncmp(c->s, end, len) != 0) {
		if (*c->s == '\n')
			c->line++;
		else
			*c->s = ' ';
		c->s++;
	}
	for (size_t i = 0; i < len && *c->s != '\0' && *c->s != '\n'; i++)
		*c->s++ = ' ';
}

static void
skip_quoted(struct scan *c, char quote)
{
	unsigned start = c->line;

	for (c->s++; *c->s != '\0' && *c->s != quote; c->s++) {
		if (*c->s == '\\' && c->s[1] != '\0')
			c->s++;
		c->line += *c->s == '\n';
	}
	if (*c->s == '\0')
		reader_mistake(c->r, c->r->file, start,
		    "%c without the other one, expected %c at the end", quote,
		    quote);
	else
		c->s++;
}

static void
match_brace(struct scan *c)
{
	if (*c->s == '{') {
		c->depth++;
		c->open = c->line;
		c->before_brace = c->before;
	} else if (c->depth == 0) {
		reader_mistake(c->r, c->r->file, c->line, "} without a {");
	} else {
		c->depth--;
		if (c->before == '{' && c->before_brace == '=')
			reader_mistake(c->r, c->r->file, c->line,
			    "{}: an empty list, expected at least one value");
	}
}

static void
scan_text(struct reader *r, char *text)
{
	struct scan c = { .r = r, .s = text, .line = 1, .before = '\n' };
	bool fresh = true; /* at the start of a word */

	while (*c.s != '\0') {
		if (*c.s == '#' || (fresh && strncmp(c.s, "//", 2) == 0)) {
			blank_until(&c, "\n");
			continue;
		}
		if (fresh && strncmp(c.s, "/*", 2) == 0) {
			blank_until(&c, "*/");
			continue;
		}
		if (*c.s == '"' || *c.s == '\'') {
			c.before = *c.s;
			skip_quoted(&c, *c.s);
			fresh = true;
			continue;
		}
		if (*c.s == '{' || *c.s == '}')
			match_brace(&c);
		fresh = strchr(" \t\r\n{}=,()", *c.s) != NULL;
		if (strchr(" \t\r\n", *c.s) == NULL)
			c.before = *c.s;
		c.line += *c.s++ == '\n';
	}
	if (c.depth > 0)
		reader_mistake(r, r->file, c.open, "{ without a }");
}

/* ---- libconfuse --------------------------------------------------------- */

/* Its callbacks carry no pointer of ours: what is being read stands here. */
static struct {
	struct reader *reader;
	struct words *words;
	char unknown[CONF_UNKNOWN_MAX][64];
	unsigned nunknown;
	bool learnt; /* a new unknown name in this pass */
} now;

static char *
copy(const char *s)
{
	char *c;

	if (s == NULL)
		return NULL;
	if ((c = strdup(s)) == NULL)
		fatal("no memory for the configuration");
	return c;
}

static void
add_word(
    const char *section, const char *option, const char *text, unsigned line)
{
	struct words *w = now.words;

	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct word *v = realloc(w->v, cap * sizeof *v);

		if (v == NULL)
			fatal("no memory for the configuration");
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] =
	    (struct word){ copy(section), copy(option), copy(text), line };
}

static int
take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	static char something;

	add_word(cfg->title, opt->name, value, (unsigned)cfg->line);
	*(void **)result = &something; /* NULL would mean a mistake */
	return 0;
}

static int
take_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, opt->nvalues - 1);

	add_word(cfg_title(section), NULL, NULL, (unsigned)cfg->line);
	return 0;
}

static bool
is_unknown(const char *name)
{
	for (unsigned i = 0; i < now.nunknown; i++)
		if (strcmp(now.unknown[i], name) == 0)
			return true;
	return false;
}

/*
 * libconfuse stops at the first name that it does not know. Each such name is
 * learnt, and the text is read again, so that one run reports them all.
 */
static void
take_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[MESSAGE_MAX];
	const char *name;
	unsigned line = (unsigned)cfg->line;

	vsnprintf(text, sizeof text, fmt, ap);
	name = strchr(text, '\'');
	if (strncmp(text, "no such option '", 16) == 0) {
		text[strlen(text) - 1] = '\0';
		now.learnt = now.nunknown < CONF_UNKNOWN_MAX &&
		    strlen(name + 1) < sizeof now.unknown[0] &&
		    !is_unknown(name + 1);
		if (now.learnt)
			memcpy(now.unknown[now.nunknown++], name + 1,
			    strlen(name + 1) + 1);
		else
			reader_mistake(now.reader, now.reader->file, line,
			    "%s: no such option", name + 1);
		return;
	}
	reader_mistake(now.reader, now.reader->file, line,
	    "%s, expected NAME = VALUE or NAME = { VALUE, ... }", text);
}

static void
fill_options(cfg_opt_t *to, const char *const *names)
{
	cfg_opt_t end = CFG_END();
	size_t n = 0;

	for (size_t i = 0; names[i] != NULL && n < OPTIONS_MAX; i++) {
		cfg_opt_t o =
		    CFG_PTR_LIST_CB(NULL, 0, CFGF_NODEFAULT, take_value, NULL);

		o.name = names[i];
		to[n++] = o;
	}
	for (unsigned i = 0; i < now.nunknown; i++) {
		cfg_opt_t o =
		    CFG_PTR_LIST_CB(NULL, 0, CFGF_NODEFAULT, take_value, NULL);

		o.name = now.unknown[i];
		to[n++] = o;
	}
	to[n] = end;
}

static void
parse_once(const char *text, const char *const *options,
    const char *const *in_recipient)
{
	static cfg_opt_t top[OPTIONS_MAX + CONF_UNKNOWN_MAX + 2];
	static cfg_opt_t sub[OPTIONS_MAX + CONF_UNKNOWN_MAX + 1];
	cfg_opt_t section = CFG_SEC(
	    "recipient", sub, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	unsigned before = now.reader->mistakes;
	cfg_t *cfg;

	fill_options(sub, in_recipient);
	top[0] = section;
	fill_options(top + 1, options);
	cfg = cfg_init(top, CFGF_NONE);
	if (cfg == NULL)
		fatal("no memory for the configuration");
	cfg_set_error_function(cfg, take_error);
	cfg_set_validate_func(cfg, "recipient", take_section_end);
	/* It may stop without a word: at an option whose name is empty. */
	if (cfg_parse_buf(cfg, text) != CFG_SUCCESS && !now.learnt &&
	    now.reader->mistakes == before)
		reader_mistake(now.reader, now.reader->file,
		    (unsigned)cfg->line,
		    "cannot be read on, expected NAME = VALUE");
	cfg_free(cfg);
}

static void
forget_words(struct words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].section);
		free(w->v[i].option);
		free(w->v[i].text);
	}
	w->n = 0;
}

static bool
is_known(const struct word *w, const char *const *options,
    const char *const *in_recipient)
{
	const char *const *names = w->section ? in_recipient : options;

	if (w->option == NULL)
		return true;
	while (*names != NULL && strcmp(*names, w->option) != 0)
		names++;
	return *names != NULL;
}

void
words_read(struct reader *r, const char *text, const char *const *options,
    const char *const *in_recipient, struct words *w)
{
	char *clean = strdup(text);
	unsigned before = r->mistakes;

	if (clean == NULL)
		fatal("no memory for the configuration");
	memset(w, 0, sizeof *w);
	memset(&now, 0, sizeof now);
	now.reader = r;
	now.words = w;
	scan_text(r, clean);
	/* With braces or quotes open, libconfuse could only guess. */
	if (r->mistakes == before) {
		do {
			now.learnt = false;
			forget_words(w);
			parse_once(clean, options, in_recipient);
		} while (now.learnt);
	}
	for (size_t i = 0; i < w->n; i++)
		if (!is_known(&w->v[i], options, in_recipient))
			reader_mistake(r, r->file, w->v[i].line,
			    "%s: no such option%s", w->v[i].option,
			    w->v[i].section ? " of a recipient" : "");
	free(clean);
}

void
words_free(struct words *w)
{
	forget_words(w);
	free(w->v);
	memset(w, 0, sizeof *w);
}
