/* begin.c: which sweep it is: the one that was cut off, or a new one. */
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "storage/begin.h"
#include "storage/info.h"
#include "storage/layout.h"
#include "storage/pending.h"
#include "storage/store_catalog.h"
#include "storage/unfinished.h"

enum {
	SECOND_US = 1000000,
	MS_US = 1000,
	PATH_CAP = LAYOUT_PATH_MAX + SWEEP_ID_MAX + 64
};

#define REMOVED_NAME ".live-removed"

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t
hash_bytes(uint64_t hash, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

uint64_t
sweep_targets_hash(const struct role_args *args)
{
	uint64_t hash = 0xcbf29ce484222325u;
	size_t len;
	uint8_t *saved = ranges_save(args->targets, &len);

	if (saved == NULL)
		fatal("no memory for the targets");
	hash = hash_bytes(hash, saved, len);
	free(saved);
	for (uint32_t i = 0; i < args->conf->nports; i++) {
		const uint8_t port[2] = { (uint8_t)(args->conf->ports[i].port >>
					      8),
			(uint8_t)args->conf->ports[i].port };

		hash = hash_bytes(hash, port, sizeof port);
	}
	return hash;
}

static uint64_t
index_excluded(const struct role_args *args)
{
	return ranges_common(args->targets, args->excluded) *
	    args->conf->nports;
}

/* The start in UTC, and the sensor: 20261121T020000Z-lab. */
static void
make_id(char id[SWEEP_ID_MAX], uint64_t us, const char *sensor)
{
	time_t seconds = (time_t)(us / SECOND_US);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(id, SWEEP_ID_MAX, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(id + n, SWEEP_ID_MAX - n, "-%.31s", sensor);
}

static bool
is_sealed(const char *datadir, const char *id)
{
	char path[PATH_CAP];

	snprintf(path, sizeof path, "%s/" LAYOUT_SEALED "/%s" LAYOUT_SUFFIX,
	    datadir, id);
	return access(path, F_OK) == 0;
}

static int
draw(void *bytes, size_t len)
{
	return getrandom(bytes, len, 0) == (ssize_t)len ? 0 : -1;
}

static bool
take_slice(const struct sweep_info *info, void *slice)
{
	*(uint32_t *)slice = (sweep_slice(&info->sweep) + 1) % INCARNATIONS;
	return true;
}

/* Behind the newest sweep of the catalog; without one, any will do. */
static uint32_t
next_slice(const char *datadir)
{
	char error[STORE_ERROR_MAX];
	uint32_t slice = 0;

	if (store_sweeps(datadir, take_slice, &slice, error) != 0)
		log_debug("the last sweep's source ports: %s", error);
	return slice;
}

static int
make_sweep(
    const struct role_args *args, const char *datadir, struct sweep_info *info)
{
	const struct conf *c = args->conf;
	struct sweep *s = &info->sweep;
	uint64_t named_us = args->now_us;

	memset(info, 0, sizeof *info);
	info->version = STORE_VERSION;
	info->rate = c->rate;
	snprintf(info->sensor, sizeof info->sensor, "%.31s", c->sensor);
	/* Two in one second: the later one is called after the next. */
	do {
		make_id(s->id, named_us, c->sensor);
		named_us += SECOND_US;
	} while (is_sealed(datadir, s->id));
	s->start_us = args->now_us;
	s->order = SWEEP_ORDER;
	s->seed = c->seed;
	s->n = ranges_count(args->targets) * c->nports;
	s->targets_hash = sweep_targets_hash(args);
	s->shard = c->shards > 0 ? c->shard : 0;
	s->shards = c->shards > 0 ? c->shards : 1;
	s->threads = c->tx_threads > 0 ? c->tx_threads : 1;
	if (s->threads > SWEEP_THREADS_MAX)
		s->threads = SWEEP_THREADS_MAX;
	for (uint32_t t = 0; t < s->threads; t++)
		info->account.index_total += sweep_share(s, t);
	info->account.index_excluded = index_excluded(args);
	info->account.excluded_exact = s->shards == 1;
	if (s->seed == 0 && draw(&s->seed, sizeof s->seed) != 0)
		return -1;
	s->first_slice = next_slice(datadir);
	return draw(s->key, sizeof s->key);
}

static void
ledger_name(char name[32], uint32_t incarnation)
{
	snprintf(name, 32, META_LEDGER ".%u", incarnation);
}

void
live_put_info(
    struct live *l, const struct sweep_info *info, const struct ledger *ledger)
{
	char text[INFO_TEXT_MAX], name[32];
	size_t len = info_write(info, true, text);

	live_meta_put(l, META_INFO, text, len);
	ledger_name(name, info->sweep.incarnation);
	len = ledger_write(ledger, text);
	live_meta_put(l, name, text, len);
}

static uint64_t
steps(const struct sweep *s)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < s->threads; t++)
		sum += s->position[t];
	return sum;
}

