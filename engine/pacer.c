/* pacer.c: how many frames may leave now: a token bucket. */
#include "engine/pacer.h"

/* One packet's worth of credit: rate packets/s earn rate a nanosecond. */
#define PACKET ((uint64_t)1000000000)

/* Wake about this often at most, to send a few at a time. */
enum { WAKES_PER_S = 1000, BURSTS_PER_S = 100 };

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
pacer_init(struct pacer *p, uint64_t now_ns)
{
	*p = (struct pacer){ .last_ns = now_ns };
}

/* Multiplied only when the product cannot pass full. */
static void
refill(struct pacer *p, uint64_t now_ns)
{
	uint64_t elapsed = now_ns - p->last_ns;

	p->last_ns = now_ns;
	if (p->rate == 0)
		return;
	if (elapsed > (p->full - p->credit) / p->rate)
		p->credit = p->full;
	else
		p->credit += elapsed * p->rate;
}

void
pacer_set(struct pacer *p, uint64_t now_ns, uint64_t rate)
{
	uint64_t burst = least(1 + rate / BURSTS_PER_S, PACER_BURST_MAX);
	uint64_t quantum = least(rate / WAKES_PER_S, burst / 2);

	refill(p, now_ns);
	p->rate = rate;
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
