/* packet.c: the role that hears the network and answers with bare segments. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/flow.h"
#include "engine/frame.h"
#include "engine/handoffs.h"
#include "engine/link.h"
#include "engine/link_pcap.h"
#include "engine/log.h"
#include "engine/notes.h"
#include "engine/optouts.h"
#include "engine/ranges.h"
#include "engine/role.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "engine/wire.h"

enum {
	WAIT_MS = 10, /* for frames and messages, at most */
	BATCHES_MAX = 16, /* of frames, before messages are looked at */
	MESSAGES_MAX = 256,
	NOTES_MAX = 8 * FLOW_BATCH,
	NOTES_US = 20 * 1000, /* how long notes may gather */
	LOOK_US = 50 * 1000, /* at the link and the capture */
	TICK_US = 1000 * 1000,
	BUSY_TRIES = 50, /* of 1 ms, when the link takes nothing */
	LAST_NOTES_MS = 1000,
	PRESSURE_FULL = 1000,
	/*
	 * How old frames are when they are read: from here on send slows, and
	 * stops before the capture's buffer is full (of 24 MB, the default, at
	 * a million a second it holds 150 ms).
	 */
	LAG_FROM_MS = 60,
	LAG_TO_MS = 130
};

/*
 * A frame may lie in the kernel for the capture's timeout, rounded up to its
 * timer's tick, before poll(2) tells us.
 */
enum { CAPTURE_LAG_US = 20 * 1000 };

enum wake { WAKE_CONTROL, WAKE_DIAL, WAKE_DONE, WAKE_CAPTURE, WAKE_COUNT };

struct packet {
	const struct role_args *args;
	struct capture *capture;
	struct link *link;
	struct frame_link ends[2]; /* IPv4, IPv6 */
	struct flow *flow;
	struct optouts coming;
	struct ranges *optouts; /* that flow has; NULL: none yet */
	struct notes *notes;
	struct pollfd fds[WAKE_COUNT];

	uint8_t frames[LINK_BATCH][FRAME_MAX]; /* answers to be sent */
	uint32_t lens[LINK_BATCH];
	unsigned nframes;

	struct flow_time now;
	uint64_t drained_us; /* all captured before has been read */
	uint64_t noted_us, look_us, tick_us; /* when that was done last */
	uint64_t first_utc_us; /* of this batch's frames; 0: none yet */
	uint64_t lag_us, lag_shown_us; /* since the last look; and at it */
	bool link_up; /* ever since the last tick */
	bool link_lost; /* as the parent says */
	bool stop;
	int status;
};

static struct flow_time
clock_now(void)
{
	struct timespec utc, mono;

	clock_gettime(CLOCK_REALTIME, &utc);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (struct flow_time){
		.utc_us = (uint64_t)utc.tv_sec * 1000000 +
		    (uint64_t)utc.tv_nsec / 1000,
		.mono_us = (uint64_t)mono.tv_sec * 1000000 +
		    (uint64_t)mono.tv_nsec / 1000,
	};
}

static void
stop(struct packet *p, int status)
{
	p->stop = true;
	p->status = status;
}

/* ---- what goes out ------------------------------------------------------- */

/*
 * A lost ACK or RST is asked for again by the peer, so a link that takes
 * nothing is not waited for without end.
 */
static void
send_frames(struct packet *p)
{
	unsigned at = 0, tries = 0;

	while (at < p->nframes && tries < BUSY_TRIES) {
		int n = link_send(
		    p->link, p->frames + at, p->lens + at, p->nframes - at);

		if (n < 0) {
			log_debug("answers: %s", strerror(errno));
			break;
		}
		at += (unsigned)n;
		if (n == 0) {
			tries++;
			poll(NULL, 0, 1);
		}
	}
	p->nframes = 0;
}

