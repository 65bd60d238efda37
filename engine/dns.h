/*
 * dns.h: messages to a resolver and back, built and taken apart by c-ares.
 * Only its message functions are used: its channels read files, make sockets
 * and fall back to TCP, which the role that speaks DNS must not do.
 */
#ifndef ENGINE_DNS_H
#define ENGINE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/hostname.h"

enum {
	DNS_QUERY_MAX = 320, /* header, a name of 255, type, class, OPT */
	DNS_PAYLOAD = 1232, /* what a reply may take (RFC 6891, 6.2.3) */
	DNS_NAMES_MAX = 3 /* of one address that are looked at */
};

/*
 * Build the question for the names of an address, and the one for the
 * addresses of a name, of the same family as `like`. Returns the length, or 0
 * when there is no memory.
 */
size_t dns_ask_names(
    const struct addr *, uint16_t id, uint8_t query[DNS_QUERY_MAX]);
size_t dns_ask_addresses(const char *name, const struct addr *like, uint16_t id,
    uint8_t query[DNS_QUERY_MAX]);

/* The id of a message; false: it is too short for a header. */
bool dns_id(const uint8_t *, size_t len, uint16_t *id);

enum dns_reply {
	DNS_STRANGE, /* not the reply to this query: pass it over */
	DNS_FAILED, /* the resolver could not say: later, perhaps */
	DNS_NOTHING, /* there is no such name or record */
	DNS_ANSWER
};

/* What a message says to a query: header and question, no records. */
enum dns_reply dns_reply(
    const uint8_t *query, size_t qlen, const uint8_t *reply, size_t len);

/*
 * Host names from the PTR records of an answer, aliases followed (RFC 2317):
 * the first DNS_NAMES_MAX in alphabetical order, so that a resolver that turns
 * its lists around changes nothing. What is no host name is passed over; an
 * answer with a name of other characters has none. Returns how many.
 */
size_t dns_names(
    const uint8_t *reply, size_t len, char names[DNS_NAMES_MAX][HOSTNAME_CAP]);

/* Is the address among the A or AAAA records of an answer? */
bool dns_has_address(const uint8_t *reply, size_t len, const struct addr *);

#endif
