/* writer.c: the store process: one transaction a checkpoint, to the seal. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "engine/canary.h"
#include "engine/conf.h"
#include "engine/log.h"
#include "engine/optouts.h"
#include "engine/ranges.h"
#include "engine/sandbox.h"
#include "engine/wire.h"
#include "storage/datadir.h"
#include "storage/layout.h"
#include "storage/seal.h"
#include "storage/writer_state.h"

enum {
	EXPIRE_MAX = 10000, /* pending rows looked at in a turn */
	PURGE_MAX = 200000 /* rows looked at in a turn, for opt-outs */
};

static uint64_t
window_us(const struct writer *w)
{
	return (uint64_t)w->args->conf->answer_window_ms * MS_US;
}

/* UTC, whoever sets the clock. */
static uint64_t
now_us(const struct writer *w)
{
	return steady_now(&w->steady, writer_clock_us(CLOCK_BOOTTIME));
}

/*
 * In force from here on for all that is written; what is there already goes in
 * the next transactions, and readers pass over it until then. Without a list
 * that can be read nobody hears of one, and the old one stays.
 */
static void
read_optouts(struct writer *w, uint32_t number)
{
	struct ranges *set = store_optouts(".");

	if (set == NULL) {
		log_error("the opt-outs cannot be read: " LAYOUT_CATALOG);
		return;
	}
	ranges_free(w->optouts);
	w->optouts = set;
	memset(&w->purge_at, 0, sizeof w->purge_at);
	w->purged = false;
	w->optouts_number = number;
	if (number > 0 && optouts_tell(FD_CONTROL, set, number) < 0)
		fatal("opt-outs: %s", strerror(errno));
}

/* After a transaction that purged, as far as one may go. */
static void
say_optouts(struct writer *w)
{
	if (w->optouts_number > 0 &&
	    optouts_done(FD_CONTROL, w->optouts_number) < 0)
		fatal("opt-outs: %s", strerror(errno));
	w->optouts_number = 0;
}

static void
read_control(struct writer *w)
{
	struct control c;
	int r;

	while ((r = control_recv(FD_CONTROL, &c)) == 1) {
		if (c.type == CTL_STOP)
			w->end = END_STOP;
		else if (c.type == CTL_SEAL)
			w->end = END_SEAL;
		else if (c.type == CTL_OPTOUT_READ)
			read_optouts(w, c.u.number);
	}
	if (r == 0 && w->end == END_NOT_YET)
		w->end = END_STOP;
	else if (r < 0 && errno != EAGAIN)
		log_error("control: %s", strerror(errno));
}

/* The page as it stands, but for our own slot: that is what is on disk. */
static void
ledger_now(struct writer *w, const struct batch_counts *more)
{
	uint64_t *e = w->ledger.events;
	struct batch_counts sum = w->total;

	ledger_read(&w->ledger, w->args->stats);
	batch_add(&sum, more);
	e[STAT_STORE_RECEIVED] = sum.received;
	e[STAT_STORE_NEW] = sum.added;
	e[STAT_STORE_REPLACED] = sum.replaced;
	e[STAT_STORE_REFUSED] = sum.refused;
	e[STAT_STORE_PURGED] = sum.purged;
	e[STAT_STORE_COMMITS] = w->commits + 1;
	w->ledger.settled = checkpoint_steps(&w->checkpoint);
}

static void
publish(const struct writer *w)
{
	struct stats *s = w->args->stats;
	unsigned slot = w->args->slot;

	stats_set(s, slot, STAT_STORE_RECEIVED, w->total.received);
	stats_set(s, slot, STAT_STORE_NEW, w->total.added);
	stats_set(s, slot, STAT_STORE_REPLACED, w->total.replaced);
	stats_set(s, slot, STAT_STORE_REFUSED, w->total.refused);
	stats_set(s, slot, STAT_STORE_PURGED, w->total.purged);
	stats_set(s, slot, STAT_STORE_PENDING, w->npending);
	stats_set(s, slot, STAT_STORE_QUEUE, w->nqueue);
	stats_set(s, slot, STAT_STORE_WANTED, w->naming.wanted);
	stats_set(s, slot, STAT_STORE_COMMITS, w->commits);
	stats_set(
	    s, slot, STAT_STORE_SETTLED, checkpoint_steps(&w->checkpoint));
}