static void
answer(void *context, unsigned source, uint16_t sport, const struct target *t,
    uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window)
{
	struct packet *p = context;
	const struct frame_link *ends = &p->ends[addr_is4(&t->addr) ? 0 : 1];

	p->lens[p->nframes] = (uint32_t)frame_bare(ends, p->frames[p->nframes],
	    &p->args->conf->sources[source], sport, t, seq, ack, flags, window);
	if (++p->nframes == LINK_BATCH)
		send_frames(p);
}

/*
 * A wire whose other end has gone is full for good: who died, and what that
 * means, is the parent's to see.
 */
static int
hand_on(void *context, const struct handoff *const *h, unsigned n)
{
	(void)context;
	return handoffs_send(FD_HANDOFF, h, n);
}

static void
note(void *context, enum note_type type, const void *item, size_t len)
{
	struct packet *p = context;

	notes_add(p->notes, type, item, len);
}

static bool
noted(void *context)
{
	struct packet *p = context;

	p->noted_us = p->now.mono_us;
	return notes_send(p->notes, FD_NOTES_PACKET, p->now.mono_us) == 0;
}

static const struct flow_actions actions = { answer, hand_on, note, noted };

/* While store takes no notes, nothing may be heard that would need one. */
static bool
notes_stuck(const struct packet *p)
{
	return notes_room(p->notes) < FLOW_BATCH;
}

/* ---- what comes in ------------------------------------------------------- */

static void
hear_frame(void *context, const uint8_t *frame, size_t len, uint64_t utc_us)
{
	struct packet *p = context;
	struct segment s;
	enum stat_id what;

	if (p->first_utc_us == 0)
		p->first_utc_us = utc_us;
	switch (segment_parse(frame, len, &s)) {
	case SEGMENT_TCP:
		flow_segment(p->flow, &s, utc_us);
		return;
	case SEGMENT_OTHER:
		return;
	case SEGMENT_ICMP:
		what = STAT_PKT_ICMP_IN;
		break;
	default:
		what = STAT_PKT_MALFORMED;
		break;
	}
	stats_add(p->args->stats, p->args->slot, what, 1);
}

/* How long the oldest of a batch had to wait for us. */
static void
note_lag(struct packet *p)
{
	if (p->first_utc_us != 0 && p->now.utc_us > p->first_utc_us &&
	    p->now.utc_us - p->first_utc_us > p->lag_us)
		p->lag_us = p->now.utc_us - p->first_utc_us;
}

/* Only as much as there is room for notes: the capture's buffer is larger. */
static void
read_capture(struct packet *p)
{
	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		int n;

		if (notes_stuck(p) && !noted(p))
			return;
		p->now = clock_now();
		p->first_utc_us = 0;
		flow_begin(p->flow, p->now);
		n = capture_read(p->capture, FLOW_BATCH, hear_frame, p);
		flow_end(p->flow);
		note_lag(p);
		if (n < 0)
			p->link_up = false;
		if (n >= 0 && n < FLOW_BATCH)
			p->drained_us = p->now.mono_us - CAPTURE_LAG_US;
		if (n < FLOW_BATCH)
			return;
	}
}

static void
read_done(struct packet *p)
{
	for (unsigned i = 0; i < MESSAGES_MAX; i++) {
		struct done_note n;
		ssize_t len = wire_recv(FD_DONE, &n, sizeof n);

		if (len == 0)
			p->fds[WAKE_DONE].fd = -1;
		if (len == 0 || (len < 0 && errno == EAGAIN))
			return;
		if (len == (ssize_t)sizeof n)
			flow_done(p->flow, &n, p->now);
	}
}

static void
read_dial(struct packet *p)
{
	for (unsigned i = 0; i < MESSAGES_MAX; i++) {
		struct dial_note n;
		ssize_t len;

		if (notes_room(p->notes) == 0)
			return;
		len = wire_recv(FD_HANDOFF, &n, sizeof n);

		if (len == 0)
			p->fds[WAKE_DIAL].fd = -1;
		if (len == 0 || (len < 0 && errno == EAGAIN))
			return;
		if (len == (ssize_t)sizeof n)
			flow_dial_failed(p->flow, &n, p->now);
	}
}

