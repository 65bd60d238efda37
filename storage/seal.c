/* seal.c: how the sweep that ran becomes a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "storage/begin.h"
#include "storage/change.h"
#include "storage/exposure.h"
#include "storage/cert_match.h"
#include "storage/layout.h"
#include "storage/purge.h"
#include "storage/buf.h"
#include "storage/seal.h"
#include "storage/seal_tables.h"
#include "storage/store_catalog.h"
#include "storage/store_sealed.h"
#include "storage/unfinished.h"

enum { SECOND_US = 1000000 };
#define DAY_US ((uint64_t)86400 * 1000000)

/* A place in an ordered walk. */
struct walk {
	struct store_scan *scan;
	struct target target;
	struct head head;
	bool more;
};

struct sealing {
	const struct role_args *args;
	struct store *live, *before; /* before: NULL, it is the first */
	struct sealed *out;
	struct sweep_info *info;
	uint64_t keep_gone_us; /* last seen before it: forgotten */
	struct walk now, last, gone;
	struct seal_tables tables;
	uint64_t missing; /* rows that are damaged and stay out */
	uint64_t bodies_missing; /* that only a head is left of */
	uint8_t body[BODY_MAX]; /* one with its name */
};

void
seal_join(struct head *now, const struct head *before, bool gone)
{
	now->last_seen_us = now->time_us;
	exposure_join(now, before);
	if (before == NULL) {
		now->first_seen_us = now->time_us;
		now->observations = 1;
		now->change = CHANGE_NEW;
		return;
	}
	now->first_seen_us = before->first_seen_us;
	now->observations = before->observations + 1;
	now->findings_before = before->findings;
	now->change =
	    (uint8_t)(gone ? CHANGE_BACK : change_between(now, before));
}

static void
step(struct walk *w)
{
	w->more =
	    w->scan != NULL && store_scan_next(w->scan, &w->target, &w->head);
}

/* Over rows; none where there is no such sweep. */
static int
walk_begin(struct walk *w, struct store *s, bool gone)
{
	memset(w, 0, sizeof *w);
	if (s == NULL)
		return 0;
	w->scan = gone ? store_scan_gone(s) : store_scan_new(s);
	if (w->scan == NULL)
		return -1;
	step(w);
	return 0;
}

/* What the name of its address says of a row. */
static void
judge_name(struct sealing *s, const char *name, bool confirmed, struct head *h)
{
	static const uint8_t no_leaf[SHA256_LEN];
	const uint8_t *der;
	size_t len;

	if (confirmed)
		h->flags |= HEAD_PTR_CONFIRMED;
	if (memcmp(h->leaf, no_leaf, sizeof no_leaf) != 0 &&
	    store_cert(s->live, h->leaf, &der, &len) &&
	    cert_match(der, len, name, strlen(name)))
		h->names |= NAME_PTR;
}

/* ... and it goes behind the body. */
static void
join_name(struct sealing *s, struct row *r)
{
	struct record body = {
		.len = r->len, .cap = BODY_MAX, .body = s->body
	};
	char name[HOSTNAME_CAP];
	bool confirmed;

	if (!store_name(s->live, &r->target.addr, name, &confirmed))
		return;
	judge_name(s, name, confirmed, &r->head);
	if (r->len > 0)
		memcpy(body.body, r->body, r->len);
	(void)record_put(&body, TAG_PTR, name, strlen(name));
	r->body = body.body;
	r->len = body.len;
}

/* What it was the last time, or before that. NULL: it is new. */
static const struct head *
find_before(struct sealing *s, const struct target *t, bool *gone)
{
	*gone = false;
	if (s->last.more && target_cmp(&s->last.target, t) == 0)
		return &s->last.head;
	*gone = s->gone.more && target_cmp(&s->gone.target, t) == 0;
	return *gone ? &s->gone.head : NULL;
}

/* A body that is damaged is left out; its row is not. */
static void
read_body(struct sealing *s, struct row *r)
{
	uint64_t damaged = store_damaged(s->live);

	if (!store_scan_body(s->now.scan, &r->body, &r->len))
		r->body = NULL;
	s->bodies_missing += store_damaged(s->live) - damaged;
}

static int
seal_row(struct sealing *s)
{
	struct row r = { .target = s->now.target, .head = s->now.head };
	bool gone;
	const struct head *before = find_before(s, &r.target, &gone);

	seal_join(&r.head, before, gone);
	read_body(s, &r);
	join_name(s, &r);
	seal_tables_add(&s->tables, &r);
	s->info->changes[r.head.change]++;
	s->info->account.outcomes[r.head.outcome]++;
	s->info->account.rows++;
	if (sealed_head(s->out, &r.target, &r.head) != 0)
		return -1;
	return sealed_body(s->out, &r.target, r.body, r.len);
}

/* Was it asked this time at all? */
static bool
was_asked(const struct sealing *s, const struct target *t)
{
	return ranges_has(s->args->targets, &t->addr) &&
	    !ranges_has(s->args->excluded, &t->addr) &&
	    conf_port(s->args->conf, t->port) != NULL;
}

