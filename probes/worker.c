/* worker.c: a probe process: takes connections over, reports, tells time. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "engine/log.h"
#include "engine/optouts.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "probes/products.h"
#include "probes/report.h"

enum {
	EVENTS = 256,
	MANY = 256, /* conversations, of whom */
	FEW = 64, /* have something for us: */
	REST_MS = 2,
	FDS_BESIDE = 64, /* wires, epoll, the standard ones */
	CONVERSATIONS_MAX = 32768,
	KEPT_MAX = 16384, /* more than wire 2 holds */
	KEPT_FROM = 8 * WIRE_FDS_MAX, /* with fewer descriptors: none */
	US_PER_S = 1000000,
	NS_PER_US = 1000,
	MS_PER_S = 1000,
	NS_PER_MS = 1000000
};

/* A connection that has not begun. */
struct kept {
	struct dialed dialed;
	int fd;
};

struct worker {
	const struct role_args *args;
	struct conversations all;
	struct reports reports;
	unsigned cap; /* conversations at once */
	bool taking; /* wire 2 is being read */
	bool gone; /* dial has ended: nothing more comes */
	struct optouts coming;
	struct ranges *optouts; /* in force; NULL: none yet */
	struct kept *kept; /* read from wire 2 before their time */
	unsigned nkept, kept_cap;
	bool awaiting_records, awaiting_done; /* a wire was full */
};

/* What a wire's event carries; a conversation's is its own address. */
static int control_fd = FD_CONTROL, dialed_fd = FD_DIALED,
	   records_fd = FD_RECORDS, done_fd = FD_DONE;

static const enum stat_id refusal_stats[REFUSAL_COUNT] = {
	[REFUSAL_LATER] = STAT_PROBE_REFUSED_LATER,
	[REFUSAL_554] = STAT_PROBE_REFUSED_554,
	[REFUSAL_LISTED] = STAT_PROBE_REFUSED_LISTED,
};

static void
tell_time(struct conversations *all)
{
	struct timespec mono, utc;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &utc);
	all->now_ms = (uint64_t)mono.tv_sec * MS_PER_S +
	    (uint64_t)mono.tv_nsec / NS_PER_MS;
	all->now_us =
	    (uint64_t)utc.tv_sec * US_PER_S + (uint64_t)utc.tv_nsec / NS_PER_US;
}

static void
watch(struct worker *w, int op, int *fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = fd };

	if (epoll_ctl(w->all.epoll, op, *fd, &e) < 0)
		fatal("epoll, wire %d: %s", *fd, strerror(errno));
}

/* Take connections only while there is room, and reports and turns flow. */
static void
regulate(struct worker *w)
{
	bool take = !w->gone && !w->reports.records_full &&
	    !w->reports.done_full && w->all.turns.waiting == 0 &&
	    w->nkept == 0 && w->all.open + WIRE_FDS_MAX <= w->cap;

	if (take == w->taking)
		return;
	/* One probe of all is woken for a message, not each of them. */
	watch(w, take ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, &dialed_fd,
	    EPOLLIN | EPOLLEXCLUSIVE);
	w->taking = take;
}

/* Watch a wire while it is full. */
static void
await(struct worker *w, int *fd, bool full, bool *awaiting)
{
	if (full != *awaiting)
		watch(w, full ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, EPOLLOUT);
	*awaiting = full;
}

static void
report(struct worker *w)
{
	const struct role_args *a = w->args;

	if (reports_send(&w->reports, &w->all) < 0)
		fatal("records or done notes: %s", strerror(errno));
	await(w, &records_fd, w->reports.records_full, &w->awaiting_records);
	await(w, &done_fd, w->reports.done_full, &w->awaiting_done);
	stats_set(a->stats, a->slot, STAT_PROBE_OPEN, w->all.open);
	stats_set(a->stats, a->slot, STAT_PROBE_REPORTED, w->reports.reported);
	stats_set(
	    a->stats, a->slot, STAT_PROBE_WITHDRAWN, w->reports.withdrawn);
	stats_set(a->stats, a->slot, STAT_PROBE_CERTS, w->reports.chains);
	stats_set(a->stats, a->slot, STAT_PROBE_DIALOGS, w->reports.dialogs);
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
		stats_set(
		    a->stats, a->slot, refusal_stats[i], w->reports.refused[i]);
	stats_set(a->stats, a->slot, STAT_PROBE_HANDSHAKES, w->all.handshakes);
}

