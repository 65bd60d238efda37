/* dial.c: the role that makes sockets of answers, and never reads one. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "engine/abort.h"
#include "engine/adopter.h"
#include "engine/conf.h"
#include "engine/connect.h"
#include "engine/handoffs.h"
#include "engine/log.h"
#include "engine/optouts.h"
#include "engine/ranges.h"
#include "engine/role.h"
#include "engine/sandbox.h"
#include "engine/segment.h"
#include "engine/stats.h"
#include "engine/wire.h"

enum {
	TURN = 64, /* handoffs, before what was made is passed on */
	READY_MAX = 4 * WIRE_FDS_MAX, /* then wire 1 is not read */
	FAILED_MAX = 256,
	CONNECTS_MAX = 16384,
	EVENTS_MAX = 64,
	RETRY_MS = 5, /* a wire was full */
	DEADLINE_MS = 100, /* how late a connect's may be seen */
	AHEAD_MS = 50, /* packet is told how many wait for the probes */
	REST_MS = 1000,
	FDS_KEPT = 64 /* for all that is no connection */
};

/* data.u64 of the epoll set; from EVENT_PLACE on, places of connects. */
enum event { EVENT_CONTROL, EVENT_HANDOFF, EVENT_DIALED, EVENT_PLACE };

struct ready {
	struct dialed dialed;
	int fd;
};

