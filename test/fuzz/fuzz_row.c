/* fuzz_row.c: a record from a probe, as feeds, JSON and statistics print it. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/feed.h"
#include "storage/json_out.h"
#include "storage/statistics.h"
#include "storage/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What left by the one mapping is not changed by it again. */
static void
check_mapped(const char *text, size_t len)
{
	struct buf again = { 0 };

	text_add(&again, text, len);
	if (again.len != len || (len > 0 && memcmp(again.s, text, len) != 0))
		abort();
	buf_free(&again);
}

/* Commas outside quotes; aborts where a quote is not where it may be. */
static unsigned
count_commas(const char *line)
{
	unsigned n = 0;
	bool inside = false;

	for (; *line; line++) {
		if (*line == '"')
			inside = !inside;
		n += *line == ',' && !inside;
	}
	if (inside)
		abort();
	return n;
}

static void
check_line(const struct row *r, enum feed_type type)
{
	static char *extra[] = { "x_capabilities", "x_evidence", "x_product" };
	struct feed_item item = { .row = r, .type = type, .sweep_id = "x" };
	struct buf header = { 0 }, line = { 0 };

	feed_header(&header, type, extra, 3);
	feed_line(&line, &item, extra, 3);
	if (count_commas(header.s) != count_commas(line.s) ||
	    line.s[line.len - 1] != '\n' || strlen(line.s) != line.len)
		abort();
	check_mapped(line.s, line.len - 1);
	buf_free(&header);
	buf_free(&line);
}

static void
check_json(const struct row *r)
{
	struct json_object *o = json_row(r, true), *back;
	const char *text = json_object_to_json_string(o);

	check_mapped(text, strlen(text));
	back = json_tokener_parse(text);
	if (!back)
		abort();
	json_object_put(back);
	json_object_put(o);
}

static void
check_statistics(const struct row *r)
{
	static const enum cut cuts[CUTS_MAX] = { CUT_PRODUCT, CUT_FINDING };
	struct statistics *s = statistics_new(cuts);
	char label[CUT_LABEL_MAX];
	const struct stat_row *rows;
	size_t n;

	statistics_add(s, r);
	rows = statistics_rows(s, &n);
	for (size_t i = 0; i < n; i++) {
		statistics_label(s, &rows[i], 0, label);
		statistics_label(s, &rows[i], 1, label);
	}
	statistics_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct row r = { 0 };

	if (!record_check(bytes, len))
		return 0;
	memcpy(&r.head, bytes, sizeof r.head);
	memcpy(r.target.addr.b, r.head.addr, sizeof r.head.addr);
	r.target.port = r.head.port;
	r.body = bytes + HEAD_SIZE + sizeof r.len;
	r.len = (uint32_t)(len - HEAD_SIZE - sizeof r.len);
	for (int t = 0; t < FEED_TYPES; t++)
		check_line(&r, (enum feed_type)t);
	check_json(&r);
	check_statistics(&r);
	return 0;
}