/* In force once the RSTs of those that waited are out. */
static void
take_optouts(struct packet *p, const struct control *c)
{
	struct ranges *set = optouts_take(&p->coming, c);

	if (set == NULL)
		return;
	flow_optouts(p->flow, set, p->now);
	send_frames(p);
	ranges_free(p->optouts);
	p->optouts = set;
	if (optouts_done(FD_CONTROL, p->coming.number) < 0)
		log_error("opt-outs: %s", strerror(errno));
}

static void
read_control(struct packet *p)
{
	struct control c;
	int n;

	while ((n = control_recv(FD_CONTROL, &c)) == 1) {
		if (c.type == CTL_STOP)
			stop(p, 0);
		else if (c.type == CTL_OPTOUT_LIST)
			take_optouts(p, &c);
		else if (c.type == CTL_LINK)
			p->link_lost = c.u.number == 0;
	}
	if (n == 0 && !p->stop)
		stop(p, 1);
}

/* ---- the clock ----------------------------------------------------------- */

/* Never queued: what is said with it is true now and not later. */
static bool
send_tick(struct packet *p, const struct note_tick *t)
{
	struct note_header h = {
		.type = NOTE_TICK, .count = 1, .mono_us = p->drained_us
	};
	uint8_t message[sizeof h + sizeof *t];

	memcpy(message, &h, sizeof h);
	memcpy(message + sizeof h, t, sizeof *t);
	return wire_send(FD_NOTES_PACKET, message, sizeof message) == 0;
}

static bool
is_up(const struct packet *p)
{
	return !p->link_lost && capture_link_up(p->capture);
}

/* What the kernel lost, what lies there unread, and whether the link is up. */
static void
look(struct packet *p)
{
	const struct role_args *a = p->args;
	uint64_t received, dropped;

	p->look_us = p->now.mono_us;
	capture_counts(p->capture, &received, &dropped);
	stats_set(a->stats, a->slot, STAT_PKT_PCAP_RECV, received);
	stats_set(a->stats, a->slot, STAT_PKT_PCAP_DROP, dropped);
	if (!is_up(p)) {
		p->link_up = false;
		stats_add(a->stats, a->slot, STAT_PKT_LINK_LOST, 1);
	}
	p->lag_shown_us = p->lag_us;
	p->lag_us = 0;
	stats_set(a->stats, a->slot, STAT_PKT_LAG, p->lag_shown_us / 1000);
}

/* On send, beside what the table and the wires make. */
static void
press(struct packet *p)
{
	const struct role_args *a = p->args;
	uint64_t lag_us =
	    p->lag_us > p->lag_shown_us ? p->lag_us : p->lag_shown_us;
	uint64_t lag_ms = lag_us / 1000, pressure = 0;

	if (lag_ms > LAG_FROM_MS)
		pressure = (lag_ms - LAG_FROM_MS) * PRESSURE_FULL /
		    (LAG_TO_MS - LAG_FROM_MS);
	if (notes_stuck(p) || pressure > PRESSURE_FULL)
		pressure = PRESSURE_FULL;
	if (pressure > stats_get(a->stats, a->slot, STAT_PKT_PRESSURE))
		stats_set(a->stats, a->slot, STAT_PKT_PRESSURE, pressure);
}

static void
tick(struct packet *p)
{
	const struct role_args *a = p->args;
	struct note_tick t = { .link_up = p->link_up,
		.waiting = flow_waiting(p->flow),
		.open = flow_open(p->flow) };

	look(p);
	t.dropped = stats_get(a->stats, a->slot, STAT_PKT_PCAP_DROP);
	/* After all others, and only then: it says that they were sent. */
	if (!noted(p) || !send_tick(p, &t))
		return;
	p->tick_us = p->now.mono_us;
	p->link_up = is_up(p);
}

