/* pattern.c: regular expressions, interpreted by PCRE2 within limits. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes/pattern.h"

enum {
	DEPTH_MAX = 250, /* of nested backtracking */
	HEAP_MAX_KIB = 128, /* of what a match keeps for going back */
	GROUPS_MAX = 16
};

static const char *const capture_names[CAPTURE_COUNT] = {
	[CAPTURE_PRODUCT] = "product",
	[CAPTURE_VERSION] = "version",
};

struct pattern {
	pcre2_code *code;
	int group[CAPTURE_COUNT]; /* negative: it has no such group */
};

struct matcher {
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

/* Groups by name, and none but ours: a slip of the pen is no capture. */
static bool
find_groups(struct pattern *p, char error[PATTERN_ERROR_MAX])
{
	uint32_t named = 0, groups = 0, ours = 0;

	(void)pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &named);
	(void)pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	for (int i = 0; i < CAPTURE_COUNT; i++) {
		p->group[i] = pcre2_substring_number_from_name(
		    p->code, (PCRE2_SPTR)capture_names[i]);
		ours += p->group[i] >= 0;
	}
	if (named == ours && groups < GROUPS_MAX)
		return true;
	snprintf(error, PATTERN_ERROR_MAX,
	    "at most %d groups, and no named ones but product and version",
	    GROUPS_MAX - 1);
	return false;
}

struct pattern *
pattern_new(const char *text, size_t len, char error[PATTERN_ERROR_MAX])
{
	const uint32_t options = PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY |
	    PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
	struct pattern *p = calloc(1, sizeof *p);
	char why[PATTERN_ERROR_MAX / 2];
	PCRE2_SIZE at = 0;
	int code = 0;

	if (!p || len > PATTERN_MAX) {
		snprintf(
		    error, PATTERN_ERROR_MAX, "at most %d bytes", PATTERN_MAX);
		free(p);
		return NULL;
	}
	p->code =
	    pcre2_compile((PCRE2_SPTR)text, len, options, &code, &at, NULL);
	if (!p->code) {
		if (pcre2_get_error_message(
			code, (PCRE2_UCHAR *)why, sizeof why) < 0)
			snprintf(why, sizeof why, "error %d", code);
		snprintf(error, PATTERN_ERROR_MAX,
		    "a regular expression: %s, at byte %zu", why, at + 1);
	}
	if (!p->code || !find_groups(p, error)) {
		pattern_free(p);
		return NULL;
	}
	return p;
}

void
pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	free(p);
}

bool
pattern_captures(const struct pattern *p, enum capture c)
{
	return p->group[c] >= 0;
}

struct matcher *
matcher_new(void)
{
	struct matcher *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->data = pcre2_match_data_create(GROUPS_MAX, NULL);
	m->limits = pcre2_match_context_create(NULL);
	if (!m->data || !m->limits) {
		matcher_free(m);
		return NULL;
	}
	(void)pcre2_set_match_limit(m->limits, PATTERN_STEPS_MAX);
	(void)pcre2_set_depth_limit(m->limits, DEPTH_MAX);
	(void)pcre2_set_heap_limit(m->limits, HEAP_MAX_KIB);
	return m;
}

void
matcher_free(struct matcher *m)
{
	if (!m)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	free(m);
}

static void
take_captures(const struct pattern *p, const struct matcher *m,
    const uint8_t *text, struct captured *found)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);

	for (int i = 0; i < CAPTURE_COUNT; i++) {
		const PCRE2_SIZE *place;

		if (p->group[i] < 0)
			continue;
		place = at + 2 * (size_t)p->group[i];
		if (place[0] == PCRE2_UNSET || place[1] <= place[0])
			continue;
		found->bytes[i] = text + place[0];
		found->len[i] = place[1] - place[0];
	}
}

enum matched
pattern_match(const struct pattern *p, struct matcher *m, const uint8_t *text,
    size_t len, struct captured *found)
{
	int n = pcre2_match(p->code, text,
	    len < PATTERN_SUBJECT_MAX ? len : PATTERN_SUBJECT_MAX, 0, 0,
	    m->data, m->limits);

	if (n == PCRE2_ERROR_NOMATCH)
		return MATCHED_NO;
	if (n <= 0)
		return MATCHED_TOO_LONG;
	take_captures(p, m, text, found);
	return MATCHED_YES;
}
