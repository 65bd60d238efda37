/* plan_json.c: what would be swept, for programs. */
#include <string.h>

#include <json-c/json.h>

#include "engine/addr.h"
#include "engine/canary.h"
#include "engine/conf.h"
#include "engine/plan.h"
#include "engine/ranges.h"

static void
put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void
put_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void
put_bool(struct json_object *o, const char *key, bool yes)
{
	json_object_object_add(o, key, json_object_new_boolean(yes));
}

static void
put_range(struct json_object *o, const char *key, uint64_t a, uint64_t b)
{
	struct json_object *two = json_object_new_array();

	json_object_array_add(two, json_object_new_uint64(a));
	json_object_array_add(two, json_object_new_uint64(b));
	json_object_object_add(o, key, two);
}

static void
put_sources(struct json_object *o, const struct conf *conf)
{
	struct json_object *list = json_object_new_array();
	char text[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < conf->nsources; i++)
		json_object_array_add(list,
		    json_object_new_string(addr_text(&conf->sources[i], text)));
	json_object_object_add(o, "sources", list);
	put_range(o, "source_ports", conf->sport_first, conf->sport_last);
}

static void
put_ports(struct json_object *o, const struct conf *conf)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < conf->nports; i++) {
		struct json_object *one = json_object_new_object();

		put_number(one, "port", conf->ports[i].port);
		put_text(one, "protocol", plan_protocol(&conf->ports[i]));
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "ports", list);
}

static void
put_seconds(struct json_object *o, const struct conf *conf)
{
	static const char *const canaries[] = { [CANARY_OFF] = "off",
		[CANARY_ONE_PER_24] = "one_per_24",
		[CANARY_EVERY] = "every" };

	put_text(o, "canary", canaries[conf->canary]);
	put_range(
	    o, "canary_ports", CANARY_FIRST, CANARY_FIRST + CANARY_PORTS - 1);
	put_bool(o, "hello_after_silence", conf->hello_after_silence);
	put_bool(o, "confirm", conf->confirm);
	put_number(o, "retries", conf->retries);
	put_bool(o, "all_tls_versions", conf->tls_versions == TLS_VERSIONS_ALL);
	put_bool(o, "injection", conf->injection);
}

int
plan_json(FILE *to, const struct conf *conf, const struct ranges *targets,
    const struct ranges *excluded)
{
	struct json_object *o = json_object_new_object();
	uint64_t all = ranges_count(targets);
	int printed;

	put_text(o, "file", conf->file);
	put_text(o, "sensor", conf->sensor);
	put_text(o, "helo", conf->helo);
	put_text(o, "contact", conf->contact);
	put_text(o, "publisher", conf->publisher);
	put_text(o, "schedule", conf->schedule);
	put_sources(o, conf);
	put_ports(o, conf);
	put_number(o, "rate", conf->rate);
	put_number(o, "per_host", conf->per_host);
	put_number(o, "per_network", conf->per_network);
	put_seconds(o, conf);
	put_number(o, "addresses", all);
	put_number(o, "excluded", ranges_common(targets, excluded));
	printed = fprintf(to, "%s\n",
	    json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return printed < 0 ? -1 : 0;
}