/*
 * How long a follow-up may have no answer: the window, once it is known when
 * the last one left; and in no trouble, which has its own time.
 */
static struct pending_rules
rules_now(struct writer *w)
{
	const struct stats *s = w->args->stats;
	unsigned slot = stats_slot(ROLE_SEND, 0);
	struct pending_rules rules = w->rules;

	due_look(&w->due,
	    stats_get(s, slot, STAT_SEND_FOLLOWUPS) +
		stats_get(s, slot, STAT_SEND_CANARIES),
	    writer_clock_us(CLOCK_MONOTONIC));
	if (!w->checkpoint.troubled &&
	    due_is_answered(&w->due, window_us(w), w->checkpoint.tick_us))
		rules.unanswered_us = window_us(w);
	return rules;
}

/* All since the last checkpoint in one transaction. */
static enum live_result
try_commit(struct writer *w, struct batch_context *c, struct target *expire_at,
    struct purge_at *purge_at, bool due)
{
	live_begin(w->live);
	batch_apply(w->batch, c);
	if (!w->purged)
		(void)live_purge(w->live, w->optouts, purge_at, PURGE_MAX,
		    &c->counts.purged);
	pending_expire(w->live, c->rules, c->now_us, expire_at, EXPIRE_MAX,
	    batch_give_up, c);
	if (due)
		due_fetch(&w->due, w->live, c->now_us);
	naming_fetch(&w->naming, w->live);
	checkpoint_apply(&w->checkpoint, &w->info.sweep);
	ledger_now(w, &c->counts);
	live_put_info(w->live, &w->info, &w->ledger);
	pending_clock(w->live, c->now_us);
	w->npending = live_pending_count(w->live);
	w->nqueue = live_queue_count(w->live);
	return live_commit(w->live);
}

/* False: the disk is full, and all of it is still to be done. */
static bool
commit(struct writer *w, bool more_is_to_come)
{
	uint64_t mono_us = writer_clock_us(CLOCK_MONOTONIC);
	bool due = more_is_to_come && due_is_sent(&w->due);
	struct pending_rules rules = rules_now(w);
	struct batch_context c = { .args = w->args,
		.geo = w->geo,
		.optouts = w->optouts,
		.live = w->live,
		.rules = &rules,
		.start_us = w->info.sweep.start_us,
		.canary_port = canary_port(w->info.sweep.key, w->args->conf),
		.now_us = now_us(w) };
	struct purge_at purge_at;
	struct target expire_at;
	enum live_result result;

	do {
		expire_at = w->expire_at;
		purge_at = w->purge_at;
		result = try_commit(w, &c, &expire_at, &purge_at, due);
	} while (result == LIVE_AGAIN);
	w->commit_us = mono_us;
	if (result == LIVE_BROKEN)
		fatal("live: %s", live_error(w->live));
	if (due && result != LIVE_DONE)
		due_forget(&w->due);
	if (w->disk_full != (result == LIVE_NO_SPACE))
		log_warn(w->disk_full
			? "there is room on the disk again"
			: "the disk is full: nothing is written until there "
			  "is room, and the wires are left to fill");
	naming_commit(&w->naming, result == LIVE_DONE);
	w->disk_full = result == LIVE_NO_SPACE;
	if (w->disk_full)
		return false;
	w->expire_at = expire_at;
	w->purge_at = purge_at;
	w->purged = live_purge_is_over(&purge_at);
	batch_clear(w->batch);
	w->commits++;
	batch_add(&w->total, &c.counts);
	publish(w);
	return true;
}

