/* conf.c: the options of the configuration file, their limits and defaults. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf_reader.h"
#include "engine/limits.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "engine/stats.h"
#include "engine/sweep.h"

enum kind {
	SPECIAL, /* taken apart below, not by the table */
	NUMBER,
	DURATION,
	SIZE,
	DAYS,
	TEXT,
	NAME,
	FQDN,
	CONTACT,
	MAC,
	TIME,
	CHOICE,
	SPORTS,
	SHARD,
	SERVER
};

struct option {
	const char *name;
	enum kind kind;
	size_t offset, size; /* of the member of struct conf */
	uint64_t min, max; /* NUMBER, DURATION (ms), SIZE, DAYS */
	const char *def; /* as it would stand in the file; NULL: empty */
	const char *const *names; /* CHOICE */
};

static const char *const tx_names[] = { "auto", "packet", "libnet", "xdp",
	"live", NULL };
static const char *const follow_names[] = { "adopt", "connect", NULL };
static const char *const switch_names[] = { "off", "on", NULL };
static const char *const canary_names[] = { "off", "one_per_24", "every",
	NULL };
static const char *const versions_names[] = { "negotiated", "all", NULL };
static const char *const log_names[] = { "error", "warning", "info", "debug",
	NULL };

#define AT(member)                     \
	offsetof(struct conf, member), \
	    sizeof(((const struct conf *)NULL)->member)
#define SECONDS(n) ((uint64_t)(n)*1000)
#define HOUR       SECONDS(3600)
#define DAY        (24 * HOUR)

