/* run.c: one sweep, as the parent sees it: start order, watch, end. */
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/run_state.h"
#include "engine/wire.h"

enum {
	END_MS = 15000, /* for a child to end that was told to */
	SAVE_MS = 60000, /* for store's last commit */
	STOP_WAIT_MS = 10000, /* a stop waits so long for greetings */
	STOP_LEAST_MS = 1000, /* ... and for answers to the last SYNs */
	RESTART_MS = 100, /* doubled with each early death of a probe */
	RESTART_MAX_MS = 10000,
	EARLY_MS = 60000,
	EARLY_MAX = 8, /* deaths in a row, each so early: enough */
	NEVER_READY_MAX = 3 /* ... and of one that did not even begin */
};

const char *const run_stage_names[RUN_STAGES] = {
	[RUN_OPENING] = "opening",
	[RUN_STARTING] = "starting",
	[RUN_SWEEPING] = "sweeping",
	[RUN_DRAINING] = "draining",
	[RUN_CLOSING] = "closing",
	[RUN_SEALING] = "sealing",
	[RUN_STOPPING] = "stopping",
	[RUN_HALTING] = "halting",
	[RUN_SAVING] = "saving",
	[RUN_OVER] = "over",
};

/* They end before store, which writes down what they did. */
static const enum role before_store[] = { ROLE_SEND, ROLE_PACKET, ROLE_DIAL,
	ROLE_PROBE, ROLE_RESOLVE };
enum { BEFORE_STORE = sizeof before_store / sizeof *before_store };

static void
enter(struct run *r, enum run_stage stage)
{
	log_debug("%s", run_stage_names[stage]);
	r->stage = stage;
	r->since_ms = proc_now_ms();
}

/* Everything at once; what is committed stays, the sweep can be resumed. */
static void
abandon(struct run *r)
{
	procs_end(&r->procs);
	nft_end(r->nft);
	r->nft = NULL;
	r->result = RESULT_ERROR;
	enter(r, RUN_OVER);
}

/* ---- start --------------------------------------------------------------- */