/* While the machine slept nobody heard the answers. */
static void
watch_sleep(struct writer *w)
{
	uint64_t mono_us = writer_clock_us(CLOCK_MONOTONIC);
	uint64_t asleep_us = writer_clock_us(CLOCK_BOOTTIME) - mono_us;

	if (asleep_us > w->asleep_us + SECOND_US)
		checkpoint_trouble(&w->checkpoint, mono_us);
	w->asleep_us = asleep_us;
}

/* What is waited for is told by another one. */
static void
watch_clock(struct writer *w)
{
	int64_t by = steady_look(&w->steady, writer_clock_us(CLOCK_REALTIME),
	    writer_clock_us(CLOCK_BOOTTIME));

	if (by != 0)
		log_warn("the clock was set, %s by %lld s: nothing waits for "
			 "it, rows have the times that it shows",
		    by < 0 ? "back" : "forward",
		    (long long)(by < 0 ? -by : by) / SECOND_US);
}

/* Nothing is left to send, to hear, to write or to ask again. */
static bool
is_swept(struct writer *w)
{
	uint64_t mono_us = writer_clock_us(CLOCK_MONOTONIC);

	return checkpoint_swept(&w->checkpoint) && w->records_drained &&
	    batch_is_empty(w->batch) && w->npending == 0 && w->nqueue == 0 &&
	    due_is_over(&w->due, window_us(w), mono_us) &&
	    naming_is_over(&w->naming, mono_us);
}

static void
say_swept(struct writer *w)
{
	if (w->swept_said || !is_swept(w))
		return;
	if (control_send(FD_CONTROL, CTL_SWEPT, NULL, 0) == 0)
		w->swept_said = true;
}

/*
 * Between two commits. When all was sent and nobody is followed the end waits
 * for no long checkpoint, nor does a disk that was full.
 */
static uint64_t
pause_us(const struct writer *w)
{
	uint64_t us = (uint64_t)w->args->conf->checkpoint_ms * MS_US;

	return us > SECOND_US &&
		(w->disk_full || checkpoint_swept(&w->checkpoint))
	    ? SECOND_US
	    : us;
}

static void
wait_wires(struct writer *w)
{
	uint64_t passed = writer_clock_us(CLOCK_MONOTONIC) - w->commit_us;
	uint64_t left_us = passed < pause_us(w) ? pause_us(w) - passed : 0;
	int left_ms = left_us == 0 || (!w->purged && !w->disk_full)
	    ? 0
	    : (int)(left_us / MS_US) + 1;

	/* Without room only the clock and the parent wake us. */
	for (unsigned i = 0; i < WRITER_WIRES; i++)
		w->wires[i].events =
		    i == CONTROL || batch_has_room(w->batch) ? POLLIN : 0;
	if (poll(w->wires, batch_has_room(w->batch) ? WRITER_WIRES : 1,
		left_ms) < 0 &&
	    errno != EINTR)
		fatal("poll: %s", strerror(errno));
}

static bool
is_time(const struct writer *w)
{
	uint64_t passed = writer_clock_us(CLOCK_MONOTONIC) - w->commit_us;

	return passed >= pause_us(w) || w->optouts_number > 0 ||
	    (!w->purged && !w->disk_full) ||
	    (!batch_has_room(w->batch) && !w->disk_full);
}

static void
loop(struct writer *w)
{
	bool done;

	while (w->end == END_NOT_YET) {
		wait_wires(w);
		read_control(w);
		watch_clock(w);
		writer_take(w);
		due_send(&w->due, writer_clock_us(CLOCK_MONOTONIC));
		naming_send(&w->naming);
		if (!is_time(w))
			continue;
		watch_sleep(w);
		done = commit(w, true);
		say_optouts(w);
		if (done) {
			due_send(&w->due, writer_clock_us(CLOCK_MONOTONIC));
			naming_send(&w->naming);
			say_swept(w);
		}
	}
}

/* What is still on the wires, and the last commit. */
static int
finish(struct writer *w)
{
	bool drained;

	do {
		drained = writer_take(w);
		if (!commit(w, false)) {
			log_error("the end of the sweep could not be written");
			return -1;
		}
	} while (!drained);
	return 0;
}

