/* watch.c: what the parent reads off the statistics page while it waits. */
#include <time.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/stats.h"
#include "engine/watch.h"

enum {
	SECOND_MS = 1000,
	DEAF_ADOPTED = 20, /* so many adopted, not one reported in DEAF_MS */
	DEAF_MS = 10000
};

static void
take_rates(struct watch *w, const struct stats *stats, uint64_t now_ms)
{
	struct watch_rates now;

	if (now_ms - w->second_ms < SECOND_MS)
		return;
	now.syns = stats_sum(stats, STAT_SEND_PACKETS);
	now.answers = stats_sum(stats, STAT_PKT_SYNACKS);
	now.passed = stats_sum(stats, STAT_SEND_PASSED);
	w->rates.syns = now.syns - w->counted.syns;
	w->rates.answers = now.answers - w->counted.answers;
	w->rates.passed = now.passed - w->counted.passed;
	w->counted = now;
	w->second_ms += SECOND_MS;
}

/*
 * A stateful firewall on this host knows nothing of our handshakes: it drops
 * what the servers answer, and each conversation ends in a time-out.
 */
static void
warn_if_deaf(struct watch *w, const struct conf *conf,
    const struct stats *stats, uint64_t now_ms)
{
	if (w->deaf_said || conf->follow != FOLLOW_ADOPT ||
	    stats_sum(stats, STAT_DIAL_ADOPTED) <= DEAF_ADOPTED)
		return;
	if (stats_sum(stats, STAT_PROBE_REPORTED) > 0) {
		w->deaf_said = true; /* heard one: nothing to say */
		return;
	}
	if (w->deaf_since_ms == 0)
		w->deaf_since_ms = now_ms;
	if (now_ms - w->deaf_since_ms < DEAF_MS)
		return;
	log_warn("%d adopted connections and not one dialog: a firewall on "
		 "this host may drop the answers; see \"The host's firewall\" "
		 "in the README",
	    DEAF_ADOPTED);
	w->deaf_said = true;
}

void
watch_turn(struct watch *w, const struct conf *conf, const struct stats *stats,
    uint64_t now_ms)
{
	take_rates(w, stats, now_ms);
	warn_if_deaf(w, conf, stats, now_ms);
	health_turn(&w->health, conf, stats, time(NULL));
}
