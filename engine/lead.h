/* lead.h: two SYNs a target: how far the first ones are before the second. */
#ifndef ENGINE_LEAD_H
#define ENGINE_LEAD_H

#include <stdbool.h>
#include <stdint.h>

enum { LEAD_MARKS = 128, LEAD_MARKS_A_GAP = 64 };

/*
 * How far the first SYNs are, in steps of a thread, and how far they were at
 * which time. Knows no clock. Nothing is kept of a target.
 */
struct lead {
	uint64_t gap_ns; /* 0: one SYN a target */
	uint64_t step; /* all before it have had their first; the caller's */
	uint64_t due; /* all before it may have their second */
	struct {
		uint64_t ns, step;
	} marks[LEAD_MARKS];
	unsigned first, n;
	bool odd; /* whose turn it is, where there is room for one; so, too */
};

void lead_init(struct lead *, uint64_t step, uint64_t gap_ns);

/* The step that the first SYNs had reached one gap ago. */
uint64_t lead_due(struct lead *, uint64_t now_ns);

/* What is before step has left by now. last: no more will come. */
void lead_mark(struct lead *, uint64_t now_ns, bool last);

#endif