/* clang-format off */
static const struct option options[] = {
	/* name, kind, member, least, most, default, names */
	{ "helo", FQDN, AT(helo), 0, 0, NULL, NULL },
	{ "contact", CONTACT, AT(contact), 0, 0, NULL, NULL },
	{ "publisher", TEXT, AT(publisher), 0, 0, NULL, NULL },
	{ "sensor", NAME, AT(sensor), 0, 0, "sensor", NULL },

	{ "targets", SPECIAL, 0, 0, 0, 0, NULL, NULL },
	{ "exclude", SPECIAL, 0, 0, 0, 0, NULL, NULL },
	{ "ports", SPECIAL, 0, 0, 0, 0, NULL, NULL },
	{ "source", SPECIAL, 0, 0, 0, 0, NULL, NULL },

	{ "interface", NAME, AT(interface), 0, 0, NULL, NULL },
	{ "gateway_mac", MAC, AT(gateway_mac), 0, 0, NULL, NULL },
	{ "gateway_mac6", MAC, AT(gateway_mac6), 0, 0, NULL, NULL },
	{ "source_ports", SPORTS, AT(sport_first), 0, 0, "40000-56383", NULL },
	{ "rate", NUMBER, AT(rate), 1, 100000000, "10000", NULL },
	{ "tx", CHOICE, AT(tx), 0, 0, "auto", tx_names },
	{ "tx_threads", NUMBER, AT(tx_threads), 1, SWEEP_THREADS_MAX, "1",
	  NULL },
	{ "syn_probes", NUMBER, AT(syn_probes), 1, 2, "1", NULL },
	{ "probe_gap", DURATION, AT(probe_gap_ms), 100, 60000, "5s", NULL },
	{ "follow", CHOICE, AT(follow), 0, 0, "adopt", follow_names },
	{ "probes", NUMBER, AT(probes), 1, STATS_PROBES_MAX, NULL, NULL },
	{ "seed", NUMBER, AT(seed), 0, UINT64_MAX, "0", NULL },
	{ "shard", SHARD, AT(shard), 0, 0, "0/1", NULL },

	{ "greeting", DURATION, AT(greeting_ms), SECONDS(1), HOUR, "30s",
	  NULL },
	{ "greeting_smtp", DURATION, AT(greeting_smtp_ms), SECONDS(1), HOUR,
	  "60s", NULL },
	{ "reply", DURATION, AT(reply_ms), SECONDS(1), HOUR, "30s", NULL },
	{ "handshake", DURATION, AT(handshake_ms), SECONDS(1), HOUR, "15s",
	  NULL },
	{ "server_hello", DURATION, AT(server_hello_ms), SECONDS(1), HOUR,
	  "10s", NULL },
	{ "conversation", DURATION, AT(conversation_ms), SECONDS(1), HOUR,
	  "120s", NULL },
	{ "answer_window", DURATION, AT(answer_window_ms), 500, HOUR, "10s",
	  NULL },
	{ "retries", NUMBER, AT(retries), 0, 3, "3", NULL },
	{ "retry_pause", DURATION, AT(retry_pause_ms), 0, DAY, "30m", NULL },
	{ "limit_pause", DURATION, AT(limit_pause_ms), 500, DAY, "30s",
	  NULL },

	{ "confirm", CHOICE, AT(confirm), 0, 0, "on", switch_names },
	{ "confirm_pause", DURATION, AT(confirm_pause_ms), 0, DAY, "60s",
	  NULL },
	{ "hello_after_silence", CHOICE, AT(hello_after_silence), 0, 0, "on",
	  switch_names },
	{ "canary", CHOICE, AT(canary), 0, 0, "one_per_24", canary_names },
	{ "tls_versions", CHOICE, AT(tls_versions), 0, 0, "negotiated",
	  versions_names },
	{ "injection", CHOICE, AT(injection), 0, 0, "off", switch_names },

	{ "per_host", NUMBER, AT(per_host), 1, 65535, "2", NULL },
	{ "per_network", NUMBER, AT(per_network), 1, NETWORK_LIMIT_MAX, "16",
	  NULL },
	{ "host_pause", DURATION, AT(host_pause_ms), 0, SECONDS(600), "0s",
	  NULL },
	{ "waiting_max", NUMBER, AT(waiting_max), 64, 1 << 27, "1048576",
	  NULL },
	{ "capture_buffer", SIZE, AT(capture_buffer), 1 << 20, 1 << 30, "24M",
	  NULL },
	{ "line_max", SIZE, AT(line_max), 512, 1 << 16, "8K", NULL },
	{ "reply_max", SIZE, AT(reply_max), 512, 1 << 24, "64K", NULL },
	{ "reply_lines_max", NUMBER, AT(reply_lines_max), 1, 65535, "512",
	  NULL },
	{ "conversation_max", SIZE, AT(conversation_max), 1024, 1 << 26,
	  "256K", NULL },
	{ "min_rate", SIZE, AT(min_rate), 0, 1 << 20, "16", NULL },
	{ "min_rate_window", DURATION, AT(min_rate_window_ms), SECONDS(1),
	  HOUR, "20s", NULL },

	{ "store", TEXT, AT(store), 0, 0, "/var/lib/mailsweep", NULL },
	{ "control", TEXT, AT(control), 0, 0, NULL, NULL },
	{ "map_size", SIZE, AT(map_size), 1 << 20, (uint64_t)1 << 44, "64G",
	  NULL },
	{ "checkpoint", DURATION, AT(checkpoint_ms), 100, HOUR, "1s", NULL },
	{ "retention", DAYS, AT(retention_days), 0, 36500, "0", NULL },
	{ "ca_bundle", TEXT, AT(ca_bundle), 0, 0,
	  "/etc/ssl/certs/ca-certificates.crt", NULL },
	{ "products", TEXT, AT(products), 0, 0, NULL, NULL },
	{ "geo_csv", TEXT, AT(geo_csv), 0, 0, NULL, NULL },
	{ "geo_mmdb4", TEXT, AT(geo_mmdb4), 0, 0, NULL, NULL },
	{ "geo_mmdb6", TEXT, AT(geo_mmdb6), 0, 0, NULL, NULL },
	{ "geo_country_path", TEXT, AT(geo_country_path), 0, 0,
	  "country_code", NULL },
	{ "geo_region_path", TEXT, AT(geo_region_path), 0, 0, "state1",
	  NULL },
	{ "geo_city_path", TEXT, AT(geo_city_path), 0, 0, "city", NULL },
	{ "asn_csv", TEXT, AT(asn_csv), 0, 0, NULL, NULL },
	{ "announced", TEXT, AT(announced), 0, 0, NULL, NULL },

	{ "resolver", SERVER, AT(resolver), 0, 0, NULL, NULL },
	{ "resolve_rate", NUMBER, AT(resolve_rate), 1, 10000, "100", NULL },
	{ "resolve_wait", DURATION, AT(resolve_wait_ms), SECONDS(1), DAY,
	  "10m", NULL },

	{ "refused_warning", NUMBER, AT(refused_warning), 0, 100, "20", NULL },
	{ "schedule", TIME, AT(schedule), 0, 0, "02:00", NULL },
	{ "uid_base", NUMBER, AT(uid_base), 1000, 2000000000, "64900", NULL },
	{ "log_level", CHOICE, AT(log_level), 0, 0, "info", log_names },
};
/* clang-format on */

