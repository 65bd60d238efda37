/* flow_optout.c: those who want to be left out, from the moment on it is said. */
#include "engine/flow_state.h"
#include "engine/ranges.h"

bool
flow_opted_out(const struct flow *f, const struct addr *a)
{
	return f->optouts != NULL && ranges_has(f->optouts, a);
}

bool
flow_hushed(const struct flow *f, const struct addr *a)
{
	return f->optouts != NULL &&
	    f->now.mono_us - f->optouts_us > FLOW_FAREWELL_US &&
	    ranges_has(f->optouts, a);
}

/* Store has forgotten its row, and hears nothing more of it. */
static void
withdraw(struct flow *f, struct entry *e)
{
	struct addr a = waiting_addr(f->table, e);

	if (!flow_opted_out(f, &a))
		return;
	flow_rst_entry(f, e);
	flow_give_up(f, e, STAT_PKT_WITHDRAWN);
}

void
flow_optouts(struct flow *f, const struct ranges *set, struct flow_time now)
{
	f->now = now;
	f->optouts = ranges_pieces(set) > 0 ? set : NULL;
	f->optouts_us = now.mono_us;
	if (f->optouts == NULL)
		return;
	for (struct entry *e = waiting_next(f->table, NULL); e != NULL;
	     e = waiting_next(f->table, e))
		if (entry_waits(e))
			withdraw(f, e);
}
