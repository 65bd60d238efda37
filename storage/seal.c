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
#include "storage/cert_match.h"
#include "storage/layout.h"
#include "storage/purge.h"
#include "storage/buf.h"
#include "storage/seal.h"
#include "storage/statistics.h"
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
	struct statistics *tables[SEALED_TABLES];
	uint64_t missing; /* rows that are damaged and stay out */
	uint8_t body[BODY_MAX]; /* one with its name */
};

void
seal_join(struct head *now, const struct head *before, bool gone)
{
	now->last_seen_us = now->time_us;
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

/* Move a walk to a target or past it; is it there? */
static bool
walk_to(struct walk *w, const struct target *t)
{
	while (w->more && target_cmp(&w->target, t) < 0)
		step(w);
	return w->more && target_cmp(&w->target, t) == 0;
}

/* What the name of its address says of a row. */
static void
judge_name(struct sealing *s, const struct target *t, struct head *h)
{
	static const uint8_t no_leaf[SHA256_LEN];
	char name[HOSTNAME_CAP];
	const uint8_t *der;
	bool confirmed;
	size_t len;

	if (!store_name(s->live, &t->addr, name, &confirmed))
		return;
	if (confirmed)
		h->flags |= HEAD_PTR_CONFIRMED;
	if (memcmp(h->leaf, no_leaf, sizeof no_leaf) != 0 &&
	    store_cert(s->live, h->leaf, &der, &len) &&
	    cert_match(der, len, name, strlen(name)))
		h->names |= NAME_PTR;
}

static void
tables_add(struct sealing *s, const struct head *h)
{
	struct row r = { .target = s->now.target, .head = *h };
	bool body = false;

	for (unsigned i = 0; i < SEALED_TABLES; i++)
		body |= statistics_wants_body(s->tables[i], h);
	if (body && !store_scan_body(s->now.scan, &r.body, &r.len))
		r.body = NULL;
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		statistics_add(s->tables[i], &r);
}

static int
seal_tables(struct sealing *s)
{
	struct buf name = { 0 }, bytes = { 0 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < SEALED_TABLES; i++) {
		buf_clear(&name);
		buf_clear(&bytes);
		cuts_name(sealed_tables[i], &name);
		statistics_save(s->tables[i], &bytes);
		rc = sealed_table(s->out, name.s, bytes.s, bytes.len);
	}
	buf_free(&name);
	buf_free(&bytes);
	return rc;
}

static int
seal_heads(struct sealing *s)
{
	const struct head *before;

	for (; s->now.more; step(&s->now)) {
		struct head h = s->now.head;
		bool gone = false;

		before = NULL;
		if (walk_to(&s->last, &s->now.target)) {
			before = &s->last.head;
		} else if (walk_to(&s->gone, &s->now.target)) {
			before = &s->gone.head;
			gone = true;
		}
		seal_join(&h, before, gone);
		judge_name(s, &s->now.target, &h);
		tables_add(s, &h);
		s->info->changes[h.change]++;
		s->info->account.outcomes[h.outcome]++;
		s->info->account.rows++;
		if (sealed_head(s->out, &s->now.target, &h) != 0)
			return -1;
	}
	return 0;
}

/* A body with the name of its address, where there is one, behind it. */
static void
join_name(struct sealing *s, const struct target *t, const uint8_t **body,
    uint32_t *len)
{
	struct record r = { .len = *len, .cap = BODY_MAX, .body = s->body };
	char name[HOSTNAME_CAP];
	bool confirmed;

	if (!store_name(s->live, &t->addr, name, &confirmed))
		return;
	if (*len > 0)
		memcpy(r.body, *body, *len);
	(void)record_put(&r, TAG_PTR, name, strlen(name));
	*body = r.body;
	*len = r.len;
}

static int
seal_bodies(struct sealing *s)
{
	struct store_scan *scan = store_scan_new(s->live);
	struct target t;
	struct head h;
	const uint8_t *body;
	uint32_t len;
	int rc = scan == NULL ? -1 : 0;

	while (rc == 0 && store_scan_next(scan, &t, &h))
		if (store_scan_body(scan, &body, &len)) {
			join_name(s, &t, &body, &len);
			rc = sealed_body(s->out, &t, body, len);
		}
	store_scan_free(scan);
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

	/* One that is silent today has answered. */
	if (was_asked(s, &from->target) && h.missed < UINT16_MAX &&
	    !store_is_silent(s->live, &from->target, &silent_us))
		h.missed++;
	if (from == &s->last && h.missed > 0)
		s->info->gone++;
	if (h.last_seen_us < s->keep_gone_us)
		return 0;
	return sealed_gone(s->out, &from->target, &h);
}

/* What had a row the last time or before, and has none now, in key order. */
static int
seal_gone(struct sealing *s)
{
	while (s->last.more || s->gone.more) {
		struct walk *from = &s->last;

		if (!s->last.more ||
		    (s->gone.more &&
			target_cmp(&s->gone.target, &s->last.target) < 0))
			from = &s->gone;
		if (!walk_to(&s->now, &from->target) &&
		    seal_one_gone(s, from) != 0)
			return -1;
		step(from);
	}
	return 0;
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
		rc = seal_heads(s);
	walks_end(s);
	s->missing = store_damaged(s->live) - damaged;
	if (rc == 0)
		rc = walks_begin(s);
	if (rc == 0)
		rc = seal_gone(s);
	walks_end(s);
	if (rc == 0)
		rc = seal_bodies(s);
	damaged = store_damaged(s->live);
	if (rc == 0)
		rc = seal_silent(s);
	s->missing += store_damaged(s->live) - damaged;
	if (rc == 0)
		rc = seal_phantoms(s);
	return rc == 0 ? seal_tables(s) : rc;
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
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		s.tables[i] = statistics_new(sealed_tables[i]);
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
	for (unsigned i = 0; i < SEALED_TABLES; i++)
		statistics_free(s.tables[i]);
	return rc == 0 ? seal_after(args, datadir, now_us, info, error) : -1;
}
