/* run_uplink.c: a sweep pauses while the way out is lost. */
#include <errno.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/run_state.h"
#include "engine/wire.h"

/* One that has died is seen in this turn. */
static bool
tell_one(
    const struct proc *to, enum control_type type, const void *what, size_t len)
{
	return control_send(to->control, type, what, len) == 0 ||
	    errno != EAGAIN;
}

/*
 * Who says what may be taken for settled, and who sends. Their wires may be
 * full of opt-outs: then once more, in the next turn.
 */
static void
tell(struct run *r, bool lost)
{
	const struct proc *packet = &r->procs.v[ROLE_PACKET];
	const struct proc *send = &r->procs.v[ROLE_SEND];
	uint64_t rate = lost ? 0 : r->conf->rate;
	uint32_t up = !lost;

	atomic_store(&r->stats->rate, rate);
	if (r->packet_knows != lost &&
	    tell_one(packet, CTL_LINK, &up, sizeof up))
		r->packet_knows = lost;
	if (r->send_knows != lost &&
	    tell_one(send, CTL_RATE, &rate, sizeof rate))
		r->send_knows = lost;
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
	} else if (state == UPLINK_FINE && r->lost_ms != 0) {
		log_info("the way out is back after %llu s",
		    (unsigned long long)(now - r->lost_ms) / 1000);
		r->lost_ms = 0;
	}
	tell(r, r->lost_ms != 0);
	return true;
}