/* Again as often as the map has to grow for it. */
static int
commit_begin(struct live *l, const struct sweep_info *info, bool resumed,
    const struct role_args *args, char error[STORE_ERROR_MAX])
{
	/* After the answers to what is sent again in any case. */
	uint64_t now_us = args->now_us;
	uint64_t retry_us =
	    now_us + (uint64_t)args->conf->answer_window_ms * MS_US;
	struct ledger ledger = { .begin = steps(&info->sweep),
		.settled = steps(&info->sweep) };
	enum live_result result;
	uint64_t back_us = 0;
	unsigned retried = 0;

	do {
		live_begin(l);
		if (resumed) {
			back_us = pending_set_back(l, now_us);
			retried = pending_resume(l, retry_us);
		}
		live_put_info(l, info, &ledger);
		result = live_commit(l);
	} while (result == LIVE_AGAIN);
	if (result != LIVE_DONE) {
		store_say(error, LAYOUT_LIVE ": %s", live_error(l));
		return -1;
	}
	if (back_us > SECOND_US)
		log_warn("the clock was set back, by %llu s at least",
		    (unsigned long long)(back_us / SECOND_US));
	if (resumed)
		log_info("sweep %s goes on: incarnation %u, from step %llu of "
			 "%llu, %u to be asked again",
		    info->sweep.id, info->sweep.incarnation,
		    (unsigned long long)ledger.begin,
		    (unsigned long long)info->account.index_total, retried);
	else
		log_info("sweep %s begins", info->sweep.id);
	return 0;
}

/* What the environment says of its sweep; false: there is none in it. */
static bool
read_info(struct live *l, struct sweep_info *info)
{
	char text[INFO_TEXT_MAX];
	size_t len;

	live_begin(l);
	len = live_meta_get(l, META_INFO, text, sizeof text);
	live_abort(l);
	return len > 0 && info_read(text, len, info) == 0;
}

/* Does it visit what the configuration says, so that it can go on? */
static bool
fits(const struct role_args *args, const struct sweep_info *info)
{
	const struct conf *c = args->conf;
	const struct sweep *s = &info->sweep;

	return info->version >= 1 && info->version <= STORE_VERSION &&
	    s->order == SWEEP_ORDER &&
	    s->targets_hash == sweep_targets_hash(args) &&
	    s->n == ranges_count(args->targets) * c->nports &&
	    s->shards == (c->shards > 0 ? c->shards : 1) &&
	    s->shard == (c->shards > 0 ? c->shard : 0) && s->threads > 0 &&
	    s->threads <= SWEEP_THREADS_MAX &&
	    (c->seed == 0 || c->seed == s->seed);
}

