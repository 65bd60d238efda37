/* status.c: what the daemon says of itself on its control socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "engine/conf.h"
#include "engine/loss.h"
#include "engine/run.h"
#include "engine/status.h"

enum { ETA_UNKNOWN = -1 };

static void
put_number(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

/* Indices of this shard, in all and passed by any incarnation. */
static void
count_indices(const struct sweep *s, const struct stats *stats, uint64_t *total,
    uint64_t *done)
{
	*total = *done = 0;
	for (unsigned t = 0; t < s->threads && t < SWEEP_THREADS_MAX; t++) {
		*total += sweep_share(s, t);
		*done += s->position[t];
	}
	*done += stats_sum(stats, STAT_SEND_PASSED);
}

static void
put_progress(struct json_object *o, const struct conf *conf,
    const struct sweep *s, const struct run *run)
{
	const struct stats *stats = run_stats(run);
	struct watch_rates rates = run_rates(run);
	uint64_t total, done;
	double percent;

	count_indices(s, stats, &total, &done);
	percent = total == 0 ? 100.0 : 100.0 * (double)done / (double)total;
	json_object_object_add(o, "sweep", json_object_new_string(s->id));
	put_number(o, "incarnation", s->incarnation);
	put_number(o, "total", total);
	put_number(o, "done", done);
	json_object_object_add(o, "percent", json_object_new_double(percent));
	put_number(o, "rate_configured", conf->rate);
	put_number(o, "syn_per_s", rates.syns);
	put_number(o, "answers_per_s", rates.answers);
	put_number(o, "conversations_open", stats_sum(stats, STAT_PROBE_OPEN));
	put_number(o, "waiting", stats_sum(stats, STAT_PKT_WAITING));
	put_number(o, "records", stats_sum(stats, STAT_STORE_NEW));
	put_number(o, "drops", stats_sum(stats, STAT_PKT_PCAP_DROP));
	json_object_object_add(o, "eta_s",
	    json_object_new_int64(done >= total || rates.passed == 0
		    ? ETA_UNKNOWN
		    : (int64_t)((total - done) / rates.passed)));
}

/* Of packets on the way, where there are two SYNs a target to tell by. */
static void
put_loss(struct json_object *o, const struct stats *stats)
{
	struct json_object *to;
	struct loss l;

	if (!loss_estimate(stats_sum(stats, STAT_PKT_FIRSTS),
		stats_sum(stats, STAT_PKT_SECONDS),
		stats_sum(stats, STAT_PKT_BOTH), &l))
		return;
	to = json_object_new_object();
	json_object_object_add(
	    to, "one_way", json_object_new_double(l.one_way));
	json_object_object_add(to, "low", json_object_new_double(l.low));
	json_object_object_add(to, "high", json_object_new_double(l.high));
	json_object_object_add(o, "loss", to);
}

/* How often we were refused, hour by hour: are we on a blocklist? */
static void
put_health(struct json_object *o, const struct health *h)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < h->n; i++) {
		const struct health_hour *hour = &h->hours[i];
		struct json_object *one = json_object_new_object();
		char text[HEALTH_TEXT_MAX];

		json_object_object_add(one, "hour",
		    json_object_new_string(health_hour_text(hour, text)));
		put_number(one, "dialogs", hour->counted.dialogs);
		put_number(one, "refused_later", hour->counted.later);
		put_number(one, "refused_554", hour->counted.code_554);
		put_number(one, "refused_listed", hour->counted.listed);
		put_number(one, "refused_percent", health_percent(hour));
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "health", list);
	json_object_object_add(
	    o, "health_warning", json_object_new_boolean(h->warning));
}

static void
put_counters(struct json_object *o, const struct stats *stats)
{
	struct json_object *counters = json_object_new_object();

	for (enum stat_id i = 0; i < STAT_COUNT; i++)
		put_number(counters, stats_name(i), stats_sum(stats, i));
	json_object_object_add(o, "counters", counters);
}

char *
status_line(const struct conf *conf, const struct run *run, int64_t next_sweep,
    uint64_t uptime_ms)
{
	static const char *const tx[TX_PATHS] = { [TX_AUTO] = "auto",
		[TX_PACKET] = "packet",
		[TX_LIBNET] = "libnet",
		[TX_XDP] = "xdp",
		[TX_LIVE] = "live" };
	struct json_object *o = json_object_new_object();
	const char *state = run ? run_stage_names[run_stage(run)] : "idle";
	char *line = NULL;

	if (o == NULL)
		return NULL;
	json_object_object_add(o, "state", json_object_new_string(state));
	put_number(o, "pid", (uint64_t)getpid());
	put_number(o, "uptime_s", uptime_ms / 1000);
	json_object_object_add(o, "tx", json_object_new_string(tx[conf->tx]));
	json_object_object_add(o, "follow",
	    json_object_new_string(
		conf->follow == FOLLOW_ADOPT ? "adopt" : "connect"));
	if (run == NULL)
		json_object_object_add(
		    o, "next_sweep", json_object_new_int64(next_sweep));
	if (run != NULL && run_sweep(run) != NULL)
		put_progress(o, conf, run_sweep(run), run);
	if (run != NULL) {
		uint64_t path = stats_sum(run_stats(run), STAT_SEND_PATH);

		if (path > TX_AUTO && path < TX_PATHS)
			json_object_object_add(
			    o, "sends_by", json_object_new_string(tx[path]));
		put_loss(o, run_stats(run));
		put_health(o, run_health(run));
		put_counters(o, run_stats(run));
	}
	if (asprintf(&line, "%s\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) < 0)
		line = NULL;
	json_object_put(o);
	return line;
}