static int
seal_one_gone(struct sealing *s, struct walk *from)
{
	struct head h = from->head;
	uint64_t silent_us;

	if (h.change == CHANGE_NONE)
		h.change = CHANGE_SAME;
	/* One that is silent today has answered: it may be gone anew. */
	if (store_is_silent(s->live, &from->target, &silent_us))
		h.missed = 0;
	else if (!was_asked(s, &from->target))
		h.change = CHANGE_NONE;
	else if (h.missed < UINT16_MAX)
		h.missed++;
	if (from == &s->last && h.missed > 0)
		s->info->gone++;
	if (h.last_seen_us < s->keep_gone_us)
		return 0;
	return sealed_gone(s->out, &from->target, &h);
}

/* Has a walk not come to the row of today yet? */
static bool
is_behind(const struct walk *w, const struct walk *now)
{
	return w->more &&
	    (!now->more || target_cmp(&w->target, &now->target) < 0);
}

/* What had a row the last time or before, and has none now, in key order. */
static int
seal_gone(struct sealing *s)
{
	while (is_behind(&s->last, &s->now) || is_behind(&s->gone, &s->now)) {
		struct walk *from = &s->last;

		if (is_behind(&s->gone, from) || !from->more)
			from = &s->gone;
		if (seal_one_gone(s, from) != 0)
			return -1;
		step(from);
	}
	return 0;
}

/* All of its walks have come to one target: on. */
static void
step_all(struct sealing *s)
{
	const struct target t = s->now.target;

	if (s->last.more && target_cmp(&s->last.target, &t) == 0)
		step(&s->last);
	if (s->gone.more && target_cmp(&s->gone.target, &t) == 0)
		step(&s->gone);
	step(&s->now);
}

/* One pass over this sweep, the last one and what was gone by then. */
static int
seal_ordered(struct sealing *s)
{
	int rc = seal_gone(s);

	while (rc == 0 && s->now.more) {
		rc = seal_row(s);
		step_all(s);
		if (rc == 0)
			rc = seal_gone(s);
	}
	return rc;
}

struct rest_walk {
	struct sealing *sealing;
	int rc;
};

static bool
seal_one_silent(const struct target *t, uint64_t when_us, void *arg)
{
	struct rest_walk *w = arg;
	struct account *a = &w->sealing->info->account;
	uint64_t since = when_us - w->sealing->info->sweep.start_us;

	w->rc =
	    sealed_silent(w->sealing->out, t, (uint32_t)(since / SECOND_US));
	a->rows++;
	a->outcomes[OUTCOME_SILENT]++;
	if (store_is_phantom(w->sealing->live, &t->addr))
		w->sealing->info->silent_phantoms++;
	return w->rc == 0;
}

static int
seal_silent(struct sealing *s)
{
	struct rest_walk w = { .sealing = s };

	if (store_each_silent(s->live, seal_one_silent, &w) != 0)
		return -1;
	return w.rc;
}

static bool
seal_one_phantom(const uint8_t *key, void *arg)
{
	struct rest_walk *w = arg;

	w->rc = sealed_phantom(w->sealing->out, key);
	return w->rc == 0;
}

static int
seal_phantoms(struct sealing *s)
{
	struct rest_walk w = { .sealing = s };

	if (store_each_phantom(s->live, seal_one_phantom, &w) != 0)
		return -1;
	return w.rc;
}

static int
walks_begin(struct sealing *s)
{
	if (walk_begin(&s->now, s->live, false) != 0 ||
	    walk_begin(&s->last, s->before, false) != 0 ||
	    walk_begin(&s->gone, s->before, true) != 0)
		return -1;
	return 0;
}

static void
walks_end(struct sealing *s)
{
	store_scan_free(s->now.scan);
	store_scan_free(s->last.scan);
	store_scan_free(s->gone.scan);
	s->now.scan = s->last.scan = s->gone.scan = NULL;
}

static int
seal_rows(struct sealing *s)
{
	uint64_t damaged = store_damaged(s->live);
	int rc = walks_begin(s);

	if (rc == 0)
		rc = seal_ordered(s);
	walks_end(s);
	s->missing = store_damaged(s->live) - damaged - s->bodies_missing;
	damaged = store_damaged(s->live);
	if (rc == 0)
		rc = seal_silent(s);
	s->missing += store_damaged(s->live) - damaged;
	if (rc == 0)
		rc = seal_phantoms(s);
	return rc == 0 ? seal_tables_put(&s->tables, s->out) : rc;
}

/* Stock is counted from the rows, so what a counter said of them goes. */
static void
account_begin(struct sealing *s)
{
	struct account *a = &s->info->account;

	*s->info = *store_info(s->live);
	s->info->version = STORE_VERSION;
	a->rows = 0;
	memset(a->outcomes, 0, sizeof a->outcomes);
	memset(a->counted, 0, sizeof a->counted);
	for (uint32_t t = 0; t < s->info->sweep.threads; t++)
		for (unsigned i = 0; i < SEND_COUNTS; i++)
			a->counted[i] += s->info->sweep.counted[t][i];
}

