/* change.c: what has become of a target between two sweeps. */
#include <stdlib.h>
#include <string.h>

#include "storage/change.h"

/* These say something of the answer, not of the server's state. */
#define NOT_A_FAULT                                                \
	(1u << FINDING_REFUSED_US | 1u << FINDING_OTHER_PROTOCOL | \
	    1u << FINDING_PHANTOM | 1u << FINDING_MASKED)

const char *const difference_names[DIFFERENCES] = { "new", "back", "fixed",
	"worse", "not_seen", "gone", "same" };

/* A place in an ordered walk. */
struct side {
	struct store_scan *scan;
	struct target target;
	struct head head;
	uint8_t key[TARGET_KEY_LEN];
	bool more, stood; /* stood: what it stands on was told */
};

struct comparison {
	struct side before, now;
	/* What has no row any more: in the earlier sweep, and in the later. */
	struct side missed, gone;
	uint64_t gone_after, before_us; /* when the earlier one began */
};

enum change
change_between(const struct head *now, const struct head *before)
{
	uint32_t have = now->findings & ~NOT_A_FAULT;
	uint32_t had = before->findings & ~NOT_A_FAULT;

	if (have & ~had)
		return CHANGE_WORSE;
	if ((had & ~have) && now->outcome == OUTCOME_COMPLETED)
		return CHANGE_FIXED;
	return CHANGE_SAME;
}

static void
step(struct side *s)
{
	s->more = store_scan_next(s->scan, &s->target, &s->head);
	s->stood = false;
	if (s->more)
		target_pack(&s->target, s->key);
}

/* Of what is missed only those that are gone by now. */
static void
step_gone(struct comparison *c)
{
	do {
		step(&c->gone);
	} while (c->gone.more && c->gone.head.missed < c->gone_after);
}

struct comparison *
comparison_new(struct store *before, struct store *now, uint64_t gone_after)
{
	struct comparison *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->gone_after = gone_after;
	c->before_us = store_info(before)->sweep.start_us;
	c->before.scan = store_scan_new(before);
	c->now.scan = store_scan_new(now);
	c->missed.scan = store_scan_gone(before);
	c->gone.scan = store_scan_gone(now);
	if (c->before.scan == NULL || c->now.scan == NULL ||
	    c->missed.scan == NULL || c->gone.scan == NULL) {
		comparison_free(c);
		return NULL;
	}
	step(&c->before);
	step(&c->now);
	step(&c->missed);
	step_gone(c);
	return c;
}

void
comparison_free(struct comparison *c)
{
	if (c == NULL)
		return;
	store_scan_free(c->before.scan);
	store_scan_free(c->now.scan);
	store_scan_free(c->missed.scan);
	store_scan_free(c->gone.scan);
	free(c);
}

static enum difference
difference_of(const struct comparison *c)
{
	const struct head *before = &c->before.head, *now = &c->now.head;

	if (!c->now.stood)
		return c->gone.stood ? DIFFERENCE_GONE : DIFFERENCE_NOT_SEEN;
	if (!c->before.stood)
		return now->first_seen_us > 0 &&
			now->first_seen_us < c->before_us
		    ? DIFFERENCE_BACK
		    : DIFFERENCE_NEW;
	switch (change_between(now, before)) {
	case CHANGE_WORSE:
		return DIFFERENCE_WORSE;
	case CHANGE_FIXED:
		return DIFFERENCE_FIXED;
	default:
		return DIFFERENCE_SAME;
	}
}

static void
take_lower(const struct side *s, const uint8_t **key)
{
	if (s->more &&
	    (*key == NULL || memcmp(s->key, *key, sizeof s->key) < 0))
		*key = s->key;
}

static bool
stands_on(const struct side *s, const uint8_t key[TARGET_KEY_LEN])
{
	return s->more && memcmp(s->key, key, sizeof s->key) == 0;
}

/* All sides on to the lowest target that any of them has. */
static bool
advance(struct comparison *c)
{
	const uint8_t *lowest = NULL;

	if (c->before.stood)
		step(&c->before);
	if (c->now.stood)
		step(&c->now);
	if (c->gone.stood)
		step_gone(c);
	take_lower(&c->before, &lowest);
	take_lower(&c->now, &lowest);
	take_lower(&c->gone, &lowest);
	if (lowest == NULL)
		return false;
	while (c->missed.more &&
	    memcmp(c->missed.key, lowest, sizeof c->missed.key) < 0)
		step(&c->missed);
	c->missed.stood = stands_on(&c->missed, lowest);
	c->now.stood = stands_on(&c->now, lowest);
	c->gone.stood = stands_on(&c->gone, lowest);
	c->before.stood = stands_on(&c->before, lowest);
	return true;
}

/* Is it in a row, or has become gone since the earlier sweep missed it? */
static bool
is_told(const struct comparison *c)
{
	return c->before.stood || c->now.stood ||
	    (c->missed.stood && c->missed.head.missed < c->gone_after);
}

bool
comparison_next(struct comparison *c, struct compared *out)
{
	struct side *of;

	do {
		if (!advance(c))
			return false;
	} while (!is_told(c));
	of = c->now.stood ? &c->now : c->before.stood ? &c->before : &c->gone;
	memset(out, 0, sizeof *out);
	out->target = of->target;
	out->now = c->now.stood ? &c->now.head : NULL;
	out->before = c->before.stood ? &c->before.head
	    : c->now.stood            ? NULL
				      : &c->gone.head;
	out->difference = difference_of(c);
	if (of == &c->gone || !store_scan_body(of->scan, &out->body, &out->len))
		out->body = NULL;
	return true;
}
