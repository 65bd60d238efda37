/* storegen_rows.c: mail services that the same seed makes again. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/bench/storegen.h"

enum {
	GROUP_HOSTS = 8,
	GROUP_ROWS = 28,
	BLOCK_HOSTS = 4, /* neighbours in one AS */
	MEDIAN_BODY = 900,
	LEAST_BODY = 420, /* what all have */
	MOST_BODY = 12000,
	LINE_CAP = 160,
	NAME_CAP = 64,
	FIRST_ASN = 1000
};
#define IP4_FIRST ((uint32_t)1 << 24) /* 1.0.0.0 */
#define IP4_SPAN  ((uint32_t)222 << 24)

static const char countries[GEN_COUNTRIES * 2 + 1] =
    "USDEJPPLFRCAGBNLRUTRBRINITESCNAUSECHKRUABEATCZDKNOFIROHUZAMXARCLCOIDVN"
    "THMYSGHKTWPHIEPTGRBGHRSIRSSKLTLVEEISLUMTCYILAESAQAKWBHOMJOLBIRIQPKBDLK"
    "NPMMKHLAMNKZUZKGTJTMGEAMAZBYMDALMKMEBAEGMATNDZLYKENGGHTZUGRWETSDSNCICM"
    "GACGCDAOMZZMZWBWNAMUMGSCMWBIDJSOMLBFNETDBJTGGNGMSLLRMRCVERSSGQSTKMLSSZ"
    "CFPEECBOPYUYVECRPAGTHNSVNICUDOHTJMTTBSBBAGDMGDKNLCVCGYSRBZNZFJPGSBVUWS"
    "TOKITVNRPWMHFMTLBNMVBTAFYESYPSMCLISMADGIFOGLPRGUAI";

static const struct {
	uint16_t port;
	uint8_t protocol;
	bool implicit;
} ports[] = { { 25, PROTOCOL_SMTP, false }, { 110, PROTOCOL_POP3, false },
	{ 143, PROTOCOL_IMAP, false }, { 465, PROTOCOL_SMTP, true },
	{ 587, PROTOCOL_SMTP, false }, { 993, PROTOCOL_IMAP, true },
	{ 995, PROTOCOL_POP3, true } };

/* Of eight hosts side by side: which one, and which of the ports above. */
static const struct {
	uint8_t host, port;
} group[GROUP_ROWS] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 }, { 0, 4 },
	{ 0, 5 }, { 0, 6 }, { 1, 1 }, { 1, 2 }, { 1, 5 }, { 1, 6 }, { 2, 1 },
	{ 2, 2 }, { 3, 0 }, { 4, 0 }, { 4, 3 }, { 4, 4 }, { 5, 0 }, { 5, 1 },
	{ 5, 2 }, { 5, 4 }, { 5, 5 }, { 5, 6 }, { 6, 0 }, { 6, 2 }, { 7, 0 },
	{ 7, 1 }, { 7, 2 } };

static const char *const products[] = { "Dovecot", "Courier", "Cyrus", "Exim",
	"Postfix", "Exchange", "MDaemon", "hMailServer", "Zimbra", "qmail" };

static uint64_t
draw(const struct population *p, uint64_t what, uint64_t number)
{
	uint64_t h = p->seed ^ what * 0x9e3779b97f4a7c15;

	h = (h + number) * 0xbf58476d1ce4e5b9;
	h = (h ^ h >> 30) * 0x94d049bb133111eb;
	h = (h ^ h >> 27) * 0x9e3779b97f4a7c15;
	return h ^ h >> 31;
}

/* 0 to below n, the small ones more often. */
static uint32_t
draw_skewed(uint64_t h, uint32_t n)
{
	double u = (double)(h >> 11) / (double)((uint64_t)1 << 53);

	return (uint32_t)((double)n * u * u * u);
}

uint64_t
population_hosts(const struct population *p)
{
	return p->most / GROUP_ROWS * GROUP_HOSTS + GROUP_HOSTS;
}

struct addr
population_addr(const struct population *p, uint64_t host)
{
	uint64_t four = population_hosts(p) / 20 * 19, six = host - four;
	struct addr a = { { 0 } };

	if (host < four) {
		a = addr_from4(
		    (uint32_t)(IP4_FIRST + host * (IP4_SPAN / four)));
		return a;
	}
	a.b[0] = 0x24;
	for (int i = 0; i < 8; i++)
		a.b[1 + i] = (uint8_t)(six >> (56 - 8 * i));
	a.b[15] = 1;
	return a;
}