static void
pass_time(struct packet *p)
{
	p->now = clock_now();
	flow_pass_time(p->flow, p->now, notes_room(p->notes));
	if (p->now.mono_us - p->look_us >= LOOK_US)
		look(p);
	press(p);
	if (p->now.mono_us - p->noted_us >= NOTES_US)
		noted(p);
	if (p->now.mono_us - p->tick_us >= TICK_US)
		tick(p);
	send_frames(p);
}

static void
wait_for_more(struct packet *p)
{
	bool stuck = notes_stuck(p);

	p->fds[WAKE_CAPTURE].events = stuck ? 0 : POLLIN;
	p->fds[WAKE_DIAL].events = stuck ? 0 : POLLIN;
	if (poll(p->fds, WAKE_COUNT, WAIT_MS) < 0 && errno != EINTR)
		fatal("poll: %s", strerror(errno));
}

static void
run(struct packet *p)
{
	while (!p->stop) {
		wait_for_more(p);
		p->now = clock_now();
		if (p->fds[WAKE_CONTROL].revents != 0)
			read_control(p);
		if (p->fds[WAKE_DONE].revents != 0)
			read_done(p);
		if (p->fds[WAKE_DIAL].revents != 0)
			read_dial(p);
		read_capture(p);
		pass_time(p);
	}
}

/* ---- start and end ------------------------------------------------------- */

/* Where frames to the targets of a family go; without any, nowhere. */
static void
find_ends(const struct role_args *args, bool four, struct frame_link *ends)
{
	char text[ADDR_TEXT_MAX];
	struct addr towards;
	bool no_source; /* send says so */

	if (link_ends(args->conf, args->targets, four, LINK_RESOLVE_MS, ends,
		&towards, &no_source) < 0)
		fatal("%s: next hop towards %s: %s", args->conf->interface,
		    addr_text(&towards, text), strerror(errno));
}

static void
open_all(struct packet *p)
{
	const struct conf *conf = p->args->conf;
	static const int fds[WAKE_COUNT] = { [WAKE_CONTROL] = FD_CONTROL,
		[WAKE_DIAL] = FD_HANDOFF,
		[WAKE_DONE] = FD_DONE };

	p->capture = capture_open(conf);
	if (p->capture == NULL)
		fatal("no capture, no sweep");
	p->link = link_open_answers((enum tx_path)conf->tx, conf->interface);
	if (p->link == NULL)
		fatal("%s: no way to answer: %s", conf->interface,
		    strerror(errno));
	find_ends(p->args, true, &p->ends[0]);
	find_ends(p->args, false, &p->ends[1]);
	p->now = clock_now();
	p->drained_us = p->noted_us = p->look_us = p->tick_us = p->now.mono_us;
	p->link_up = capture_link_up(p->capture);
	p->notes = notes_new(NOTES_MAX);
	p->flow = flow_new(p->args, &actions, p, p->now);
	if (p->notes == NULL || p->flow == NULL)
		fatal("a table for %u answers: %s", conf->waiting_max,
		    strerror(errno));
	for (int i = 0; i < WAKE_COUNT; i++)
		p->fds[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	p->fds[WAKE_CAPTURE].fd = capture_fd(p->capture);
}

static void
close_all(struct packet *p)
{
	flow_leave(p->flow);
	send_frames(p);
	for (int i = 0; i < LAST_NOTES_MS && p->status == 0; i++) {
		if (noted(p))
			break;
		poll(NULL, 0, 1);
	}
	flow_free(p->flow);
	ranges_free(p->optouts);
	notes_free(p->notes);
	link_close(p->link);
	/* The capture ends with the process: libpcap would take its ring down
	 * with setsockopt(2), which the sandbox forbids. */
}

int
packet_main(const struct role_args *args)
{
	static struct packet p;

	p.args = args;
	open_all(&p);
	sandbox_enter(ROLE_PACKET, args->conf, args->instance);
	run(&p);
	close_all(&p);
	return p.status;
}
