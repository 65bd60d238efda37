/* progress.c: what the daemon says of a running sweep, on one line. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/progress.h"
#include "storage/text.h"

enum { BAR_MAX = 30, BAR_MIN = 8, GROUPED_MAX = 32 };

static uint64_t
number(const struct json_object *o, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, key, &value))
		return 0;
	return json_object_get_uint64(value);
}

static const char *
string(const struct json_object *o, const char *key)
{
	struct json_object *value;
	const char *s;

	if (!json_object_object_get_ex(o, key, &value))
		return "";
	s = json_object_get_string(value);
	return s ? s : "";
}

/* 1234567 as "1,234,567" */
static const char *
grouped(uint64_t n, char text[GROUPED_MAX])
{
	char digits[GROUPED_MAX];
	int len = snprintf(digits, sizeof digits, "%" PRIu64, n), out = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[out++] = ',';
		text[out++] = digits[i];
	}
	text[out] = '\0';
	return text;
}

static double
share_done(const struct json_object *o)
{
	uint64_t done = number(o, "done"), total = number(o, "total");

	if (total == 0)
		return 0;
	return done >= total ? 1 : (double)done / (double)total;
}

static void
put_bar(struct buf *b, double share, size_t columns)
{
	size_t full = (size_t)(share * (double)columns);

	buf_putc(b, '[');
	for (size_t i = 0; i < columns; i++)
		buf_putc(b, i < full ? '#' : '.');
	buf_puts(b, "] ");
}

static void
put_rates(struct buf *b, const struct json_object *o)
{
	char a[GROUPED_MAX], c[GROUPED_MAX], d[GROUPED_MAX], e[GROUPED_MAX],
	    f[GROUPED_MAX], left[TIME_TEXT_MAX];
	struct json_object *eta, *warning;

	buf_printf(b, "%s SYN/s  %s answers/s  %s open  %s records  %s drops",
	    grouped(number(o, "syn_per_s"), a),
	    grouped(number(o, "answers_per_s"), c),
	    grouped(number(o, "conversations_open"), d),
	    grouped(number(o, "records"), e), grouped(number(o, "drops"), f));
	if (json_object_object_get_ex(o, "health_warning", &warning) &&
	    json_object_get_boolean(warning))
		buf_puts(b, "  MANY REFUSE US");
	if (json_object_object_get_ex(o, "eta_s", &eta) && eta &&
	    json_object_get_int64(eta) >= 0)
		buf_printf(b, "  %s left",
		    text_duration(json_object_get_uint64(eta), left));
}

/* "draining: " and the like; nothing while SYNs are being sent. */
static void
put_state(struct buf *b, const struct json_object *o)
{
	const char *state = string(o, "state");

	if (state[0] == '\0' || strcmp(state, "sweeping") == 0)
		return;
	text_add(b, state, strlen(state));
	buf_puts(b, ": ");
}

static void
put_idle(struct buf *b, const struct json_object *o)
{
	uint64_t next = number(o, "next_sweep");
	char when[TIME_TEXT_MAX];

	buf_puts(b, "no sweep is running");
	if (next > 0)
		buf_printf(b, ", the next begins %s UTC",
		    text_time(next * 1000000, when));
}

static void
put_progress(struct buf *b, const struct json_object *o, unsigned width)
{
	char done[GROUPED_MAX], total[GROUPED_MAX];
	struct buf tail = { 0 };
	size_t room;

	put_rates(&tail, o);
	put_state(b, o);
	buf_printf(b, "%s of %s  %.1f%%  ", grouped(number(o, "done"), done),
	    grouped(number(o, "total"), total), 100 * share_done(o));
	room = b->len + tail.len + 3;
	if (width > room + BAR_MIN)
		put_bar(b, share_done(o),
		    width - room > BAR_MAX ? BAR_MAX : width - room);
	buf_add(b, buf_text(&tail), tail.len);
	buf_free(&tail);
}

void
progress_line(const struct json_object *o, unsigned width, struct buf *b)
{
	if (strcmp(string(o, "state"), "idle") == 0)
		put_idle(b, o);
	else
		put_progress(b, o, width);
	if (width > 0 && b->len > width)
		b->s[b->len = width] = '\0';
}

bool
progress_runs(const struct json_object *o)
{
	const char *state = string(o, "state");

	return strcmp(state, "idle") != 0 && strcmp(state, "over") != 0;
}
