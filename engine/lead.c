/* lead.c: two SYNs a target: how far the first ones are before the second. */
#include "engine/lead.h"

void
lead_init(struct lead *l, uint64_t step, uint64_t gap_ns)
{
	*l = (struct lead){ .gap_ns = gap_ns, .step = step, .due = step };
}

uint64_t
lead_due(struct lead *l, uint64_t now_ns)
{
	while (l->n > 0 && l->marks[l->first].ns + l->gap_ns <= now_ns) {
		l->due = l->marks[l->first].step;
		l->first = (l->first + 1) % LEAD_MARKS;
		l->n--;
	}
	return l->due;
}

/* Marks are a 64th of a gap apart, so there is room for all that count. */
void
lead_mark(struct lead *l, uint64_t now_ns, bool last)
{
	unsigned at = (l->first + l->n) % LEAD_MARKS;
	unsigned before = (at + LEAD_MARKS - 1) % LEAD_MARKS;

	if (l->n == LEAD_MARKS ||
	    (l->n > 0 && !last &&
		now_ns - l->marks[before].ns < l->gap_ns / LEAD_MARKS_A_GAP))
		return;
	l->marks[at].ns = now_ns;
	l->marks[at].step = l->step;
	l->n++;
}