static int
seal_sweep(struct writer *w)
{
	char error[STORE_ERROR_MAX];
	struct control_sealed sealed;
	uint64_t end_us = now_us(w);

	/* Set back between two starts of the daemon. */
	if (end_us < w->info.sweep.start_us)
		end_us = w->info.sweep.start_us;
	live_close(w->live);
	w->live = NULL;
	if (seal(w->args, ".", end_us, geo_build_us(w->geo), &w->info, error) !=
	    0) {
		log_error("%s", error);
		return 1;
	}
	memset(&sealed, 0, sizeof sealed);
	sealed.rows = w->info.account.rows;
	sealed.balanced = w->info.balanced;
	snprintf(sealed.path, sizeof sealed.path,
	    "%.150s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX, w->args->conf->store,
	    w->info.sweep.id);
	if (control_send(FD_CONTROL, CTL_SEALED, &sealed, sizeof sealed) != 0)
		log_error("the parent is gone: %s", strerror(errno));
	return 0;
}

/* All that needs a right, or files from elsewhere. */
static void
set_up(struct writer *w)
{
	const struct conf *conf = w->args->conf;
	uint8_t sum[SHA256_DIGEST_LENGTH];
	char error[STORE_ERROR_MAX];
	uid_t uid;
	gid_t gid;

	/* Paths of the geo files may be relative to where we are now. */
	w->geo = geo_open(conf, error);
	if (w->geo == NULL || datadir_enter(conf->store, error) != 0)
		fatal("%s", error);
	read_optouts(w, 0);
	if (w->optouts == NULL)
		fatal(LAYOUT_CATALOG ": the opt-outs cannot be read");
	w->live = sweep_begin(w->args, ".", &w->info, error);
	if (w->live == NULL)
		fatal("%s", error);
	sandbox_user(ROLE_STORE, conf, &uid, &gid);
	if (geteuid() == 0 && datadir_give(uid, gid, error) != 0)
		fatal("%s", error);
	w->batch = batch_new();
	/* libcrypto looks for its configuration at the first call. */
	if (w->batch == NULL || SHA256((const uint8_t *)"", 0, sum) == NULL)
		fatal("no memory");
}

static void
enter_sandbox(const struct conf *conf)
{
	struct conf here = *conf;

	/* We stand in the data directory; its own path may be closed to us. */
	memcpy(here.store, ".", sizeof ".");
	sandbox_enter(ROLE_STORE, &here, 0);
}

int
store_main(const struct role_args *args)
{
	static struct writer w;
	int rc;

	w.args = args;
	/* Both of one moment: what follows may take long. */
	steady_init(&w.steady, args->now_us, writer_clock_us(CLOCK_BOOTTIME));
	set_up(&w);
	w.rules = pending_rules_of(args->conf);
	naming_init(&w.naming, args->conf);
	checkpoint_init(&w.checkpoint, &w.info.sweep, window_us(&w));
	w.ledger.begin = checkpoint_steps(&w.checkpoint);
	w.wires[CONTROL].fd = FD_CONTROL;
	w.wires[NOTES_SEND].fd = FD_NOTES_SEND;
	w.wires[NOTES_PACKET].fd = FD_NOTES_PACKET;
	w.wires[RECORDS].fd = FD_RECORDS;
	w.wires[NAMES].fd = w.naming.on ? FD_RESOLVE : -1;
	w.asleep_us =
	    writer_clock_us(CLOCK_BOOTTIME) - writer_clock_us(CLOCK_MONOTONIC);
	if (control_send(
		FD_CONTROL, CTL_SWEEP, &w.info.sweep, sizeof w.info.sweep) != 0)
		fatal("the parent is gone: %s", strerror(errno));
	enter_sandbox(args->conf);
	loop(&w);
	rc = finish(&w) == 0 ? 0 : 1;
	if (rc == 0 && w.end == END_SEAL)
		rc = seal_sweep(&w);
	live_close(w.live);
	batch_free(w.batch);
	ranges_free(w.optouts);
	geo_close(w.geo);
	return rc;
}