enum { NOPTIONS = sizeof options / sizeof *options };

const char *
conf_option(size_t i)
{
	return i < NOPTIONS ? options[i].name : NULL;
}

static const char *const default_ports[] = { "110/pop3", "995/pop3s",
	"143/imap", "993/imaps", "25/smtp", "587/smtp", "465/smtps" };

static void
store_number(void *to, size_t size, uint64_t value)
{
	uint8_t one = (uint8_t)value;
	uint32_t four = (uint32_t)value;

	if (size == sizeof one)
		memcpy(to, &one, sizeof one);
	else if (size == sizeof four)
		memcpy(to, &four, sizeof four);
	else
		memcpy(to, &value, sizeof value);
}

static bool
take_days(const struct option *o, const char *text, uint64_t *days,
    char expected[EXPECTED_MAX])
{
	const uint64_t day = 86400000;
	bool good = strcmp(text, "0") == 0;

	if (good)
		*days = 0;
	else
		good = value_duration(text, day, o->max * day, days, expected);
	*days /= day;
	snprintf(expected, EXPECTED_MAX, "days, such as 90d, or 0 to keep all");
	return good;
}

/* One value into its member. False: expected says what was. */
static bool
take_value(const struct option *o, const char *text, struct conf *conf,
    char expected[EXPECTED_MAX])
{
	char *to = (char *)conf + o->offset;
	uint64_t n = 0;
	int choice;
	bool good;

	switch (o->kind) {
	case TEXT:
		return value_text(text, to, o->size, expected);
	case NAME:
		return value_name(text, to, o->size, expected);
	case FQDN:
		return value_fqdn(text, to, o->size, expected);
	case CONTACT:
		return value_contact(text, to, o->size, expected);
	case MAC:
		return value_mac(text, to, o->size, expected);
	case TIME:
		return value_time(text, to, o->size, expected);
	case SPORTS:
		return value_port_range(
		    text, &conf->sport_first, &conf->sport_last, expected);
	case SHARD:
		return value_shard(text, &conf->shard, &conf->shards, expected);
	case SERVER:
		return value_server(
		    text, &conf->resolver, &conf->resolver_port, expected);
	case CHOICE:
		choice = value_choice(text, o->names, expected);
		good = choice >= 0;
		n = good ? (uint64_t)choice : 0;
		break;
	case NUMBER:
		good = value_number(text, o->min, o->max, &n, expected);
		break;
	case DURATION:
		good = value_duration(text, o->min, o->max, &n, expected);
		break;
	case SIZE:
		good = value_size(text, o->min, o->max, &n, expected);
		break;
	case DAYS:
		good = take_days(o, text, &n, expected);
		break;
	case SPECIAL:
	default:
		return true;
	}
	if (good)
		store_number(to, o->size, n);
	return good;
}