/* Each AS has a block of hosts at least; the first ones have many. */
uint32_t
population_asn(const struct population *p, uint64_t host)
{
	uint64_t block = host / BLOCK_HOSTS;

	/* The stride is prime to GEN_ASNS. */
	if (block < GEN_ASNS)
		return FIRST_ASN + (uint32_t)(block * 20011 % GEN_ASNS);
	return FIRST_ASN + draw_skewed(draw(p, 1, block), GEN_ASNS);
}

const char *
population_country(const struct population *p, uint32_t asn)
{
	uint32_t n = asn - FIRST_ASN < GEN_COUNTRIES
	    ? asn - FIRST_ASN
	    : draw_skewed(draw(p, 2, asn), GEN_COUNTRIES);

	return &countries[2 * (size_t)n];
}

static void
put(struct record *r, enum tag tag, const char *text)
{
	(void)record_put(r, tag, text, strlen(text));
}

/* What became of STARTTLS, of a hundred. */
static enum starttls
draw_starttls(uint64_t h)
{
	unsigned n = (unsigned)(h % 100);

	return n < 62 ? STARTTLS_COMPLETED
	    : n < 84  ? STARTTLS_NOT_OFFERED
	    : n < 88  ? STARTTLS_REFUSED
	    : n < 91  ? STARTTLS_CLOSED
	    : n < 96  ? STARTTLS_HANDSHAKE_FAILED
		      : STARTTLS_UNKNOWN;
}

/* A server that says nothing of TLS: it refuses us, or asks for no password. */
static void
judge_unknown(struct head *h, uint64_t luck)
{
	if (h->protocol == PROTOCOL_SMTP) {
		h->outcome = OUTCOME_REFUSED_US;
		h->findings |= 1u << FINDING_REFUSED_US;
	} else if (h->protocol == PROTOCOL_IMAP && luck >> 4 & 1) {
		h->findings |= 1u << FINDING_PREAUTH;
	}
}

static void
judge_clear(struct head *h, uint64_t luck)
{
	if (h->starttls == STARTTLS_NOT_OFFERED)
		h->findings |= 1u << FINDING_NO_TLS;
	else if (h->starttls != STARTTLS_COMPLETED &&
	    h->starttls != STARTTLS_UNKNOWN)
		h->findings |= 1u << FINDING_STARTTLS_BROKEN;
	if (h->protocol != PROTOCOL_SMTP && luck % 8 != 0) {
		h->findings |= 1u << FINDING_CLEARTEXT_LOGIN;
		h->flags |= HEAD_LOGIN_BEFORE;
	}
	h->confirmed = h->findings & 1u << FINDING_STARTTLS_BROKEN ? 1 : 0;
	if (h->starttls == STARTTLS_CLOSED)
		h->outcome = OUTCOME_BROKEN;
	if (h->starttls == STARTTLS_UNKNOWN)
		judge_unknown(h, luck);
}

static void
judge_tls(const struct population *p, struct head *h, uint64_t luck)
{
	h->tls_version = luck % 10 < 6 ? 0x0304
	    : luck % 10 < 9            ? 0x0303
				       : 0x0301;
	h->cipher = h->tls_version == 0x0304 ? 0x1302 : 0xc030;
	h->group = 29;
	h->key_type = luck >> 8 & 1 ? KEY_RSA : KEY_EC;
	h->key_bits = h->key_type == KEY_EC ? 256 : luck >> 9 & 7 ? 2048 : 1024;
	h->chain_len = 1;
	h->chain = luck >> 16 & 1 ? CHAIN_TRUSTED : CHAIN_SELF_SIGNED;
	h->not_before = 1790000000;
	h->not_after = 1890000000;
	if (h->tls_version < 0x0303)
		h->findings |= 1u << FINDING_OBSOLETE_TLS;
	if (h->key_bits == 1024)
		h->findings |= 1u << FINDING_WEAK_KEY;
	if (h->chain == CHAIN_SELF_SIGNED)
		h->findings |= 1u << FINDING_SELF_SIGNED;
	if (p->leaves)
		memcpy(h->leaf, p->leaves[luck % GEN_CERTS], SHA256_LEN);
}

