/* sweep.c: which indices a thread of a shard visits. */
#include "engine/sweep.h"

uint64_t
sweep_index(const struct sweep *s, unsigned thread, uint64_t k)
{
	return s->shard + s->shards * (thread + s->threads * k);
}

uint64_t
sweep_stride(const struct sweep *s)
{
	return (uint64_t)s->shards * s->threads;
}

uint64_t
sweep_share(const struct sweep *s, unsigned thread)
{
	uint64_t first = sweep_index(s, thread, 0);
	uint64_t stride = sweep_stride(s);

	return first >= s->n ? 0 : (s->n - first + stride - 1) / stride;
}
