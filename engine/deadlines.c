/* deadlines.c: which of many entries may be due, without a list of them. */
#include <stdlib.h>

#include "engine/deadlines.h"

enum { GROUP = 64 }; /* blocks */

int
deadlines_init(struct deadlines *d, uint32_t max)
{
	size_t groups = ((size_t)max - 1) / DEADLINES_BLOCK / GROUP + 1;

	*d = (struct deadlines){ .bytes =
				     groups * (GROUP + 1) * sizeof *d->blocks };
	d->blocks = calloc(groups * GROUP, sizeof *d->blocks);
	d->groups = calloc(groups, sizeof *d->groups);
	if (d->blocks == NULL || d->groups == NULL) {
		deadlines_free(d);
		return -1;
	}
	return 0;
}

void
deadlines_free(struct deadlines *d)
{
	free(d->blocks);
	free(d->groups);
	d->blocks = d->groups = NULL;
}

/* Half the clock away. */
static uint32_t
never(uint32_t now_ms)
{
	return now_ms + INT32_MAX;
}

static void
make_earlier(uint32_t *earliest, uint32_t deadline_ms)
{
	if ((int32_t)(deadline_ms - *earliest) < 0)
		*earliest = deadline_ms;
}

void
deadlines_note(struct deadlines *d, uint32_t number, uint32_t deadline_ms)
{
	uint32_t block = number / DEADLINES_BLOCK, group = block / GROUP;

	make_earlier(&d->blocks[block], deadline_ms);
	make_earlier(&d->groups[group], deadline_ms);
	if (group >= d->ngroups)
		d->ngroups = group + 1;
}

/* The next block of the group that the walk is in that may be due, or -1. */
static int64_t
next_in_group(struct deadlines *d, uint32_t now_ms)
{
	while (d->block < d->group * GROUP) {
		uint32_t *earliest = &d->blocks[d->block++];

		if (deadline_is_up(*earliest, now_ms)) {
			*earliest = never(now_ms);
			return d->block - 1;
		}
		make_earlier(&d->groups[d->group - 1], *earliest);
	}
	return -1;
}

int64_t
deadlines_next(struct deadlines *d, uint32_t now_ms)
{
	int64_t block;

	while ((block = next_in_group(d, now_ms)) < 0) {
		while (d->group < d->ngroups &&
		    !deadline_is_up(d->groups[d->group], now_ms))
			d->group++;
		if (d->group >= d->ngroups) {
			d->group = d->block = 0;
			return -1;
		}
		d->groups[d->group] = never(now_ms);
		d->block = d->group++ * GROUP;
	}
	return block * DEADLINES_BLOCK;
}

void
deadlines_doubt(struct deadlines *d, uint32_t now_ms)
{
	for (uint32_t i = 0; i < d->ngroups; i++)
		d->groups[i] = now_ms;
	for (uint32_t i = 0; i < d->ngroups * GROUP; i++)
		d->blocks[i] = now_ms;
}