struct dial {
	const struct role_args *args;
	int epoll;
	struct connects *connects;
	unsigned cap; /* of both queues: whatever ends has a place in them */
	struct ready *ready; /* a ring: wire 2 has not taken them */
	struct dial_note *failed; /* a ring: wire 1's way back has not */
	unsigned ready_first, nready, failed_first, nfailed;
	bool reading; /* wire 1 is watched */
	uint64_t moved, moved_ms; /* onto wire 2 and off; when that was less */
	uint64_t strayed; /* with probes that died: none will say it has them */
	bool waited_for; /* something lies on wire 2 */
	bool alone; /* packet has gone before us: the parent sees to it */
	bool stop;
	int status;
	struct adopter *adopter;
	struct handoffs message; /* of wire 1, and those taken from it */
	struct handoff handoffs[HANDOFFS_MAX];
	struct optouts coming;
	struct ranges *optouts; /* in force; NULL: none yet */
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
count(struct dial *d, enum stat_id what, uint64_t n)
{
	stats_add(d->args->stats, d->args->slot, what, n);
}

static void
stop(struct dial *d, int status)
{
	d->stop = true;
	d->status = status;
}

/* ---- the two queues ------------------------------------------------------ */

static void
put_ready(struct dial *d, const struct contact *c, int fd, uint32_t rtt_us)
{
	struct ready *r = &d->ready[(d->ready_first + d->nready++) % d->cap];

	memset(r, 0, sizeof *r);
	r->dialed.contact = *c;
	r->dialed.rtt_us = rtt_us;
	r->fd = fd;
}

static struct dial_note *
put_note(struct dial *d, const struct contact *c)
{
	struct dial_note *n =
	    &d->failed[(d->failed_first + d->nfailed++) % d->cap];

	memset(n, 0, sizeof *n);
	n->target = c->target;
	n->source = c->source;
	n->sport = c->sport;
	return n;
}

static void
put_failed(struct dial *d, const struct contact *c, enum dial_step step,
    int error, const struct handoff *h)
{
	struct dial_note *n = put_note(d, c);
	char text[TARGET_TEXT_MAX];

	n->error = (uint16_t)error;
	n->step = step;
	if (h != NULL) {
		n->snd_nxt = h->isn + 1;
		n->rcv_nxt = h->irs + 1 + h->len;
	}
	count(d, STAT_DIAL_FAILED, 1);
	log_debug("%s: %s: %s", target_text(&c->target, text),
	    dial_step_names[step], strerror(error));
}

/* Opted out since its SYN was sent. */
static void
put_withdrawn(struct dial *d, const struct handoff *h)
{
	struct dial_note *n = put_note(d, &h->contact);

	n->withdrawn = DIAL_WITHDRAWN;
	n->snd_nxt = h->isn + 1;
	n->rcv_nxt = h->irs + 1 + h->len;
	count(d, STAT_DIAL_WITHDRAWN, 1);
}

/* One that has a socket by now. */
static void
put_aborted(void *context, const struct contact *c)
{
	struct dial *d = context;

	put_note(d, c)->withdrawn = DIAL_ABORTED;
	count(d, STAT_DIAL_WITHDRAWN, 1);
}

static void
put_ended(struct dial *d, const struct connected *e)
{
	if (e->fd >= 0)
		put_ready(d, &e->contact, e->fd, e->rtt_us);
	else
		put_failed(d, &e->contact, e->step, e->error, NULL);
}

/*
 * They have mostly been made one after the other: a call for each run. Low
 * numbers lie among those of wires, which no range may reach into.
 */
static void
close_many(const int *fds, unsigned n)
{
	for (unsigned i = 0, from; i < n; i++) {
		from = i;
		while (i + 1 < n && fds[i + 1] == fds[i] + 1)
			i++;
		if (fds[from] >= FD_FIRST_FREE) {
			close_range((unsigned)fds[from], (unsigned)fds[i], 0);
			continue;
		}
		close(fds[from]);
		i = from;
	}
}

/*
 * Up to WIRE_FDS_MAX in one message. 0, or -1: not now. A wire whose other
 * end has gone is full for good; what that means the parent decides.
 */
static int
send_some_ready(struct dial *d)
{
	struct dialed message[WIRE_FDS_MAX];
	int fds[WIRE_FDS_MAX];
	unsigned n = d->nready < WIRE_FDS_MAX ? d->nready : WIRE_FDS_MAX;

	for (unsigned i = 0; i < n; i++) {
		struct ready *r = &d->ready[(d->ready_first + i) % d->cap];

		message[i] = r->dialed;
		fds[i] = r->fd;
	}
	if (wire_send_fds(FD_DIALED, message, n * sizeof message[0], fds, n) <
	    0)
		return -1;
	/* The message owns them now. */
	close_many(fds, n);
	d->ready_first = (d->ready_first + n) % d->cap;
	d->nready -= n;
	count(d, STAT_DIAL_ADOPTED, n);
	return 0;
}

static int
send_one_failed(struct dial *d)
{
	if (wire_send(FD_HANDOFF, &d->failed[d->failed_first],
		sizeof d->failed[0]) < 0)
		return -1;
	d->failed_first = (d->failed_first + 1) % d->cap;
	d->nfailed--;
	return 0;
}

/*
 * Those that no probe has begun. Of a probe that died we do not know whether it
 * had some in its hands; but when the wire is empty for a while, and none
 * comes or begins, then nobody has them.
 */
static uint64_t
strayed(struct dial *d, uint64_t moved, uint64_t ahead)
{
	uint64_t now = now_ms();

	if (wire_unread(FD_DIALED) != 0 || moved != d->moved) {
		d->moved = moved;
		d->moved_ms = now;
	}
	return now - d->moved_ms >= AHEAD_MS ? ahead : d->strayed;
}

static void
tell_ahead(struct dial *d)
{
	uint64_t begun = stats_sum(d->args->stats, STAT_PROBE_RECEIVED);
	uint64_t made =
	    stats_get(d->args->stats, d->args->slot, STAT_DIAL_ADOPTED);
	uint64_t ahead = made > begun ? made - begun : 0;

	d->strayed = strayed(d, made + begun, ahead);
	ahead = ahead > d->strayed ? ahead - d->strayed : 0;
	stats_set(
	    d->args->stats, d->args->slot, STAT_DIAL_AHEAD, d->nready + ahead);
	d->waited_for = ahead > 0;
}

static void
send_all(struct dial *d)
{
	while (d->nready > 0 && send_some_ready(d) == 0)
		;
	if (d->nready == 0)
		d->ready_first = 0; /* where it is in the cache */
	while (d->nfailed > 0 && send_one_failed(d) == 0)
		;
	stats_set(d->args->stats, d->args->slot, STAT_DIAL_QUEUED,
	    d->nready + connects_count(d->connects));
	tell_ahead(d);
}

/* ---- what comes in ------------------------------------------------------- */

static bool
is_source(const struct conf *conf, const struct addr *a)
{
	for (uint32_t i = 0; i < conf->nsources; i++)
		if (addr_cmp(&conf->sources[i], a) == 0)
			return true;
	return false;
}

/*
 * packet reads what strangers send. Whoever were to speak in its place could
 * not make us reach for anything but this sweep's targets.
 */
static bool
is_ours(const struct dial *d, const struct handoff *h)
{
	const struct conf *conf = d->args->conf;
	const struct contact *c = &h->contact;

	return is_source(conf, &c->source) &&
	    addr_is4(&c->source) == addr_is4(&c->target.addr) &&
	    c->sport >= conf->sport_first && c->sport <= conf->sport_last &&
	    c->wscale <= WSCALE_MAX && conf_port(conf, c->target.port) &&
	    ranges_has(d->args->targets, &c->target.addr);
}

static bool
is_left_out(const struct dial *d, const struct addr *a)
{
	return ranges_has(d->args->excluded, a) ||
	    (d->optouts != NULL && ranges_has(d->optouts, a));
}

/* True: it is to be adopted; else it has been dealt with. */
static bool
to_be_adopted(struct dial *d, const struct handoff *h)
{
	struct connected ended;

	count(d, STAT_DIAL_RECEIVED, 1);
	if (!is_ours(d, h)) {
		log_warn("a handoff that is not of this sweep");
		put_failed(d, &h->contact, STEP_CHECK, EINVAL, h);
		return false;
	}
	if (is_left_out(d, &h->contact.target.addr)) {
		put_withdrawn(d, h);
		return false;
	}
	if ((h->contact.flags & HANDOFF_CONNECT) == 0)
		return true;
	if (connects_start(d->connects, &h->contact, now_ms(), &ended) == 1)
		put_ended(d, &ended);
	return false;
}

static void
adopt_these(struct dial *d, const struct handoff *const *h, unsigned n)
{
	struct adopted all[HANDOFFS_MAX];

	if (n == 0)
		return;
	adopt_many(d->adopter, h, n, all);
	for (unsigned i = 0; i < n; i++) {
		const struct adopted *a = &all[i];

		if (a->fd >= 0)
			put_ready(d, &h[i]->contact, a->fd, 0);
		else
			put_failed(d, &h[i]->contact, a->step, a->error, h[i]);
	}
}

/* For how many more: each may end in any of the three. */
static unsigned
room(const struct dial *d)
{
	unsigned n = connects_room(d->connects);

	if (d->nready >= READY_MAX || d->nfailed >= FAILED_MAX)
		return 0;
	if (n > READY_MAX - d->nready)
		n = READY_MAX - d->nready;
	return n < FAILED_MAX - d->nfailed ? n : FAILED_MAX - d->nfailed;
}

static void
forget_handoff(struct dial *d)
{
	d->alone = true;
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, FD_HANDOFF, NULL);
	d->nfailed = 0;
}

