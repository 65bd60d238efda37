/* health.c: how often we are refused, by the hour. */
#include <string.h>

#include "engine/conf.h"
#include "engine/health.h"
#include "engine/log.h"
#include "engine/stats.h"

enum { HOUR_S = 3600, HUNDRED = 100 };

static struct health_counts
read_page(const struct stats *s)
{
	return (struct health_counts){
		.dialogs = stats_sum(s, STAT_PROBE_DIALOGS),
		.later = stats_sum(s, STAT_PROBE_REFUSED_LATER),
		.code_554 = stats_sum(s, STAT_PROBE_REFUSED_554),
		.listed = stats_sum(s, STAT_PROBE_REFUSED_LISTED),
	};
}

static struct health_counts
less(const struct health_counts *a, const struct health_counts *b)
{
	return (struct health_counts){
		.dialogs = a->dialogs - b->dialogs,
		.later = a->later - b->later,
		.code_554 = a->code_554 - b->code_554,
		.listed = a->listed - b->listed,
	};
}

static struct health_hour *
begin_hour(struct health *h, const struct health_counts *now, time_t began)
{
	if (h->n == HEALTH_HOURS) {
		h->n--;
		memmove(&h->hours[0], &h->hours[1], h->n * sizeof h->hours[0]);
	}
	h->hours[h->n] = (struct health_hour){ .began = began };
	h->before = *now;
	h->warning = false;
	return &h->hours[h->n++];
}

static void
warn_once(struct health *h, const struct conf *conf)
{
	const struct health_hour *hour = &h->hours[h->n - 1];
	const struct health_counts *c = &hour->counted;
	char text[HEALTH_TEXT_MAX];

	if (h->warning || conf->refused_warning == 0 ||
	    c->dialogs < HEALTH_DIALOGS_MIN ||
	    health_percent(hour) <= conf->refused_warning)
		return;
	h->warning = true;
	log_warn("%u %% of %llu mail servers refuse us since %s (later %llu, "
		 "554 %llu, blocklist %llu): is the source address listed?",
	    health_percent(hour), (unsigned long long)c->dialogs,
	    health_hour_text(hour, text), (unsigned long long)c->later,
	    (unsigned long long)c->code_554, (unsigned long long)c->listed);
}

/* A counter read a moment after another may be ahead of it. */
void
health_turn(struct health *h, const struct conf *conf, const struct stats *s,
    time_t now)
{
	time_t began = now - now % HOUR_S;
	struct health_counts page = read_page(s);
	struct health_hour *hour;

	if (h->n == 0 || h->hours[h->n - 1].began != began)
		hour = begin_hour(h, &page, began);
	else
		hour = &h->hours[h->n - 1];
	hour->counted = less(&page, &h->before);
	warn_once(h, conf);
}

unsigned
health_percent(const struct health_hour *hour)
{
	const struct health_counts *c = &hour->counted;
	uint64_t refused = c->later + c->code_554 + c->listed;

	if (c->dialogs == 0)
		return 0;
	return refused >= c->dialogs
	    ? HUNDRED
	    : (unsigned)(refused * HUNDRED / c->dialogs);
}

const char *
health_hour_text(const struct health_hour *hour, char text[HEALTH_TEXT_MAX])
{
	struct tm tm;

	gmtime_r(&hour->began, &tm);
	strftime(text, HEALTH_TEXT_MAX, "%Y-%m-%dT%H:%MZ", &tm);
	return text;
}