static void
set_defaults(const char *path, struct conf *conf)
{
	char expected[EXPECTED_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	memset(conf, 0, sizeof *conf);
	snprintf(conf->file, sizeof conf->file, "%s", path);
	conf->probes = (uint8_t)(cores < 1 ? 1
		: cores > STATS_PROBES_MAX ? STATS_PROBES_MAX
					   : cores);
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].def != NULL &&
		    !take_value(&options[i], options[i].def, conf, expected))
			fatal("default of %s, expected %s", options[i].name,
			    expected);
}

static const struct option *
find_option(const char *name)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static void
take_single(struct reader *r, const struct option *o, const struct word *w,
    bool again, struct conf *conf)
{
	char expected[EXPECTED_MAX];

	if (again)
		reader_mistake(r, r->file, w->line,
		    "%s: \"%s\" is one value too many, expected one", o->name,
		    w->text);
	else if (!take_value(o, w->text, conf, expected))
		reader_mistake(r, r->file, w->line, "%s: \"%s\", expected %s",
		    o->name, w->text, expected);
}

static void
add_port(struct reader *r, const struct word *w, struct conf *conf)
{
	char expected[EXPECTED_MAX];
	struct conf_port port;

	if (!value_port(w->text, &port, expected))
		reader_mistake(r, r->file, w->line,
		    "ports: \"%s\", expected %s", w->text, expected);
	else if (conf_port(conf, port.port) != NULL)
		reader_mistake(r, r->file, w->line,
		    "ports: \"%s\", expected each port once", w->text);
	else if (conf->nports == CONF_PORTS_MAX)
		reader_mistake(r, r->file, w->line,
		    "ports: \"%s\", expected at most %d ports", w->text,
		    CONF_PORTS_MAX);
	else
		conf->ports[conf->nports++] = port;
}

static void
add_source(struct reader *r, const struct word *w, struct conf *conf)
{
	struct addr a;

	if (addr_parse(w->text, &a) < 0)
		reader_mistake(r, r->file, w->line,
		    "source: \"%s\", expected an IPv4 or IPv6 address",
		    w->text);
	else if (conf->nsources == CONF_SOURCES_MAX)
		reader_mistake(r, r->file, w->line,
		    "source: \"%s\", expected at most %d addresses", w->text,
		    CONF_SOURCES_MAX);
	else
		conf->sources[conf->nsources++] = a;
}

static void
take_words(struct reader *r, const struct words *words, struct conf *conf,
    struct ranges *targets, struct ranges *excluded)
{
	unsigned seen[NOPTIONS] = { 0 };

	for (size_t i = 0; i < words->n; i++) {
		const struct word *w = &words->v[i];
		const struct option *o;

		if (w->section != NULL || w->option == NULL ||
		    (o = find_option(w->option)) == NULL)
			continue;
		if (o->kind != SPECIAL)
			take_single(r, o, w, seen[o - options]++ > 0, conf);
		else if (strcmp(o->name, "ports") == 0)
			add_port(r, w, conf);
		else if (strcmp(o->name, "source") == 0)
			add_source(r, w, conf);
		else if (strcmp(o->name, "targets") == 0 && targets != NULL)
			list_add(r, w, targets);
		else if (strcmp(o->name, "exclude") == 0 && excluded != NULL)
			list_add(r, w, excluded);
	}
}

static bool
is_given(const struct words *words, const char *option)
{
	for (size_t i = 0; i < words->n; i++)
		if (words->v[i].section == NULL && words->v[i].option != NULL &&
		    strcmp(words->v[i].option, option) == 0)
			return true;
	return false;
}

static void
take_default_ports(struct conf *conf)
{
	char expected[EXPECTED_MAX];
	size_t n = sizeof default_ports / sizeof *default_ports;

	for (size_t i = 0; i < n; i++)
		if (!value_port(default_ports[i], &conf->ports[conf->nports++],
			expected))
			fatal("default ports: %s", default_ports[i]);
}

static void
take_default_exclusions(struct reader *r, struct ranges *excluded)
{
	char path[CONF_PATH_MAX];

	if (list_data_file("exclude.conf", path))
		list_add_file(r, r->file, 0, path, excluded);
	else
		reader_mistake(r, r->file, 0,
		    "exclude: not given, and no %s/exclude.conf, expected "
		    "exclude = \"@FILE\"",
		    DATADIR);
}