static int
save_snapshot(struct run *r, const struct ranges *targets,
    const struct ranges *excluded, const char *products)
{
	const int seals =
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int fd = memfd_create("mailsweep", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	r->snapshot_fd = fd;
	if (fd < 0 || conf_save(fd, r->conf, targets, excluded, products) < 0)
		return -1;
	return fcntl(fd, F_ADD_SEALS, seals);
}

/* Nothing of this machine's own may live in, or draw from, our ports. */
static int
reserve_ports(struct run *r)
{
	uint16_t first = r->conf->sport_first, last = r->conf->sport_last;
	uint16_t taken = sports_in_use(first, last);

	if (taken != 0) {
		log_error("source_ports %u-%u: a process here uses port %u",
		    first, last, taken);
		return -1;
	}
	if (sports_reserve(first, last, &r->reserved) < 0) {
		log_error("source_ports %u-%u: cannot be reserved in "
			  "net.ipv4.ip_local_reserved_ports: %s",
		    first, last, strerror(errno));
		return -1;
	}
	r->has_reserved = true;
	return 0;
}

struct run *
run_start(const struct conf *conf, const struct ranges *targets,
    const struct ranges *excluded, const char *products)
{
	struct run *r = calloc(1, sizeof *r);

	if (r == NULL) {
		log_error("no memory");
		return NULL;
	}
	r->conf = conf;
	r->targets = targets;
	r->stats_fd = r->snapshot_fd = -1;
	if (reserve_ports(r) < 0)
		goto fail;
	r->stats = stats_create(&r->stats_fd);
	if (r->stats == NULL ||
	    save_snapshot(r, targets, excluded, products) < 0 ||
	    procs_init(&r->procs, r->snapshot_fd, r->stats_fd) < 0) {
		log_error("wires: %s", strerror(errno));
		goto fail;
	}
	if (proc_start(&r->procs, ROLE_STORE, 0) < 0) {
		log_error("store: %s", strerror(errno));
		procs_end(&r->procs);
		goto fail;
	}
	(void)spread_ask(&r->spread); /* before anything is sent */
	r->watch.second_ms = proc_now_ms();
	enter(r, RUN_OPENING);
	return r;
fail:
	r->stage = RUN_OVER;
	run_end(r);
	return NULL;
}

void
run_end(struct run *r)
{
	uint16_t first = r->conf->sport_first, last = r->conf->sport_last;

	if (r->stage != RUN_OVER)
		abandon(r);
	else if (r->nft != NULL)
		nft_end(r->nft);
	if (r->has_reserved && sports_release(first, last, &r->reserved) < 0)
		log_warn("net.ipv4.ip_local_reserved_ports still holds %u-%u: "
			 "%s",
		    first, last, strerror(errno));
	if (r->stats != NULL)
		munmap(r->stats, sizeof *r->stats);
	if (r->stats_fd >= 0)
		close(r->stats_fd);
	if (r->snapshot_fd >= 0)
		close(r->snapshot_fd);
	uplink_free(r->uplink);
	spread_free(&r->spread);
	free(r);
}

/* A child, and the sweep for it. */
static int
start_child(struct run *r, enum role role, unsigned instance)
{
	struct proc *c = &r->procs.v[stats_slot(role, instance)];

	if (proc_start(&r->procs, role, instance) == 0 &&
	    control_send(c->control, CTL_SWEEP, &r->sweep, sizeof r->sweep) ==
		0)
		return 0;
	log_error("%s: %s", role_names[role], strerror(errno));
	return -1;
}

/* store has the sweep: rules first, then everybody else. */
static void
start_others(struct run *r)
{
	static const enum role alone[] = { ROLE_PACKET, ROLE_DIAL, ROLE_SEND };
	char error[NFT_ERROR_MAX];

	log_info("sweep %s: %" PRIu64 " targets%s", r->sweep.id, r->sweep.n,
	    r->sweep.resumed ? ", resumed" : "");
	if (r->conf->follow == FOLLOW_ADOPT) {
		r->nft = nft_start(r->conf, error);
		if (r->nft == NULL) {
			log_error("%s; follow = connect does without", error);
			abandon(r);
			return;
		}
	}
	for (unsigned i = 0; i < r->conf->probes; i++)
		if (start_child(r, ROLE_PROBE, i) < 0) {
			abandon(r);
			return;
		}
	if (r->conf->resolver_port != 0 &&
	    start_child(r, ROLE_RESOLVE, 0) < 0) {
		abandon(r);
		return;
	}
	for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
		if (start_child(r, alone[i], 0) < 0) {
			abandon(r);
			return;
		}
	procs_close_started(&r->procs);
	enter(r, RUN_STARTING);
}

static bool
all_ready(const struct run *r)
{
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		if (r->procs.v[i].pid > 0 && !r->procs.v[i].ready)
			return false;
	return true;
}

static void
begin_sending(struct run *r)
{
	uint64_t rate = r->conf->rate;

	atomic_store(&r->stats->rate, rate);
	if (control_send(r->procs.v[ROLE_SEND].control, CTL_RATE, &rate,
		sizeof rate) < 0)
		return; /* it has died, which is seen in this turn */
	enter(r, RUN_SWEEPING);
	if (r->sent)
		enter(r, RUN_DRAINING);
}

/* ---- messages ------------------------------------------------------------ */

static void
take_sealed(struct run *r, const struct control_sealed *s)
{
	r->sealed = true;
	if (!s->balanced)
		r->result = RESULT_UNBALANCED;
	log_info("sweep %s is sealed: %" PRIu64 " rows, the account %s: %.*s",
	    r->sweep.id, s->rows, s->balanced ? "balances" : "DOES NOT BALANCE",
	    (int)sizeof s->path - 1, s->path);
}

/*
 * One that says what it should not, or hangs up and lives on, is not ours any
 * more: it could keep us reading, or awake, for ever. Its death is seen to
 * like any other.
 */
static void
disown(struct proc *c)
{
	proc_close(c);
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
}

static void
take_message(struct run *r, struct proc *from, const struct control *c)
{
	bool of_store = from->role == ROLE_STORE;

	if (c->type == CTL_READY && !from->ready) {
		from->ready = true;
	} else if (c->type == CTL_SWEEP && of_store && !r->has_sweep &&
	    c->len == sizeof r->sweep) {
		r->sweep = c->u.sweep;
		r->sweep.id[SWEEP_ID_MAX - 1] = '\0';
		r->has_sweep = true;
	} else if (c->type == CTL_SENT && from->role == ROLE_SEND) {
		r->sent = true;
		if (r->stage == RUN_SWEEPING)
			enter(r, RUN_DRAINING);
	} else if (c->type == CTL_SWEPT && of_store) {
		/* May come first of all, of a sweep that is resumed. */
		r->swept = true;
	} else if (c->type == CTL_SEALED && of_store &&
	    c->len == sizeof c->u.sealed) {
		take_sealed(r, &c->u.sealed);
	} else if (c->type == CTL_OPTOUT_LIST && of_store &&
	    spread_take(&r->spread, c) == 0) {
		log_debug("opt-outs, list %u", c->u.optouts.number);
	} else if (c->type == CTL_OPTOUT_DONE && c->len == sizeof c->u.number) {
		from->optouts_done = c->u.number;
	} else {
		log_warn("%s: a control message of type %u out of place",
		    role_names[from->role], c->type);
		disown(from);
	}
}

static void
read_messages(struct run *r, struct proc *from)
{
	struct control c;
	int n = 1;

	while (from->control >= 0 && n == 1) {
		n = control_recv(from->control, &c);
		if (n == 1)
			take_message(r, from, &c);
	}
	if (n == 0)
		disown(from);
}

/* ---- deaths -------------------------------------------------------------- */

/*
 * It died once more. One that is never ready, or dies again and again, would
 * not live the next time either. (The last word of one that dies is lost now
 * and then: not having heard that it is ready means little, once.)
 */
static bool
is_hopeless(struct proc *c)
{
	bool early = proc_now_ms() - c->started_ms < EARLY_MS;

	c->deaths = early ? c->deaths + 1 : 1;
	c->unready = c->ready ? 0 : c->unready + 1;
	return c->deaths >= EARLY_MAX || c->unready >= NEVER_READY_MAX;
}

/* Only what it had in hand is lost: another one takes its place. */
static void
replace(struct run *r, struct proc *c)
{
	uint64_t now = proc_now_ms(), pause = 0;
	unsigned slot = stats_slot(c->role, c->instance);

	/* What was open in it is open no more; its other counts go on. */
	stats_set(r->stats, slot, STAT_PROBE_OPEN, 0);
	stats_set(r->stats, slot, STAT_RESOLVE_OPEN, 0);
	if (c->deaths > 1)
		pause = (uint64_t)RESTART_MS << (c->deaths > 8 ? 8 : c->deaths);
	if (pause > RESTART_MAX_MS)
		pause = RESTART_MAX_MS;
	c->restart_ms = now + pause + 1;
}

static void
restart_replaced(struct run *r)
{
	uint64_t now = proc_now_ms();

	for (unsigned i = 0; i < STATS_SLOTS; i++) {
		struct proc *c = &r->procs.v[i];

		if (c->restart_ms == 0 || now < c->restart_ms)
			continue;
		if (start_child(r, c->role, c->instance) < 0) {
			abandon(r);
			return;
		}
		/* Its wires are still needed; nobody else's are. */
		procs_close_started(&r->procs);
	}
}

static void
take_death(struct run *r, struct proc *c, int status)
{
	char how[32];
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool last = c->role == ROLE_STORE &&
	    ((r->stage == RUN_SEALING && r->sealed) || r->stage == RUN_SAVING);

	if (clean && (c->stopping || last))
		return;
	proc_status_text(status, how, sizeof how);
	if (proc_is_replaced(c->role) && (c->stopping || !is_hopeless(c))) {
		log_warn("%s %u ended (%s)%s", role_names[c->role], c->instance,
		    how, c->stopping ? "" : "; another one takes its place");
		if (!c->stopping)
			replace(r, c);
		return;
	}
	if (proc_is_replaced(c->role))
		log_error("%s %u ended (%s), as %u before it did: the sweep "
			  "is left as it is",
		    role_names[c->role], c->instance, how, c->deaths - 1);
	else
		log_error("%s ended (%s)", role_names[c->role], how);
	abandon(r);
}

static void
take_deaths(struct run *r)
{
	struct proc *c;
	int status;

	while (r->stage != RUN_OVER &&
	    (c = procs_reap(&r->procs, &status)) != NULL) {
		read_messages(r, c); /* its last words */
		proc_close(c);
		take_death(r, c, status);
	}
	if (r->stage == RUN_OVER || r->nft == NULL)
		return;
	if (!nft_lives(r->nft)) {
		log_error("nft has died, and the rules with it");
		abandon(r);
	}
}

/* ---- time ---------------------------------------------------------------- */

/* All of these have ended; one that does not in its time is killed. */
static bool
have_ended(struct run *r, const enum role *roles, unsigned n, uint64_t ms)
{
	unsigned running = 0;

	for (unsigned i = 0; i < n; i++)
		running += procs_running_of(&r->procs, roles[i]);
	if (running == 0)
		return true;
	if (proc_now_ms() - r->since_ms < ms)
		return false;
	for (unsigned i = 0; i < n; i++)
		procs_kill(&r->procs, roles[i]);
	log_warn("%u processes did not end by themselves", running);
	r->since_ms = proc_now_ms();
	return false;
}

/* Conversations have ended, or nobody should wait any longer. */
static bool
is_drained(const struct run *r)
{
	uint64_t open =
	    stats_get(r->stats, stats_slot(ROLE_PACKET, 0), STAT_PKT_OPEN);
	uint64_t waiting =
	    stats_get(r->stats, stats_slot(ROLE_PACKET, 0), STAT_PKT_WAITING);
	uint64_t ms = proc_now_ms() - r->since_ms;

	if (ms >= r->conf->conversation_ms)
		return true;
	return ms >= STOP_LEAST_MS && open == 0 &&
	    (waiting == 0 || ms >= STOP_WAIT_MS);
}

static void
stop_all_but_store(struct run *r)
{
	for (unsigned i = 0; i < BEFORE_STORE; i++)
		procs_stop(&r->procs, before_store[i]);
}

static void
advance(struct run *r)
{
	static const enum role store[] = { ROLE_STORE };
	int store_wire = r->procs.v[ROLE_STORE].control;

	switch (r->stage) {
	case RUN_OPENING:
		if (r->has_sweep && r->spread.number > 0)
			start_others(r);
		break;
	case RUN_STARTING:
		if (all_ready(r) && spread_in_force(&r->spread, &r->procs, 1))
			begin_sending(r);
		break;
	case RUN_CLOSING:
		if (!have_ended(r, before_store, BEFORE_STORE, END_MS))
			break;
		enter(r, RUN_SEALING);
		(void)control_send(store_wire, CTL_SEAL, NULL, 0);
		break;
	case RUN_SEALING:
		if (procs_running(&r->procs) == 0)
			enter(r, RUN_OVER);
		break;
	case RUN_STOPPING:
		if (!is_drained(r))
			break;
		stop_all_but_store(r);
		enter(r, RUN_HALTING);
		break;
	case RUN_HALTING:
		if (!have_ended(r, before_store, BEFORE_STORE, END_MS))
			break;
		procs_stop(&r->procs, ROLE_STORE);
		enter(r, RUN_SAVING);
		break;
	case RUN_SAVING:
		if (have_ended(r, store, 1, SAVE_MS))
			enter(r, RUN_OVER);
		break;
	case RUN_SWEEPING:
	case RUN_DRAINING:
		if (!run_uplink_turn(r)) {
			abandon(r);
			break;
		}
		if (!r->swept)
			break;
		stop_all_but_store(r);
		enter(r, RUN_CLOSING);
		break;
	case RUN_OVER:
	default:
		break;
	}
}

void
run_turn(struct run *r)
{
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		read_messages(r, &r->procs.v[i]);
	take_deaths(r);
	if (r->stage == RUN_STARTING || r->stage == RUN_SWEEPING ||
	    r->stage == RUN_DRAINING || r->stage == RUN_STOPPING) {
		restart_replaced(r);
	}
	advance(r);
	spread_turn(&r->spread, &r->procs);
	watch_turn(&r->watch, r->conf, r->stats, proc_now_ms());
}

/* ---- from outside -------------------------------------------------------- */

void
run_stop(struct run *r)
{
	if (r->stage == RUN_OVER)
		return;
	if (r->stop_asked) {
		log_warn("asked to stop a second time: ending at once");
		abandon(r);
		return;
	}
	r->stop_asked = true;
	switch (r->stage) {
	case RUN_OPENING:
	case RUN_STARTING:
		stop_all_but_store(r);
		enter(r, RUN_HALTING);
		break;
	case RUN_SWEEPING:
	case RUN_DRAINING:
		log_info("stopping: conversations are finished, the sweep can "
			 "be resumed");
		procs_stop(&r->procs, ROLE_SEND);
		enter(r, RUN_STOPPING);
		break;
	case RUN_CLOSING:
	case RUN_SEALING:
		log_info("stopping once the sweep is sealed");
		break;
	default:
		break;
	}
}
