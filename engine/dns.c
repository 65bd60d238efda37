/* dns.c: messages to a resolver and back; c-ares is here. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Debian 12 has no successor of these functions. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include "engine/dns.h"

enum {
	REVERSE_MAX = 80,
	ADDRESSES_MAX = 128, /* more than DNS_PAYLOAD can hold */
	FLAG_QR = 0x80, /* of the third byte (RFC 1035, 4.1.1) */
	OPCODE = 0x78,
	RCODE = 0x0f /* of the fourth */
};

/* "1.2.0.192.in-addr.arpa", "1.0.0.0. ... .ip6.arpa" */
static void
reverse_name(const struct addr *a, char name[REVERSE_MAX])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	if (addr_is4(a)) {
		snprintf(name, REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa",
		    a->b[15], a->b[14], a->b[13], a->b[12]);
		return;
	}
	for (size_t i = sizeof a->b; i-- > 0;) {
		name[n++] = digits[a->b[i] & 15];
		name[n++] = '.';
		name[n++] = digits[a->b[i] >> 4];
		name[n++] = '.';
	}
	snprintf(name + n, REVERSE_MAX - n, "ip6.arpa");
}

static size_t
ask(const char *name, int type, uint16_t id, uint8_t query[DNS_QUERY_MAX])
{
	unsigned char *made = NULL;
	int len = 0;
	size_t n = 0;

	if (ares_create_query(name, ns_c_in, type, id, 1, &made, &len,
		DNS_PAYLOAD) == ARES_SUCCESS &&
	    len > 0 && len <= DNS_QUERY_MAX) {
		n = (size_t)len;
		memcpy(query, made, n);
	}
	ares_free_string(made);
	return n;
}

size_t
dns_ask_names(const struct addr *a, uint16_t id, uint8_t query[DNS_QUERY_MAX])
{
	char name[REVERSE_MAX];

	reverse_name(a, name);
	return ask(name, ns_t_ptr, id, query);
}

size_t
dns_ask_addresses(const char *name, const struct addr *like, uint16_t id,
    uint8_t query[DNS_QUERY_MAX])
{
	return ask(name, addr_is4(like) ? ns_t_a : ns_t_aaaa, id, query);
}

bool
dns_id(const uint8_t *message, size_t len, uint16_t *id)
{
	if (len < NS_HFIXEDSZ)
		return false;
	*id = (uint16_t)(message[0] << 8 | message[1]);
	return true;
}

/* The question of a message is its first name, a type and a class. */
static size_t
question_len(const uint8_t *message, size_t len)
{
	size_t at = NS_HFIXEDSZ;

	while (at < len && message[at] != 0) {
		/* Ours has labels only, and a reply repeats it as it is. */
		if (message[at] > NS_MAXLABEL)
			return 0;
		at += 1 + (size_t)message[at];
	}
	at += 1 + NS_QFIXEDSZ;
	return at <= len ? at - NS_HFIXEDSZ : 0;
}

/* Letters of either case; lengths are below 'A', and so unharmed. */
static bool
same_question(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t x = a[i], y = b[i];

		x = x >= 'A' && x <= 'Z' ? x | 0x20 : x;
		y = y >= 'A' && y <= 'Z' ? y | 0x20 : y;
		if (x != y)
			return false;
	}
	return true;
}

enum dns_reply
dns_reply(const uint8_t *query, size_t qlen, const uint8_t *reply, size_t len)
{
	size_t question = question_len(query, qlen);

	if (question == 0 || len < NS_HFIXEDSZ ||
	    memcmp(query, reply, 2) != 0 || (reply[2] & FLAG_QR) == 0 ||
	    (reply[2] & OPCODE) != 0)
		return DNS_STRANGE;
	/* A server may refuse without repeating what it was asked. */
	if ((reply[3] & RCODE) != ns_r_noerror &&
	    (reply[3] & RCODE) != ns_r_nxdomain)
		return DNS_FAILED;
	if (reply[4] != 0 || reply[5] != 1 || len - NS_HFIXEDSZ < question ||
	    !same_question(query + NS_HFIXEDSZ, reply + NS_HFIXEDSZ, question))
		return DNS_STRANGE;
	return (reply[3] & RCODE) == ns_r_nxdomain ? DNS_NOTHING : DNS_ANSWER;
}

/* Into its place in the order, if there is one for it; how many are there. */
static size_t
insert(char names[DNS_NAMES_MAX][HOSTNAME_CAP], size_t n, const char *name)
{
	size_t at = 0;

	while (at < n && strcmp(names[at], name) < 0)
		at++;
	if (at == DNS_NAMES_MAX || (at < n && strcmp(names[at], name) == 0))
		return n;
	n += n < DNS_NAMES_MAX;
	memmove(names[at + 1 < n ? at + 1 : at], names[at],
	    (n - 1 - at) * sizeof names[0]);
	memcpy(names[at], name, strlen(name) + 1);
	return n;
}

size_t
dns_names(
    const uint8_t *reply, size_t len, char names[DNS_NAMES_MAX][HOSTNAME_CAP])
{
	struct hostent *host = NULL;
	char name[HOSTNAME_CAP];
	size_t n = 0;

	if (len > DNS_PAYLOAD ||
	    ares_parse_ptr_reply(reply, (int)len, NULL, 0, AF_INET, &host) !=
		ARES_SUCCESS)
		return 0;
	for (char **alias = host->h_aliases; *alias != NULL; alias++)
		if (hostname_clean(*alias, name))
			n = insert(names, n, name);
	if (hostname_clean(host->h_name, name))
		n = insert(names, n, name);
	ares_free_hostent(host);
	return n;
}

static bool
has4(const uint8_t *reply, size_t len, const struct addr *a)
{
	struct ares_addrttl found[ADDRESSES_MAX];
	int n = ADDRESSES_MAX;

	if (ares_parse_a_reply(reply, (int)len, NULL, found, &n) !=
	    ARES_SUCCESS)
		return false;
	for (int i = 0; i < n; i++)
		if (memcmp(&found[i].ipaddr, &a->b[12], 4) == 0)
			return true;
	return false;
}

static bool
has6(const uint8_t *reply, size_t len, const struct addr *a)
{
	struct ares_addr6ttl found[ADDRESSES_MAX];
	int n = ADDRESSES_MAX;

	if (ares_parse_aaaa_reply(reply, (int)len, NULL, found, &n) !=
	    ARES_SUCCESS)
		return false;
	for (int i = 0; i < n; i++)
		if (memcmp(&found[i].ip6addr, a->b, sizeof a->b) == 0)
			return true;
	return false;
}

bool
dns_has_address(const uint8_t *reply, size_t len, const struct addr *a)
{
	if (len > DNS_PAYLOAD)
		return false;
	return addr_is4(a) ? has4(reply, len, a) : has6(reply, len, a);
}
