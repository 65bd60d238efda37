/* health.h: how often we are refused, by the hour: is our address listed? */
#ifndef ENGINE_HEALTH_H
#define ENGINE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct conf;
struct stats;

enum {
	HEALTH_HOURS = 24, /* kept */
	HEALTH_DIALOGS_MIN = 50, /* fewer in an hour say nothing */
	HEALTH_TEXT_MAX = 24
};

/* Each dialog that was refused is in one of the three alone. */
struct health_counts {
	uint64_t dialogs; /* mail services that spoke */
	uint64_t later; /* 4xx, too many connections and the like */
	uint64_t code_554;
	uint64_t listed; /* a DNS blocklist was named */
};

struct health_hour {
	time_t began; /* UTC */
	struct health_counts counted;
};

/* Zero at the start of a sweep; oldest first, the last goes on. */
struct health {
	struct health_hour hours[HEALTH_HOURS];
	unsigned n;
	struct health_counts before; /* when the last hour began */
	bool warning; /* its share is over refused_warning */
};

/* Take what the page says; one warning an hour in the log. */
void health_turn(
    struct health *, const struct conf *, const struct stats *, time_t now);

/* Of its dialogs, 0 to 100. */
unsigned health_percent(const struct health_hour *);

/* "2026-11-21T02:00Z" */
const char *health_hour_text(
    const struct health_hour *, char text[HEALTH_TEXT_MAX]);

#endif