/* What must be there although no single word is wrong. */
static void
check_whole(struct reader *r, const struct words *words, struct conf *conf)
{
	static const char *const must[][2] = {
		{ "helo", "this host's full name for EHLO and IMAP ID" },
		{ "contact", "a mail address or URL where people reach you" },
		{ "targets", "what to sweep, such as \"192.0.2.0/24\"" },
	};

	for (size_t i = 0; i < sizeof must / sizeof *must; i++)
		if (!is_given(words, must[i][0]))
			reader_mistake(r, r->file, 0,
			    "%s: missing, expected %s", must[i][0], must[i][1]);
	if (!is_given(words, "ports"))
		take_default_ports(conf);
	if (!is_given(words, "products") &&
	    !list_data_file("products", conf->products))
		conf->products[0] = '\0';
}

/* Sealed, not empty, and no more addresses than that: or a mistake. */
static void
check_set(
    struct reader *r, struct ranges *set, const char *option, uint64_t most)
{
	if (set == NULL || r->mistakes > 0)
		return;
	if (ranges_seal(set) < 0)
		fatal("no memory for the configuration");
	if (ranges_count(set) > most)
		reader_mistake(r, r->file, 0,
		    "%s: expected at most 2^48 addresses", option);
	else if (ranges_count(set) == 0)
		reader_mistake(r, r->file, 0,
		    "%s: holds no address, expected at least one", option);
}

static struct ranges *
new_set(bool wanted)
{
	struct ranges *set = wanted ? ranges_new() : NULL;

	if (wanted && set == NULL)
		fatal("no memory for the configuration");
	return set;
}

int
conf_read_text(const char *path, const char *text, struct conf *conf,
    struct ranges **targets, struct ranges **excluded, struct recipients *to)
{
	const char *names[NOPTIONS + 1] = { NULL };
	struct reader r = { path, 0 };
	struct ranges *in = new_set(targets != NULL);
	struct ranges *out = new_set(excluded != NULL);
	struct recipients all = { NULL, 0 };
	struct words words;
	struct conf made;

	for (size_t i = 0; i < NOPTIONS; i++)
		names[i] = conf_option(i);
	set_defaults(path, &made);
	words_read(&r, text, names, recipient_options, &words);
	take_words(&r, &words, &made, in, out);
	recipients_take(&r, &words, &all);
	check_whole(&r, &words, &made);
	if (out != NULL && !is_given(&words, "exclude"))
		take_default_exclusions(&r, out);
	check_set(&r, in, "targets", RANGES_INDEX_MAX);
	check_set(&r, out, "exclude", RANGES_MANY);
	words_free(&words);
	if (r.mistakes > 0) {
		ranges_free(in);
		ranges_free(out);
		recipients_free(&all);
		errno = EINVAL;
		return -1;
	}
	if (conf != NULL)
		*conf = made;
	if (targets != NULL)
		*targets = in;
	if (excluded != NULL)
		*excluded = out;
	if (to != NULL)
		*to = all;
	else
		recipients_free(&all);
	return 0;
}

char *
conf_products(const struct conf *conf)
{
	char *text = conf_slurp(conf->products);

	if (text != NULL && strlen(text) > CONF_PRODUCTS_MAX) {
		free(text);
		text = NULL;
		errno = EFBIG;
	}
	return text;
}

int
conf_read(const char *path, struct conf *conf, struct ranges **targets,
    struct ranges **excluded, struct recipients *to)
{
	struct reader r = { path, 0 };
	char *text = conf_slurp(path);
	int result;

	if (text == NULL) {
		reader_mistake(&r, path, 0,
		    "cannot be read (%s), expected a configuration file",
		    strerror(errno));
		return -1;
	}
	result = conf_read_text(path, text, conf, targets, excluded, to);
	free(text);
	return result;
}
