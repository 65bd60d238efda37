/* plan.c: what would be swept, for `mailsweepd -n`. */
#include <inttypes.h>
#include <stdint.h>

#include "engine/conf.h"
#include "engine/plan.h"
#include "engine/ranges.h"

const char *
plan_protocol(const struct conf_port *p)
{
	static const char *const names[PROTOCOL_COUNT][2] = {
		[PROTOCOL_UNKNOWN] = { "unknown", "unknown" },
		[PROTOCOL_POP3] = { "pop3", "pop3s" },
		[PROTOCOL_IMAP] = { "imap", "imaps" },
		[PROTOCOL_SMTP] = { "smtp", "smtps" },
	};

	return names[p->protocol][p->implicit_tls];
}

static void
print_duration(FILE *to, uint64_t seconds)
{
	uint64_t d = seconds / 86400, h = seconds / 3600 % 24,
		 m = seconds / 60 % 60, s = seconds % 60;

	if (d > 0)
		fprintf(to, "%" PRIu64 "d %" PRIu64 "h %" PRIu64 "m", d, h, m);
	else if (h > 0)
		fprintf(to, "%" PRIu64 "h %" PRIu64 "m", h, m);
	else
		fprintf(to, "%" PRIu64 "m %" PRIu64 "s", m, s);
}

static void
print_sending(FILE *to, const struct conf *conf)
{
	char text[ADDR_TEXT_MAX];

	fprintf(to, "sends\n  %-17s %s\n  %-17s", "interface",
	    conf->interface[0] ? conf->interface : "of the route", "source");
	for (uint32_t i = 0; i < conf->nsources; i++)
		fprintf(to, " %s", addr_text(&conf->sources[i], text));
	fprintf(to, "%s\n  %-17s %u-%u\n  %-17s %" PRIu64 " packets/s\n",
	    conf->nsources ? "" : " of the route", "source ports",
	    conf->sport_first, conf->sport_last, "rate", conf->rate);
}

static void
print_names(FILE *to, const struct conf *conf)
{
	struct target t = { conf->resolver, conf->resolver_port };
	char text[TARGET_TEXT_MAX];

	if (conf->resolver_port == 0)
		fprintf(
		    to, "names\n  %-17s none, nobody is asked\n", "resolver");
	else
		fprintf(to, "names\n  %-17s %s, %u queries/s\n", "resolver",
		    target_text(&t, text), conf->resolve_rate);
}

/*
 * Excluded addresses are in the index and passed over; so they cost time in
 * no rate, and a shard's part is an even one.
 */
void
plan_print(FILE *to, const struct conf *conf, const struct ranges *targets,
    const struct ranges *excluded)
{
	uint64_t addresses = ranges_count(targets);
	uint64_t out = ranges_common(targets, excluded);
	uint64_t sent = (addresses - out) * conf->nports / conf->shards;

	fprintf(to, "configuration %s is good\nsweeps\n", conf->file);
	fprintf(to, "  %-17s %" PRIu64 "\n", "addresses", addresses);
	fprintf(to, "  %-17s", "ports");
	for (uint32_t i = 0; i < conf->nports; i++)
		fprintf(to, " %u/%s", conf->ports[i].port,
		    plan_protocol(&conf->ports[i]));
	fprintf(to, "\n  %-17s %" PRIu64 " addresses%s\n", "excluded", out,
	    out == addresses ? ": nothing is left to sweep" : "");
	if (conf->shards > 1)
		fprintf(to, "  %-17s %u of %u\n", "shard", conf->shard,
		    conf->shards);
	fprintf(to, "  %-17s %" PRIu64 " targets\n", "to be sent", sent);
	fprintf(to, "  %-17s ", "duration");
	print_duration(to, (sent + conf->rate - 1) / conf->rate);
	fprintf(to, " and the last conversations\n");
	print_sending(to, conf);
	print_names(to, conf);
}