static void
begin(struct worker *w, const struct dialed *d, int fd)
{
	const struct role_args *a = w->args;

	stats_add(a->stats, a->slot, STAT_PROBE_RECEIVED, 1);
	sandbox_hook(ROLE_PROBE);
	if (conversation_begin(&w->all, d, fd) < 0)
		fatal("a conversation cannot begin: %s", strerror(errno));
}

/*
 * One message of wire 2: the other probes take the others. How many came;
 * 0: none for now, or dial is gone.
 */
static size_t
read_dialed(
    struct worker *w, struct dialed dialed[WIRE_FDS_MAX], int fds[WIRE_FDS_MAX])
{
	size_t nfds;
	ssize_t len = wire_recv_fds(FD_DIALED, dialed,
	    WIRE_FDS_MAX * sizeof *dialed, fds, WIRE_FDS_MAX, &nfds);

	if (len < 0 && errno == EAGAIN)
		return 0;
	if (len == 0) {
		w->gone = true; /* stop comes next, from the parent */
		return 0;
	}
	if (len < 0)
		fatal("wire 2: %s", strerror(errno));
	if ((size_t)len != nfds * sizeof *dialed)
		fatal("wire 2: %zd bytes with %zu descriptors", len, nfds);
	return nfds;
}

/*
 * One message; or, when we rest between batches, as many connections as one
 * may hold, in however many messages they have come meanwhile.
 */
static void
take(struct worker *w)
{
	struct dialed dialed[WIRE_FDS_MAX];
	int fds[WIRE_FDS_MAX];
	size_t taken = 0, n;

	do {
		n = read_dialed(w, dialed, fds);
		for (size_t i = 0; i < n; i++)
			begin(w, &dialed[i], fds[i]);
		taken += n;
	} while (n > 0 && taken < WIRE_FDS_MAX && w->all.open >= MANY &&
	    w->all.open + WIRE_FDS_MAX <= w->cap);
}

/* ---- opt-outs ------------------------------------------------------------ */

/*
 * What lies on wire 2 is a connection too, and the kernel answers on it by
 * itself: all of it is read, whatever there is room for; those who are left
 * out end, the others begin when their time has come.
 */
static void
empty_wire(struct worker *w)
{
	struct dialed dialed[WIRE_FDS_MAX];
	int fds[WIRE_FDS_MAX];
	size_t n;

	while (w->nkept + WIRE_FDS_MAX <= w->kept_cap &&
	    (n = read_dialed(w, dialed, fds)) > 0)
		for (size_t i = 0; i < n; i++) {
			if (ranges_has(
				w->optouts, &dialed[i].contact.target.addr))
				begin(w, &dialed[i], fds[i]);
			else
				w->kept[w->nkept++] =
				    (struct kept){ dialed[i], fds[i] };
		}
}

static void
begin_kept(struct worker *w)
{
	while (w->nkept > 0 && w->all.open < w->cap) {
		struct kept *h = &w->kept[--w->nkept];

		begin(w, &h->dialed, h->fd);
	}
}

static void
withdraw_kept(struct worker *w)
{
	unsigned n = w->nkept;

	w->nkept = 0;
	for (unsigned i = 0; i < n; i++) {
		struct kept h = w->kept[i];

		if (ranges_has(w->optouts, &h.dialed.contact.target.addr))
			begin(w, &h.dialed, h.fd);
		else
			w->kept[w->nkept++] = h;
	}
}

static void
take_optouts(struct worker *w, const struct control *c)
{
	struct ranges *set = optouts_take(&w->coming, c);

	if (set == NULL)
		return;
	conversations_optouts(&w->all, set);
	ranges_free(w->optouts);
	w->optouts = set;
	withdraw_kept(w);
	empty_wire(w);
	if (optouts_done(FD_CONTROL, w->coming.number) < 0)
		fatal("control wire: %s", strerror(errno));
}

/* False: the parent says stop, or is gone. */
static bool
obey(struct worker *w)
{
	struct control c;
	int n;

	while ((n = control_recv(FD_CONTROL, &c)) == 1) {
		if (c.type == CTL_OPTOUT_LIST)
			take_optouts(w, &c);
		else if (c.type == CTL_STOP)
			return false;
	}
	if (n < 0 && errno != EAGAIN)
		fatal("control wire: %s", strerror(errno));
	return n != 0;
}

/* ---- the loop ------------------------------------------------------------ */