/* How many it held: never none, so that nobody keeps us at it. */
static unsigned
take_message(struct dial *d)
{
	const struct handoff *these[HANDOFFS_MAX];
	struct handoff *h = d->handoffs;
	enum handoffs_next next;
	unsigned n = 0;

	while ((next = handoffs_next(&d->message, h)) == HANDOFFS_GOT) {
		if (to_be_adopted(d, h))
			these[n++] = h;
		h++;
	}
	if (next == HANDOFFS_BROKEN)
		log_warn("a message of packet that is none");
	adopt_these(d, these, n);
	return d->message.taken;
}

static void
read_handoffs(struct dial *d)
{
	for (unsigned n = 0; n < TURN && room(d) >= HANDOFFS_MAX;) {
		ssize_t len = handoffs_recv(FD_HANDOFF, &d->message);

		if (len == 0)
			forget_handoff(d);
		if (len <= 0)
			return;
		n += take_message(d);
	}
}

/* Sockets that wait for wire 2: what is left of them closes up. */
static void
withdraw_ready(struct dial *d)
{
	unsigned n = d->nready;

	d->nready = 0;
	for (unsigned i = 0; i < n; i++) {
		struct ready r = d->ready[(d->ready_first + i) % d->cap];

		if (is_left_out(d, &r.dialed.contact.target.addr)) {
			socket_abort(r.fd);
			put_aborted(d, &r.dialed.contact);
		} else {
			d->ready[(d->ready_first + d->nready++) % d->cap] = r;
		}
	}
}

static void
take_optouts(struct dial *d, const struct control *c)
{
	struct ranges *set = optouts_take(&d->coming, c);

	if (set == NULL)
		return;
	ranges_free(d->optouts);
	d->optouts = set;
	withdraw_ready(d);
	connects_withdraw(d->connects, set, put_aborted, d);
	if (optouts_done(FD_CONTROL, d->coming.number) < 0)
		log_error("opt-outs: %s", strerror(errno));
}

static void
read_control(struct dial *d)
{
	struct control c;
	int n;

	while ((n = control_recv(FD_CONTROL, &c)) == 1) {
		if (c.type == CTL_STOP)
			stop(d, 0);
		else if (c.type == CTL_OPTOUT_LIST)
			take_optouts(d, &c);
	}
	if (n == 0 && !d->stop)
		stop(d, 1);
}

/* ---- the loop ------------------------------------------------------------ */

