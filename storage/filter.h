/* filter.h: which rows a command is asked for. */
#ifndef STORAGE_FILTER_H
#define STORAGE_FILTER_H

#include "engine/ranges.h"
#include "storage/row.h"
#include "storage/tool.h"

/* Members that were not asked for are negative, zero or NULL. */
struct filter {
	int port, protocol, outcome, starttls, finding, family, tls;
	const char *product, *region; /* these two read the body */
	int64_t asn;
	char country[3];
	struct ranges *prefixes;
	bool any; /* something was asked for */
	bool any_row; /* nothing was asked that a silent target lacks */
};

/* Their long options, for a command's table. */
enum filter_option {
	FILTER_PORT = OPTION_OWN + 100,
	FILTER_PROTOCOL,
	FILTER_OUTCOME,
	FILTER_STARTTLS,
	FILTER_FINDING,
	FILTER_FAMILY,
	FILTER_ASN,
	FILTER_COUNTRY,
	FILTER_PREFIX,
	FILTER_TLS,
	FILTER_PRODUCT,
	FILTER_REGION
};
/* clang-format off */
#define FILTER_OPTIONS \
	{ "port", required_argument, NULL, FILTER_PORT }, \
	{ "protocol", required_argument, NULL, FILTER_PROTOCOL }, \
	{ "outcome", required_argument, NULL, FILTER_OUTCOME }, \
	{ "starttls", required_argument, NULL, FILTER_STARTTLS }, \
	{ "finding", required_argument, NULL, FILTER_FINDING }, \
	{ "family", required_argument, NULL, FILTER_FAMILY }, \
	{ "asn", required_argument, NULL, FILTER_ASN }, \
	{ "country", required_argument, NULL, FILTER_COUNTRY }, \
	{ "prefix", required_argument, NULL, FILTER_PREFIX }, \
	{ "tls", required_argument, NULL, FILTER_TLS }, \
	{ "product", required_argument, NULL, FILTER_PRODUCT }, \
	{ "region", required_argument, NULL, FILTER_REGION }
#define FILTER_HELP \
	"      --port N           only this port\n" \
	"      --protocol NAME    spoken: pop3, imap, smtp, unknown\n" \
	"      --outcome NAME     such as completed, timed_out, silent\n" \
	"      --starttls NAME    such as completed, not_offered, refused\n" \
	"      --finding NAME     such as no_tls, cleartext_login, expired\n" \
	"      --family 4|6       only IPv4 or IPv6\n" \
	"      --asn N            only this AS\n" \
	"      --country CC       only this country; ?? is unknown\n" \
	"      --prefix RANGE     only these addresses; may be repeated\n" \
	"      --tls VERSION      negotiated: TLSv1.3 ...; none\n" \
	"      --product NAME     as stats --by product has it\n" \
	"      --region NAME      of a country, in capitals or not\n"
/* clang-format on */

void filter_init(struct filter *);
/* One option; false after a message (also when c is none of these). */
bool filter_take(struct filter *, const struct tool *, int c, const char *text);
/* After the last option. False after a message. */
bool filter_ready(struct filter *);
void filter_free(struct filter *);

bool filter_passes(
    const struct filter *, const struct target *, const struct head *);
/* Is the body needed to say so? And the rest, once it is there. */
bool filter_wants_body(const struct filter *);
bool filter_passes_body(const struct filter *, const struct row *);
/* The same for a target of which only the key is known. */
bool filter_passes_silent(const struct filter *, const struct target *);

#endif
