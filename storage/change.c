/* change.c: what has become of a target between two sweeps. */
#include <stdlib.h>
#include <string.h>

#include "storage/change.h"

/* These say something of the answer, not of the server's state. */
#define NOT_A_FAULT                                                \
	(1u << FINDING_REFUSED_US | 1u << FINDING_OTHER_PROTOCOL | \
	    1u << FINDING_PHANTOM | 1u << FINDING_MASKED)

const char *const difference_names[DIFFERENCES] = { "new", "gone", "fixed",
	"worse", "same" };

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

struct comparison *
comparison_new(struct store *before, struct store *now)
{
	struct comparison *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->before.scan = store_scan_new(before);
	c->now.scan = store_scan_new(now);
	if (c->before.scan == NULL || c->now.scan == NULL) {
		comparison_free(c);
		return NULL;
	}
	step(&c->before);
	step(&c->now);
	return c;
}

void
comparison_free(struct comparison *c)
{
	if (c == NULL)
		return;
	store_scan_free(c->before.scan);
	store_scan_free(c->now.scan);
	free(c);
}

static enum difference
difference_of(const struct head *before, const struct head *now)
{
	if (before == NULL)
		return DIFFERENCE_NEW;
	if (now == NULL)
		return DIFFERENCE_GONE;
	switch (change_between(now, before)) {
	case CHANGE_WORSE:
		return DIFFERENCE_WORSE;
	case CHANGE_FIXED:
		return DIFFERENCE_FIXED;
	default:
		return DIFFERENCE_SAME;
	}
}

bool
comparison_next(struct comparison *c, struct compared *out)
{
	struct side *b = &c->before, *n = &c->now, *lower;
	int order;

	if (b->stood)
		step(b);
	if (n->stood)
		step(n);
	if (!b->more && !n->more)
		return false;
	order = !b->more ? 1
	    : !n->more   ? -1
			 : memcmp(b->key, n->key, sizeof b->key);
	b->stood = order <= 0;
	n->stood = order >= 0;
	lower = n->stood ? n : b;
	memset(out, 0, sizeof *out);
	out->target = lower->target;
	out->before = b->stood ? &b->head : NULL;
	out->now = n->stood ? &n->head : NULL;
	out->difference = difference_of(out->before, out->now);
	if (!store_scan_body(lower->scan, &out->body, &out->len))
		out->body = NULL;
	return true;
}