static void
fill_head(const struct population *p, uint64_t k, uint64_t host, struct head *h)
{
	unsigned at = group[k % GROUP_ROWS].port;
	uint64_t luck = draw(p, 3, k);
	/* Whose turn it is this night. */
	bool changed = draw(p, 4, host) % 50 == p->night % 50;

	h->protocol = h->port_protocol = ports[at].protocol;
	h->port = ports[at].port;
	h->time_us = p->start_us + luck % 14400000000;
	h->outcome = OUTCOME_COMPLETED;
	h->asn = population_asn(p, host);
	memcpy(h->country, population_country(p, h->asn), 2);
	h->flags = HEAD_ADOPTED | HEAD_ASKED_OFFER | HEAD_CHAIN_PARSED;
	h->starttls = (uint8_t)(ports[at].implicit
		? STARTTLS_IMPLICIT
		: draw_starttls(draw(p, 5, k) + changed));
	if (ports[at].implicit)
		h->flags |= HEAD_IMPLICIT;
	else
		judge_clear(h, luck >> 20);
	if (h->starttls == STARTTLS_IMPLICIT ||
	    h->starttls == STARTTLS_COMPLETED)
		judge_tls(p, h, luck >> 24);
	if (draw(p, 6, host) % 200 == 0) {
		h->findings |= 1u << FINDING_PHANTOM;
		h->flags |= HEAD_CANARY;
	}
}

/* Lengths as of a lognormal law: half are below the median. */
static uint32_t
draw_length(uint64_t h)
{
	double normal = 0;

	/* Twelve draws of 0 to 1, as good as normal. */
	for (int i = 0; i < 12; i++)
		normal += (double)(h >> 5 * i & 31) / 31;
	normal = MEDIAN_BODY * exp((normal - 6) * 0.5);
	if (normal > MOST_BODY)
		return MOST_BODY;
	return normal < LEAST_BODY ? LEAST_BODY : (uint32_t)normal;
}

static void
fill_names(struct record *r, const char *name, const char *product)
{
	char line[LINE_CAP];
	static const char *const capabilities[] = { "PIPELINING", "UIDL", "TOP",
		"SASL PLAIN LOGIN" };

	if (r->head.protocol == PROTOCOL_SMTP)
		snprintf(line, sizeof line, "220 %s ESMTP %s 4.91 ready.\r\n",
		    name, product);
	else
		snprintf(
		    line, sizeof line, "+OK %s %s ready.\r\n", name, product);
	put(r, TAG_GREETING, line);
	for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
		put(r, TAG_CAPABILITY_BEFORE, capabilities[i]);
	put(r, TAG_SASL_BEFORE, "PLAIN LOGIN");
	put(r, TAG_STARTTLS_REPLY, "-ERR Unknown command.");
	put(r, TAG_GREETING_NAME, name);
	put(r, TAG_PRODUCT, product);
	put(r, TAG_VERSION, "4.91");
}

static const char *const regions[] = { "NORTH HOLLAND", "UTRECHT", "FRIESLAND",
	"OVERIJSSEL" };
enum { REGIONS = sizeof regions / sizeof regions[0] };

static void
fill_body(
    const struct population *p, uint64_t k, uint64_t host, struct record *r)
{
	uint64_t luck = draw(p, 7, k);
	uint32_t length = draw_length(draw(p, 8, k));
	const char *product = products[luck % 10];
	char name[NAME_CAP], line[LINE_CAP];
	unsigned lines = 0;

	snprintf(name, sizeof name, "mail%" PRIu64 ".as%" PRIu32 ".example.net",
	    host, r->head.asn);
	fill_names(r, name, product);
	if (r->head.tls_version && p->leaves)
		(void)record_put(r, TAG_CHAIN, r->head.leaf, SHA256_LEN);
	put(r, TAG_REGION, regions[r->head.asn % REGIONS]);
	put(r, TAG_CITY, "AMSTERDAM");
	/* One in ten tries to get out of where it is put. */
	snprintf(line, sizeof line,
	    r->head.asn % 10 ? "Example Network %" PRIu32
			     : "\"'></td><script>document.title=%" PRIu32
			       "</script><img src=x onerror=alert(1)>&lt;",
	    r->head.asn);
	put(r, TAG_AS_NAME, line);
	do {
		snprintf(line, sizeof line, "250-%s line %u of what it can do",
		    name, lines);
		(void)record_transcript(r,
		    lines % 4 ? SPEAKER_SERVER : SPEAKER_CLIENT, 10 + lines,
		    line, strlen(line));
		lines++;
	} while (r->len + 70 < length);
	put(r, TAG_PTR, name);
}

void
population_row(
    const struct population *p, uint64_t k, struct target *t, struct record *r)
{
	uint64_t host =
	    k / GROUP_ROWS * GROUP_HOSTS + group[k % GROUP_ROWS].host;
	uint8_t *body = r->body;

	record_init(r, body, BODY_MAX);
	fill_head(p, k, host, &r->head);
	t->addr = population_addr(p, host);
	t->port = r->head.port;
	memcpy(r->head.addr, t->addr.b, sizeof r->head.addr);
	fill_body(p, k, host, r);
}
