/* test_sweep.c: shards and threads cut the indices without rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sweep.h"

/* Every index is visited by exactly one thread of one shard. */
static void
assert_partition(uint64_t n, uint32_t shards, uint32_t threads)
{
	uint8_t seen[512] = { 0 };

	assert_true(n <= sizeof seen);
	for (uint32_t shard = 0; shard < shards; shard++) {
		struct sweep s = { .n = n,
			.shard = shard,
			.shards = shards,
			.threads = threads };

		for (uint32_t t = 0; t < threads; t++) {
			uint64_t share = sweep_share(&s, t);

			for (uint64_t k = 0; k < share; k++) {
				uint64_t i = sweep_index(&s, t, k);

				assert_true(i < n);
				assert_int_equal(seen[i]++, 0);
			}
			assert_true(sweep_index(&s, t, share) >= n);
		}
	}
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(seen[i], 1);
}

static void
each_index_once(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 60; n++)
		for (uint32_t shards = 1; shards <= 5; shards++)
			for (uint32_t t = 1; t <= SWEEP_THREADS_MAX; t++)
				assert_partition(n, shards, t);
	assert_partition(512, 3, 7);
}

static void
large_n_does_not_wrap(void **state)
{
	struct sweep s = { .n = (uint64_t)1 << 53,
		.shard = 999,
		.shards = 1000,
		.threads = 8 };
	uint64_t share = sweep_share(&s, 7);

	(void)state;
	assert_true(share > 0);
	assert_true(sweep_index(&s, 7, share - 1) < s.n);
	assert_true(sweep_index(&s, 7, share) >= s.n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_index_once),
		cmocka_unit_test(large_n_does_not_wrap),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
