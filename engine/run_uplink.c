/* run_uplink.c: a sweep pauses while the way out is lost. */
#include "engine/conf.h"
#include "engine/log.h"
#include "engine/run_state.h"
#include "engine/wire.h"

/* Who sends, and who says what may be taken for settled. */
static void
tell(struct run *r, bool fine)
{
	uint64_t rate = fine ? r->conf->rate : 0;
	uint32_t up = fine;

	atomic_store(&r->stats->rate, rate);
	/* One that has died is seen in this turn. */
	(void)control_send(
	    r->procs.v[ROLE_PACKET].control, CTL_LINK, &up, sizeof up);
	(void)control_send(
	    r->procs.v[ROLE_SEND].control, CTL_RATE, &rate, sizeof rate);
}

bool
run_uplink_turn(struct run *r)
{
	char why[UPLINK_WHY_MAX] = "";
	enum uplink_state state;
	uint64_t now = proc_now_ms();

	if (r->uplink == NULL)
		r->uplink = uplink_open(r->conf, r->targets);
	if (r->uplink == NULL)
		return true;
	state = uplink_turn(r->uplink, now, why);
	if (state == UPLINK_MOVED) {
		log_error("%s: the sweep goes on at the next start", why);
		return false;
	}
	if (state == UPLINK_LOST && r->lost_ms == 0) {
		log_warn("%s: nothing is sent until it is back", why);
		r->lost_ms = now;
		tell(r, false);
	} else if (state == UPLINK_FINE && r->lost_ms != 0) {
		log_info("the way out is back after %llu s",
		    (unsigned long long)(now - r->lost_ms) / 1000);
		r->lost_ms = 0;
		tell(r, true);
	}
	return true;
}
