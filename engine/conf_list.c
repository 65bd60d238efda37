/* conf_list.c: lists of addresses in the configuration and in files. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf_reader.h"
#include "engine/ranges.h"

/* Put one piece in; file and line say where it stands. */
static void
add_piece(struct reader *r, const char *file, unsigned line, const char *what,
    const char *text, struct ranges *set)
{
	const char *expected = "an address, a CIDR prefix or FIRST-LAST";

	if (ranges_add_text(set, text, &expected) == 0)
		return;
	reader_mistake(r, file, line, "%s%s\"%s\", expected %s", what,
	    *what ? ": " : "", text, expected);
}

/* Cut the comment and the blanks at both ends off a line. */
static char *
trim(char *s)
{
	size_t len;

	s[strcspn(s, "#")] = '\0';
	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		s[--len] = '\0';
	return s;
}

void
list_add_file(struct reader *r, const char *file, unsigned line,
    const char *path, struct ranges *set)
{
	char *text = conf_slurp(path), *next = text, *s;
	unsigned n = 0;

	if (text == NULL) {
		reader_mistake(r, file, line,
		    "@%s: cannot be read (%s), expected a file with one "
		    "address, CIDR prefix or FIRST-LAST a line",
		    path, strerror(errno));
		return;
	}
	while ((s = strsep(&next, "\n")) != NULL) {
		n++;
		s = trim(s);
		if (*s != '\0')
			add_piece(r, path, n, "", s, set);
	}
	free(text);
}

void
list_add(struct reader *r, const struct word *w, struct ranges *set)
{
	if (w->text[0] == '@')
		list_add_file(r, r->file, w->line, w->text + 1, set);
	else
		add_piece(r, r->file, w->line, w->option, w->text, set);
}

bool
list_data_file(const char *name, char path[CONF_PATH_MAX])
{
	static const char in_tree[] = "/../../conf";
	char self[PATH_MAX], *slash;
	ssize_t n;

	snprintf(path, CONF_PATH_MAX, "%s/%s", DATADIR, name);
	if (access(path, R_OK) == 0)
		return true;
	/* Run from the tree: build/release/mailsweepd. */
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		return false;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return snprintf(path, CONF_PATH_MAX, "%s%s/%s", self, in_tree, name) <
	    CONF_PATH_MAX &&
	    access(path, R_OK) == 0;
}
