/* send.c: the role that sends: set-up, control, notes, follow-ups, rate. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "engine/again.h"
#include "engine/backoff.h"
#include "engine/log.h"
#include "engine/optouts.h"
#include "engine/pacer.h"
#include "engine/role.h"
#include "engine/sandbox.h"
#include "engine/sender.h"
#include "engine/stats.h"
#include "engine/uplink.h"

enum {
	TICK_MS = 50, /* statistics, pressure, shares of the rate */
	GIVING_MS = 1, /* the same, while threads take opt-outs over */
	NOTE_MS = 1000,
	LAST_NOTE_MS = 1000, /* how long a full wire may hold up the end */
	DUE_MAX = 256, /* follow-ups in one message */
	SAY_LIMIT_MS = 10000,
	PRESSURE_FULL = 1000
};

/* Opt-outs as the threads get them. */
struct given {
	struct ranges *set;
	struct aims *aims;
	uint32_t number;
};

struct send {
	const struct role_args *args;
	struct sender_plan plan;
	struct link *links[SWEEP_THREADS_MAX];
	struct sender *senders[SWEEP_THREADS_MAX];
	struct sender_progress progress[SWEEP_THREADS_MAX];
	unsigned nthreads, finished;

	uint64_t rate; /* as CTL_RATE said */
	struct backoff backoff;
	struct again again;
	uint32_t again_number;
	uint64_t lost; /* looks that found the way out lost */
	bool said_limited; /* what packet limits us to */
	uint64_t limit_ms; /* since when it is otherwise */
	uint64_t wire_stops; /* turns in which packet stopped us */
	bool stop, told_sent, due_closed, giving;
	struct followup due[DUE_MAX]; /* read, not yet in a thread */
	size_t due_at, ndue;
	struct optouts optouts; /* coming in */
	struct ranges *next_set; /* has come, while another one is given */
	struct given given, before; /* what the threads have; or may have */
	uint64_t next_note_ms;
	unsigned noted_finished;
};

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- set-up -------------------------------------------------------------- */

static void
find_ends(const struct role_args *args, bool four, struct frame_link *ends)
{
	char text[ADDR_TEXT_MAX];
	struct addr towards;
	bool no_source;

	if (link_ends(args->conf, args->targets, four, LINK_RESOLVE_MS, ends,
		&towards, &no_source) == -1)
		fatal("%s: next hop towards %s: %s", args->conf->interface,
		    addr_text(&towards, text), strerror(errno));
	if (no_source)
		log_warn("IPv%d targets, but no such source address: "
			 "they are counted as not sent",
		    four ? 4 : 6);
}