int
live_remove(const char *datadir)
{
	char live[PATH_CAP], removed[PATH_CAP];

	snprintf(live, sizeof live, "%s/" LAYOUT_LIVE, datadir);
	snprintf(removed, sizeof removed, "%s/" REMOVED_NAME, datadir);
	/* One that was renamed and not removed before we were cut off. */
	if (directory_remove(removed) != 0)
		return -1;
	if (rename(live, removed) != 0)
		return errno == ENOENT ? 0 : -1;
	return directory_remove(removed);
}

/* Keep what cannot go on, out of the way: somebody may want to look at it. */
static int
set_aside(const char *datadir, const char *id, char error[STORE_ERROR_MAX])
{
	char live[PATH_CAP], aside[PATH_CAP];

	snprintf(live, sizeof live, "%s/" LAYOUT_LIVE, datadir);
	snprintf(
	    aside, sizeof aside, "%s/" UNFINISHED_PREFIX "%s", datadir, id);
	if (rename(live, aside) != 0) {
		store_say(error, "%.200s to %.200s: %s", live, aside,
		    strerror(errno));
		return -1;
	}
	log_warn("sweep %s had other targets, ports, shards, another seed "
		 "or order and cannot go on: it is kept in %s",
	    id, aside);
	return 0;
}

static int
resume(const struct role_args *args, struct live *l, struct sweep_info *info,
    char error[STORE_ERROR_MAX])
{
	/* Its bodies come as ours from now on, which a program of then misses. */
	if (info->version == VERSION_TEXTS - 1)
		info->version = VERSION_TEXTS;
	info->sweep.incarnation++;
	info->sweep.resumed = 1;
	if (info->account.index_excluded != index_excluded(args))
		info->account.excluded_exact = 0;
	return commit_begin(l, info, true, args, error);
}

/*
 * The seal was cut off after its file had come: nothing is left to do but its
 * row in the catalog and the removal.
 */
static int
finish_seal(const char *datadir, const char *id, char error[STORE_ERROR_MAX])
{
	struct store *s = store_open(datadir, id, error);
	int rc;

	if (s == NULL)
		return -1;
	rc = catalog_put(datadir, store_info(s), error);
	store_close(s);
	if (rc != 0)
		return -1;
	log_info("sweep %s was sealed already", id);
	if (live_remove(datadir) == 0)
		return 0;
	store_say(error, LAYOUT_LIVE ": %s", strerror(errno));
	return -1;
}

static struct live *
begin_fresh(const struct role_args *args, const char *datadir,
    struct sweep_info *info, char error[STORE_ERROR_MAX])
{
	struct live *l = live_open(datadir, args->conf->map_size, error);

	if (l == NULL)
		return NULL;
	if (make_sweep(args, datadir, info) != 0)
		store_say(error, "random bytes: %s", strerror(errno));
	else if (commit_begin(l, info, false, args, error) == 0)
		return l;
	live_close(l);
	return NULL;
}

struct live *
sweep_begin(const struct role_args *args, const char *datadir,
    struct sweep_info *info, char error[STORE_ERROR_MAX])
{
	struct live *l = live_open(datadir, args->conf->map_size, error);
	bool had, sealed;
	int rc;

	if (l == NULL)
		return NULL;
	had = read_info(l, info);
	if (had && info->version > STORE_VERSION) {
		store_say(error,
		    "%s/" LAYOUT_LIVE ": written in format %u, this program "
		    "reads %u: a newer one has to end that sweep",
		    datadir, info->version, STORE_VERSION);
		live_close(l);
		return NULL;
	}
	sealed = had && is_sealed(datadir, info->sweep.id);
	if (had && !sealed && fits(args, info)) {
		if (resume(args, l, info, error) == 0)
			return l;
		live_close(l);
		return NULL;
	}
	live_close(l);
	rc = 0;
	if (had)
		rc = sealed ? finish_seal(datadir, info->sweep.id, error)
			    : set_aside(datadir, info->sweep.id, error);
	return rc == 0 ? begin_fresh(args, datadir, info, error) : NULL;
}
