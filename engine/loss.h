/* loss.h: how many packets get lost on the way, from who answered twice. */
#ifndef ENGINE_LOSS_H
#define ENGINE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One way, as a share of 1: the probability that a SYN, or its answer, is lost
 * (both alike). low and high bound it with 95 % confidence.
 */
struct loss {
	double one_way, low, high;
	double missed; /* of those that answer: neither SYN did */
};

/*
 * Of targets that were sent two SYNs: how many answered the first, the second,
 * both. Those that answered one tell how many did not get the other (capture
 * and recapture; Wilson's interval). False: too few to say.
 */
bool loss_estimate(
    uint64_t first, uint64_t second, uint64_t both, struct loss *);

#endif