static void
watch(struct dial *d, int how, int fd, uint32_t events, enum event what)
{
	struct epoll_event e = { .events = events, .data.u64 = what };

	if (epoll_ctl(d->epoll, how, fd, &e) < 0)
		fatal("epoll_ctl: %s", strerror(errno));
}

/* Back-pressure: while probes take nothing, wire 1 fills, and packet sees. */
static void
watch_handoff(struct dial *d)
{
	bool want = room(d) >= HANDOFFS_MAX;

	if (want == d->reading || d->alone)
		return;
	d->reading = want;
	watch(d, EPOLL_CTL_MOD, FD_HANDOFF, want ? EPOLLIN : 0, EVENT_HANDOFF);
}

/* A wire can be full of descriptors in flight, which no event tells. */
static int
wait_ms(const struct dial *d)
{
	if (d->nready > 0 || d->nfailed > 0)
		return RETRY_MS;
	if (d->waited_for)
		return AHEAD_MS;
	return connects_count(d->connects) > 0 ? DEADLINE_MS : REST_MS;
}

static void
take_event(struct dial *d, uint64_t what)
{
	struct connected ended;

	if (what == EVENT_CONTROL)
		read_control(d);
	else if (what == EVENT_HANDOFF)
		read_handoffs(d);
	else if (what >= EVENT_PLACE &&
	    connects_event(d->connects, what, &ended) == 1)
		put_ended(d, &ended);
}

/* Places first: what is started in this turn has no event in it. */
static void
turn(struct dial *d)
{
	struct epoll_event events[EVENTS_MAX];
	struct connected ended;
	int n = epoll_wait(d->epoll, events, EVENTS_MAX, wait_ms(d));

	if (n < 0 && errno != EINTR)
		fatal("epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		if (events[i].data.u64 >= EVENT_PLACE)
			take_event(d, events[i].data.u64);
	for (int i = 0; i < n; i++)
		if (events[i].data.u64 < EVENT_PLACE)
			take_event(d, events[i].data.u64);
	while (connects_due(d->connects, now_ms(), &ended) == 1)
		put_ended(d, &ended);
	send_all(d);
	watch_handoff(d);
}

/* As many descriptors as we may have: it also bounds those in flight. */
static unsigned
raise_fds(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		fatal("getrlimit: %s", strerror(errno));
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		fatal("setrlimit: %s", strerror(errno));
	if (r.rlim_cur < FDS_KEPT + 2 * READY_MAX)
		fatal("%llu descriptors are too few",
		    (unsigned long long)r.rlim_cur);
	if (r.rlim_cur - FDS_KEPT - READY_MAX < CONNECTS_MAX)
		return (unsigned)(r.rlim_cur - FDS_KEPT - READY_MAX);
	return CONNECTS_MAX;
}

static void
open_all(struct dial *d)
{
	unsigned connects = raise_fds();

	d->cap = connects + READY_MAX + FAILED_MAX;
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		fatal("epoll: %s", strerror(errno));
	d->connects = connects_new(
	    connects, d->args->conf->reply_ms, d->epoll, EVENT_PLACE);
	d->ready = calloc(d->cap, sizeof *d->ready);
	d->failed = calloc(d->cap, sizeof *d->failed);
	d->adopter = adopter_new();
	if (d->connects == NULL || d->ready == NULL || d->failed == NULL ||
	    d->adopter == NULL)
		fatal("queues for %u connections: %s", d->cap, strerror(errno));
	watch(d, EPOLL_CTL_ADD, FD_CONTROL, EPOLLIN, EVENT_CONTROL);
	watch(d, EPOLL_CTL_ADD, FD_HANDOFF, EPOLLIN, EVENT_HANDOFF);
	/* Once for each time it becomes writable again. */
	watch(d, EPOLL_CTL_ADD, FD_DIALED, EPOLLOUT | EPOLLET, EVENT_DIALED);
	d->reading = true;
}

static void
close_all(struct dial *d)
{
	for (; d->nready > 0; d->nready--) {
		close(d->ready[d->ready_first].fd);
		d->ready_first = (d->ready_first + 1) % d->cap;
	}
	connects_free(d->connects);
	adopter_free(d->adopter);
	ranges_free(d->optouts);
	free(d->ready);
	free(d->failed);
	close(d->epoll);
}

int
dial_main(const struct role_args *args)
{
	static struct dial d;

	d.args = args;
	open_all(&d);
	sandbox_enter(ROLE_DIAL, args->conf, args->instance);
	if (adopter_error(d.adopter) != 0)
		log_info("no io_uring (%s): adoption call by call",
		    strerror(adopter_error(d.adopter)));
	while (!d.stop)
		turn(&d);
	close_all(&d);
	return d.status;
}