static bool
batch(struct worker *w, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		void *what = events[i].data.ptr;

		if (what == &control_fd) {
			if (!obey(w))
				return false;
		} else if (what == &dialed_fd) {
			take(w);
		} else if (what != &records_fd && what != &done_fd) {
			tell_time(&w->all); /* a handshake takes its time */
			conversation_event(what, events[i].events);
		}
	}
	return true;
}

/*
 * Woken for each byte of so many, most of our time would go into waking: who
 * speaks within a moment is heard with the others.
 */
static void
rest(const struct worker *w, int n)
{
	if (w->all.open >= MANY && n > 0 && n < FEW)
		poll(NULL, 0, REST_MS);
}

static void
loop(struct worker *w)
{
	struct epoll_event events[EVENTS];
	bool on = true;
	int n;

	while (on) {
		n = epoll_wait(w->all.epoll, events, EVENTS,
		    wheel_wait(&w->all.wheel, w->all.now_ms));
		if (n < 0 && errno != EINTR)
			fatal("epoll: %s", strerror(errno));
		tell_time(&w->all);
		on = batch(w, events, n);
		conversations_expire(&w->all);
		conversations_turns(&w->all);
		begin_kept(w);
		report(w);
		regulate(w);
		conversations_reclaim(&w->all);
		rest(w, n);
	}
}

/* Conversations at once, and behind them what may be kept. */
static void
set_caps(struct worker *w)
{
	unsigned fds;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		fatal("getrlimit: %s", strerror(errno));
	if (r.rlim_cur < FDS_BESIDE + WIRE_FDS_MAX)
		fatal("too few descriptors allowed: %llu",
		    (unsigned long long)r.rlim_cur);
	fds = r.rlim_cur - FDS_BESIDE > CONVERSATIONS_MAX + KEPT_MAX
	    ? CONVERSATIONS_MAX + KEPT_MAX
	    : (unsigned)r.rlim_cur - FDS_BESIDE;
	w->kept_cap = fds >= KEPT_FROM ? fds / 3 : 0;
	w->cap = fds - w->kept_cap;
	w->kept = calloc(w->kept_cap + 1, sizeof *w->kept);
	if (!w->kept)
		fatal("no memory for %u connections", w->kept_cap);
}

/* The parent has read the same text: it is a good one. */
static const struct products *
products(const struct role_args *args)
{
	char error[PRODUCTS_ERROR_MAX];
	const struct products *table;

	if (!args->products)
		return NULL;
	table = products_read("products", args->products, NULL, error);
	if (!table)
		fatal("%s", error);
	return table;
}

static void
open_up(struct worker *w)
{
	const struct conf *conf = w->args->conf;
	struct tls_context *tls = tls_context_new(conf->ca_bundle);

	if (!tls)
		fatal("%s: no CA certificates: %s", conf->ca_bundle,
		    strerror(errno));
	if (conversations_init(&w->all, conf, tls, 0, 0) < 0)
		fatal("epoll: %s", strerror(errno));
	w->all.manners.products = products(w->args);
	tell_time(&w->all);
	wheel_init(&w->all.wheel, w->all.now_ms);
	w->reports = (struct reports){ .records = FD_RECORDS, .done = FD_DONE };
	set_caps(w);
	watch(w, EPOLL_CTL_ADD, &control_fd, EPOLLIN);
	regulate(w);
}

/* A successor counts on where the one that died in its place had ended. */
static void
take_over_counts(struct worker *w)
{
	const struct role_args *a = w->args;

	w->reports.reported = stats_get(a->stats, a->slot, STAT_PROBE_REPORTED);
	w->reports.withdrawn =
	    stats_get(a->stats, a->slot, STAT_PROBE_WITHDRAWN);
	w->reports.chains = stats_get(a->stats, a->slot, STAT_PROBE_CERTS);
	w->reports.dialogs = stats_get(a->stats, a->slot, STAT_PROBE_DIALOGS);
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
		w->reports.refused[i] =
		    stats_get(a->stats, a->slot, refusal_stats[i]);
	w->all.handshakes = stats_get(a->stats, a->slot, STAT_PROBE_HANDSHAKES);
}

int
probe_main(const struct role_args *args)
{
	static struct worker w;

	w.args = args;
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
	open_up(&w);
	take_over_counts(&w);
	sandbox_enter(ROLE_PROBE, args->conf, args->instance);
	loop(&w);
	return 0;
}
