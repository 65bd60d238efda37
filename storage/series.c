/* series.c: the sealed sweeps that began between two days. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/buf.h"
#include "storage/series.h"
#include "storage/text.h"

enum { SERIES_MAX = 4096 };

bool
series_day(const struct tool *t, const char *option, const char *text,
    const char **day)
{
	struct tm tm = { .tm_mday = 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	*day = text;
	if (end && *end == '\0' && strlen(text) == sizeof "2026-11-21" - 1)
		return true;
	tool_usage(
	    t, "--%s %s: expected a day, such as 2026-11-21", option, text);
	return false;
}

/* Of more sweeps than there is room for the oldest go. */
static bool
note_sweep(const struct sweep_info *i, void *arg)
{
	struct series *s = arg;
	char day[TIME_TEXT_MAX];

	text_day(i->sweep.start_us, day);
	if (i->removed || i->end_us == 0 ||
	    (s->from && strcmp(day, s->from) < 0) ||
	    (s->to && strcmp(day, s->to) > 0))
		return true;
	if (s->n == SERIES_MAX)
		memmove(s->ids, s->ids + 1, --s->n * sizeof *s->ids);
	memcpy(s->ids[s->n++], i->sweep.id, SWEEP_ID_MAX);
	return true;
}

bool
series_read(struct series *s, const char *datadir)
{
	char error[STORE_ERROR_MAX];

	s->n = 0;
	s->ids = need_memory(SERIES_MAX, sizeof *s->ids);
	if (store_sweeps(datadir, note_sweep, s, error) == 0)
		return true;
	tool_error("%s", error);
	return false;
}

void
series_free(struct series *s)
{
	free(s->ids);
	s->ids = NULL;
}
