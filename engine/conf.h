/* conf.h: the configuration file, read once and constant from then on. */
#ifndef ENGINE_CONF_H
#define ENGINE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/role.h"

enum {
	CONF_PORTS_MAX = 32,
	CONF_PATH_MAX = 1024,
	CONF_NAME_MAX = 256,
	CONF_SOURCES_MAX = 16,
	CONF_COLUMNS_MAX = 512,
	CONF_PRODUCTS_MAX = 1 << 18 /* bytes of the table */
};

/* What is spoken. The names are in storage/record.c, protocol_names. */
enum protocol {
	PROTOCOL_UNKNOWN,
	PROTOCOL_POP3,
	PROTOCOL_IMAP,
	PROTOCOL_SMTP,
	PROTOCOL_COUNT
};

/* How frames leave, link.h; as the words of the option tx. */
enum tx_path { TX_AUTO, TX_PACKET, TX_LIBNET, TX_XDP, TX_LIVE, TX_PATHS };
enum tls_versions_mode { TLS_VERSIONS_NEGOTIATED, TLS_VERSIONS_ALL };
/* Who is asked at the canary port. */
enum canary_mode { CANARY_OFF, CANARY_ONE_PER_24, CANARY_EVERY };
enum follow_mode { FOLLOW_ADOPT, FOLLOW_CONNECT };

struct conf_port {
	uint16_t port;
	uint8_t protocol; /* enum protocol */
	uint8_t implicit_tls;
};

/*
 * Flat, so that it reaches the children as bytes: no pointers. Times are in
 * milliseconds; paths are absolute or relative to where mailsweepd started.
 */
struct conf {
	char file[CONF_PATH_MAX]; /* where it was read */
	char sensor[32]; /* in the sweep's id */
	char helo[CONF_NAME_MAX]; /* our FQDN, EHLO and IMAP ID */
	char contact[CONF_NAME_MAX]; /* address or URL */
	char publisher[CONF_NAME_MAX]; /* of reports; empty: not said */

	char interface[16];
	char gateway_mac[18]; /* empty: find it */
	char gateway_mac6[18];
	struct addr sources[CONF_SOURCES_MAX]; /* both families */
	uint32_t nsources;
	uint16_t sport_first, sport_last;
	uint8_t tx; /* enum tx_path */
	uint8_t follow; /* enum follow_mode */
	uint8_t tx_threads, probes;
	uint8_t syn_probes; /* SYNs of a first try, 1 or 2 */
	uint64_t rate; /* packets/s */
	uint64_t seed; /* 0: drawn for each sweep */
	uint32_t shard, shards;

	struct conf_port ports[CONF_PORTS_MAX];
	uint32_t nports;

	uint32_t greeting_ms, greeting_smtp_ms, reply_ms, handshake_ms,
	    server_hello_ms, conversation_ms, answer_window_ms;
	uint32_t probe_gap_ms; /* between these */
	uint32_t retries, retry_pause_ms, limit_pause_ms;
	uint32_t host_pause_ms; /* 0: none */
	uint32_t confirm_pause_ms;
	uint8_t hello_after_silence, confirm, injection; /* 1: on */
	uint8_t canary; /* enum canary_mode */
	uint8_t tls_versions; /* enum tls_versions_mode */
	uint8_t refused_warning; /* percent of an hour's dialogs; 0: never */
	uint32_t per_host, per_network;
	uint32_t line_max, reply_max, reply_lines_max, conversation_max,
	    min_rate, min_rate_window_ms;
	uint32_t waiting_max; /* entries in packet's table */
	uint32_t capture_buffer; /* bytes of packet's capture */

	char store[CONF_PATH_MAX]; /* data directory */
	char control[CONF_PATH_MAX]; /* socket; empty: store/control */
	uint64_t map_size; /* LMDB, bytes */
	uint32_t checkpoint_ms; /* between two commits of store */
	uint32_t retention_days; /* 0: keep all */
	char ca_bundle[CONF_PATH_MAX];
	char products[CONF_PATH_MAX]; /* empty: not found where it belongs */
	char geo_csv[CONF_PATH_MAX]; /* operator's overlay */
	char geo_mmdb4[CONF_PATH_MAX], geo_mmdb6[CONF_PATH_MAX];
	char geo_country_path[CONF_NAME_MAX]; /* "country_code" */
	char geo_region_path[CONF_NAME_MAX];
	char geo_city_path[CONF_NAME_MAX];
	char asn_csv[CONF_PATH_MAX];
	char announced[CONF_PATH_MAX]; /* addresses by country and AS */

	struct addr resolver;
	uint16_t resolver_port; /* 0: no resolver, nobody is asked */
	uint32_t resolve_rate; /* queries/s */
	uint32_t resolve_wait_ms; /* for names, at a sweep's end */

	char schedule[32]; /* "02:00": daily, UTC */
	uint32_t uid_base; /* when _mailsweep* are missing */
	uint8_t log_level; /* enum log_level */
};

/* A recipient of feeds; only mailsweep(1) reads these. */
struct recipient {
	char name[64], contact[CONF_NAME_MAX];
	uint32_t *asns;
	size_t nasns;
	struct ranges *prefixes; /* NULL: none */
	char (*countries)[3];
	size_t ncountries;
	char **domains;
	size_t ndomains;
	char **types;
	size_t ntypes; /* none: all */
	char **columns;
	size_t ncolumns; /* extra ones */
	uint8_t min_severity; /* 0 info .. 4 critical */
	bool everything; /* no filter at all: sees all rows */
	bool zip; /* files are packed */
};

struct recipients {
	struct recipient *v;
	size_t n;
};

/*
 * Read and check. On success fills all that is not NULL; targets and excluded
 * are new sealed sets of the caller's. On failure -1, after one line on
 * standard error for each mistake: FILE:LINE: the word, what was expected.
 * Refuses a file without exclusions, helo or contact.
 */
int conf_read(const char *path, struct conf *, struct ranges **targets,
    struct ranges **excluded, struct recipients *);
void recipients_free(struct recipients *);

/* The port's entry, or NULL. */
const struct conf_port *conf_port(const struct conf *, uint16_t port);

/*
 * The text of conf->products, which products_read() checks; the caller's to
 * free. NULL with errno, EFBIG over CONF_PRODUCTS_MAX.
 */
char *conf_products(const struct conf *);

/*
 * Bytes of conf, both sets and the table of products in a memfd for the
 * children, and back: what comes back is the caller's.
 */
int conf_save(int fd, const struct conf *, const struct ranges *targets,
    const struct ranges *excluded, const char *products);
int conf_load(int fd, struct conf *, struct ranges **targets,
    struct ranges **excluded, char **products);

#endif