static void
open_all(struct send *s)
{
	const struct role_args *args = s->args;
	const struct conf *conf = args->conf;
	struct frame_link links[2];

	s->nthreads = args->sweep->threads;
	if (s->nthreads < 1 || s->nthreads > SWEEP_THREADS_MAX)
		fatal("a sweep of %u sender threads", s->nthreads);
	find_ends(args, true, &links[0]);
	find_ends(args, false, &links[1]);
	if (sender_plan_init(&s->plan, conf, args->targets, args->excluded,
		args->sweep, links) == -1)
		fatal("frames: %s", strerror(errno));
	for (unsigned i = 0; i < s->nthreads; i++) {
		const struct link_want want = { i, conf->rate / s->nthreads };

		s->links[i] =
		    link_open((enum tx_path)conf->tx, conf->interface, &want);
		if (s->links[i] == NULL)
			fatal("%s: no way to send: %s", conf->interface,
			    strerror(errno));
	}
	/* Threads inherit it: else each wait is up to 50 us late. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	for (unsigned i = 0; i < s->nthreads; i++)
		log_info("sender %u sends by %s", i, link_name(s->links[i]));
}

static void
start_all(struct send *s)
{
	for (unsigned i = 0; i < s->nthreads; i++) {
		s->senders[i] = sender_start(&s->plan, i, s->links[i]);
		if (s->senders[i] == NULL)
			fatal("thread: %s", strerror(errno));
	}
}

/* ---- what is reported ---------------------------------------------------- */

static void
look_at_threads(struct send *s)
{
	s->finished = 0;
	for (unsigned i = 0; i < s->nthreads; i++) {
		s->progress[i] = sender_progress(s->senders[i]);
		s->finished += s->progress[i].finished;
	}
}

/* This thread of the process alone writes the slot: sums over the others. */
static void
write_stats(const struct send *s)
{
	const struct sweep *sweep = s->args->sweep;
	struct sender_progress sum = { 0 };
	const struct {
		enum stat_id stat;
		const uint64_t *from;
	} table[] = {
		{ STAT_SEND_PASSED, &sum.position },
		{ STAT_SEND_EXCLUDED_N, &sum.counted[SEND_EXCLUDED] },
		{ STAT_SEND_OPTED_OUT_N, &sum.counted[SEND_OPTED_OUT] },
		{ STAT_SEND_SENT_N, &sum.counted[SEND_SENT] },
		{ STAT_SEND_NOT_SENT_N, &sum.counted[SEND_NOT_SENT] },
		{ STAT_SEND_FOLLOWUPS, &sum.followups },
		{ STAT_SEND_CANARIES, &sum.canaries },
		{ STAT_SEND_AGAIN, &sum.again },
		{ STAT_SEND_SECONDS, &sum.seconds },
		{ STAT_SEND_PACKETS, &sum.packets },
		{ STAT_SEND_ERRORS, &sum.errors },
	};

	for (unsigned i = 0; i < s->nthreads; i++) {
		const struct sender_progress *p = &s->progress[i];

		sum.position += p->position - sweep->position[i];
		for (int k = 0; k < SEND_COUNTS; k++)
			sum.counted[k] += p->counted[k] - sweep->counted[i][k];
		sum.followups += p->followups;
		sum.canaries += p->canaries;
		sum.again += p->again;
		sum.seconds += p->seconds;
		sum.packets += p->packets;
		sum.errors += p->errors;
	}
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		stats_set(s->args->stats, s->args->slot, table[i].stat,
		    *table[i].from);
	stats_set(
	    s->args->stats, s->args->slot, STAT_SEND_FINISHED, s->finished);
	stats_set(s->args->stats, s->args->slot, STAT_SEND_PATH,
	    link_path(s->links[0]));
}

/*
 * All positions in one message. The time is taken after the positions were,
 * so every frame they cover had left before it. 0, or -1 with errno.
 */
static int
send_note(const struct send *s)
{
	struct {
		struct note_header header;
		struct note_position positions[SWEEP_THREADS_MAX];
	} note;

	memset(&note, 0, sizeof note);
	note.header.type = NOTE_POSITION;
	note.header.count = s->nthreads;
	note.header.mono_us = now_us();
	for (unsigned i = 0; i < s->nthreads; i++) {
		struct note_position *to = &note.positions[i];

		to->thread = i;
		to->finished = s->progress[i].finished;
		to->again = again_open(&s->again);
		to->position = s->progress[i].position;
		memcpy(to->counted, s->progress[i].counted, sizeof to->counted);
	}
	return wire_send(FD_NOTES_SEND, &note,
	    sizeof note.header + s->nthreads * sizeof note.positions[0]);
}

/* Once a second and when a thread has ended; a full wire: next tick. */
static void
report(struct send *s)
{
	uint64_t now_ms = now_us() / 1000;

	look_at_threads(s);
	write_stats(s);
	if ((now_ms >= s->next_note_ms || s->finished != s->noted_finished) &&
	    send_note(s) == 0) {
		s->next_note_ms = now_ms + NOTE_MS;
		s->noted_finished = s->finished;
	}
	if (s->finished == s->nthreads && !s->told_sent &&
	    control_send(FD_CONTROL, CTL_SENT, NULL, 0) == 0)
		s->told_sent = true;
}

/* ---- trouble ------------------------------------------------------------- */

static uint64_t
packet_count(const struct send *s, enum stat_id what)
{
	return stats_get(s->args->stats, stats_slot(ROLE_PACKET, 0), what);
}

/* Does the thread hold a stretch that it has not sent again? */
static bool
has_again(const struct send *s, unsigned thread)
{
	return s->progress[thread].again_done != s->again_number;
}

/* Drops show at once; that the way out is lost may show later. */
static uint64_t
window_ms(const struct conf *conf, bool lost)
{
	return lost && conf->answer_window_ms < UPLINK_NOTICED_MS
	    ? UPLINK_NOTICED_MS
	    : conf->answer_window_ms;
}

/*
 * What was on its way while the capture dropped frames, or the link was down,
 * is sent a second time.
 */
static void
send_again(struct send *s)
{
	uint64_t position[SWEEP_THREADS_MAX] = { 0 }, steps = 0;
	uint64_t lost = packet_count(s, STAT_PKT_LINK_LOST);
	bool all_sent = true;

	again_window(&s->again, window_ms(s->args->conf, lost != s->lost));
	s->lost = lost;
	for (unsigned i = 0; i < s->nthreads; i++) {
		position[i] = s->progress[i].position;
		all_sent &= !has_again(s, i);
	}
	if (again_turn(&s->again, now_us() / 1000, position,
		packet_count(s, STAT_PKT_PCAP_DROP) + lost, all_sent)) {
		s->again_number++;
		for (unsigned i = 0; i < s->nthreads; i++) {
			steps += s->again.open[i].to - s->again.open[i].from;
			sender_again(
			    s->senders[i], &s->again.open[i], s->again_number);
		}
		log_info("answers were lost here: %" PRIu64
			 " steps of the index are sent again",
		    steps);
	}
	stats_set(s->args->stats, s->args->slot, STAT_SEND_AGAIN_OPEN,
	    again_open(&s->again));
}

static struct backoff_seen
look_for_trouble(struct send *s)
{
	struct backoff_seen seen = { .sent = 0 };

	if (packet_count(s, STAT_PKT_PRESSURE) >= PRESSURE_FULL)
		s->wire_stops++;
	seen.n[BACKOFF_DROPS] = packet_count(s, STAT_PKT_PCAP_DROP);
	seen.n[BACKOFF_WIRE] = s->wire_stops;
	for (unsigned i = 0; i < s->nthreads; i++) {
		seen.n[BACKOFF_ERRORS] += s->progress[i].errors;
		seen.sent += s->progress[i].packets;
	}
	return seen;
}

/* ---- the rate ------------------------------------------------------------ */

/* What is allowed of the rate, as long as there is trouble. */
static uint64_t
allowed_rate(struct send *s)
{
	struct backoff_seen seen = look_for_trouble(s);
	struct backoff *b = &s->backoff;

	switch (backoff_turn(b, now_us() / 1000, s->rate, &seen)) {
	case BACKOFF_SLOWER:
		log_warn("%s: at most %" PRIu64 " of %" PRIu64 " packets/s now",
		    backoff_why_names[b->why], b->allowed, b->rate);
		break;
	case BACKOFF_RECOVERED:
		log_info("%" PRIu64 " packets/s again", b->rate);
		break;
	case BACKOFF_QUIET:
	default:
		break;
	}
	stats_set(s->args->stats, s->args->slot, STAT_SEND_BACKOFFS, b->cuts);
	return b->allowed;
}

static bool
has_work(const struct send *s, unsigned thread)
{
	return thread == 0 || !s->progress[thread].finished ||
	    has_again(s, thread);
}

/*
 * Who follows the answers takes fewer than the rate brings: said when that has
 * lasted, and when it has been over for as long.
 */
static void
say_limit(struct send *s, uint64_t rate, uint64_t limit)
{
	bool limited = limit > 0 && limit < rate;
	uint64_t now_ms = now_us() / 1000;

	if (limited == s->said_limited || rate == 0) {
		s->limit_ms = now_ms;
		return;
	}
	if (now_ms - s->limit_ms < SAY_LIMIT_MS)
		return;
	s->said_limited = limited;
	s->limit_ms = now_ms;
	if (limited)
		log_info("answers are not followed as fast as they come: "
			 "about %" PRIu64 " of %" PRIu64 " packets/s now",
		    limit, rate);
	else
		log_info("answers are followed as they come: %" PRIu64
			 " packets/s again",
		    rate);
}

/*
 * The rate in force, less what packet's pressure takes off, and not above what
 * it says that can be followed; in equal parts for the threads that have work.
 * Thread 0 always has: it sends the follow-ups. What does not divide goes to the
 * last threads, so that a rate below their number still ends.
 */
static void
share_rate(struct send *s)
{
	uint64_t pressure = packet_count(s, STAT_PKT_PRESSURE);
	uint64_t left = pressure < PRESSURE_FULL ? PRESSURE_FULL - pressure : 0;
	uint64_t limit = packet_count(s, STAT_PKT_SYN_LIMIT);
	uint64_t allowed = allowed_rate(s), working = 0;
	uint64_t rate = allowed * left / PRESSURE_FULL;
	uint64_t parts[SWEEP_THREADS_MAX];
	bool works[SWEEP_THREADS_MAX];

	say_limit(s, allowed, limit);
	for (unsigned i = 0; i < s->nthreads; i++) {
		works[i] = has_work(s, i);
		working += works[i];
	}
	/* One for each at least: thread 0 alone sends the follow-ups. */
	if (limit > 0 && limit < working)
		limit = working;
	if (limit > 0 && rate > limit)
		rate = limit;
	stats_set(s->args->stats, s->args->slot, STAT_SEND_RATE, rate);
	pacer_share(rate, works, s->nthreads, parts);
	for (unsigned i = 0; i < s->nthreads; i++)
		sender_rate(s->senders[i], parts[i]);
}

/* ---- what comes in ------------------------------------------------------- */

static void
pass_followups(struct send *s)
{
	while (s->due_at < s->ndue &&
	    sender_followup(s->senders[0], &s->due[s->due_at]))
		s->due_at++;
}

/* One or more of struct followup in a message. */
static void
read_followups(struct send *s)
{
	ssize_t n = wire_recv(FD_DUE, s->due, sizeof s->due);

	if (n == 0)
		s->due_closed = true;
	if (n < 0 && errno != EAGAIN)
		log_error("follow-ups: %s", strerror(errno));
	if (n <= 0)
		return;
	s->due_at = 0;
	s->ndue = (size_t)n / sizeof s->due[0];
	pass_followups(s);
}

/* The newest counts; it waits until the threads have the one before. */
static void
take_optouts(struct send *s, const struct control *c)
{
	struct ranges *set = optouts_take(&s->optouts, c);

	if (set == NULL)
		return;
	ranges_free(s->next_set);
	s->next_set = set;
}

static void
given_free(struct given *g)
{
	ranges_free(g->set);
	aims_free(g->aims);
	memset(g, 0, sizeof *g);
}

static void
give_optouts(struct send *s)
{
	struct sender_optouts to;

	s->before = s->given;
	s->given = (struct given){ .set = s->next_set,
		.aims = sender_plan_aims(&s->plan, s->next_set),
		.number = s->optouts.number };
	s->next_set = NULL;
	if (s->given.aims == NULL)
		fatal("opt-outs: %s", strerror(errno));
	to = (struct sender_optouts){ s->given.aims, s->given.set,
		s->given.number };
	for (unsigned i = 0; i < s->nthreads; i++)
		sender_optouts(s->senders[i], &to);
	s->giving = true;
}

/* In force when each thread says that all it made before has left. */
static void
turn_optouts(struct send *s)
{
	if (s->giving) {
		for (unsigned i = 0; i < s->nthreads; i++)
			if (s->progress[i].optouts != s->given.number)
				return;
		s->giving = false;
		given_free(&s->before);
		if (optouts_done(FD_CONTROL, s->given.number) < 0)
			log_error("opt-outs: %s", strerror(errno));
	}
	if (s->next_set != NULL)
		give_optouts(s);
}

static void
read_control(struct send *s)
{
	struct control c;
	int r;

	while ((r = control_recv(FD_CONTROL, &c)) == 1) {
		if (c.type == CTL_STOP)
			s->stop = true;
		else if (c.type == CTL_RATE && c.len == sizeof c.u.rate)
			s->rate = c.u.rate;
		else if (c.type == CTL_OPTOUT_LIST)
			take_optouts(s, &c);
	}
	if (r == 0)
		s->stop = true;
	else if (errno != EAGAIN)
		log_error("control: %s", strerror(errno));
}

static void
loop(struct send *s)
{
	while (!s->stop) {
		bool held = s->due_at < s->ndue;
		struct pollfd p[] = {
			{ .fd = FD_CONTROL, .events = POLLIN },
			{ .fd = held || s->due_closed ? -1 : FD_DUE,
			    .events = POLLIN },
		};

		if (poll(p, 2, s->giving ? GIVING_MS : TICK_MS) == -1 &&
		    errno != EINTR)
			fatal("poll: %s", strerror(errno));
		if (p[0].revents != 0)
			read_control(s);
		if (p[1].revents != 0)
			read_followups(s);
		pass_followups(s);
		report(s);
		turn_optouts(s);
		send_again(s);
		share_rate(s);
	}
}

/* The batches in hand go out, then the last positions. */
static void
end(struct send *s)
{
	struct pollfd p = { .fd = FD_NOTES_SEND, .events = POLLOUT };

	for (unsigned i = 0; i < s->nthreads; i++)
		sender_stop(s->senders[i]);
	for (unsigned i = 0; i < s->nthreads; i++)
		s->progress[i] = sender_join(s->senders[i]);
	write_stats(s);
	if (send_note(s) == -1 &&
	    (errno != EAGAIN || poll(&p, 1, LAST_NOTE_MS) != 1 ||
		send_note(s) == -1))
		log_warn("last position not noted: %s", strerror(errno));
	for (unsigned i = 0; i < s->nthreads; i++)
		link_close(s->links[i]);
	sender_plan_free(&s->plan);
	given_free(&s->given);
	given_free(&s->before);
	ranges_free(s->next_set);
}

int
send_main(const struct role_args *args)
{
	struct send *s = calloc(1, sizeof *s);

	if (s == NULL)
		fatal("no memory");
	s->args = args;
	open_all(s);
	/* Paused; the sandbox, which forbids new ones, confines them too. */
	start_all(s);
	sandbox_enter(ROLE_SEND, args->conf, args->instance);
	backoff_init(
	    &s->backoff, now_us() / 1000, &(struct backoff_seen){ .sent = 0 });
	again_init(&s->again, s->nthreads, window_ms(args->conf, true));
	loop(s);
	end(s);
	free(s);
	return 0;
}
