/* run_look.c: a sweep as others look at it. */
#include "engine/run_state.h"

unsigned
run_poll(const struct run *r, struct pollfd *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < STATS_SLOTS; i++)
		if (r->procs.v[i].control >= 0)
			fds[n++] = (struct pollfd){ .fd = r->procs.v[i].control,
				.events = spread_wants(&r->spread, &r->procs,
					      &r->procs.v[i])
				    ? POLLIN | POLLOUT
				    : POLLIN };
	return n;
}

uint32_t
run_optouts(struct run *r)
{
	return spread_ask(&r->spread);
}

/* Once all but store have ended there is nobody who could. */
bool
run_optouts_in_force(const struct run *r, uint32_t number)
{
	return r->stage == RUN_SEALING || r->stage == RUN_SAVING ||
	    r->stage == RUN_OVER ||
	    spread_in_force(&r->spread, &r->procs, number);
}

enum run_stage
run_stage(const struct run *r)
{
	return r->stage;
}

enum run_result
run_result(const struct run *r)
{
	return r->result;
}

const struct sweep *
run_sweep(const struct run *r)
{
	return r->has_sweep ? &r->sweep : NULL;
}

const struct stats *
run_stats(const struct run *r)
{
	return r->stats;
}

const struct health *
run_health(const struct run *r)
{
	return &r->watch.health;
}

struct watch_rates
run_rates(const struct run *r)
{
	return r->watch.rates;
}
