/* dns_help.h: a resolver's side: replies put together record by record. */
#ifndef TEST_UNIT_DNS_HELP_H
#define TEST_UNIT_DNS_HELP_H

#include "engine/dns.h"

struct reply {
	uint8_t b[4096];
	size_t len;
};

/* Header and question as of a query, with an RCODE; no records. */
void reply_to(struct reply *, const uint8_t *query, unsigned rcode);

/* One more answer, whose name is that of the question. */
void reply_add(struct reply *, uint16_t type, const void *data, size_t len);
void reply_ptr(struct reply *, const char *name);
void reply_address(struct reply *, const char *addr);

/* The same, with a name of its own before it. */
void reply_named(struct reply *, const char *name, uint16_t type,
    const void *data, size_t len);

/* A name in wire form; dots divide labels. Returns its length. */
size_t wire_name(const char *name, uint8_t out[256]);

/* What is asked in a query: its name, with dots, and its type. */
void query_asks(const uint8_t *query, char name[256], uint16_t *type);

#endif
