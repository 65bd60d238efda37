/* pacer.c: how many frames may leave now: a token bucket. */
#include "engine/pacer.h"

/* One packet's worth of credit: rate packets/s earn rate a nanosecond. */
#define PACKET ((uint64_t)1000000000)

/* Wake about this often at most, to send a few at a time. */
enum {
	WAKES_PER_S = 250,
	BURSTS_PER_S = 100,
	CATCH_UP = 8 /* one part more than the rate, while something is owed */
};

/* More than that was idleness; and how much lateness is made good. */
#define ELAPSED_MAX_NS ((uint64_t)1000000000)
#define OWED_NS        ((uint64_t)10000000)

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
pacer_init(struct pacer *p, uint64_t now_ns)
{
	*p = (struct pacer){ .last_ns = now_ns, .burst_max = PACER_BURST_MAX };
}

void
pacer_bursts(struct pacer *p, uint64_t burst_max)
{
	p->burst_max = burst_max;
}

static void
refill(struct pacer *p, uint64_t now_ns)
{
	uint64_t earned = least(now_ns - p->last_ns, ELAPSED_MAX_NS) * p->rate;
	uint64_t more = least(p->owed, earned / CATCH_UP);
	uint64_t room = p->full - p->credit;

	p->last_ns = now_ns;
	p->owed -= more;
	earned += more;
	if (earned > room)
		p->owed = least(p->owed + earned - room, OWED_NS * p->rate);
	p->credit += least(earned, room);
}

void
pacer_set(struct pacer *p, uint64_t now_ns, uint64_t rate)
{
	bool bursts = p->burst_max > (uint64_t)PACER_BURST_MAX;
	uint64_t burst, quantum;

	burst = least(1 + rate / BURSTS_PER_S, p->burst_max);
	quantum = bursts ? burst / 2 : least(rate / WAKES_PER_S, burst / 2);
	refill(p, now_ns);
	p->rate = rate;
	p->owed = 0;
	p->full = burst * PACKET;
	p->quantum = (quantum > 0 ? quantum : 1) * PACKET;
	p->credit = least(p->credit, p->full);
}

unsigned
pacer_ready(struct pacer *p, uint64_t now_ns, uint64_t *until_ns)
{
	refill(p, now_ns);
	if (p->rate == 0) {
		*until_ns = UINT64_MAX;
		return 0;
	}
	if (p->credit >= p->quantum)
		return (unsigned)(p->credit / PACKET);
	*until_ns = now_ns + (p->quantum - p->credit + p->rate - 1) / p->rate;
	return 0;
}

void
pacer_spend(struct pacer *p, unsigned n)
{
	p->credit -= n * PACKET;
}

void
pacer_share(uint64_t rate, const bool *works, unsigned n, uint64_t *parts)
{
	unsigned working = 0;

	for (unsigned i = 0; i < n; i++)
		working += works[i];
	for (unsigned i = n; i-- > 0;) {
		parts[i] = 0;
		if (!works[i])
			continue;
		parts[i] = (rate + working - 1) / working;
		rate -= parts[i];
		working--;
	}
}
