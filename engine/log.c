/* log.c: what the daemon says of itself, to standard error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/log.h"

enum { LINE_CAP = 1024 };

static const char *name = "mailsweep";
static enum log_level level = LOG_LEVEL_INFO;

void
log_open(const char *role, enum log_level shown)
{
	name = role;
	level = shown;
}

/* One write(2) a line, so that lines of several processes never mix. */
static void
say(enum log_level at, const char *mark, const char *fmt, va_list ap)
{
	char line[LINE_CAP];
	int n, m;
	ssize_t unused;

	if (at > level)
		return;
	n = snprintf(line, sizeof line, "mailsweepd[%s]: %s", name, mark);
	m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	n = m < 0 ? n : n + m;
	if (n > LINE_CAP - 2)
		n = LINE_CAP - 2;
	line[n++] = '\n';
	unused = write(STDERR_FILENO, line, (size_t)n);
	(void)unused;
}

#define LOG_BODY(at, mark)                  \
	do {                                \
		va_list ap;                 \
		va_start(ap, fmt);          \
		say((at), (mark), fmt, ap); \
		va_end(ap);                 \
	} while (0)

void
log_error(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR, "error: ");
}

void
log_warn(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARN, "warning: ");
}

void
log_info(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_INFO, "");
}

void
log_debug(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_DEBUG, "debug: ");
}

void
fatal(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR, "fatal: ");
	_exit(1);
}
