/* advice.c: what an operator is told about a finding (conf/advice). */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/advice.h"
#include "storage/buf.h"

enum { LINE_CAP = 1024 };

struct advices {
	struct advice *v;
	size_t n;
};

/* Where a field's text goes; NULL: no such field, or no room. */
static char **
field_place(struct advice *a, const char *key, size_t len)
{
	if (len == 4 && memcmp(key, "risk", len) == 0)
		return &a->risk;
	if (len == 3 && memcmp(key, "ask", len) == 0)
		return &a->ask;
	if (len == 6 && memcmp(key, "source", len) == 0)
		return &a->source;
	if (len == 2 && memcmp(key, "do", len) == 0 && a->ntodo < ADVICE_DO_MAX)
		return &a->todo[a->ntodo++];
	return NULL;
}

/* A field goes on: the line's text, one blank before it. */
static void
append(char **place, const char *text)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s %s", *place, text);
	free(*place);
	*place = b.s;
}

static void
begin_block(struct advices *all, const char *subject)
{
	all->v = need_more(all->v, all->n + 1, sizeof *all->v);
	all->v[all->n] = (struct advice){ 0 };
	all->v[all->n++].subject = need_copy(subject, strlen(subject));
}

/* One line; *place is the field that goes on. NULL, or what was expected. */
static const char *
read_line(struct advices *all, char *line, bool *inside, char ***place)
{
	size_t key = strcspn(line, ":");
	char *text = line + strspn(line, " \t");

	if (text[0] == '\0') {
		*inside = false;
		*place = NULL;
		return NULL;
	}
	if (line[0] == '#')
		return NULL;
	if (text > line) {
		if (!*place)
			return "a field before what goes on";
		append(*place, text);
		return NULL;
	}
	if (!*inside) {
		if (strncmp(line, "finding ", 8) != 0 &&
		    strncmp(line, "port ", 5) != 0 &&
		    strncmp(line, "tag ", 4) != 0)
			return "finding NAME, port N or tag NAME";
		begin_block(all, line);
		*inside = true;
		return NULL;
	}
	*place = line[key] ? field_place(&all->v[all->n - 1], line, key) : NULL;
	if (!*place)
		return "risk, do, ask or source, and a colon";
	free(**place);
	text = line + key + 1;
	text += strspn(text, " \t");
	**place = need_copy(text, strlen(text));
	return NULL;
}

struct advices *
advice_read(const char *path, char error[ADVICE_ERROR_MAX])
{
	FILE *file = fopen(path, "re");
	struct advices *all;
	char line[LINE_CAP], **place = NULL;
	const char *expected = NULL;
	bool inside = false;

	if (!file) {
		snprintf(
		    error, ADVICE_ERROR_MAX, "%s: %s", path, strerror(errno));
		return NULL;
	}
	all = need_memory(1, sizeof *all);
	for (unsigned n = 1; !expected && fgets(line, sizeof line, file); n++) {
		line[strcspn(line, "\r\n")] = '\0';
		expected = read_line(all, line, &inside, &place);
		if (expected)
			snprintf(error, ADVICE_ERROR_MAX,
			    "%s:%u: %.40s: expected %s", path, n, line,
			    expected);
	}
	fclose(file);
	if (!expected)
		return all;
	advice_free(all);
	return NULL;
}

void
advice_free(struct advices *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct advice *a = &all->v[i];

		free(a->subject);
		free(a->risk);
		free(a->ask);
		free(a->source);
		for (size_t k = 0; k < a->ntodo; k++)
			free(a->todo[k]);
	}
	free(all->v);
	free(all);
}

const struct advice *
advice_find(const struct advices *all, const char *subject)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (strcmp(all->v[i].subject, subject) == 0)
			return &all->v[i];
	return NULL;
}