static void
account_end(struct sealing *s)
{
	struct account *a = &s->info->account;
	uint64_t sent = a->counted[SEND_SENT], all;

	if (s->missing > 0)
		log_warn("%llu rows of the sweep are damaged and left out",
		    (unsigned long long)s->missing);
	if (s->bodies_missing > 0)
		log_warn("%llu bodies of the sweep are damaged and left out",
		    (unsigned long long)s->bodies_missing);
	if (s->before != NULL && store_damaged(s->before) > 0)
		log_warn("%s: %llu rows are damaged: who had them is new now",
		    store_info(s->before)->sweep.id,
		    (unsigned long long)store_damaged(s->before));
	/*
	 * Opted out meanwhile: gone from live/ then, and counted with the
	 * transaction; or still there, and passed over by the walks.
	 */
	a->purged = store_info(s->live)->account.rows - a->rows;
	a->purged -= a->purged < s->missing ? a->purged : s->missing;
	a->purged += a->events[STAT_STORE_PURGED];
	all = a->rows + a->purged;
	a->without_answer = sent > all ? sent - all : 0;
	s->info->balanced = account_balances(a);
}

static int
seal_file(struct sealing *s, const char *datadir, uint64_t now_us,
    uint64_t geo_build_us, char error[STORE_ERROR_MAX])
{
	uint64_t days = s->args->conf->retention_days;

	account_begin(s);
	s->info->end_us = now_us;
	s->info->geo_build_us = geo_build_us;
	if (days > 0 && days * DAY_US < now_us)
		s->keep_gone_us = now_us - days * DAY_US;
	if (s->before != NULL)
		snprintf(s->info->previous, sizeof s->info->previous, "%s",
		    store_info(s->before)->sweep.id);
	s->out = sealed_new(datadir, s->info->sweep.id, error);
	if (s->out == NULL)
		return -1;
	if (seal_rows(s) != 0) {
		store_say(error, "sealing %s: %s", s->info->sweep.id,
		    strerror(errno));
		sealed_drop(s->out);
		return -1;
	}
	account_end(s);
	if (sealed_finish(s->out, s->info) == 0)
		return 0;
	store_say(error, "sealing %s: %s", s->info->sweep.id, strerror(errno));
	return -1;
}

static void
say_purge(const char *why)
{
	log_warn("opt-outs: %s", why);
}

/* Of who has opted out since; what could not go stays hidden from readers. */
static void
purge_older(const char *datadir)
{
	struct purged p;

	(void)purge_sealed(datadir, &p, say_purge);
	if (p.files > 0)
		log_info("opt-outs: %llu rows purged from %u older sweeps",
		    (unsigned long long)p.rows, p.files);
	if (p.unfinished > 0)
		log_info(
		    "opt-outs: %u unfinished sweeps removed", p.unfinished);
}

static void
expire(const char *datadir, uint32_t days, uint64_t now_us)
{
	char why[STORE_ERROR_MAX];
	int removed = catalog_expire(datadir, days, now_us, why);
	unsigned aside = 0;

	if (removed < 0)
		log_warn("retention: %s", why);
	if (days > 0 && days * DAY_US < now_us)
		aside = unfinished_expire(datadir, now_us - days * DAY_US);
	if (removed > 0)
		log_info("%d sealed sweeps removed, older than %u days",
		    removed, days);
	if (aside > 0)
		log_info("%u unfinished sweeps removed, older than %u days",
		    aside, days);
}

/* The file is there: what is left has a second chance at the next start. */
static int
seal_after(const struct role_args *args, const char *datadir, uint64_t now_us,
    const struct sweep_info *info, char error[STORE_ERROR_MAX])
{
	if (catalog_put(datadir, info, error) != 0)
		return -1;
	if (live_remove(datadir) != 0) {
		store_say(error, LAYOUT_LIVE ": %s", strerror(errno));
		return -1;
	}
	expire(datadir, args->conf->retention_days, now_us);
	purge_older(datadir);
	return 0;
}

int
seal(const struct role_args *args, const char *datadir, uint64_t now_us,
    uint64_t geo_build_us, struct sweep_info *info, char error[STORE_ERROR_MAX])
{
	static struct sealing s;
	char newest[SWEEP_ID_MAX], why[STORE_ERROR_MAX];
	int rc = -1;

	memset(&s, 0, sizeof s);
	s.args = args;
	s.info = info;
	seal_tables_begin(&s.tables);
	s.live = store_open(datadir, LAYOUT_LIVE, error);
	if (s.live == NULL)
		goto end;
	if (store_newest(datadir, newest)) {
		s.before = store_open(datadir, newest, why);
		if (s.before == NULL)
			log_warn("not joined with the last sweep: %s", why);
	}
	rc = seal_file(&s, datadir, now_us, geo_build_us, error);
	store_close(s.before);
	store_close(s.live);
end:
	seal_tables_end(&s.tables);
	return rc == 0 ? seal_after(args, datadir, now_us, info, error) : -1;
}
