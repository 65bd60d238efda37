/* loss.c: how many packets get lost on the way, from who answered twice. */
#include <math.h>

#include "engine/loss.h"

/* Fewer tell nothing; and the 97.5 % point of the normal distribution. */
enum { LEAST = 30 };
#define Z 1.959964

/*
 * Each SYN is answered with probability q, on its own. Of those that answered
 * at all, the share that answered both is q / (2 - q); turned round, q is
 * 2 share / (1 + share), and a packet passes one way with its root.
 */
static double
one_way(double share)
{
	return 1 - sqrt(2 * share / (1 + share));
}

bool
loss_estimate(uint64_t first, uint64_t second, uint64_t both, struct loss *loss)
{
	double n, share, mid, half, missed;

	if (both > first || both > second ||
	    first + second - both < (uint64_t)LEAST)
		return false;
	n = (double)(first + second - both);
	share = (double)both / n;
	/* Wilson 1927 */
	mid = (share + Z * Z / (2 * n)) / (1 + Z * Z / n);
	half = Z / (1 + Z * Z / n) *
	    sqrt(share * (1 - share) / n + Z * Z / (4 * n * n));
	loss->one_way = one_way(share);
	loss->low = one_way(fmin(mid + half, 1));
	loss->high = one_way(fmax(mid - half, 0));
	missed = 1 - 2 * share / (1 + share);
	loss->missed = missed * missed;
	return true;
}
